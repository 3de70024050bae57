"""A new mode under the sounding chord: the voices that left it move, the others stay where they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, pairwise, product
from typing import Final

from auralisd.composition.harmony import Harmony, harmony, is_dominant_cadence, qualities
from auralisd.composition.pitch import Region
from auralisd.composition.voicing import (
    BASS_GAP,
    WIDEST_GAP,
    WIDEST_MOTION,
    Voicing,
    may_follow,
    parallels_cost,
    ranges,
)

_NEAREST: Final = (-1, 1, -2, 2, -3, 3)
_MOST_COMPANIONS: Final = 1
"""Where what stays fits no harmony of the new mode (once in forty), so many voices go along with those that must."""

_NOTHING_NEW: Final = 60
_ANOTHER_DEGREE: Final = 20
_ANOTHER_SHAPE: Final = 5
_SEMITONE: Final = 10
_NARROW_SECOND: Final = 15


def turned(
    chord: Harmony, voicing: Voicing, arrived: Region, toward: Voicing | None = None
) -> tuple[Harmony, Voicing] | None:
    """The sounding chord in a new mode, moved as little as can be; None where it cannot be done.

    Args:
        chord: what sounds.
        voicing: how it is laid out.
        arrived: the new mode, on the same tonic.
        toward: a voicing that follows at once and must be within reach.
    """
    must = tuple(voice for voice, pitch in enumerate(voicing) if not arrived.contains(pitch))
    others = tuple(voice for voice in range(len(voicing)) if voice not in must)
    new = {pitch_class for pitch_class in arrived.classes if not chord.region.contains(pitch_class)}
    for companions in range(_MOST_COMPANIONS + 1):
        found = [
            (_cost(chord, voicing, placed, candidate, new), placed, candidate.degree, candidate)
            for along in combinations(others, companions)
            for placed in _placed(voicing, {*must, *along}, arrived)
            for candidate in _harmonies(placed, arrived)
            if _follows(voicing, placed, toward) and not is_dominant_cadence(chord, candidate)
        ]
        if found:
            _, placed, _, candidate = min(found, key=lambda row: row[:3])
            return candidate, placed
    return None


def _placed(voicing: Voicing, moving: set[int], arrived: Region) -> Iterator[Voicing]:
    """Every way to put the ``moving`` voices a few semitones away within their ranges."""
    places = [
        [pitch + step for step in _NEAREST if low <= pitch + step <= high and arrived.contains(pitch + step)]
        if voice in moving
        else [pitch]
        for voice, (pitch, (low, high)) in enumerate(zip(voicing, ranges(len(voicing)), strict=True))
    ]
    for placed in product(*places):
        gaps = [above - below for below, above in pairwise(placed)]
        roomy = gaps[0] >= BASS_GAP and all(gap >= 1 for gap in gaps)
        if roomy and gaps[0] <= 2 * WIDEST_GAP and all(gap <= WIDEST_GAP for gap in gaps[1:]):
            yield placed


def _follows(before: Voicing, placed: Voicing, toward: Voicing | None) -> bool:
    if placed != before and not may_follow(before, placed):
        return False
    if toward is None:
        return True
    near = len(toward) == len(placed) and all(
        abs(goal - pitch) <= WIDEST_MOTION for goal, pitch in zip(toward, placed, strict=True)
    )
    return near and may_follow(placed, toward)


def _harmonies(placed: Voicing, arrived: Region) -> tuple[Harmony, ...]:
    """The harmonies of ``arrived`` of which this is a whole voicing."""
    return _harmonies_of(frozenset(pitch % 12 for pitch in placed), arrived)


@lru_cache(maxsize=4096)
def _harmonies_of(sounding: frozenset[int], arrived: Region) -> tuple[Harmony, ...]:
    repertoire = (harmony(arrived, degree, name) for degree in range(1, 8) for name in qualities(arrived, degree))
    return tuple(chord for chord in repertoire if chord.required <= sounding <= chord.classes)


def _cost(chord: Harmony, before: Voicing, placed: Voicing, candidate: Harmony, new: set[int]) -> int:
    """Little motion, the same degree in the same shape if it may be, and a tone the old mode lacked."""
    moved = [(origin, pitch) for origin, pitch in zip(before, placed, strict=True) if origin != pitch]
    heard = any(pitch % 12 in new for _, pitch in moved)
    cost = sum(_SEMITONE * abs(pitch - origin) for origin, pitch in moved)
    cost += 0 if heard or not moved else _NOTHING_NEW
    cost += 0 if candidate.degree == chord.degree else _ANOTHER_DEGREE
    cost += 0 if candidate.quality == chord.quality else _ANOTHER_SHAPE
    cost += sum(_NARROW_SECOND for below, above in pairwise(placed) if above - below == 1)
    return cost + parallels_cost(before, placed) // 20
