"""Which faults there are, how long each may take, and when which of them comes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

type FaultKind = Literal["hostile", "process"]
"""What a peer does over sockets, or what happens to the whole process."""

LONGEST_CALM_SECONDS: Final = 15.0
SHORTEST_CALM_SECONDS: Final = 2.0
_CALMS_IN_A_RUN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is done to the daemon on purpose.

    Attributes:
        name: what ``--fault`` calls it.
        words: what is done, for people.
        kind: whose business it is.
        usual_seconds: how long it takes as a rule; the plan reserves as much.
        most_seconds: it is broken off after so long.
        aftermath_seconds: what is heard so long after it still belongs to it.
        ends_listeners: whether the process ends, and with it connections.
        once: whether it comes at the beginning and never again: what is measured over hours wants one process.
    """

    name: str
    words: str
    kind: FaultKind
    usual_seconds: float
    most_seconds: float
    aftermath_seconds: float = 1.0
    ends_listeners: bool = False
    once: bool = False


KILL: Final = Fault(
    name="kill",
    words="SIGKILL, and another process on the same state",
    kind="process",
    usual_seconds=10.0,
    most_seconds=90.0,
    aftermath_seconds=5.0,
    ends_listeners=True,
    once=True,
)

START: Final = Fault(
    name="start",
    words="the daemon starts",
    kind="process",
    usual_seconds=10.0,
    most_seconds=120.0,
    ends_listeners=True,
)
"""No fault, and in no plan: judged from its end on."""

FAULTS: Final[tuple[Fault, ...]] = (
    KILL,
    Fault(
        name="handover",
        words="SIGUSR2: another process goes on with every stream",
        kind="process",
        usual_seconds=30.0,
        most_seconds=150.0,
        aftermath_seconds=5.0,
        ends_listeners=True,
        once=True,
    ),
    Fault(
        name="stop",
        words="the process stands still for 2 s",
        kind="process",
        usual_seconds=2.5,
        most_seconds=4.0,
        aftermath_seconds=5.0,
    ),
    Fault(
        name="busy",
        words="every processor is busy with something else for 3 s",
        kind="process",
        usual_seconds=3.5,
        most_seconds=8.0,
        aftermath_seconds=5.0,
    ),
    Fault(
        name="reload",
        words="SIGHUP with a wrong configuration, then with a right one",
        kind="hostile",
        usual_seconds=2.0,
        most_seconds=12.0,
    ),
    Fault(
        name="lock",
        words="another program holds the state file for 3 s",
        kind="hostile",
        usual_seconds=3.5,
        most_seconds=8.0,
    ),
    Fault(
        name="second",
        words="a second daemon on the same state",
        kind="hostile",
        usual_seconds=4.0,
        most_seconds=30.0,
    ),
    Fault(
        name="stall",
        words="two listeners take nothing until they are sent away",
        kind="hostile",
        usual_seconds=14.0,
        most_seconds=25.0,
    ),
    Fault(
        name="reset",
        words="forty listeners break off without a goodbye",
        kind="hostile",
        usual_seconds=2.0,
        most_seconds=10.0,
    ),
    Fault(
        name="garbage",
        words="bytes that are no request, frames that are none",
        kind="hostile",
        usual_seconds=2.0,
        most_seconds=15.0,
    ),
    Fault(
        name="halfclose",
        words="connections that are closed by half, at every moment",
        kind="hostile",
        usual_seconds=3.0,
        most_seconds=15.0,
    ),
    Fault(
        name="body",
        words="a body of two megabytes, promised and sent",
        kind="hostile",
        usual_seconds=1.0,
        most_seconds=10.0,
    ),
    Fault(
        name="dawdle",
        words="a head that comes byte by byte",
        kind="hostile",
        usual_seconds=6.0,
        most_seconds=10.0,
    ),
    Fault(
        name="flood",
        words="sixty changes at once, two hundred frames at once",
        kind="hostile",
        usual_seconds=2.0,
        most_seconds=12.0,
        aftermath_seconds=2.0,
    ),
    Fault(
        name="storm",
        words="200 connections at once",
        kind="hostile",
        usual_seconds=4.0,
        most_seconds=20.0,
        aftermath_seconds=2.0,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """A fault and when it comes, in seconds since the music was there."""

    at_seconds: float
    fault: Fault


def calm_seconds(seconds: float) -> float:
    """How long nothing is done between two faults of a run of ``seconds``: normal service is judged too."""
    return min(LONGEST_CALM_SECONDS, max(SHORTEST_CALM_SECONDS, seconds / _CALMS_IN_A_RUN))


def planned(seconds: float, rng: random.Random, faults: Sequence[Fault] = FAULTS) -> tuple[PlannedFault, ...]:
    """What comes when in a run of ``seconds``: what comes once at first, the others in rounds, shuffled anew each time.

    A fault that would not be over in time is left out, and a shorter one may take its place. After the last one there
    is calm again.
    """
    calm = calm_seconds(seconds)
    plan: list[PlannedFault] = []
    at = calm
    for fault in _in_rounds(faults, rng):
        if at + _shortest(faults) + calm > seconds:
            break
        ends = at + fault.usual_seconds + fault.aftermath_seconds
        if ends + calm <= seconds:
            plan.append(PlannedFault(at_seconds=at, fault=fault))
            at = ends + calm
    return tuple(plan)


def _in_rounds(faults: Sequence[Fault], rng: random.Random) -> Iterator[Fault]:
    """Every fault there is room for, again and again; one that is passed over comes round in the next round."""
    yield from (fault for fault in faults if fault.once)
    others = [fault for fault in faults if not fault.once]
    while others:
        rng.shuffle(others)
        yield from others


def _shortest(faults: Sequence[Fault]) -> float:
    """What the shortest fault that comes again takes."""
    again = [fault for fault in faults if not fault.once] or list(faults)
    return min((fault.usual_seconds + fault.aftermath_seconds for fault in again), default=0.0)
