"""The largest time scales: cycles of half an hour, their sections, and where each one plays.

All of it is arithmetic on (seed, cycle number): the plan of hour 8 costs as much as that
of minute 1, and needs nothing from the hours between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from auralisd.composition.archetypes import ARCHETYPES, Archetype
from auralisd.composition.chance import Chance
from auralisd.composition.pitch import MODE_INTERVALS, Region, region
from auralisd.units import SAMPLE_RATE_HZ

CYCLE_SECONDS: Final = 2_160
"""Mean length of a form cycle; the boundaries are drawn up to ``_BOUNDARY_PLAY_SECONDS`` off this grid."""

_BOUNDARY_PLAY_SECONDS: Final = 240
SECTIONS_PER_CYCLE: Final = 10  # numbers reserved per cycle; 6 to 9 are used
HOME: Final = 0

type _Place = tuple[str, int, int, int]
"""Archetype, where it plays (``HOME`` or the number of an excursion), shortest and longest relative length."""

_CYCLES: Final[tuple[tuple[int, tuple[_Place, ...]], ...]] = (
    (
        31,
        (
            ("emerge", HOME, 95, 103),
            ("settle", 1, 97, 105),
            ("lift", HOME, 104, 108),
            ("suspend", HOME, 85, 92),
            ("thin", 2, 93, 99),
            ("return", HOME, 97, 104),
        ),
    ),
    (
        36,
        (
            ("emerge", HOME, 97, 105),
            ("lift", 1, 97, 105),
            ("settle", HOME, 102, 107),
            ("thin", HOME, 62, 75),
            ("settle", 2, 100, 108),
            ("lift", 3, 100, 108),
            ("return", HOME, 97, 105),
        ),
    ),
    (
        41,
        (
            ("emerge", HOME, 97, 105),
            ("settle", 1, 100, 106),
            ("lift", HOME, 103, 107),
            ("suspend", HOME, 75, 85),
            ("thin", 2, 66, 76),
            ("lift", 2, 102, 107),
            ("settle", 3, 100, 106),
            ("return", HOME, 100, 106),
        ),
    ),
    (
        60,
        (
            ("emerge", HOME, 97, 105),
            ("lift", 1, 100, 106),
            ("settle", HOME, 106, 112),
            ("suspend", HOME, 78, 88),
            ("settle", 2, 102, 108),
            ("thin", 2, 70, 80),
            ("lift", HOME, 100, 108),
            ("suspend", 3, 97, 103),
            ("return", HOME, 100, 106),
        ),
    ),
)
"""Cycles shorter than so many minutes, and their sections.

Lengths are such that every section lasts two to six minutes and every stay in a region four
to twelve; a cycle ends at home, where the next one begins.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlan:
    """A section as the form foresees it.

    Attributes:
        index: ascending through the piece; a cycle's numbers begin at a multiple of ``SECTIONS_PER_CYCLE``.
        cycle: number of its form cycle.
        start_frames: where it would begin; it waits for the next bar line.
        end_frames: where the following one would begin.
        archetype: its character.
        excursion: ``HOME``, or the number of the cycle's excursion it belongs to.
        layers: those that may sound in it, in the order of ``controls.LAYERS``.
    """

    index: int
    cycle: int
    start_frames: int
    end_frames: int
    archetype: Archetype
    excursion: int
    layers: tuple[str, ...]

    def tension_percent(self, at_frames: int) -> int:
        """How far from rest, 0 to 100."""
        return self._between(self.archetype.tension_percent, at_frames)

    def density_percent(self, at_frames: int) -> int:
        """How much happens, in percent of what intensity alone would give."""
        return self._between(self.archetype.density_percent, at_frames)

    def _between(self, ends: tuple[int, int], at_frames: int) -> int:
        length = self.end_frames - self.start_frames
        elapsed = min(max(0, at_frames - self.start_frames), length)
        return ends[0] + (ends[1] - ends[0]) * elapsed // length


