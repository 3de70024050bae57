"""One soak from the start of the daemon to its end."""

from __future__ import annotations

import math
import random
import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from auralisd.errors import PromiseBrokenError, SoakError
from auralisd.soak.child import Child, running
from auralisd.soak.company import Company
from auralisd.soak.hostilities import HOSTILITIES
from auralisd.soak.judging import LEAST_RUN_SECONDS
from auralisd.soak.plan import FAULTS, START, Fault, PlannedFault, planned
from auralisd.soak.process_faults import PROCESS_FAULTS
from auralisd.soak.report import Report, report_of
from auralisd.soak.stage import UNDERRUNS, FaultRecord, Stage
from auralisd.soak.waiting import until

SAMPLE_SECONDS: Final = 5.0
PULSE_SECONDS: Final = 0.05
AGAIN_SECONDS: Final = 1.0
PATIENT_AFTER_FAULT_SECONDS: Final = 2.0
BETWEEN_RESTS_SECONDS: Final = 30.0
REST_TAKES_SECONDS: Final = 8.0
_END_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

_FORESEEN: Final = (PromiseBrokenError, OSError, trio.BrokenResourceError)

type Show = Callable[[float, str], None]
"""Is told how many seconds of the run are over, and what happens now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a soak.

    Attributes:
        seconds: how long the music is watched, from the first of it.
        seed: of the music, the plan and everybody's chance.
        faults: which are injected; none for normal service alone.
        device: what renders; the best there is without it.
        log_path: where the daemon's log goes; nowhere that outlives the run without it.
    """

    seconds: float
    seed: int
    faults: Sequence[Fault] = FAULTS
    device: str | None = None
    log_path: Path | None = None


async def soak(wanted: Wanted, *, show: Show) -> Report:
    """Start a daemon, use and abuse it, end it, and tell what was seen.

    ::

        soak
        |-- signals           Ctrl-C ends it early, and it is judged all the same
        |-- stays ...         one listener of each form, for as long as it lasts
        |-- company           visitors who come and go, a musician who turns the controls
        |-- samples           a reading every few seconds
        |-- pulse             how late this program is itself
        |-- nurse             starts another daemon where one ended by itself
        `-- the plan          one fault after the other

    Raises:
        SoakError: the daemon does not start, or never plays.
    """
    with tempfile.TemporaryDirectory(prefix="auralisd-soak-") as folder:
        child = Child(Path(folder), seed=wanted.seed, device=wanted.device, log_path=wanted.log_path)
        stage = Stage(child=child, rng=random.Random(wanted.seed))
        interrupted = trio.Event()
        try:
            with trio.CancelScope() as performance:
                async with trio.open_nursery() as nursery:
                    await nursery.start(_watch_signals, interrupted, performance)
                    async with running(child):
                        await _perform(stage, wanted, show)
                    nursery.cancel_scope.cancel()
        except ExceptionGroup as group:
            reason = group.subgroup(SoakError)
            if reason is None:
                raise
            raise first_of(reason) from None
        return report_of(stage, seed=wanted.seed, interrupted=interrupted.is_set())


