"""Form: home and journeys, sections and cycles, and that nothing is staged the same way soon again."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from auralisd.composition.audit.reading import Reading
from auralisd.composition.audit.rule import Measured, NotJudged, Rule, counted, spanning
from auralisd.composition.form import SECTIONS_PER_CYCLE
from auralisd.units import SAMPLE_RATE_HZ

STAGING_FRAMES: Final = 90 * 60 * SAMPLE_RATE_HZ
RELATED_TONES: Final = 5

_MINUTE_FRAMES: Final = 60 * SAMPLE_RATE_HZ


def _begins_at_home(reading: Reading) -> Measured | NotJudged:
    if reading.piece.start_frames:
        return NotJudged("the piece from its beginning")
    home = reading.home_at(0)
    return Measured(values=(float(reading.harmonies[0].region != home),), words=reading.harmonies[0].region.name)


def _home_share(reading: Reading) -> Measured | NotJudged:
    """Of each clock hour, by the home that key and mode name at the time."""
    if reading.home_at(reading.piece.start_frames) is None:
        return NotJudged("to be told key and mode")
    if not reading.hours:
        return NotJudged("an hour")
    shares = []
    for start, end in reading.hours:
        at_home = 0
        for chord, met in zip(reading.piece.chords, reading.harmonies, strict=True):
            first, last = max(start, chord.onset_frames), min(end, chord.onset_frames + chord.duration_frames)
            if first < last and met.region == reading.home_at(chord.onset_frames):
                at_home += last - first
        shares.append((100 * at_home / (end - start), start))
    return Measured(values=(min(shares)[0],), at_frames=min(shares)[1])


def _kinship(reading: Reading) -> Measured | NotJudged:
    kin = [
        (before.place.common_with(after.place), after.start_frames)
        for before, after in pairwise(reading.stays)
        if not reading.touched(after.start_frames, after.start_frames)
    ]
    return Measured(values=(float(min(kin)[0]),), at_frames=min(kin)[1]) if kin else NotJudged("two regions")


def _stay_lengths(reading: Reading) -> Measured | NotJudged:
    return _in_minutes(
        [(stay.end_frames - stay.start_frames, stay.start_frames) for stay in reading.stays if stay.whole],
        "a whole stay in a region",
        4,
        12,
    )


def _section_lengths(reading: Reading) -> Measured | NotJudged:
    sections = reading.piece.sections
    lengths = [(after.onset_frames - before.onset_frames, before.onset_frames) for before, after in pairwise(sections)]
    return _in_minutes(lengths, "a whole section", 2, 6)


def _in_minutes(lengths: list[tuple[int, int]], needs: str, low: float, high: float) -> Measured | NotJudged:
    if not lengths:
        return NotJudged(needs)
    return spanning([(frames / _MINUTE_FRAMES, at) for frames, at in lengths], low, high)


def _layers(reading: Reading) -> Measured | NotJudged:
    counts = [(float(len(section.layers)), section.onset_frames) for section in reading.piece.sections]
    return spanning(counts, 2, 5) if counts else NotJudged("a section")


def _cycles(reading: Reading) -> list[tuple[int, int, int]]:
    """Of each whole form cycle: start, end, and how many sections."""
    starts: dict[int, list[int]] = {}
    for section in reading.piece.sections:
        starts.setdefault(section.index // SECTIONS_PER_CYCLE, []).append(section.onset_frames)
    first = 0 if not reading.piece.start_frames else 1
    return [(onsets[0], later[0], len(onsets)) for onsets, later in [*pairwise(starts.values())][first:]]


def _cycle_lengths(reading: Reading) -> Measured | NotJudged:
    return _in_minutes([(end - start, start) for start, end, _ in _cycles(reading)], "a whole form cycle", 25, 50)


def _sections_in_a_cycle(reading: Reading) -> Measured | NotJudged:
    counts = [(count, start) for start, _, count in _cycles(reading)]
    if not counts:
        return NotJudged("a whole form cycle")
    return Measured(values=(float(min(counts)[0]), float(max(counts)[0])), at_frames=max(counts)[1])


def _regions_in_a_cycle(reading: Reading) -> Measured | NotJudged:
    counts = [
        (len({stay.place for stay in reading.stays if stay.start_frames < end and stay.end_frames > start}), start)
        for start, end, _ in _cycles(reading)
        if not reading.touched(start, end)
    ]
    if not counts:
        return NotJudged("a whole form cycle")
    return Measured(values=(float(min(counts)[0]), float(max(counts)[0])), at_frames=min(counts)[1])


def _staged_twice(reading: Reading) -> Measured:
    """Sections of the same region, archetype and layers less than ninety minutes after each other."""
    last: dict[tuple[object, ...], int] = {}
    again = []
    for section in reading.piece.sections:
        staged = (reading.harmony_at(section.onset_frames).region, section.archetype, section.layers)
        if section.onset_frames - last.get(staged, -STAGING_FRAMES) < STAGING_FRAMES:
            again.append(section.onset_frames)
        last[staged] = section.onset_frames
    return counted(again, needs="" if reading.lasts(STAGING_FRAMES) else "90 min")


FORM_RULES: Final = (
    Rule("form", "the piece begins at home", "home first", _begins_at_home, high=0),
    Rule("form", "home prevails", "at least 40 % of each hour", _home_share, low=40, unit="% in the leanest"),
    Rule(
        "form",
        "neighbouring regions are kin",
        "at least 5 of 7 tones in common",
        _kinship,
        low=RELATED_TONES,
        unit="tones",
    ),
    Rule("form", "stays in a region", "4 to 12 min", _stay_lengths, low=4, high=12, unit="min"),
    Rule("form", "sections", "2 to 6 min", _section_lengths, low=2, high=6, unit="min"),
    Rule("form", "layers of a section", "2 to 5", _layers, low=2, high=5),
    Rule("form", "form cycles", "25 to 50 min", _cycle_lengths, low=25, high=50, unit="min"),
    Rule("form", "sections of a cycle", "5 to 9", _sections_in_a_cycle, low=5, high=9),
    Rule("form", "regions of a cycle", "3 to 6", _regions_in_a_cycle, low=3, high=6),
    Rule("form", "nothing is staged twice", "0 within 90 min", _staged_twice, high=0, unit="sections"),
)
