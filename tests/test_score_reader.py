"""Event streams read back: the same events again, and a named error for whatever is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.composition import Composer
from auralisd.controls import KEYS, LAYERS, MODES
from auralisd.errors import EventStreamError
from auralisd.score import (
    Bar,
    Chord,
    ControlChange,
    Note,
    ScoreSlice,
    Section,
    event_lines,
    event_stream_sha256,
    events,
    joined,
)
from auralisd.score_reader import read_events

frames = st.integers(0, 2**48)
texts = st.text(max_size=8)
layers = st.sampled_from(LAYERS)
notes = st.builds(
    Note,
    note_id=st.integers(0, 99),
    onset_frames=frames,
    duration_frames=st.integers(1, 2**40),
    pitch_midi=st.integers(0, 127),
    velocity=st.floats(0, 1),
    cents=st.floats(-50, 50),
    layer=layers,
    role=texts,
    phrase=st.integers(0, 99),
    motif=st.integers(-1, 99),
    chord_index=st.integers(0, 2**40),
    unpitched=st.booleans(),
)
chords = st.builds(
    Chord,
    index=st.integers(0, 99),
    onset_frames=frames,
    duration_frames=frames,
    tonic=st.sampled_from(KEYS),
    mode=st.sampled_from(MODES),
    degree=st.integers(1, 7),
    quality=texts,
    voicing=st.sets(st.integers(0, 127), min_size=4, max_size=5).map(lambda pitches: tuple(sorted(pitches))),
    name=st.just(""),
)
sections = st.builds(
    Section,
    index=st.integers(0, 99),
    onset_frames=frames,
    duration_frames=frames,
    archetype=texts,
    layers=st.lists(layers, min_size=1, max_size=7).map(tuple),
)
bars = st.builds(Bar, index=st.integers(0, 99), onset_frames=frames, tempo_bpm=st.floats(40, 120))
changes = st.builds(
    ControlChange,
    at_frames=frames,
    changed=st.fixed_dictionaries(
        {},
        optional={
            "key": st.sampled_from(KEYS),
            "intensity": st.floats(0, 1),
            "layers": st.fixed_dictionaries({}, optional={"bells": st.just("off"), "pad": st.floats(-60, 6)}),
        },
    ),
    cause=texts,
)


@given(
    piece=st.builds(
        ScoreSlice,
        start_frames=st.just(0),
        end_frames=st.just(2**50),
        notes=st.lists(notes, max_size=8).map(tuple),
        chords=st.lists(chords, max_size=4).map(tuple),
        sections=st.lists(sections, max_size=3).map(tuple),
        bars=st.lists(bars, max_size=4).map(tuple),
        controls=st.lists(changes, max_size=3).map(tuple),
    )
)
def test_any_score_comes_back_as_the_same_events(piece: ScoreSlice) -> None:
    assert list(events(read_events(event_lines(piece)))) == list(events(piece))


def test_a_real_piece_comes_back_with_the_same_hash_and_its_numbers() -> None:
    piece = joined([Composer(seed=4).advance(300 * 44_100)])
    again = read_events(event_lines(piece))
    assert event_stream_sha256(again) == event_stream_sha256(piece)
    assert again.start_frames == 0
    assert piece.end_frames - 6 * 44_100 < again.end_frames <= piece.end_frames
    for layer in LAYERS:
        numbers = [note.note_id for note in again.notes if note.layer == layer]
        assert numbers == list(range(len(numbers)))


BAR = {"kind": "bar", "index": 0, "onset_frames": 0, "tempo_bpm": 60.0}
CHORD = {
    "kind": "chord", "index": 0, "onset_frames": 0, "duration_frames": 9, "tonic": "A", "mode": "aeolian",
    "degree": 1, "quality": "m7", "voicing": [45, 52, 57, 64],
}  # fmt: skip
NOTE = {
    "kind": "note", "onset_frames": 0, "duration_frames": 9, "pitch_midi": 60, "cents": 0.0, "velocity": 0.5,
    "layer": "pad", "role": "top", "phrase": 0, "motif": -1, "chord_index": 0,
}  # fmt: skip
CONTROL = {"kind": "control", "at_frames": 0, "changed": {"key": "D"}, "cause": "rest"}


def without(event: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("not json", "expected a JSON object, one event a line, found not json"),
        ("[1, 2]", "expected a JSON object"),
        ("[" * 100_000, "expected a JSON object"),
        (json.dumps(BAR | {"kind": "beat"}), "expected kind to be one of note, chord, section, bar, control"),
        (json.dumps(without(BAR, "kind")), "expected kind to be one of"),
        (json.dumps(without(BAR, "index")), "expected index of a bar, a whole number of 0 or more"),
        (json.dumps(BAR | {"index": -1}), "expected index of a bar to be a whole number of 0 or more, found -1"),
        (json.dumps(BAR | {"index": True}), "expected index of a bar"),
        (
            json.dumps(BAR | {"tempo_bpm": None}),
            "expected tempo_bpm of a bar to be a number from 1 to 1000, found null",
        ),
        (json.dumps(BAR | {"swing": 1}), "and no more"),
        (json.dumps(NOTE | {"velocity": float("nan")}), "expected velocity of a note to be a number from 0 to 1"),
        (json.dumps(NOTE | {"pitch_midi": 128}), "expected pitch_midi of a note"),
        (json.dumps(NOTE | {"layer": "choir"}), "expected layer of a note to be one of drone, pad"),
        (json.dumps(NOTE | {"unpitched": 1}), "expected unpitched of a note to be true"),
        (json.dumps(CHORD | {"mode": "locrian"}), "expected mode of a chord to be one of"),
        (
            json.dumps(CHORD | {"voicing": [45, 52]}),
            "expected voicing of a chord to be 4 or 5 MIDI pitches, low to high",
        ),
        (json.dumps(CHORD | {"voicing": [64, 57, 52, 45]}), "expected voicing of a chord"),
        (json.dumps(CHORD | {"quality": "dim"}), "expected quality of a chord to be one of m7, fifth"),
        (json.dumps(CONTROL | {"changed": {"key": "H"}}), "expected key to be one of"),
        (json.dumps(CONTROL | {"changed": {"volume": 1}}), "no such control"),
        (json.dumps(CONTROL | {"changed": [1]}), "expected changed of a control to be an object of controls"),
    ],
)
def test_a_line_that_is_no_event_is_refused_by_number_and_told_what_was_expected(line: str, expected: str) -> None:
    lines = [json.dumps(CHORD), "", line]
    with pytest.raises(EventStreamError) as refused:
        read_events(lines, source="night.jsonl", qualities=("m7", "fifth"))
    assert refused.value.line == 3
    assert str(refused.value).startswith("night.jsonl, line 3: expected ")
    assert expected in str(refused.value)
    assert len(str(refused.value)) < 400


def test_events_out_of_order_are_refused() -> None:
    lines = [json.dumps(BAR | {"onset_frames": at}) for at in (0, 10, 9)]
    with pytest.raises(EventStreamError, match="line 3: expected an onset of 10 or later"):
        read_events(lines)


def test_nothing_is_an_empty_piece() -> None:
    assert read_events([]) == ScoreSlice(start_frames=0, end_frames=0)
