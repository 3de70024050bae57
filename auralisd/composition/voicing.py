"""Laying a harmony out in four or five voices, by search for the smoothest way there.

Costs are whole hundredths, so that ties fall alike on every machine:
total motion, its square, parallels, narrow seconds, inversions, common tones, register.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from auralisd.composition.harmony import Harmony
from auralisd.errors import ScoreError

BASS_RANGE: Final = (40, 55)
INNER_RANGE: Final = (50, 69)
TOP_RANGE: Final = (60, 79)
WIDEST_MOTION: Final = 7
BASS_GAP: Final = 5
WIDEST_GAP: Final = 12

_MOTION = 100
_MOTION_SQUARED = 15
_ALL_PARALLEL = 400
_PARALLEL_PERFECT = 300
_SEMITONE_NEIGHBOURS = 200
_ROOT_NOT_LOWEST = 300  # the heaviest but parallels: the drone holds the tonic already, so the bass should move
_COMMON_TONE = -150
_REGISTER = 5
_CENTRE = 57
_TOWARD = 60
_PERFECT = (0, 7)
_LAST_RESORTS = (12, 40)

type Voicing = tuple[int, ...]
"""MIDI pitches, low to high: bass, two or three inner voices, top."""

type Origins = tuple[int | None, ...]
"""Per voice the pitch it comes from; None for a voice that enters."""

RESTING: Final = {4: (45, 52, 59, 64), 5: (45, 52, 57, 62, 67)}
"""Where voices stand before anything has sounded."""


def ranges(voices: int) -> tuple[tuple[int, int], ...]:
    """Lowest and highest pitch of each voice."""
    return (BASS_RANGE, *(INNER_RANGE for _ in range(voices - 2)), TOP_RANGE)


def smoothest(
    harmony: Harmony,
    voices: int,
    previous: Voicing | None,
    *,
    toward: Voicing | None = None,
    reach: int = WIDEST_MOTION,
    widest: int = WIDEST_MOTION,
) -> Voicing | None:
    """The smoothest voicing of ``harmony``, None where no voicing keeps every rule.

    Args:
        harmony: what must sound.
        voices: 4 or 5.
        previous: the voicing it follows, if any.
        toward: a voicing of as many voices that follows soon, to draw near to.
        reach: semitones each voice may be away from ``toward``; with ``WIDEST_MOTION`` it follows at once,
            and what may not follow ``previous`` may not precede it either.
        widest: semitones no voice may exceed.
    """
    found = [
        result
        for origins in _origins(previous, voices)
        if (result := _Search(harmony, origins, toward, reach, widest).run()) is not None
    ]
    return min(found)[1] if found else None


def voiced(harmony: Harmony, voices: int, previous: Voicing | None) -> Voicing:
    """The smoothest voicing of ``harmony``, with wider steps where nothing else is possible.

    Raises:
        ScoreError: if not even then.
    """
    for widest in (WIDEST_MOTION, *_LAST_RESORTS):
        voicing = smoothest(harmony, voices, previous, widest=widest)
        if voicing is not None:
            return voicing
    raise ScoreError(f"{harmony.name} cannot be laid out in {voices} voices")


def _origins(previous: Voicing | None, voices: int) -> list[Origins]:
    """Which earlier voice each voice may come from, when voices enter or leave in the middle."""
    if previous is None:
        return [(None,) * voices]
    if len(previous) == voices:
        return [previous]
    if len(previous) < voices:
        return [(*previous[:place], None, *previous[place:]) for place in range(1, len(previous))]
    return [(*previous[:place], *previous[place + 1 :]) for place in range(1, len(previous) - 1)]


@dataclass(slots=True)
class _Step:
    """A pitch a voice may take, and what getting there costs."""

    cost: int
    pitch: int


class _Search:
    """Depth first through the voices, bass upwards, cut off where the best so far cannot be beaten."""

    def __init__(self, harmony: Harmony, origins: Origins, toward: Voicing | None, reach: int, widest: int) -> None:
        self._harmony = harmony
        self._origins = origins
        self._next = toward if reach <= WIDEST_MOTION else None
        self._reach = reach
        self._steps = [
            self._candidates(origin, span, None if toward is None else toward[voice], widest)
            for voice, (origin, span) in enumerate(zip(origins, ranges(len(origins)), strict=True))
        ]
        self._best: tuple[int, Voicing] | None = None
        least = [steps[0].cost if steps else 0 for steps in self._steps]
        self._least_from = [sum(least[voice:]) for voice in range(len(least) + 1)]

    def run(self) -> tuple[int, Voicing] | None:
        """Cost and voicing of the best, None if nothing is allowed."""
        self._extend((), 0)
        return self._best

    def _candidates(self, origin: int | None, span: tuple[int, int], target: int | None, widest: int) -> list[_Step]:
        steps = []
        for pitch in range(span[0], span[1] + 1):
            if pitch % 12 not in self._harmony.classes:
                continue
            cost = 0
            if origin is not None:
                distance = abs(pitch - origin)
                if distance > widest:
                    continue
                cost += _MOTION * distance + _MOTION_SQUARED * distance * distance
                cost += _COMMON_TONE if distance == 0 else 0
            if target is not None:
                if abs(pitch - target) > self._reach:
                    continue
                cost += _TOWARD * abs(pitch - target)
            steps.append(_Step(cost, pitch))
        steps.sort(key=lambda step: (step.cost, step.pitch))
        return steps

    def _extend(self, lower: Voicing, cost: int) -> None:
        voice = len(lower)
        if voice == len(self._origins):
            self._consider(lower, cost)
            return
        remaining = self._least_from[voice + 1]
        for step in self._steps[voice]:
            if self._best is not None and cost + step.cost + remaining >= self._best[0]:
                return  # candidates are sorted: the rest costs more
            if lower:
                gap = step.pitch - lower[-1]
                if gap < (BASS_GAP if voice == 1 else 1) or gap > WIDEST_GAP * (2 if voice == 1 else 1):
                    continue
                if gap == 1:
                    self._extend((*lower, step.pitch), cost + step.cost + _SEMITONE_NEIGHBOURS)
                    continue
                self._extend((*lower, step.pitch), cost + step.cost)
            else:
                inversion = 0 if step.pitch % 12 == self._harmony.root else _ROOT_NOT_LOWEST
                self._extend((step.pitch,), cost + step.cost + inversion)

    def _consider(self, voicing: Voicing, cost: int) -> None:
        sounding = {pitch % 12 for pitch in voicing}
        if not self._harmony.required <= sounding or not may_follow(self._origins, voicing):
            return
        if self._next is not None and not may_follow(voicing, self._next):
            return
        cost += _REGISTER * abs(sum(voicing) - _CENTRE * len(voicing)) // len(voicing)
        cost += parallels_cost(self._origins, voicing)
        if self._best is None or (cost, voicing) < self._best:
            self._best = (cost, voicing)


def may_follow(origins: Sequence[int | None], voicing: Voicing) -> bool:
    """Whether this is neither a block chord shifted whole nor bass and top in parallel fifths or octaves."""
    moves = [pitch - origin for pitch, origin in zip(voicing, origins, strict=True) if origin is not None]
    if len(moves) > 1 and moves[0] and len(set(moves)) == 1:
        return False
    bass, top = origins[0], origins[-1]
    if bass is None or top is None or bass == voicing[0] or top == voicing[-1]:
        return True
    before, after = (top - bass) % 12, (voicing[-1] - voicing[0]) % 12
    return before != after or after not in _PERFECT


def leads_to(voicing: Voicing, following: Voicing) -> bool:
    """Whether ``following`` may come next: no voice too far, no block shift, no outer parallels."""
    if max(least_motion(voicing, following)) > WIDEST_MOTION:
        return False
    return any(may_follow(origins, following) for origins in _origins(voicing, len(following)))


def parallels_cost(origins: Sequence[int | None], voicing: Voicing) -> int:
    """What all voices moving one way, and fifths or octaves in parallel, cost."""
    pairs = [(origin, pitch) for origin, pitch in zip(origins, voicing, strict=True) if origin is not None]
    cost = 0
    directions = {(pitch > origin) - (pitch < origin) for origin, pitch in pairs}
    if len(pairs) > 1 and len(directions) == 1 and 0 not in directions:
        cost += _ALL_PARALLEL
    for low in range(len(pairs)):
        for high in range(low + 1, len(pairs)):
            (low_from, low_to), (high_from, high_to) = pairs[low], pairs[high]
            if low_from != low_to and high_from != high_to and (high_to - low_to) % 12 in _PERFECT:
                cost += _PARALLEL_PERFECT if (high_from - low_from) % 12 == (high_to - low_to) % 12 else 0
    return cost


def least_motion(previous: Voicing, voicing: Voicing) -> tuple[int, ...]:
    """Semitones each continuing voice moves, under the pairing that moves least (for audits and reasons)."""
    if len(previous) > len(voicing):
        return least_motion(voicing, previous)
    candidates = [
        tuple(abs(pitch - origin) for origin, pitch in zip(origins, voicing, strict=True) if origin is not None)
        for origins in _origins(previous, len(voicing))
    ]
    return min(candidates, key=sum)
