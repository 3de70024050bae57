"""The score's contract: joining slices, the event stream, its hash."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from auralisd.controls import LAYERS
from auralisd.score import (
    Bar,
    Chord,
    ControlChange,
    Note,
    Reason,
    Release,
    ScoreSlice,
    Section,
    event_lines,
    event_stream_sha256,
    events,
    joined,
)


def note(
    note_id: int = 0, onset_frames: int = 0, duration_frames: int = 100, layer: str = "pad", **rest: object
) -> Note:
    values = {"pitch_midi": 60, "velocity": 0.5, "role": "inner"} | rest
    return Note(
        note_id=note_id,
        onset_frames=onset_frames,
        duration_frames=duration_frames,
        layer=layer,
        **values,  # type: ignore[arg-type]
    )


def chord(index: int, onset_frames: int, duration_frames: int = 1000) -> Chord:
    return Chord(
        index=index,
        onset_frames=onset_frames,
        duration_frames=duration_frames,
        tonic="A",
        mode="aeolian",
        degree=1,
        quality="add9",
        voicing=(45, 52, 57, 60, 64),
        name="Amadd9",
    )


def piece(end_frames: int, **kinds: object) -> ScoreSlice:
    return ScoreSlice(start_frames=0, end_frames=end_frames, **kinds)  # type: ignore[arg-type]


notes = st.builds(
    note,
    note_id=st.integers(0, 50),
    onset_frames=st.integers(0, 999),
    duration_frames=st.integers(1, 500),
    layer=st.sampled_from(LAYERS),
)
releases = st.builds(Release, layer=st.sampled_from(LAYERS), note_id=st.integers(0, 50), at_frames=st.integers(0, 1500))


@given(
    played=st.lists(notes, max_size=20, unique_by=lambda one: (one.layer, one.note_id)),
    cuts=st.lists(releases, max_size=10),
    border=st.integers(0, 1000),
)
def test_joining_does_not_depend_on_where_the_cut_was(played: list[Note], cuts: list[Release], border: int) -> None:
    whole = ScoreSlice(start_frames=0, end_frames=1600, notes=tuple(played), releases=tuple(cuts))
    early = ScoreSlice(
        start_frames=0,
        end_frames=border,
        notes=tuple(one for one in played if one.onset_frames < border),
        releases=tuple(cut for cut in cuts if cut.at_frames < border),
    )
    late = ScoreSlice(
        start_frames=border,
        end_frames=1600,
        notes=tuple(one for one in played if one.onset_frames >= border),
        releases=tuple(cut for cut in cuts if cut.at_frames >= border),
    )
    assert joined([early, late]) == joined([whole])


def test_a_release_shortens_its_note_and_no_other() -> None:
    released = joined(
        [
            piece(50, notes=(note(1), note(2), note(1, layer="bells"))),
            ScoreSlice(start_frames=50, end_frames=90, releases=(Release(layer="pad", note_id=1, at_frames=60),)),
        ]
    )
    lengths = {(one.layer, one.note_id): one.duration_frames for one in released.notes}
    assert lengths == {("pad", 1): 60, ("pad", 2): 100, ("bells", 1): 100}


def test_of_two_releases_the_earlier_counts_and_a_late_one_changes_nothing() -> None:
    cuts = (Release(layer="pad", note_id=1, at_frames=70), Release(layer="pad", note_id=1, at_frames=40))
    assert joined([piece(90, notes=(note(1),), releases=cuts)]).notes[0].duration_frames == 40
    late = (Release(layer="pad", note_id=1, at_frames=100),)
    assert joined([piece(200, notes=(note(1),), releases=late)]).notes[0] == note(1)


def test_a_note_released_before_it_begins_keeps_one_frame() -> None:
    cut = (Release(layer="pad", note_id=1, at_frames=10),)
    assert joined([piece(90, notes=(note(1, onset_frames=20),), releases=cut)]).notes[0].duration_frames == 1


def test_a_chord_lasts_until_the_next_begins() -> None:
    result = joined([piece(2000, chords=(chord(0, 0), chord(1, 400), chord(2, 1500)))])
    assert [one.duration_frames for one in result.chords] == [400, 1000, 1000]


def test_nothing_joins_to_nothing() -> None:
    assert joined([]) == ScoreSlice(start_frames=0, end_frames=0)


def test_events_are_sorted_by_onset_then_kind_and_layer_then_index() -> None:
    whole = piece(
        10,
        notes=(note(2, layer="melody"), note(1, layer="drone"), note(0, layer="melody"), note(0, onset_frames=5)),
        chords=(chord(0, 0),),
        sections=(Section(index=0, onset_frames=0, duration_frames=10, archetype="settle", layers=("drone", "pad")),),
        bars=(Bar(index=0, onset_frames=0, tempo_bpm=60.0),),
        controls=(ControlChange(at_frames=0, changed={"key": "D"}, cause="rest"),),
    )
    shown = [(event["kind"], event.get("layer")) for event in events(whole)]
    assert shown == [
        ("control", None),
        ("section", None),
        ("bar", None),
        ("chord", None),
        ("note", "drone"),
        ("note", "melody"),
        ("note", "melody"),
        ("note", "pad"),
    ]


def test_the_event_stream_shows_what_the_protocol_promises() -> None:
    change = ControlChange(at_frames=3, changed={"layers": {"pad": -3.0}}, cause="ws")
    hit = note(7, onset_frames=4, layer="percussion", role="hit", unpitched=True)
    lines = list(event_lines(piece(10, notes=(note(1, cents=1.5), hit), chords=(chord(0, 0),), controls=(change,))))
    assert all(line.endswith("\n") for line in lines)
    shown = [json.loads(line) for line in lines]
    assert shown[0]["voicing"] == [45, 52, 57, 60, 64]
    assert shown[0].keys() == {
        "kind", "index", "onset_frames", "duration_frames", "tonic", "mode", "degree", "quality", "voicing"
    }  # fmt: skip
    assert shown[1].keys() == {
        "kind", "onset_frames", "duration_frames", "pitch_midi", "cents", "velocity", "layer", "role", "phrase",
        "motif", "chord_index",
    }  # fmt: skip
    assert shown[2] == {"kind": "control", "at_frames": 3, "changed": {"layers": {"pad": -3.0}}, "cause": "ws"}
    assert shown[3]["unpitched"] is True


def test_the_hash_is_of_the_music_not_of_how_it_is_explained() -> None:
    plain = piece(10, notes=(note(1),))
    explained = piece(10, notes=(note(1),), reasons=(Reason(position=0, text="because", cause="form"),))
    assert event_stream_sha256(plain) == event_stream_sha256(explained)
    assert event_stream_sha256(plain) != event_stream_sha256(piece(10, notes=(note(1, pitch_midi=61),)))
