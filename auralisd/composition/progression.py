"""Choosing the next harmony: a degree by the Markov model, a shape that connects, hinges by arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from auralisd.composition.chance import Chance, Stream
from auralisd.composition.form import SectionPlan
from auralisd.composition.harmony import OPEN_FIFTH, Harmony, harmony, qualities
from auralisd.composition.markov import OWN_DEGREE, next_degree
from auralisd.composition.moment import Moment
from auralisd.composition.pitch import Region
from auralisd.composition.voicing import RESTING, Voicing, voiced
from auralisd.controls import Controls

_PLAIN: Final[Mapping[str, int]] = MappingProxyType(
    {"triad": 50, "add9": 60, "sus2": 45, "sus4": 20, "quartal": 12, "m7": 20, "maj7": 20, "maj7#11": 6}
)
_COLOURFUL: Final[Mapping[str, int]] = MappingProxyType(
    {"triad": 12, "add9": 55, "sus2": 30, "sus4": 35, "quartal": 45, "m7": 55, "maj7": 55, "maj7#11": 40}
)
_RICHNESS: Final[Mapping[str, int]] = MappingProxyType(
    {"triad": -2, "add9": 1, "sus2": -1, "sus4": -1, "quartal": 0, "m7": 1, "maj7": 1, "maj7#11": 2}
)
"""How many notes a shape adds to what one expects: with density at 0 the bare ones are heard, at 1 the full ones."""

LOWEST_ROOT: Final = 40
"""Sections open with the root in the bass, within an octave from here."""

RELATED_TONES: Final = 6
"""A tonic a fifth away or less: its region shares so many tones and is entered by common tones, a farther one
through an open fifth."""


def voice_count(controls: Controls, stream: Stream) -> int:
    """Four voices or five: always four with harmonic density near 0, always five near 1."""
    return 5 if stream.fraction() * 0.7 + 0.15 < controls.harmonic_density else 4


def shaped(place: Region, degree: int, controls: Controls, stream: Stream, previous: Voicing | None) -> Harmony:
    """``degree`` in a shape drawn by variety and density, rather one that shares a tone with ``previous``."""
    variety = int(controls.chord_variety * 100)
    density = int(controls.harmonic_density * 100)
    names = qualities(place, degree)
    held = {pitch % 12 for pitch in previous} if previous is not None else None
    weights = []
    for name in names:
        weight = _PLAIN[name] * (100 - variety) + _COLOURFUL[name] * variety
        weight = weight * max(6, 100 + _RICHNESS[name] * (density - 50)) // 100
        if held is not None:
            common = len(held & harmony(place, degree, name).classes)
            weight = weight * (5, 60, 100, 110, 110, 110)[common] // 100
        weights.append(max(1, weight))
    return harmony(place, degree, names[stream.weighted(weights)])


def by_richness(place: Region, degree: int, fullest_first: bool) -> list[Harmony]:
    """All shapes of a degree, the fullest or the barest first."""
    names = sorted(qualities(place, degree), key=lambda name: -_RICHNESS[name] if fullest_first else _RICHNESS[name])
    return [harmony(place, degree, name) for name in names]


def hinge(chance: Chance, section: SectionPlan, place: Region, controls: Controls) -> tuple[Harmony, Voicing]:
    """The chord that opens a section: the same whatever came before it, so that any section can be entered."""
    stream = chance.stream("hinge", section.index)
    if section.index == 0:
        degree = 1
    else:
        degrees = (1, OWN_DEGREE[place.mode], 4, 6, 3, 5)
        degree = degrees[stream.weighted((50, 22, 10, 10, 8, 6))]
    chosen = shaped(place, degree, controls, stream, None)
    voices = voice_count(controls, stream)
    shift = stream.between(-2, 2)
    bass = LOWEST_ROOT + (chosen.root - LOWEST_ROOT) % 12
    resting = (bass, *(pitch + shift for pitch in RESTING[voices][1:]))
    return chosen, voiced(chosen, voices, resting)


def next_harmonies(moment: Moment, history: tuple[int, ...], previous: Voicing, stream: Stream) -> Iterator[Harmony]:
    """The harmony after ``history`` (degrees, the sounding one last), then others should it not fit."""
    mode = moment.region.mode
    tension = moment.section.tension_percent(moment.now) // 10 * 10
    variety = int(moment.controls.chord_variety * 20) * 5
    shares = list(next_degree(mode, history, tension, variety).shares)
    own = OWN_DEGREE[mode]
    late = moment.now - moment.section_start > (moment.section_end - moment.section_start) // 2
    if late and own not in history:
        # Every stay in a region lets its own degree be heard, in whatever shape can be reached.
        first = shaped(moment.region, own, moment.controls, stream, previous)
        yield first
        yield from (other for other in by_richness(moment.region, own, fullest_first=False) if other != first)
        shares[own - 1] = 0
    while any(shares):
        degree = 1 + stream.weighted(shares)
        shares[degree - 1] = 0
        yield shaped(moment.region, degree, moment.controls, stream, previous)


def doorways(arrived: Region, left: Region, previous: Voicing) -> list[Harmony]:
    """Harmonies that make a change of key or mode heard with little motion, the best first.

    They keep what they can of the sounding voices and hold, where there is one, a tone the
    region that was left did not have. A far tonic is entered through an open fifth.
    """
    new_classes = {pitch_class for pitch_class in arrived.classes if not left.mask >> pitch_class & 1}

    def merit(candidate: Harmony) -> tuple[int, int]:
        kept = sum(1 for pitch in previous if pitch % 12 in candidate.classes)
        gained = 10 if candidate.classes & new_classes else 0
        home = {1: 2 if new_classes else 6, OWN_DEGREE[arrived.mode]: 1}.get(candidate.degree, 0)
        return -(gained + kept + home), candidate.degree

    candidates = [harmony(arrived, degree, name) for degree in range(1, 8) for name in qualities(arrived, degree)]
    candidates.sort(key=merit)
    if left.common_with(arrived) < RELATED_TONES and left.tonic != arrived.tonic:
        candidates.insert(0, harmony(arrived, 1, OPEN_FIFTH))
    return candidates
