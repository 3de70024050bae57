"""Harmonies: a degree of a region in a shape that stays within the mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from auralisd.composition.pitch import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a chord is built over its root, in scale steps.

    Attributes:
        core: what counts as a chord tone: root, third or suspension, fifth, seventh.
        added: colour that does not (ninths, raised elevenths).
        needs: semitones above the root that given scale steps must have for the shape to be itself.
    """

    core: tuple[int, ...]
    added: tuple[int, ...] = ()
    needs: Mapping[int, tuple[int, ...]]


_PERFECT_FIFTH = {4: (7,)}
SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "triad": Shape(core=(0, 2, 4), needs=_PERFECT_FIFTH),
        "add9": Shape(core=(0, 2, 4), added=(8,), needs=_PERFECT_FIFTH | {1: (2,)}),
        "sus2": Shape(core=(0, 1, 4), needs=_PERFECT_FIFTH | {1: (2,)}),
        "sus4": Shape(core=(0, 3, 4), needs=_PERFECT_FIFTH | {3: (5,)}),
        "quartal": Shape(core=(0, 3, 6), needs={3: (5,), 6: (10,)}),
        "m7": Shape(core=(0, 2, 4, 6), needs=_PERFECT_FIFTH | {2: (3,), 6: (10,)}),
        "maj7": Shape(core=(0, 2, 4, 6), needs=_PERFECT_FIFTH | {2: (4,), 6: (11,)}),
        "maj7#11": Shape(core=(0, 2, 4, 6), added=(10,), needs=_PERFECT_FIFTH | {2: (4,), 3: (6,), 6: (11,)}),
    }
)
MINOR_MODES: Final = frozenset({"aeolian", "dorian", "phrygian"})
OPEN_FIFTH: Final = "fifth"
"""The doorway into a far key: root and fifth alone; never chosen otherwise."""

_OPEN_FIFTH_SHAPE = Shape(core=(0, 4), needs=_PERFECT_FIFTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmony:
    """What sounds, before it is laid out in voices.

    Attributes:
        region: where it belongs.
        degree: 1 to 7.
        quality: its shape, one of ``SHAPES`` or ``OPEN_FIFTH``.
        root: pitch class of the root.
        core: pitch classes that count as chord tones.
        classes: all pitch classes, the added ones too.
        required: those no voicing may leave out (the fifth may go when there is more to say).
        name: as musicians write it, "Fmaj7#11".
    """

    region: Region
    degree: int
    quality: str
    root: int
    core: frozenset[int]
    classes: frozenset[int]
    required: frozenset[int]
    name: str


def _semitones(region: Region, degree: int, step: int) -> int:
    intervals = region.intervals
    octaves, index = divmod(degree - 1 + step, 7)
    return intervals[index] + 12 * octaves - intervals[degree - 1]


@lru_cache(maxsize=1024)
def qualities(region: Region, degree: int) -> tuple[str, ...]:
    """The shapes a degree can take without leaving the mode; a diminished degree becomes quartal."""
    return tuple(
        name
        for name, shape in SHAPES.items()
        if all(_semitones(region, degree, step) in allowed for step, allowed in shape.needs.items())
    )


@lru_cache(maxsize=4096)
def harmony(region: Region, degree: int, quality: str) -> Harmony:
    """The harmony of ``degree`` (1 to 7) in ``quality``."""
    shape = SHAPES.get(quality, _OPEN_FIFTH_SHAPE)

    def classes(steps: tuple[int, ...]) -> frozenset[int]:
        return frozenset(region.classes[(degree - 1 + step) % 7] for step in steps)

    everything = shape.core + shape.added
    dispensable = (4,) if len(everything) > 3 else ()
    return Harmony(
        region=region,
        degree=degree,
        quality=quality,
        root=region.classes[degree - 1],
        core=classes(shape.core),
        classes=classes(everything),
        required=classes(tuple(step for step in everything if step not in dispensable)),
        name=_name(region, degree, quality),
    )


def _name(region: Region, degree: int, quality: str) -> str:
    root = region.spelled(degree)
    minor = "m" if _semitones(region, degree, 2) == 3 else ""
    suffix = {
        "triad": minor,
        "add9": f"{minor}add9",
        "quartal": " quartal",
        OPEN_FIFTH: "5",
    }.get(quality, quality)
    return root + suffix


def is_diminished(region: Region, degree: int) -> bool:
    """Whether a degree lacks its perfect fifth."""
    return _semitones(region, degree, 4) != 7


def is_dominant_cadence(before: Harmony, after: Harmony) -> bool:
    """Whether a major chord leads to a minor tonic a fifth below: by ear, in whatever region it was written."""
    return (
        after.region.mode in MINOR_MODES
        and after.degree == 1
        and before.root == (after.root + 7) % 12
        and (before.root + 4) % 12 in before.classes
    )
