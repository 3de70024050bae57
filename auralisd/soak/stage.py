"""Everything a run of the soak holds together: the daemon, who listens, what was read and seen."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from auralisd.errors import SoakError
from auralisd.soak.asking import ask
from auralisd.soak.child import Child
from auralisd.soak.company import Company
from auralisd.soak.hearing import Hearing
from auralisd.soak.judging import WARM_UP_SECONDS, Rebirth
from auralisd.soak.listening import WEBSOCKET_FORMS, stay
from auralisd.soak.plan import Fault
from auralisd.soak.samples import Accounts, Sample, Thinned, read_exposition
from auralisd.soak.windows import Windows

UNDERRUNS: Final = "auralisd_underruns_total"
RESTARTS: Final = "auralisd_restarts_total"
CONTAINED: Final = "auralisd_connection_errors_contained_total"
BED_SECONDS: Final = "auralisd_bed_seconds_total"
TASKS: Final = "auralisd_tasks"
COUNTERS: Final = (UNDERRUNS, RESTARTS, CONTAINED, BED_SECONDS)

START_PATIENCE_SECONDS: Final = 120.0
"""From the start of a process to its music: torch is imported, from a slow disk perhaps."""

SETTLED_SECONDS: Final = 2.0
"""After everybody who stays was heard of: what a start leaves behind is gone by then."""

RESTED_SECONDS: Final = 5.0
"""After the others have gone: what their stations had is given back by then."""

TIDY_SECONDS: Final = 15.0
"""How long may be left at the end what was opened meanwhile."""

_SLEEP_SECONDS: Final = 0.05


@dataclass(slots=True)
class FaultRecord:
    """What came of one kind of fault, however often it was injected.

    Attributes:
        fault: which.
        times: how often.
        kept: how often it ended as promised.
        underruns: in its windows.
        last_outcome: what came of it the last time.
        broken: what came of it when something else than promised did, the last time.
    """

    fault: Fault
    times: int = 0
    kept: int = 0
    underruns: float = 0.0
    last_outcome: str = ""
    broken: str = ""


@dataclass(slots=True)
class Stage:
    """One run.

    Attributes:
        child: the daemon.
        rng: chance.
        forms: what it offers over HTTP, as it says itself.
        windows: when which fault was on.
        hearing: what listeners heard.
        accounts: what was read, kept apart by whose doing it was.
        company: who comes, goes and steers; None until the first music.
        samples: readings, thinned.
        memory: seconds and resident bytes of the process that runs at each rest from its warm-up on, thinned.
        rested_at: when the last rest was over.
        quiet_before: a reading with only those who stay, at the beginning of the process that runs.
        quiet_after: the same at the end.
        records: what came of each fault, by its name.
        rebirth: what came after SIGKILL.
        ran_seconds: how long the music was watched.
        own_lag_seconds: the most this program itself was late by: gaps are no shorter than that.
        load: the highest load average of the machine, over a minute; 0 where the system does not tell.
    """

    child: Child
    rng: random.Random
    forms: tuple[str, ...] = ()
    windows: Windows = field(default_factory=Windows)
    hearing: Hearing = field(init=False)
    accounts: Accounts = field(init=False)
    company: Company | None = None
    samples: Thinned[Sample] = field(default_factory=Thinned)
    memory: Thinned[tuple[float, int]] = field(default_factory=Thinned)
    rested_at: float = 0.0
    quiet_before: Sample | None = None
    quiet_after: Sample | None = None
    records: dict[str, FaultRecord] = field(default_factory=dict)
    rebirth: Rebirth | None = None
    ran_seconds: float = 0.0
    own_lag_seconds: float = 0.0
    load: float = 0.0
    _measured_process: int = 0
    _measured_from: float = 0.0

    def __post_init__(self) -> None:
        self.hearing = Hearing(windows=self.windows)
        self.accounts = Accounts(excused=self.windows.excuse, hostile=self._only_peers)

    def _only_peers(self, begin: float, end: float) -> bool:
        return all(window.fault.kind == "hostile" for window in self.windows.overlapping(begin, end))

    async def read(self) -> Sample | None:
        """Take a reading and put it where it belongs; None where the daemon does not answer."""
        reply = await ask(self.child.port, "GET", "/metrics")
        if not reply.went_well:
            return None
        passes, counters = read_exposition(reply.body.decode(errors="replace"), (*COUNTERS, TASKS))
        tasks = counters.pop(TASKS, None)
        sample = Sample(
            at_seconds=trio.current_time(),
            process=self.child.number,
            resident_bytes=self.child.resident_bytes(),
            descriptors=self.child.descriptors(),
            tasks=None if tasks is None else int(tasks),
            passes=passes,
            counters=counters,
        )
        self.accounts.take(sample)
        self.samples.add(sample)
        if hasattr(os, "getloadavg"):
            self.load = max(self.load, os.getloadavg()[0])
        return sample

    async def rest(self) -> None:
        """Send everybody home who does not stay, read the memory, and ask them back."""
        if self.company is None:
            return
        await self.company.hush()
        try:
            await trio.sleep(RESTED_SECONDS)
            sample = await self.read()
            if sample is not None:
                self._remember(sample)
        finally:
            self.company.gather()
            self.rested_at = trio.current_time()

    def _remember(self, sample: Sample) -> None:
        if sample.process != self._measured_process:
            self.memory.clear()
            self._measured_process, self._measured_from = sample.process, sample.at_seconds + WARM_UP_SECONDS
        if sample.resident_bytes is not None and sample.at_seconds >= self._measured_from:
            self.memory.add((sample.at_seconds, sample.resident_bytes))

    async def until_music(self, *, after_epochs: int = 0) -> None:
        """Wait until the synthesiser plays and is heard, in another epoch than the first ``after_epochs``.

        Raises:
            SoakError: it does not come.
        """
        with trio.move_on_after(START_PATIENCE_SECONDS):
            while self.hearing.epochs <= after_epochs or self.hearing.first_music_of_epoch is None:
                if not self.child.is_alive:
                    raise SoakError(f"the daemon does not start: {self.child.last_words()}")
                await trio.sleep(_SLEEP_SECONDS)
            return
        raise SoakError(f"no music {START_PATIENCE_SECONDS:.0f} s after the start: {self.child.last_words()}")

    async def quiet(self) -> Sample | None:
        """A reading while only those who stay are there, and nothing is left of the others.

        Waits until as little is open as at the beginning of this process, for a while.
        """
        before, sample = self.quiet_before, None
        if before is not None and before.process != self.child.number:
            before = None
        with trio.move_on_after(TIDY_SECONDS):
            await trio.sleep(SETTLED_SECONDS)
            while True:
                sample = await self.read()
                if before is None or (sample is not None and _as_little(sample, before)):
                    return sample
                await trio.sleep(0.5)
        return sample

    async def welcome(self, nursery: trio.Nursery) -> None:
        """Let everybody come who stays: one listener of each format, one of each form over WebSocket."""
        for form in WEBSOCKET_FORMS:
            nursery.start_soon(stay, self.child.port, form, self.hearing, name=f"stays: {form}")
        self.forms = await self._offered()
        for form in self.forms:
            nursery.start_soon(stay, self.child.port, form, self.hearing, name=f"stays: {form}")

    async def _offered(self) -> tuple[str, ...]:
        with trio.move_on_after(START_PATIENCE_SECONDS):
            while True:
                reply = await ask(self.child.port, "GET", "/api/v1/stations/main")
                if reply.went_well:
                    return tuple(reply.json()["streams"])
                if not self.child.is_alive:
                    raise SoakError(f"the daemon does not start: {self.child.last_words()}")
                await trio.sleep(_SLEEP_SECONDS)
        raise SoakError(f"no answer {START_PATIENCE_SECONDS:.0f} s after the start: {self.child.last_words()}")

    async def station(self) -> dict[str, Any]:
        """The default station as it says itself; empty where it does not."""
        found: dict[str, Any] = (await ask(self.child.port, "GET", "/api/v1/stations/main")).json()
        return found

    async def bars(self) -> dict[int, int]:
        """The frame of each bar of the next minute, by its number."""
        score = (await ask(self.child.port, "GET", "/api/v1/stations/main/score?seconds=60")).json()
        return {event["index"]: event["onset_frames"] for event in score.get("events", ()) if event["kind"] == "bar"}


def _as_little(sample: Sample, before: Sample) -> bool:
    of: tuple[Callable[[Sample], int | None], ...] = (lambda one: one.descriptors, lambda one: one.tasks)
    return all((count(sample) or 0) <= (count(before) or 0) for count in of)
