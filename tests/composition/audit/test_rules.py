"""Every rule can be broken: a piece that keeps them all is spoilt in one way at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from auralisd.composition import Composer
from auralisd.composition.audit import RULES, Reading, judged, rule_named
from auralisd.composition.markov import OWN_DEGREE
from auralisd.controls import LAYERS, Controls
from auralisd.score import Chord, ControlChange, Note, ScoreSlice, event_lines, joined
from auralisd.score_reader import read_events
from auralisd.units import SAMPLE_RATE_HZ

SECOND = SAMPLE_RATE_HZ
HOUR = 3600 * SECOND
HOME = ("A", "aeolian")


@cache
def sound() -> ScoreSlice:
    """An hour that keeps every rule."""
    return joined([Composer(seed=20).advance(HOUR)])


@cache
def day() -> ScoreSlice:
    """The same hour eight times over."""
    hour = sound()

    def repeated(events: Any, key: str, **shifts: int) -> tuple[Any, ...]:
        return tuple(
            replace(event, **{name: getattr(event, name) + turn * by for name, by in {key: HOUR, **shifts}.items()})
            for turn in range(8)
            for event in events
        )

    return replace(
        hour,
        end_frames=8 * HOUR,
        notes=repeated(hour.notes, "onset_frames", chord_index=20_000),
        chords=repeated(hour.chords, "onset_frames", index=20_000),
        sections=repeated(hour.sections, "onset_frames", index=20),
        bars=repeated(hour.bars, "onset_frames", index=900),
    )


def notes(change: Callable[[Note], Note | None], piece: ScoreSlice | None = None) -> Reading:
    piece = piece or sound()
    changed = (change(note) for note in piece.notes)
    return Reading(replace(piece, notes=tuple(note for note in changed if note is not None)), controls=Controls())


def of(layer: str, **values: Any) -> Reading:
    """All notes of a layer with other values."""
    return notes(lambda note: replace(note, **values) if note.layer == layer else note)


def chords(change: Callable[[int, Chord], Chord], piece: ScoreSlice | None = None) -> Reading:
    piece = piece or sound()
    changed = tuple(change(place, chord) for place, chord in enumerate(piece.chords))
    return Reading(replace(piece, chords=changed), controls=Controls())


def voicings(even: tuple[int, ...], odd: tuple[int, ...], last: int = 1 << 30) -> Reading:
    return chords(lambda n, chord: replace(chord, voicing=odd if n % 2 else even) if n <= last else chord)


def told(**controls: Any) -> Reading:
    return Reading(sound(), controls=Controls(**controls))


def melody(change: Callable[[int, Note], Note], piece: ScoreSlice | None = None) -> Reading:
    piece = piece or sound()
    places = {id(note): n for n, note in enumerate(n for n in piece.notes if n.layer == "melody")}
    return notes(lambda note: change(places[id(note)], note) if id(note) in places else note, piece)


def more(layer: str, times: int, every_frames: int) -> Reading:
    extra = [
        replace(note, note_id=note.note_id + 50_000 * again, onset_frames=note.onset_frames + again * every_frames)
        for note in sound().notes
        if note.layer == layer
        for again in range(1, times)
    ]
    in_order = tuple(sorted((*sound().notes, *extra), key=lambda note: note.onset_frames))
    return Reading(replace(sound(), notes=in_order), controls=Controls())


def sections(change: Callable[[int, Any], Any]) -> Reading:
    changed = tuple(change(place, section) for place, section in enumerate(sound().sections))
    return Reading(replace(sound(), sections=changed), controls=Controls())


def far_away(place: int, chord: Chord) -> Chord:
    return replace(chord, tonic="F#", mode="ionian") if place == 5 else chord


def dominant(place: int, chord: Chord) -> Chord:
    if place == 3:
        return replace(chord, tonic="E", mode="ionian", degree=1, quality="triad")
    return replace(chord, tonic="A", mode="aeolian", degree=1, quality="m7") if place == 4 else chord


def in_last_hour(event: Any) -> bool:
    return bool(event.onset_frames >= 7 * HOUR)


SPOILT: dict[str, Callable[[], Reading]] = {
    "every note belongs to its mode": lambda: of("melody", pitch_midi=61, role="phrase"),
    "held notes leave with their mode": lambda: of("pad", duration_frames=300 * SECOND),
    "voices move little": lambda: voicings((45, 52, 57, 64), (48, 55, 60, 67)),
    "no voice leaps": lambda: voicings((45, 52, 57, 64), (53, 60, 65, 72), last=1),
    "outer voices never run parallel": lambda: voicings((45, 55, 60, 64), (43, 55, 59, 62), last=1),
    "chords are never shifted as a block": lambda: voicings((45, 52, 57, 64), (47, 54, 59, 66), last=1),
    "changes keep a common tone": lambda: voicings((45, 52, 57, 64), (46, 53, 58, 65)),
    "voices keep range and distance": lambda: voicings((45, 47, 57, 64), (45, 52, 57, 64), last=0),
    "each degree has its share": lambda: chords(
        lambda _, c: replace(c, degree=3 if c.degree == 7 else c.degree), day()
    ),
    "the mode's own degree is heard": lambda: chords(
        lambda _, c: replace(c, degree=1) if c.degree == OWN_DEGREE[c.mode] else c
    ),
    "no major V leads to a minor i": lambda: chords(dominant),
    "chords last their time": lambda: chords(lambda n, c: replace(c, duration_frames=5 * SECOND) if n == 3 else c),
    "no run of six chords comes twice": lambda: Reading(day(), controls=Controls()),
    "the melody keeps its shares": lambda: notes(lambda note: None if note.role == "neighbour" else note, day()),
    "long notes rest on the chord": lambda: of("melody", pitch_midi=62, duration_frames=2 * SECOND, role="phrase"),
    "neighbours resolve by step": lambda: melody(
        lambda _, n: replace(n, pitch_midi=n.pitch_midi + 3) if n.role == "neighbour" else n
    ),
    "neighbours pass quickly": lambda: of("melody", duration_frames=SECOND),
    "the melody walks": lambda: melody(lambda place, note: replace(note, pitch_midi=(60, 67)[place % 2])),
    "the melody seldom leaps": lambda: melody(lambda place, note: replace(note, pitch_midi=(60, 72)[place % 2])),
    "leaps are answered": lambda: melody(lambda place, note: replace(note, pitch_midi=(60, 72)[place % 2])),
    "phrases are unhurried": lambda: more("melody", 4, SECOND // 8),
    "phrases rest": lambda: melody(lambda _, note: replace(note, duration_frames=note.duration_frames + 8 * SECOND)),
    "motifs come back": lambda: notes(
        lambda n: replace(n, motif=-1) if 180 * SECOND < n.onset_frames < 600 * SECOND else n
    ),
    "motifs return four times, then rest": lambda: notes(
        lambda n: replace(n, motif=n.motif % 2) if n.motif >= 0 else n
    ),
    "one motif is renewed each cycle": lambda: Reading(day(), controls=Controls()),
    "each layer keeps its register": lambda: of("pad", pitch_midi=30),
    "nothing is loud, nothing is lost": lambda: of("bells", velocity=0.9),
    "only the section's layers play": lambda: sections(lambda _, section: replace(section, layers=("drone", "pad"))),
    "the drone stays": lambda: notes(
        lambda n: None if n.layer == "drone" and 600 * SECOND < n.onset_frames < 1200 * SECOND else n
    ),
    "timing is human": lambda: melody(lambda _, note: replace(note, onset_frames=note.onset_frames + SECOND // 10)),
    "percussion is sparse": lambda: more("percussion", 4, SECOND),
    "percussion is silent when calm": lambda: told(intensity=0.1),
    "pitches are few": lambda: notes(lambda note: note if note.unpitched else replace(note, pitch_midi=69)),
    "silence is material": lambda: told(intensity=0.3),
    "silences come and go slowly": lambda: of("pad", duration_frames=5 * SECOND),
    "the piece begins at home": lambda: told(key="D"),
    "home prevails": lambda: told(key="D"),
    "neighbouring regions are kin": lambda: chords(far_away),
    "stays in a region": lambda: chords(far_away),
    "sections": lambda: sections(
        lambda place, one: replace(one, onset_frames=one.onset_frames - 200 * SECOND) if place == 1 else one
    ),
    "layers of a section": lambda: sections(lambda _, section: replace(section, layers=LAYERS)),
    "form cycles": lambda: sections(lambda place, one: replace(one, index=10 + place) if place > 1 else one),
    "sections of a cycle": lambda: sections(lambda place, one: replace(one, index=10 + place) if place > 1 else one),
    "regions of a cycle": lambda: chords(lambda _, chord: replace(chord, tonic=HOME[0], mode=HOME[1])),
    "nothing is staged twice": lambda: Reading(day(), controls=Controls()),
    "degrees stay as varied": lambda: chords(lambda _, c: replace(c, degree=1) if in_last_hour(c) else c, day()),
    "pitches stay as varied": lambda: notes(lambda n: replace(n, pitch_midi=69) if in_last_hour(n) else n, day()),
    "a cold start joins the same piece": lambda: Reading(
        sound(), rejoined=replace(sound(), start_frames=HOUR // 2, notes=sound().notes[:-1])
    ),
}


def test_every_rule_is_spoilt_in_some_way_below() -> None:
    assert set(SPOILT) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_piece_breaks_the_rule_and_a_sound_one_does_not(name: str) -> None:
    finding = rule_named(name).judged(SPOILT[name]())
    assert finding.passed is False, finding
    assert finding.margin < 0
    assert finding.figure
    assert rule_named(name).judged(Reading(sound(), controls=Controls())).passed is not False


@pytest.mark.parametrize("name", ["chords last their time", "neighbouring regions are kin", "sections"])
def test_a_broken_rule_says_where(name: str) -> None:
    finding = rule_named(name).judged(SPOILT[name]())
    assert finding.at_frames is not None
    assert 0 <= finding.at_frames < HOUR


def test_a_minute_is_too_little_to_judge_a_working_day_by() -> None:
    minute = Reading(joined([Composer(seed=20).advance(60 * SECOND)]), controls=Controls())
    needs = {finding.rule: finding.needs for finding in judged(minute) if finding.passed is None}
    assert needs["degrees stay as varied"] == "8 h"
    assert needs["the melody keeps its shares"] == "1,000 notes of melody"
    assert needs["nothing is staged twice"] == "90 min"
    assert not any(finding.passed is False for finding in judged(minute))


def test_what_depends_on_intensity_is_judged_only_by_who_is_told() -> None:
    rule = rule_named("chords last their time")
    assert rule.judged(Reading(sound())).needs == "to be told the intensity"
    assert rule.judged(told(intensity=0.3)).passed is False
    assert rule.judged(told()).passed


def test_a_chord_that_a_control_cuts_may_be_short_and_no_other() -> None:
    change = ControlChange(at_frames=sound().chords[3].onset_frames + SECOND, changed={"key": "A"}, cause="rest")
    cut = SPOILT["chords last their time"]().piece
    rule = rule_named("chords last their time")
    assert rule.judged(Reading(replace(cut, controls=(change,)), controls=Controls())).passed
    late = replace(change, at_frames=sound().chords[9].onset_frames)
    assert rule.judged(Reading(replace(cut, controls=(late,)), controls=Controls())).passed is False


def test_home_is_what_key_and_mode_name_at_the_time() -> None:
    changes = tuple(
        ControlChange(at_frames=at * SECOND, changed=changed, cause="rest")
        for at, changed in ((10, {"key": "D"}), (20, {"mode": "dorian"}))
    )
    for reading in (
        Reading(replace(sound(), controls=changes)),
        Reading(replace(sound(), controls=changes), Controls()),
    ):
        names = [place.name for at in (5, 15, 25) if (place := reading.home_at(at * SECOND))]
        assert names == ["A aeolian", "D aeolian", "D dorian"]


def test_a_motif_that_never_comes_back_breaks_its_round() -> None:
    once = notes(lambda note: replace(note, motif=note.onset_frames // (66 * SECOND)) if note.motif >= 0 else note)
    finding = rule_named("motifs return four times, then rest").judged(once)
    assert finding.passed is False
    assert finding.values == (0.0, 0.0)


def test_a_steered_piece_is_judged_alike_from_its_events() -> None:
    log = tuple(
        ControlChange(at_frames=at * SECOND, changed=changed, cause="rest")
        for at, changed in (
            (100, {"key": "D", "mode": "dorian"}),
            (400, {"intensity": 0.3}),
            (900, {"tempo_bpm": 72.0}),
        )
    )
    piece = joined([Composer(seed=8, log=log).advance(HOUR // 2)])
    here, there = (
        {finding.rule: (finding.passed, finding.at_frames) for finding in judged(Reading(one, controls=Controls()))}
        for one in (piece, read_events(event_lines(piece)))
    )
    assert here == there
