"""Phrases: a motif and its answers, at the pace of the hour, fitted into the time there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralisd.composition.chance import Stream
from auralisd.composition.moment import Moment, seconds
from auralisd.composition.motif import Motif, motif_due, transformed

LONGEST_PHRASE_SECONDS: Final = 36
ROOM_SECONDS: Final = 9
"""In so much time any motif can be spoken, quickly if need be; with less no phrase is begun."""

_PLAIN_TRANSFORMS: Final = ("as it is", "transposed", "truncated")
_FREE_TRANSFORMS: Final = ("transposed", "inverted", "augmented", "rotated", "octave", "truncated")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is being said.

    Attributes:
        number: within the section, from 1.
        motif: number of the motif it states.
        intervals: scale steps from each note to the next, those of a motif and of its answers.
        ticks: how long each note lasts.
    """

    number: int
    motif: int
    intervals: tuple[int, ...]
    ticks: tuple[int, ...]


def opened(moment: Moment, tick: int, before: int) -> Phrase:
    """The phrase that begins at a tick, after ``before`` others in the section."""
    stream = moment.chance.stream("phrase", moment.section.index, before)
    complexity = moment.controls.melody_complexity
    motif = motif_due(moment.chance, moment.clock.frame_of_tick(tick))
    answers = [transformed(motif, _transform(complexity, stream), stream)]
    if stream.fraction() < 0.25 + 0.5 * moment.density():
        answers.append(transformed(motif, _transform(complexity, stream), stream))
    unit = _unit_ticks(moment, stream)
    parts = [motif, *answers] if stream.happens(0.8) else answers
    at_night = moment.chance.stream("phrase at night", moment.section.index, before).fraction()
    if at_night < moment.night.depth(moment.now):
        parts = parts[:1]  # said once, unanswered
    parts, unit = _fitted(parts, unit, moment, tick)
    intervals: list[int] = []
    ticks: list[int] = []
    for part in parts:
        intervals += [_widened(interval, complexity, stream) for interval in part.intervals]
        ticks += _lengths(part, unit)
    return Phrase(before + 1, motif.number, tuple(intervals), tuple(ticks))


def _fitted(parts: list[Motif], unit: int, moment: Moment, tick: int) -> tuple[list[Motif], int]:
    """As many of the parts as there is time for, the first of them more quickly if need be."""
    end = min(moment.section_end, moment.clock.frame_of_tick(tick) + seconds(LONGEST_PHRASE_SECONDS))
    while len(parts) > 1 or unit > 1:
        length = sum(sum(_lengths(part, unit)) for part in parts)
        if moment.clock.frame_of_tick(tick + length) <= end:
            break
        if len(parts) > 1:
            parts = parts[:-1]
        else:
            unit -= 1
    return parts, unit


def _transform(complexity: float, stream: Stream) -> str:
    free = stream.fraction() * 0.9 + 0.05 < complexity
    return stream.pick(_FREE_TRANSFORMS if free else _PLAIN_TRANSFORMS)


def _unit_ticks(moment: Moment, stream: Stream) -> int:
    """Ticks of a length of 4: from an eighth at its liveliest to a dotted half."""
    liveliness = 0.65 * moment.density() + 0.35 * moment.controls.melody_complexity
    place = liveliness + stream.uniform(-0.1, 0.1)
    return 12 if place < 0.25 else 10 if place < 0.4 else 8 if place < 0.55 else 6 if place < 0.7 else 4


def _lengths(part: Motif, unit: int) -> list[int]:
    """Ticks of each note; the last one rings on."""
    ticks = [max(1, length * unit // 4) for length in part.lengths]
    return [*ticks[:-1], ticks[-1] + unit]


def _widened(interval: int, complexity: float, stream: Stream) -> int:
    """A step made smaller or larger as complexity asks."""
    if complexity < 0.3 and abs(interval) > 1 and stream.happens(0.7 - 2 * complexity):
        return 1 if interval > 0 else -1
    if complexity > 0.7 and 0 < abs(interval) < 3 and stream.happens(complexity - 0.65):
        return interval + (1 if interval > 0 else -1)
    return interval