async def _watch_signals(
    interrupted: trio.Event,
    performance: trio.CancelScope,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(*_END_SIGNALS) as received:
        task_status.started()
        async for _ in received:
            interrupted.set()
            performance.cancel()


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of the errors in ``group`` that is not a group itself."""
    inner = group.exceptions[0]
    return first_of(inner) if isinstance(inner, BaseExceptionGroup) else inner


async def _perform(stage: Stage, wanted: Wanted, show: Show) -> None:
    show(0.0, "waiting for the music")
    async with trio.open_nursery() as nursery:
        start = stage.windows.open(START, trio.current_time())
        await stage.welcome(nursery)
        await stage.until_music()
        stage.quiet_before = await stage.quiet()
        start.ends_at = trio.current_time()
        await stage.read()
        stage.company = Company(port=stage.child.port, forms=stage.forms, hearing=stage.hearing, rng=stage.rng)
        nursery.start_soon(stage.company.run, name="company")
        stage.company.gather()
        began_at = trio.current_time()
        doing = _Doing(show, began_at, wanted.seconds)
        nursery.start_soon(_sample, stage, name="samples")
        nursery.start_soon(_pulse, stage, doing, name="pulse")
        nursery.start_soon(_nurse, stage, name="nurse")
        try:
            stage.rested_at = trio.current_time() if wanted.seconds >= LEAST_RUN_SECONDS else math.inf
            for one in planned(wanted.seconds, stage.rng, wanted.faults):
                await _come_to(one, stage, began_at)
                await _inflict(one.fault, stage, doing)
            doing.say("normal service")
            await _serve_until(began_at + wanted.seconds, stage)
        finally:
            stage.ran_seconds = trio.current_time() - began_at
        doing.say("looking what is left")
        await stage.company.hush()
        stage.quiet_after = await stage.quiet()
        nursery.cancel_scope.cancel()


class _Doing:
    """What happens now, for whoever watches."""

    def __init__(self, show: Show, began_at: float, seconds: float) -> None:
        self._show, self._began_at, self._seconds = show, began_at, seconds
        self._words = "normal service"

    def say(self, words: str) -> None:
        self._words = words
        self.tick()

    def tick(self) -> None:
        self._show(min(self._seconds, trio.current_time() - self._began_at), self._words)


async def _come_to(one: PlannedFault, stage: Stage, began_at: float) -> None:
    """Wait for its time; it is later where the fault before took longer, but there is always calm between."""
    calm_from = trio.current_time() + PATIENT_AFTER_FAULT_SECONDS
    await _serve_until(max(calm_from, began_at + one.at_seconds), stage)
    await stage.read()  # what was until now is the daemon's own


async def _serve_until(moment: float, stage: Stage) -> None:
    """Normal service until ``moment``; with a rest now and then, where there is time for one."""
    while stage.rested_at + BETWEEN_RESTS_SECONDS + REST_TAKES_SECONDS < moment:
        await trio.sleep_until(stage.rested_at + BETWEEN_RESTS_SECONDS)
        if trio.current_time() + REST_TAKES_SECONDS > moment:
            break
        await stage.rest()
    await trio.sleep_until(moment)


async def _inflict(fault: Fault, stage: Stage, doing: _Doing) -> None:
    doing.say(fault.words)
    record = stage.records.setdefault(fault.name, FaultRecord(fault=fault))
    underruns = stage.accounts.inside.get(UNDERRUNS, 0.0)
    window = stage.windows.open(fault, trio.current_time())
    record.times += 1
    broken, record.last_outcome = await _outcome(fault, stage)
    if broken:
        record.broken = record.last_outcome
    else:
        record.kept += 1
    await trio.sleep(fault.aftermath_seconds)
    window.ends_at = trio.current_time()
    await stage.read()
    record.underruns += stage.accounts.inside.get(UNDERRUNS, 0.0) - underruns
    doing.say("normal service")


async def _outcome(fault: Fault, stage: Stage) -> tuple[bool, str]:
    """Whether a promise was broken, and what came of it."""
    try:
        with trio.move_on_after(fault.most_seconds):
            words = await _done(fault, stage)
            if not stage.child.is_alive:
                raise PromiseBrokenError("the daemon goes on", f"it ended: {stage.child.last_words()}")
            return False, words
    except _FORESEEN as error:
        return True, str(error) or repr(error)
    except ExceptionGroup as group:
        foreseen, others = group.split(_FORESEEN)
        if others is not None or foreseen is None:
            raise
        return True, str(first_of(foreseen))
    return True, f"it was not over within {fault.most_seconds:.0f} s"


async def _done(fault: Fault, stage: Stage) -> str:
    if fault.name in PROCESS_FAULTS:
        return await PROCESS_FAULTS[fault.name](stage)
    return await HOSTILITIES[fault.name](stage.child)


async def _sample(stage: Stage) -> None:
    while True:
        await trio.sleep(SAMPLE_SECONDS)
        await stage.read()


async def _pulse(stage: Stage, doing: _Doing) -> None:
    """Note how late this program is itself, and let the bar move."""
    due = trio.current_time()
    while True:
        due = max(due + PULSE_SECONDS, trio.current_time())
        await trio.sleep_until(due)
        stage.own_lag_seconds = max(stage.own_lag_seconds, trio.current_time() - due)
        doing.tick()


async def _nurse(stage: Stage) -> None:
    """Start another daemon where one ended by itself: that is a broken level, and more can be seen."""
    while True:
        await until(lambda: stage.child.is_missed)
        await trio.sleep(AGAIN_SECONDS)
        if stage.child.is_missed:
            await stage.child.replace()
