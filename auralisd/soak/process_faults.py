"""What happens to the whole process: it stands still, or it is killed and another goes on."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final

import trio

from auralisd.errors import PromiseBrokenError
from auralisd.soak.child import successor
from auralisd.soak.judging import Rebirth
from auralisd.soak.stage import Stage
from auralisd.soak.waiting import until
from auralisd.units import frames_to_seconds

STANDSTILL_SECONDS: Final = 2.0
BUSY_SECONDS: Final = 3.0
_HELD: Final = re.compile(r"held=([\d.]+)")
_GOES_ON_SECONDS: Final = 1.5
_HEARD_SECONDS: Final = 0.05


async def stand_still(stage: Stage) -> str:
    """SIGSTOP, and SIGCONT two seconds later: the music is held back and goes on, and nobody is sent away."""
    child, lost = stage.child, stage.hearing.inside.lost
    child.send(signal.SIGSTOP)
    try:
        await trio.sleep(STANDSTILL_SECONDS)
    finally:
        child.send(signal.SIGCONT)
    goes_on_at, before = trio.current_time(), stage.hearing.newest
    with trio.move_on_after(_GOES_ON_SECONDS):
        await until(lambda: stage.hearing.newest is not before)
        if stage.hearing.inside.lost > lost:
            raise PromiseBrokenError("nobody is sent away", f"{stage.hearing.inside.lost - lost} were")
        return f"sound again {trio.current_time() - goes_on_at:.1f} s after SIGCONT"
    raise PromiseBrokenError(f"sound within {_GOES_ON_SECONDS} s of SIGCONT", "there was none")


async def keep_busy(stage: Stage) -> str:
    """As many other programs as there are processors compute for three seconds; nobody is sent away."""
    lost, others = stage.hearing.inside.lost, os.cpu_count() or 1
    compute = [sys.executable, "-S", "-c", "while True: pass"]
    with trio.move_on_after(BUSY_SECONDS):  # who is cancelled ends its process
        async with trio.open_nursery() as nursery:
            for _ in range(others):
                nursery.start_soon(trio.run_process, compute)
    if stage.hearing.inside.lost > lost:
        raise PromiseBrokenError("nobody is sent away", f"{stage.hearing.inside.lost - lost} were")
    return f"{others} programs, nobody was sent away"


async def hand_over(stage: Stage) -> str:
    """SIGUSR2, and another process goes on with every stream: no player is sent away."""
    child, hearing = stage.child, stage.hearing
    if not hasattr(os, "pidfd_open"):
        return "not tried: a process that is not our child cannot be held here"
    lost, logged = hearing.players_lost, child.log_bytes()
    async with _alone(stage):
        said = await _succeeded(stage, logged)
        before = hearing.newest
        await until(lambda: hearing.newest is not before)
        stage.quiet_before = None
        stage.quiet_before = await stage.quiet()
    if hearing.players_lost > lost:
        raise PromiseBrokenError("no player is sent away", f"{hearing.players_lost - lost} were")
    held = _HELD.search(said)
    return "no player was sent away" + (f", nothing was written for {held[1]} s" if held else "")


async def _succeeded(stage: Stage, logged: int) -> str:
    """Send SIGUSR2 and hold on to the process that goes on; what the log says of it."""
    child = stage.child
    child.expect_heir()
    try:
        child.send(signal.SIGUSR2)
        await until(lambda: any(words in child.said_since(logged) for words in ("handed over", "no successor")))
        said = child.said_since(logged)
        heir = successor(said)
        if heir is None:
            raise PromiseBrokenError("another process goes on", said.strip().splitlines()[-1])
        await child.adopt(heir)
    finally:
        child.keep()
    return said


@asynccontextmanager
async def _alone(stage: Stage) -> AsyncIterator[None]:
    """With only those who stay; the others are asked back at the end, whatever it is."""
    assert stage.company is not None
    await stage.company.hush()
    try:
        yield
    finally:
        stage.company.gather()


async def kill(stage: Stage) -> str:
    """SIGKILL, and another process on the same state: the piece goes on, with its controls."""
    child, hearing = stage.child, stage.hearing
    async with _alone(stage):
        await trio.sleep(_HEARD_SECONDS)
        before, bars_before, epochs = await stage.station(), await stage.bars(), hearing.epochs
        await child.kill()
        killed_at = trio.current_time()
        await child.start()
        await stage.until_music(after_epochs=epochs)
        after, bars_after = await stage.station(), await stage.bars()
        stage.quiet_before = None
        stage.quiet_before = await stage.quiet()
    sound, music, last = hearing.first_of_epoch, hearing.first_music_of_epoch, hearing.last_of_before
    common = sorted(set(bars_before) & set(bars_after))
    stage.rebirth = Rebirth(
        sound_seconds=None if sound is None else sound.at_seconds - killed_at,
        music_seconds=None if music is None else music.at_seconds - killed_at,
        back_seconds=None if sound is None or last is None else frames_to_seconds(last.position - sound.position),
        same_piece=all(before.get(name) == after.get(name) for name in ("seed", "preset", "controls")),
        same_bars=bool(common) and all(bars_before[bar] == bars_after[bar] for bar in common),
        bar=common[0] if common else None,
    )
    return f"music again after {stage.rebirth.music_seconds or 0.0:.1f} s"


PROCESS_FAULTS: Final[Mapping[str, Callable[[Stage], Awaitable[str]]]] = MappingProxyType(
    {"kill": kill, "handover": hand_over, "stop": stand_still, "busy": keep_busy}
)
