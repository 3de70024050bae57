"""Harmony: belonging, voice leading, the share of each degree, the pace of the chords."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final

from auralisd.composition.audit.reading import Reading, pairs_of_chords
from auralisd.composition.audit.rule import Measured, NotJudged, Rule, counted
from auralisd.composition.chords import CALM_INTENSITY, CALM_SECONDS, LIVELY_SECONDS
from auralisd.composition.harmony import is_dominant_cadence
from auralisd.composition.markov import OWN_DEGREE
from auralisd.composition.quota import Kind
from auralisd.composition.voicing import BASS_GAP, WIDEST_GAP, WIDEST_MOTION, least_motion, ranges
from auralisd.score import Chord
from auralisd.units import SAMPLE_RATE_HZ, frames_to_seconds

RUN_CHORDS: Final = 6
DEGREES_NEED_CHORDS: Final = 200
CHANGES_NEEDED: Final = 50
HELD_ON_SECONDS: Final = 0.25

_FIFTH: Final = 7
_ROUNDING_FRAMES: Final = SAMPLE_RATE_HZ // 100


def _strangers(reading: Reading) -> Measured:
    return counted(
        [
            note.onset_frames
            for note in reading.pitched
            if note.role != "neighbour" and reading.kind(note) is Kind.NEIGHBOUR
        ]
    )


def _held_on(reading: Reading) -> Measured:
    """How long a note goes on in a region that lacks it."""
    worst, where = 0, None
    stays = reading.stays
    place = 0
    for note in reading.pitched:
        while place + 1 < len(stays) and stays[place + 1].start_frames <= note.onset_frames:
            place += 1
        end = note.onset_frames + note.duration_frames
        for stay in stays[place + 1 :]:
            if stay.start_frames >= end:
                break
            if not stay.place.contains(note.pitch_midi):
                if end - stay.start_frames > worst:
                    worst, where = end - stay.start_frames, stay.start_frames
                break
    return Measured(values=(frames_to_seconds(worst),), at_frames=where)


def _mean_motion(reading: Reading) -> Measured | NotJudged:
    moved = [semitones for motion in _motions(reading) for semitones in motion]
    return Measured(values=(sum(moved) / len(moved),)) if moved else NotJudged("two chords")


def _widest_motion(reading: Reading) -> Measured | NotJudged:
    widest = [max(motion, default=0) for motion in _motions(reading)]
    if not widest:
        return NotJudged("two chords")
    where = max(range(len(widest)), key=lambda place: widest[place])
    return Measured(values=(float(widest[where]),), at_frames=reading.piece.chords[where + 1].onset_frames)


def _motions(reading: Reading) -> list[tuple[int, ...]]:
    return [least_motion(before.voicing, after.voicing) for before, after in pairwise(reading.piece.chords)]


def _outer_parallels(reading: Reading) -> Measured:
    return counted([b.onset_frames for a, b in pairwise(reading.piece.chords) if _parallel(a, b)])


def _parallel(before: Chord, after: Chord) -> bool:
    interval = (after.voicing[-1] - after.voicing[0]) % 12
    same = interval in (0, _FIFTH) and interval == (before.voicing[-1] - before.voicing[0]) % 12
    return same and before.voicing[0] != after.voicing[0] and before.voicing[-1] != after.voicing[-1]


def _block_shifts(reading: Reading) -> Measured:
    return counted([b.onset_frames for a, b in pairwise(reading.piece.chords) if _shifted(a, b)])


def _shifted(before: Chord, after: Chord) -> bool:
    if len(before.voicing) != len(after.voicing):
        return False
    moves = {high - low for low, high in zip(before.voicing, after.voicing, strict=True)}
    return len(moves) == 1 and moves != {0}


def _common_tones(reading: Reading) -> Measured | NotJudged:
    chords = reading.piece.chords
    kept = [bool({*a.voicing} & {*b.voicing}) for a, b in pairwise(chords)]
    if not kept:
        return NotJudged("two chords")
    where = chords[kept.index(False) + 1].onset_frames if not all(kept) else None
    needs = "" if len(kept) >= CHANGES_NEEDED else f"{CHANGES_NEEDED} changes"
    return Measured(values=(100 * sum(kept) / len(kept),), at_frames=where, needs=needs)


def _badly_spaced(reading: Reading) -> Measured:
    return counted([chord.onset_frames for chord in reading.piece.chords if not _well_spaced(chord.voicing)])


def _well_spaced(voicing: tuple[int, ...]) -> bool:
    gaps = [high - low for low, high in pairwise(voicing)]
    return (
        len(voicing) in (4, 5)
        and all(low <= pitch <= high for pitch, (low, high) in zip(voicing, ranges(len(voicing)), strict=True))
        and gaps[0] >= BASS_GAP
        and all(0 < gap <= WIDEST_GAP for gap in gaps[1:])
    )


def _degree_shares(reading: Reading) -> Measured | NotJudged:
    by_mode: dict[str, Counter[int]] = {}
    for chord in reading.piece.chords:
        by_mode.setdefault(chord.mode, Counter())[chord.degree] += 1
    shares = {
        (mode, degree): 100 * count[degree] / count.total()
        for mode, count in by_mode.items()
        if count.total() >= DEGREES_NEED_CHORDS
        for degree in range(1, 8)
    }
    if not shares:
        return NotJudged(f"{DEGREES_NEED_CHORDS} chords in one mode")
    rare, often = min(shares, key=lambda key: shares[key]), max(shares, key=lambda key: shares[key])
    words = f"{shares[rare]:.1f} % ({rare[0]} {rare[1]}) to {shares[often]:.1f} % ({often[0]} {often[1]})"
    return Measured(values=(shares[rare], shares[often]), words=words)


def _own_degree_missed(reading: Reading) -> Measured | NotJudged:
    whole = [stay for stay in reading.stays if stay.whole]
    if not whole:
        return NotJudged("a whole stay in a region")
    heard = [chord.onset_frames for chord in reading.piece.chords if chord.degree == OWN_DEGREE[chord.mode]]
    return counted(
        [
            stay.start_frames
            for stay in whole
            if not any(stay.start_frames <= onset < stay.end_frames for onset in heard)
        ]
    )


def _dominants(reading: Reading) -> Measured:
    return counted([at for at, before, after in pairs_of_chords(reading) if is_dominant_cadence(before, after)])


def _chord_lengths(reading: Reading) -> Measured | NotJudged:
    outside: list[int] = []
    seconds: list[float] = []
    for chord in reading.piece.chords:
        intensity = reading.control_at("intensity", chord.onset_frames)
        if intensity is None:
            return NotJudged("to be told the intensity")
        end = chord.onset_frames + chord.duration_frames
        shortest, longest = CALM_SECONDS if intensity <= CALM_INTENSITY else LIVELY_SECONDS
        too_long = chord.duration_frames > longest * SAMPLE_RATE_HZ + _ROUNDING_FRAMES
        cut = end >= reading.piece.end_frames or reading.touched(chord.onset_frames, end)
        too_short = not cut and chord.duration_frames < shortest * SAMPLE_RATE_HZ - _ROUNDING_FRAMES
        if too_long or too_short:
            outside.append(chord.onset_frames)
        if not cut:
            seconds.append(frames_to_seconds(chord.duration_frames))
    words = f"{len(outside)} outside; {min(seconds, default=0):.1f} to {max(seconds, default=0):.1f} s uncut"
    return Measured(values=(float(len(outside)),), at_frames=outside[0] if outside else None, words=words)


def _repeated_runs(reading: Reading) -> Measured | NotJudged:
    chords = reading.piece.chords
    seen: set[tuple[tuple[str, int, tuple[int, ...]], ...]] = set()
    again = []
    for place in range(len(chords) - RUN_CHORDS + 1):
        run = tuple((chord.tonic, chord.degree, chord.voicing) for chord in chords[place : place + RUN_CHORDS])
        if run in seen:
            again.append(chords[place].onset_frames)
        seen.add(run)
    return counted(again) if seen else NotJudged(f"{RUN_CHORDS} chords")


HARMONY_RULES: Final = (
    Rule("harmony", "every note belongs to its mode", "0 but declared neighbours", _strangers, high=0, unit="notes"),
    Rule(
        "harmony",
        "held notes leave with their mode",
        f"within {HELD_ON_SECONDS} s",
        _held_on,
        high=HELD_ON_SECONDS,
        unit="s",
    ),
    Rule(
        "harmony", "voices move little", "mean at most 1.5 semitones a voice", _mean_motion, high=1.5, unit="semitones"
    ),
    Rule(
        "harmony",
        "no voice leaps",
        f"at most {WIDEST_MOTION} semitones",
        _widest_motion,
        high=WIDEST_MOTION,
        unit="semitones",
    ),
    Rule("harmony", "outer voices never run parallel", "0 fifths or octaves", _outer_parallels, high=0),
    Rule("harmony", "chords are never shifted as a block", "0", _block_shifts, high=0),
    Rule("harmony", "changes keep a common tone", "at least 80 %", _common_tones, low=80, unit="%"),
    Rule("harmony", "voices keep range and distance", "0 chords outside", _badly_spaced, high=0, unit="chords"),
    Rule("harmony", "each degree has its share", "3 to 40 % in every mode", _degree_shares, low=3, high=40, unit="%"),
    Rule(
        "harmony",
        "the mode's own degree is heard",
        "in every stay in a region",
        _own_degree_missed,
        high=0,
        unit="stays without",
    ),
    Rule("harmony", "no major V leads to a minor i", "0", _dominants, high=0),
    Rule("harmony", "chords last their time", "9 to 30 s, 20 to 60 s when calm", _chord_lengths, high=0),
    Rule("harmony", "no run of six chords comes twice", "0", _repeated_runs, high=0),
)
