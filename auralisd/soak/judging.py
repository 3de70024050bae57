"""The service levels: what is asked of the daemon, and whether what was seen is within it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from auralisd.soak.hearing import Share
from auralisd.soak.samples import Passes, Sample, quantile, slope

LONGEST_GAP_SECONDS: Final = 0.35
"""From one packet to the next: 100 ms, and a quarter of a second that a player has in its buffer."""

LONGEST_WAIT_SECONDS: Final = 2.0
NORMAL_LAG_SECONDS: Final = 0.010
HOSTILE_LAG_SECONDS: Final = 0.050
MEMORY_SLOPE_MB_PER_HOUR: Final = 5.0
WARM_UP_SECONDS: Final = 90.0
"""Memory is judged from so long after the music of a process is there: pools and caches are filled by then."""

LEAST_RUN_SECONDS: Final = 600.0
"""In a shorter run the slope of the memory says nothing."""

LEAST_RESTS: Final = 5
"""Memory is read while only those who stay are there; fewer readings make no slope."""

ERRORS_FOR_CERTAIN: Final = 2.5
"""A slope over the bound by fewer standard errors than that may be chance."""

SOUND_AFTER_KILL_SECONDS: Final = 5.0
MUSIC_AFTER_KILL_SECONDS: Final = 20.0
BACK_AFTER_KILL_SECONDS: Final = 12.0
"""The state is saved every ten seconds; one to see that it is time, and one for the disk."""

ON_AFTER_KILL_SECONDS: Final = 5.0
"""Programme time runs on from the start of the new process, and listeners need a moment to be back."""

_TOO_SHORT: Final = "too short to judge"
_NOT_TOLD: Final = "not told by this system"
_NOT_DONE: Final = "not done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One thing that is asked of the daemon.

    Attributes:
        name: what it is about.
        asked: the bound, for people.
        measured: what was seen, for people.
        value: the same for programs, in the unit of the name's figures; None where there is none.
        held: whether it is within the bound; None where it could not be judged.
    """

    name: str
    asked: str
    measured: str
    value: float | None
    held: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebirth:
    """What came after SIGKILL.

    Attributes:
        sound_seconds: from the signal to the first packet anybody got; None if nobody did.
        music_seconds: the same to the first packet that is not the bed.
        back_seconds: how much of the piece is played once more; negative if some was left out.
        same_piece: whether seed and controls are what they were.
        same_bars: whether every bar both processes told of begins at the same frame.
        bar: the number of the first bar that both told of; None if there is none.
    """

    sound_seconds: float | None
    music_seconds: float | None
    back_seconds: float | None
    same_piece: bool
    same_bars: bool
    bar: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything the levels are judged by.

    Attributes:
        run_seconds: how long the music was watched.
        outside: what listeners heard while no fault was on.
        lost_to_peers: connections that ended while other peers misbehaved.
        normal_passes: of the event loop while no fault was on.
        hostile_passes: the same while peers misbehaved.
        underruns: outside faults.
        restarts: of parts of stations, outside faults.
        contained: faults of the daemon's own that ended one connection, at any time.
        requests_failed: the musician's, outside faults.
        requests: all of the musician's.
        promises_kept: faults that ended as the documents say.
        promises: faults.
        ended_by_itself: processes that nobody ended.
        memory: seconds and resident bytes of the process that lived last, after its warm-up, whenever only those who
            stay were there.
        quiet_before: when only those who stay were there, at the beginning of that process.
        quiet_after: the same at the end.
        rebirth: what came after SIGKILL; None where it was not done.
    """

    run_seconds: float
    outside: Share
    lost_to_peers: int
    normal_passes: Passes
    hostile_passes: Passes
    underruns: float
    restarts: float
    contained: float
    requests_failed: int
    requests: int
    promises_kept: int
    promises: int
    ended_by_itself: int
    memory: Sequence[tuple[float, int]]
    quiet_before: Sample | None
    quiet_after: Sample | None
    rebirth: Rebirth | None


def judged(seen: Seen) -> tuple[Level, ...]:
    """Every service level, and whether it was held; none is where nothing was watched."""
    levels = _levels(seen)
    if seen.run_seconds > 0:
        return levels
    return tuple(replace(level, measured=_NOT_DONE, value=None, held=None) for level in levels)


def _levels(seen: Seen) -> tuple[Level, ...]:
    return (
        *_heard(seen),
        _lag("loop lag p99 in normal service", NORMAL_LAG_SECONDS, seen.normal_passes),
        _lag("loop lag p99 while peers misbehave", HOSTILE_LAG_SECONDS, seen.hostile_passes),
        *_kept_up(seen),
        _memory(seen),
        _back_to_the_start("descriptors", seen, lambda sample: sample.descriptors),
        _back_to_the_start("tasks", seen, lambda sample: sample.tasks),
        *_after_kill(seen.rebirth),
    )


def _heard(seen: Seen) -> Iterator[Level]:
    outside = seen.outside
    yield _none("underruns outside faults", seen.underruns)
    yield _none("listeners lost outside faults", outside.lost)
    yield _none("listeners lost to other peers", seen.lost_to_peers)
    yield _none("listeners refused outside faults", outside.refused)
    yield _none("packets missed outside faults", outside.missed)
    whose = f" ({outside.longest_gap_form})" if outside.longest_gap_form else ""
    yield _below("longest gap outside faults", LONGEST_GAP_SECONDS, outside.longest_gap_seconds, more=whose)
    yield _below("longest wait for the first sound", LONGEST_WAIT_SECONDS, outside.longest_wait_seconds)


def _kept_up(seen: Seen) -> Iterator[Level]:
    yield _none("changes refused outside faults", seen.requests_failed, of=seen.requests)
    yield _none("parts started again outside faults", seen.restarts)
    yield _none("connections ended by a fault of the daemon", seen.contained)
    yield _none("processes that ended by themselves", seen.ended_by_itself)
    if seen.promises:
        kept = f"{seen.promises_kept} of {seen.promises}"
        held = seen.promises_kept == seen.promises
        yield Level(
            name="faults that ended as promised",
            asked="all",
            measured=kept,
            value=float(seen.promises_kept),
            held=held,
        )


def _memory(seen: Seen) -> Level:
    name, asked = "slope of the memory", f"< {MEMORY_SLOPE_MB_PER_HOUR:g} MB/h"
    if not seen.memory and seen.quiet_before is not None and seen.quiet_before.resident_bytes is None:
        return Level(name=name, asked=asked, measured=_NOT_TOLD, value=None, held=None)
    line = slope([(at / 3600, size / 1e6) for at, size in seen.memory])
    if seen.run_seconds < LEAST_RUN_SECONDS or len(seen.memory) < LEAST_RESTS or line is None:
        return Level(name=name, asked=asked, measured=_TOO_SHORT, value=None, held=None)
    minutes = (seen.memory[-1][0] - seen.memory[0][0]) / 60
    measured = f"{line.rise:+.1f} ± {line.error:.1f} MB/h over {minutes:.0f} min"
    if line.rise < MEMORY_SLOPE_MB_PER_HOUR:
        return Level(name=name, asked=asked, measured=measured, value=line.rise, held=True)
    if line.rise - ERRORS_FOR_CERTAIN * line.error < MEMORY_SLOPE_MB_PER_HOUR:
        return Level(name=name, asked=asked, measured=f"{measured}: {_TOO_SHORT}", value=line.rise, held=None)
    return Level(name=name, asked=asked, measured=measured, value=line.rise, held=False)


def _back_to_the_start(what: str, seen: Seen, of: Callable[[Sample], int | None]) -> Level:
    name = f"{what} at the end"
    before, after = seen.quiet_before, seen.quiet_after
    if before is None or after is None or before.process != after.process:
        return Level(name=name, asked="as at the start", measured=_TOO_SHORT, value=None, held=None)
    start, end = of(before), of(after)
    if start is None or end is None:
        return Level(name=name, asked="as at the start", measured=_NOT_TOLD, value=None, held=None)
    return Level(name=name, asked=f"{start} at most", measured=str(end), value=float(end), held=end <= start)


def _after_kill(rebirth: Rebirth | None) -> Iterator[Level]:
    sound, music, where = "sound after SIGKILL", "music after SIGKILL", "the piece after SIGKILL"
    asked = f"the same bars, < {BACK_AFTER_KILL_SECONDS:g} s back, < {ON_AFTER_KILL_SECONDS:g} s on"
    if rebirth is None:
        for name, bound in (
            (sound, _bound(SOUND_AFTER_KILL_SECONDS)),
            (music, _bound(MUSIC_AFTER_KILL_SECONDS)),
            (where, asked),
        ):
            yield Level(name=name, asked=bound, measured=_NOT_DONE, value=None, held=None)
        return
    yield _came(sound, SOUND_AFTER_KILL_SECONDS, rebirth.sound_seconds)
    yield _came(music, MUSIC_AFTER_KILL_SECONDS, rebirth.music_seconds)
    back = rebirth.back_seconds
    near = back is not None and -ON_AFTER_KILL_SECONDS < back < BACK_AFTER_KILL_SECONDS
    held = rebirth.same_piece and rebirth.same_bars and near
    yield Level(name=where, asked=asked, measured=_place(rebirth), value=back, held=held)


def _place(rebirth: Rebirth) -> str:
    if not rebirth.same_piece:
        return "another piece, or other controls"
    if rebirth.bar is None or rebirth.back_seconds is None:
        return "nobody knows"
    bars = "the same bars" if rebirth.same_bars else "other bars"
    away = f"{rebirth.back_seconds:.1f} s back" if rebirth.back_seconds >= 0 else f"{-rebirth.back_seconds:.1f} s on"
    return f"{bars} (from {rebirth.bar}), {away}"


def _came(name: str, bound_seconds: float, seconds: float | None) -> Level:
    if seconds is None:
        return Level(name=name, asked=_bound(bound_seconds), measured="never", value=None, held=False)
    return _below(name, bound_seconds, seconds)


def _lag(name: str, bound_seconds: float, passes: Passes) -> Level:
    seconds = quantile(passes, 0.99)
    if seconds is None:
        return Level(name=name, asked=_bound(bound_seconds), measured=_NOT_DONE, value=None, held=None)
    return _below(name, bound_seconds, seconds)


def _below(name: str, bound_seconds: float, seconds: float, *, more: str = "") -> Level:
    return Level(
        name=name,
        asked=_bound(bound_seconds),
        measured=_span(seconds) + more,
        value=seconds,
        held=seconds < bound_seconds,
    )


def _none(name: str, count: float, *, of: int | None = None) -> Level:
    out_of = "" if of is None else f" of {of}"
    return Level(name=name, asked="0", measured=f"{count:.0f}{out_of}", value=float(count), held=count == 0)


def _bound(seconds: float) -> str:
    return f"< {_span(seconds, digits=0)}"


def _span(seconds: float, *, digits: int = 1) -> str:
    return f"{1000 * seconds:.{digits}f} ms" if seconds < 1 else f"{seconds:.{digits}f} s"