class Form:
    """The plan of a whole piece, looked up by section index or by time."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._cycle_sections = lru_cache(maxsize=8)(self._drawn_cycle)

    def section(self, index: int) -> SectionPlan:
        """The section of an index in use (see ``following``)."""
        return self._cycle_sections(index // SECTIONS_PER_CYCLE)[index % SECTIONS_PER_CYCLE]

    def following(self, index: int) -> SectionPlan:
        """The section after this one."""
        cycle, place = divmod(index, SECTIONS_PER_CYCLE)
        sections = self._cycle_sections(cycle)
        return sections[place + 1] if place + 1 < len(sections) else self._cycle_sections(cycle + 1)[0]

    def preceding(self, index: int) -> SectionPlan | None:
        """The section before this one; None before the first."""
        cycle, place = divmod(index, SECTIONS_PER_CYCLE)
        if place:
            return self.section(index - 1)
        return self._cycle_sections(cycle - 1)[-1] if cycle else None

    def section_at(self, frames: int) -> SectionPlan:
        """The section whose planned span holds a frame."""
        cycle = max(0, frames // (CYCLE_SECONDS * SAMPLE_RATE_HZ) - 1)
        while self._cycle_start_seconds(cycle + 1) * SAMPLE_RATE_HZ <= frames:
            cycle += 1
        return next(section for section in self._cycle_sections(cycle) if frames < section.end_frames)

    def region_of(self, section: SectionPlan, home: Region) -> Region:
        """Where a section plays: at home, or in its excursion from there."""
        if section.excursion == HOME:
            return home
        return excursions(self._chance, section.cycle, home)[section.excursion - 1]

    def _cycle_start_seconds(self, cycle: int) -> int:
        play = self._chance.stream("cycle boundary", cycle).between(-_BOUNDARY_PLAY_SECONDS, _BOUNDARY_PLAY_SECONDS)
        return cycle * CYCLE_SECONDS + play if cycle else 0

    def _drawn_cycle(self, cycle: int) -> tuple[SectionPlan, ...]:
        start, end = self._cycle_start_seconds(cycle), self._cycle_start_seconds(cycle + 1)
        minutes = (end - start) // 60
        places = next(places for limit, places in _CYCLES if minutes < limit)
        stream = self._chance.stream("section lengths", cycle)
        lengths = [stream.between(low, high) for _, _, low, high in places]
        plans = []
        seen: dict[str, int] = {}
        for number, (name, excursion, _, _) in enumerate(places):
            occurrence = seen.get(name, 0)
            seen[name] = occurrence + 1
            begins = start + (end - start) * sum(lengths[:number]) // sum(lengths)
            ends = start + (end - start) * sum(lengths[: number + 1]) // sum(lengths)
            plans.append(
                SectionPlan(
                    index=cycle * SECTIONS_PER_CYCLE + number,
                    cycle=cycle,
                    start_frames=begins * SAMPLE_RATE_HZ,
                    end_frames=ends * SAMPLE_RATE_HZ,
                    archetype=ARCHETYPES[name],
                    excursion=excursion,
                    layers=ARCHETYPES[name].layers(self._chance, 2 * cycle + occurrence),
                )
            )
        return tuple(plans)


@lru_cache(maxsize=64)
def excursions(chance: Chance, cycle: int, home: Region) -> tuple[Region, Region, Region]:
    """Three regions to visit in a cycle: each shares five tones or more with home, and with the one before."""
    stream = chance.stream("excursions", cycle)
    near = [
        region(tonic, mode)
        for tonic in range(12)
        for mode in MODE_INTERVALS
        if (tonic, mode) != (home.tonic, home.mode) and region(tonic, mode).common_with(home) >= 5
    ]
    # Regions of other tones first: the same seven tones from another tonic are a paler journey.
    order = sorted(stream.shuffled(near), key=lambda place: place.common_with(home) == 7)
    first = order[0]
    second = next(place for place in order if place != first and place.tonic != first.tonic)
    third = next(
        place
        for place in order
        if place not in (first, second) and place.common_with(second) >= 5 and place.tonic != second.tonic
    )
    return first, second, third
