"""Pitch classes, modes and regions: which notes belong together, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from auralisd.controls import KEYS
from auralisd.errors import ScoreError

MODE_INTERVALS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "lydian": (0, 2, 4, 6, 7, 9, 11),
        "ionian": (0, 2, 4, 5, 7, 9, 11),
        "mixolydian": (0, 2, 4, 5, 7, 9, 10),
        "dorian": (0, 2, 3, 5, 7, 9, 10),
        "aeolian": (0, 2, 3, 5, 7, 8, 10),
        "phrygian": (0, 1, 3, 5, 7, 8, 10),
    }
)
"""Semitones above the tonic, from the brightest mode to the darkest."""

_LETTERS: Final = "CDEFGAB"
_LETTER_CLASS: Final = (0, 2, 4, 5, 7, 9, 11)
_ACCIDENTALS: Final = {0: "", 1: "#", 11: "b"}


class Region:
    """A tonic and a mode: the seven pitch classes that belong to a stretch of music.

    Attributes:
        tonic: pitch class of the tonic, 0 for C to 11 for B.
        mode: one of ``MODE_INTERVALS``.
        classes: the seven pitch classes, from the tonic upwards.
        mask: the same as a set, bit n for pitch class n.
    """

    __slots__ = ("classes", "intervals", "mask", "mode", "tonic")

    def __init__(self, tonic: int, mode: str) -> None:
        """Raise ScoreError for a tonic or a mode that does not exist."""
        if mode not in MODE_INTERVALS or not 0 <= tonic < 12:
            raise ScoreError(f"no region with tonic {tonic} and mode {mode!r}")
        self.tonic = tonic
        self.mode = mode
        self.intervals = MODE_INTERVALS[mode]
        self.classes = tuple((tonic + interval) % 12 for interval in self.intervals)
        self.mask = sum(1 << pitch_class for pitch_class in self.classes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Region) and (self.tonic, self.mode) == (other.tonic, other.mode)

    def __hash__(self) -> int:
        return hash((self.tonic, self.intervals))

    def __repr__(self) -> str:
        return f"Region({self.name})"

    @property
    def tonic_name(self) -> str:
        """The tonic in the spelling of ``controls.KEYS``."""
        return KEYS[self.tonic]

    @property
    def name(self) -> str:
        """As a listener reads it, "D dorian"."""
        return f"{self.tonic_name} {self.mode}"

    def contains(self, pitch_midi: int) -> bool:
        """Whether a MIDI pitch belongs to the region."""
        return bool(self.mask >> (pitch_midi % 12) & 1)

    def common_with(self, other: Region) -> int:
        """How many of the seven pitch classes two regions share."""
        return (self.mask & other.mask).bit_count()

    def pitch_of_step(self, step: int) -> int:
        """MIDI pitch of a scale step; step 0 is the tonic of MIDI octave 0, step 7 the one above."""
        octave, degree = divmod(step, 7)
        return self.tonic + 12 * octave + self.intervals[degree]

    def snapped(self, pitch_midi: int) -> int:
        """The pitch of the region nearest to ``pitch_midi``; of two the lower."""
        for distance in (0, -1, 1, -2, 2):
            if self.contains(pitch_midi + distance):
                return pitch_midi + distance
        raise AssertionError("no mode has a gap of more than two semitones")

    def step_near(self, pitch_midi: int) -> int:
        """The scale step of the region's pitch nearest to ``pitch_midi``."""
        pitch = self.snapped(pitch_midi)
        octave, interval = divmod(pitch - self.tonic, 12)
        return 7 * octave + self.intervals.index(interval)

    def carried(self, pitch_midi: int, arrived: Region, register: tuple[int, int]) -> int:
        """The pitch on the same degree of ``arrived``, as near as ``register`` (lowest, highest) allows.

        A chromatic pitch goes as far above that degree as it was; of two pitches equally near it is the lower.
        """
        step = self.step_near(pitch_midi)
        raised = pitch_midi - self.pitch_of_step(step)
        pitch_class = (arrived.classes[step % 7] + raised) % 12
        places = (place for place in range(register[0], register[1] + 1) if place % 12 == pitch_class)
        return min(places, key=lambda place: (abs(place - pitch_midi), place))

    def resolution(self, neighbour: int, goal: int) -> int:
        """The pitch a step from a chromatic neighbour, the one nearest to where it meant to go."""
        steps = (neighbour + step for step in (-2, -1, 1, 2) if self.contains(neighbour + step))
        return min(steps, key=lambda pitch: (abs(pitch - goal), pitch))

    def spelled(self, degree: int) -> str:
        """Name of degree 1 to 7 by its own letter where one accidental is enough (F# in D ionian)."""
        pitch_class = self.classes[degree - 1]
        letter = (_LETTERS.index(self.tonic_name[0]) + degree - 1) % 7
        accidental = _ACCIDENTALS.get((pitch_class - _LETTER_CLASS[letter]) % 12)
        return KEYS[pitch_class] if accidental is None else _LETTERS[letter] + accidental


@lru_cache(maxsize=128)
def region(tonic: int, mode: str) -> Region:
    """The region of a tonic and a mode; the same object each time."""
    return Region(tonic, mode)
