"""Steering while it plays: heard soon, by musical means, from anywhere to anywhere."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auralisd.composition import Composer
from auralisd.composition.audit import Reading, rule_named
from auralisd.composition.chords import DOORWAY_SECONDS
from auralisd.composition.harmony import OPEN_FIFTH
from auralisd.composition.pitch import region
from auralisd.controls import KEYS, MODES, Controls
from auralisd.score import ControlChange, ScoreSlice, joined
from auralisd.units import SAMPLE_RATE_HZ

SECOND = SAMPLE_RATE_HZ
CHANGE_AT = 47 * SECOND
RELEASED = SECOND // 10


def steered(
    changes: dict[int, dict[str, Any]], *, seed: int = 6, until: int = 110 * SECOND, **controls: Any
) -> tuple[ScoreSlice, list[dict[str, int]]]:
    """The piece with changes made while it plays, and what each change was answered."""
    composer, slices, answers = Composer(seed=seed, controls=Controls(**controls)), [], []
    for at_frames, changed in sorted(changes.items()):
        slices.append(composer.advance(at_frames))
        answers.append(composer.change(ControlChange(at_frames=at_frames, changed=changed, cause="rest")))
    slices.append(composer.advance(until))
    return joined(slices), answers


def strangers(piece: ScoreSlice, mask: int, from_frames: int) -> list[Any]:
    """Pitched notes that sound after ``from_frames`` outside the pitch classes of ``mask``."""
    return [
        note
        for note in piece.notes
        if not note.unpitched
        and note.role != "neighbour"
        and note.onset_frames + note.duration_frames > from_frames
        and not mask >> (note.pitch_midi % 12) & 1
    ]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999),
    start=st.tuples(st.sampled_from(KEYS), st.sampled_from(MODES)),
    goal=st.tuples(st.sampled_from(KEYS), st.sampled_from(MODES)),
    at_frames=st.integers(5 * SECOND, 60 * SECOND),
)
def test_from_any_region_to_any_other_everything_is_there_at_once(
    seed: int, start: tuple[str, str], goal: tuple[str, str], at_frames: int
) -> None:
    changed = {"key": goal[0], "mode": goal[1]}
    piece, _ = steered({at_frames: changed}, seed=seed, until=at_frames + 12 * SECOND, key=start[0], mode=start[1])
    arrived = region(KEYS.index(goal[0]), goal[1])
    assert strangers(piece, arrived.mask, at_frames + RELEASED) == []
    after = [chord for chord in piece.chords if chord.onset_frames >= at_frames]
    assert {(chord.tonic, chord.mode) for chord in after} <= {goal}
    for rule in ("neighbours resolve by step", "no voice leaps"):
        assert rule_named(rule).judged(Reading(piece)).passed is not False


@pytest.mark.parametrize("goal", MODES)
@pytest.mark.parametrize("start", MODES)
def test_a_new_mode_is_heard_by_a_tone_the_old_one_lacked(start: str, goal: str) -> None:
    if start == goal:
        return
    piece, [answer] = steered({CHANGE_AT: {"mode": goal}}, mode=start)
    left, arrived = region(9, start), region(9, goal)
    new = {pitch_class for pitch_class in arrived.classes if not left.contains(pitch_class)}
    first = next(
        note.onset_frames
        for note in piece.notes
        if note.layer == "pad" and note.onset_frames >= CHANGE_AT and (note.pitch_midi % 12 in new)
    )
    assert answer["mode"] == CHANGE_AT
    assert first - CHANGE_AT <= 5 * SECOND


def test_a_related_key_is_entered_by_common_tones() -> None:
    piece, _ = steered({CHANGE_AT: {"key": "E"}})
    place = next(i for i, chord in enumerate(piece.chords) if chord.onset_frames >= CHANGE_AT)
    before, after = piece.chords[place - 1], piece.chords[place]
    assert after.onset_frames == CHANGE_AT
    assert set(before.voicing) & set(after.voicing)
    assert after.quality != OPEN_FIFTH


def test_a_far_key_is_entered_through_an_open_fifth() -> None:
    piece, _ = steered({CHANGE_AT: {"key": "Eb"}})
    place = next(i for i, chord in enumerate(piece.chords) if chord.onset_frames >= CHANGE_AT)
    door, tonic = piece.chords[place], piece.chords[place + 1]
    assert (door.onset_frames, door.quality, door.degree) == (CHANGE_AT, OPEN_FIFTH, 1)
    assert tonic.degree == 1
    assert tonic.onset_frames - door.onset_frames <= (DOORWAY_SECONDS + 1) * SECOND


def test_the_new_home_is_stayed_in_before_the_journey_goes_on() -> None:
    through = Composer(seed=6).advance(900 * SECOND)
    border = next(chord.onset_frames for chord in through.chords if (chord.tonic, chord.mode) != ("A", "aeolian"))
    piece, _ = steered({border - 20 * SECOND: {"key": "D", "mode": "dorian"}}, until=border + 200 * SECOND)
    after = [chord for chord in piece.chords if chord.onset_frames >= border - 20 * SECOND]
    assert {(chord.tonic, chord.mode) for chord in after} == {("D", "dorian")}


def test_reasons_speak_to_a_listener() -> None:
    piece, _ = steered({CHANGE_AT: {"key": "D", "mode": "dorian"}, CHANGE_AT + 3 * SECOND: {"tempo_bpm": 72.0}})
    texts = [reason.text for reason in piece.reasons]
    assert texts[0].startswith("section Emerge began in A aeolian with drone, pad")
    assert any(text.startswith("you chose D dorian: ") and text.endswith(("moves", "move")) for text in texts)
    assert "you chose a faster pulse, 72 bpm" in texts


def test_tempo_starts_at_once_and_arrives_within_seconds() -> None:
    piece, [answer] = steered({CHANGE_AT: {"tempo_bpm": 120.0}})
    assert answer == {"tempo_bpm": CHANGE_AT}
    arrived = [bar for bar in piece.bars if bar.onset_frames > CHANGE_AT + 3 * SECOND]
    assert {bar.tempo_bpm for bar in arrived} == {120.0}
    for bar, following in pairwise(arrived):
        assert following.onset_frames - bar.onset_frames == pytest.approx(2 * SECOND, abs=1)


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.9), (0.9, 0.1), (0.5, 0.7), (0.5, 0.3)])
def test_intensity_is_heard_within_three_seconds(before: float, after: float) -> None:
    struck = []
    for changes in ({}, {CHANGE_AT: {"intensity": after}}):
        piece, _ = steered(changes, intensity=before)
        struck.append(
            {
                (note.onset_frames, note.pitch_midi, note.velocity)
                for note in piece.notes
                if CHANGE_AT <= note.onset_frames <= CHANGE_AT + 1.5 * SECOND
            }
        )
    assert struck[0] != struck[1]


@pytest.mark.parametrize("control", ["chord_variety", "harmonic_density"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_harmony_answers_to_its_controls_within_five_seconds(control: str, value: float) -> None:
    piece, [answer] = steered({CHANGE_AT: {control: value}})
    assert 0 <= answer[control] - CHANGE_AT <= 5 * SECOND
    assert answer[control] in {chord.onset_frames for chord in piece.chords}


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_melody_answers_to_its_control_within_five_seconds(value: float) -> None:
    _, [answer] = steered({CHANGE_AT: {"melody_complexity": value}})
    assert 0 <= answer["melody_complexity"] - CHANGE_AT <= 5 * SECOND


def test_what_is_there_already_changes_nothing() -> None:
    steady, _ = steered({})
    touched, [answer] = steered({CHANGE_AT: {"key": "A", "tempo_bpm": 60.0}})
    assert touched.notes == steady.notes
    assert touched.chords == steady.chords
    assert answer == {"key": CHANGE_AT, "tempo_bpm": CHANGE_AT}


def test_sound_controls_are_in_the_stream_and_leave_the_score_alone() -> None:
    steady, _ = steered({})
    changed = {"brightness": 0.9, "layers": {"percussion": "off"}}
    touched, [answer] = steered({CHANGE_AT: changed})
    assert touched.notes == steady.notes
    assert [dict(change.changed) for change in touched.controls] == [changed]
    assert answer == {}


def test_ten_changes_in_a_second_are_two() -> None:
    changes = {CHANGE_AT + place * SECOND // 10: {"key": KEYS[(place * 5) % 12]} for place in range(1, 11)}
    piece, answers = steered(changes)
    keys = {chord.tonic for chord in piece.chords if chord.onset_frames >= CHANGE_AT}
    first, last = KEYS[5], KEYS[50 % 12]
    assert {first, last} == keys - {"A"}
    assert all(answer["key"] - at <= SECOND for at, answer in zip(sorted(changes), answers, strict=True))


def test_a_note_cut_short_is_released_and_the_slices_still_join() -> None:
    composer = Composer(seed=6)
    early = composer.advance(CHANGE_AT)
    composer.change(ControlChange(at_frames=CHANGE_AT, changed={"key": "Eb"}, cause="rest"))
    late = composer.advance(CHANGE_AT + SECOND)
    given_out = {(note.layer, note.note_id) for note in early.notes}
    assert late.releases
    assert {(release.layer, release.note_id) for release in late.releases} <= given_out
    assert strangers(joined([early, late]), region(KEYS.index("Eb"), "aeolian").mask, CHANGE_AT + RELEASED) == []
