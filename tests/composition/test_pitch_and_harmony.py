"""Theory: modes, regions, shapes and their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.composition.harmony import OPEN_FIFTH, SHAPES, harmony, is_diminished, qualities
from auralisd.composition.pitch import MODE_INTERVALS, Region, region
from auralisd.controls import KEYS, MODES
from auralisd.errors import ScoreError

regions = st.builds(region, st.integers(0, 11), st.sampled_from(sorted(MODE_INTERVALS)))


def test_the_modes_are_those_a_listener_can_choose() -> None:
    assert set(MODE_INTERVALS) == set(MODES)


@pytest.mark.parametrize(("tonic", "mode"), [(12, "dorian"), (-1, "dorian"), (0, "locrian")])
def test_a_region_that_does_not_exist_is_refused(tonic: int, mode: str) -> None:
    with pytest.raises(ScoreError):
        Region(tonic, mode)


def test_d_dorian_has_the_white_keys() -> None:
    place = region(KEYS.index("D"), "dorian")
    assert sorted(place.classes) == [0, 2, 4, 5, 7, 9, 11]
    assert place.name == "D dorian"
    assert place.common_with(region(KEYS.index("A"), "aeolian")) == 7
    assert place.common_with(region(KEYS.index("A"), "dorian")) == 6


@given(place=regions, step=st.integers(0, 70))
def test_steps_and_pitches_lead_back_to_each_other(place: Region, step: int) -> None:
    pitch = place.pitch_of_step(step)
    assert place.contains(pitch)
    assert place.step_near(pitch) == step
    assert place.pitch_of_step(step + 7) == pitch + 12


@given(place=regions, pitch=st.integers(0, 127))
def test_snapping_moves_at_most_a_semitone_into_the_region(place: Region, pitch: int) -> None:
    assert place.contains(place.snapped(pitch))
    assert abs(place.snapped(pitch) - pitch) <= 1


@given(place=regions, degree=st.integers(1, 7))
def test_every_degree_has_shapes_and_all_of_them_stay_in_the_mode(place: Region, degree: int) -> None:
    names = qualities(place, degree)
    assert names
    for name in names:
        chosen = harmony(place, degree, name)
        assert chosen.classes <= set(place.classes)
        assert chosen.root in chosen.core <= chosen.classes
        assert chosen.required <= chosen.classes
        assert len(chosen.required) <= 4


@given(place=regions, degree=st.integers(1, 7))
def test_ninths_need_a_major_second_and_fourths_are_perfect(place: Region, degree: int) -> None:
    root = place.classes[degree - 1]
    for name in qualities(place, degree):
        classes = {(pitch_class - root) % 12 for pitch_class in harmony(place, degree, name).classes}
        assert name not in ("add9", "sus2") or 2 in classes
        assert name not in ("sus4", "quartal") or 5 in classes
        assert name != "maj7#11" or {4, 6, 11} <= classes


@given(place=regions)
def test_the_diminished_degree_sounds_in_fourths(place: Region) -> None:
    diminished = [degree for degree in range(1, 8) if is_diminished(place, degree)]
    assert len(diminished) == 1
    assert qualities(place, diminished[0]) == ("quartal",)


def test_added_tones_are_no_chord_tones() -> None:
    chosen = harmony(region(KEYS.index("F"), "lydian"), 1, "maj7#11")
    assert {KEYS[pitch_class] for pitch_class in chosen.core} == {"F", "A", "C", "E"}
    assert {KEYS[pitch_class] for pitch_class in chosen.classes - chosen.core} == {"B"}


@pytest.mark.parametrize(
    ("tonic", "mode", "degree", "quality", "name"),
    [
        ("A", "aeolian", 1, "m7", "Am7"),
        ("A", "aeolian", 6, "maj7#11", "Fmaj7#11"),
        ("D", "dorian", 4, "add9", "Gadd9"),
        ("D", "ionian", 3, "triad", "F#m"),
        ("F", "ionian", 4, "sus2", "Bbsus2"),
        ("E", "phrygian", 5, "quartal", "B quartal"),
        ("C", "lydian", 1, OPEN_FIFTH, "C5"),
        ("Eb", "dorian", 3, "triad", "Gb"),
    ],
)
def test_chords_are_called_what_musicians_call_them(
    tonic: str, mode: str, degree: int, quality: str, name: str
) -> None:
    assert harmony(region(KEYS.index(tonic), mode), degree, quality).name == name


def test_every_shape_is_used_somewhere() -> None:
    used = {name for mode in MODES for degree in range(1, 8) for name in qualities(region(0, mode), degree)}
    assert used == set(SHAPES)
