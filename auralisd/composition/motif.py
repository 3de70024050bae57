"""Motifs: short shapes of steps and lengths that come back, and when each one is due.

The memory holds eight. Its timetable is a tiling of the piece by slots of ``SLOT_SECONDS``:
a motif is stated in five slots of a period of forty, ``_STATEMENTS`` apart, and because those
five numbers differ modulo five, each slot belongs to exactly one motif. So a motif returns
four times, each time after two to five minutes wherever in its slots it is spoken, and then
rests for half an hour; and which one is due at any time is a matter of arithmetic. It is
renewed while it rests, and a new one has a number of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from auralisd.composition.chance import Chance, Stream
from auralisd.composition.form import CYCLE_SECONDS
from auralisd.units import SAMPLE_RATE_HZ

MEMORY_SIZE: Final = 8
SLOT_SECONDS: Final = 66
SLOT_FRAMES: Final = SLOT_SECONDS * SAMPLE_RATE_HZ
"""Longer than any wait from the beginning of one phrase to that of the next, so that no slot goes by in silence."""

TRANSFORMS: Final = ("as it is", "transposed", "inverted", "augmented", "truncated", "rotated", "octave")

_STATEMENTS: Final = (0, 3, 6, 9, 12)
_PERIOD_SLOTS: Final = 40
_STEP_WEIGHTS: Final = ((0, 8), (1, 40), (2, 26), (3, 9), (4, 5))
_RHYTHMS: Final = (
    (2, 2, 4),
    (3, 1, 4),
    (4, 2, 2),
    (2, 4, 6),
    (4, 4, 4, 8),
    (3, 3, 2, 4),
    (2, 2, 2, 2, 4),
    (6, 2, 4),
    (4, 2, 6),
    (2, 1, 1, 4, 4),
    (6, 6, 4),
    (3, 3, 6),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Motif:
    """A shape to be remembered by.

    Attributes:
        number: its place in the memory, 0 to 7, and eight more for each time that place was renewed.
        intervals: scale steps from each note to the next; the first is from the phrase's starting point.
        lengths: ratio of each note's length, in units the phrase chooses.
    """

    number: int
    intervals: tuple[int, ...]
    lengths: tuple[int, ...]


@lru_cache(maxsize=64)
def motif_in_memory(chance: Chance, place: int, cycle: int) -> Motif:
    """What a place of the memory holds in a form cycle; one place is renewed each cycle."""
    generation = max(0, (cycle - place + MEMORY_SIZE - 1) // MEMORY_SIZE)
    stream = chance.stream("motif", place, generation)
    lengths = stream.pick(_RHYTHMS)
    intervals = [stream.between(-1, 1)]
    balance = 0
    for _ in lengths[1:]:
        size = _STEP_WEIGHTS[stream.weighted([weight for _, weight in _STEP_WEIGHTS])][0]
        # A shape turns back rather than running away; a leap is answered the other way.
        down = stream.happens(0.75) if balance > 1 else stream.happens(0.25) if balance < -1 else stream.happens(0.5)
        if abs(intervals[-1]) > 2:
            down, size = intervals[-1] > 0, 1
        intervals.append(-size if down else size)
        balance += intervals[-1]
    return Motif(number=place + MEMORY_SIZE * generation, intervals=tuple(intervals), lengths=lengths)


def slot_at(frames: int) -> int:
    """The slot of the timetable that a frame lies in."""
    return frames // SLOT_FRAMES


def motif_due(chance: Chance, frames: int) -> Motif:
    """The motif whose turn it is at a frame, as it was when this round of its statements began."""
    slot = slot_at(frames)
    for place in range(MEMORY_SIZE):
        stated_since = (slot - len(_STATEMENTS) * place) % _PERIOD_SLOTS
        if stated_since in _STATEMENTS:
            return motif_in_memory(chance, place, max(0, slot - stated_since) * SLOT_SECONDS // CYCLE_SECONDS)
    raise AssertionError("the statements tile the period")


def transformed(motif: Motif, transform: str, stream: Stream) -> Motif:
    """The motif under one of ``TRANSFORMS``."""
    if transform == "transposed":
        return replace(motif, intervals=(stream.pick((-2, -1, 1, 2)), *motif.intervals[1:]))
    if transform == "inverted":
        return replace(motif, intervals=tuple(-interval for interval in motif.intervals))
    if transform == "augmented":
        return replace(motif, lengths=tuple(2 * length for length in motif.lengths))
    if transform == "truncated" and len(motif.lengths) > 3:
        return replace(motif, intervals=motif.intervals[:-1], lengths=motif.lengths[:-1])
    if transform == "rotated":
        return replace(
            motif,
            intervals=(motif.intervals[0], *motif.intervals[2:], motif.intervals[1]),
            lengths=(*motif.lengths[1:], motif.lengths[0]),
        )
    if transform == "octave":
        return replace(motif, intervals=(motif.intervals[0] + 7, *motif.intervals[1:]))
    return motif
