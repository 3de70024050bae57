"""The controls' contract: taken whole or not at all, and refused by name."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.controls import (
    COLLAPSING_CONTROLS,
    KEYS,
    LAYERS,
    MODES,
    OFF,
    RANGES,
    SCORE_CONTROLS,
    Controls,
    merge_change,
)
from auralisd.errors import ControlsError


def refused(change: dict[str, Any]) -> ControlsError:
    with pytest.raises(ControlsError) as caught:
        merge_change(Controls(), change)
    return caught.value


def test_the_defaults_are_the_documented_ones() -> None:
    shown = Controls().as_dict()
    assert (shown["key"], shown["mode"], shown["tempo_bpm"], shown["level_db"]) == ("A", "aeolian", 60.0, 0.0)
    assert shown["layers"] == dict.fromkeys(LAYERS, 0.0)
    halves = set(RANGES) - {"tempo_bpm", "level_db"}
    assert all(shown[name] == 0.5 for name in halves)


@pytest.mark.parametrize("name", sorted(RANGES))
def test_both_bounds_are_in_range_and_what_lies_beyond_is_refused(name: str) -> None:
    low, high = RANGES[name].low, RANGES[name].high
    for value in (low, high):
        merged, named = merge_change(Controls(), {name: value})
        assert getattr(merged, name) == named[name] == value
        assert isinstance(named[name], float)
    for value in (low - 0.001, high + 0.001, math.nan, math.inf, -math.inf, "0.5", None, True, [1]):
        error = refused({name: value})
        assert error.field == name
        assert error.constraint


@pytest.mark.parametrize(
    ("spelled", "key"),
    [
        ("C", "C"),
        ("db", "C#"),
        ("C#", "C#"),
        ("D#", "Eb"),
        ("Gb", "F#"),
        ("G♯", "Ab"),
        ("b♭", "Bb"),
        ("Cb", "B"),
        ("E#", "F"),
    ],
)
def test_keys_in_sharps_and_flats_become_one_spelling(spelled: str, key: str) -> None:
    merged, named = merge_change(Controls(), {"key": spelled})
    assert merged.key == named["key"] == key
    assert KEYS[merged.tonic_pitch_class] == key


@pytest.mark.parametrize("value", ["H", "", "A##", 3, None, "Am"])
def test_keys_that_do_not_exist_are_refused(value: Any) -> None:
    assert refused({"key": value}).field == "key"


@pytest.mark.parametrize("mode", MODES)
def test_modes_are_taken_in_any_case(mode: str) -> None:
    assert merge_change(Controls(), {"mode": mode.upper()})[0].mode == mode


@pytest.mark.parametrize("value", ["locrian", "", None, 1])
def test_modes_that_do_not_exist_are_refused(value: Any) -> None:
    assert refused({"mode": value}).field == "mode"


def test_bpm_means_tempo_and_may_not_be_said_twice() -> None:
    merged, named = merge_change(Controls(), {"bpm": 72})
    assert merged.tempo_bpm == 72.0
    assert named == {"tempo_bpm": 72.0}
    assert refused({"bpm": 72, "tempo_bpm": 80}).field == "tempo_bpm"
    assert refused({"bpm": 30}).field == "bpm"


def test_an_unknown_control_is_refused_with_the_nearest_known_one() -> None:
    error = refused({"intensty": 0.5})
    assert error.field == "intensty"
    assert "intensity" in error.constraint


def test_layers_are_changed_one_by_one() -> None:
    merged, named = merge_change(Controls(), {"layers": {"bells": -12, "percussion": "off"}})
    assert named == {"layers": {"bells": -12.0, "percussion": OFF}}
    assert merged.layers == {**dict.fromkeys(LAYERS, 0.0), "bells": -12.0, "percussion": OFF}
    again, _ = merge_change(merged, {"layers": {"percussion": 0}})
    assert again.layers["percussion"] == 0.0
    assert again.layers["bells"] == -12.0


@pytest.mark.parametrize("off", ["off", False, None])
def test_off_can_be_said_in_three_ways(off: Any) -> None:
    assert merge_change(Controls(), {"layers": {"pad": off}})[0].layers["pad"] == OFF


@pytest.mark.parametrize(
    ("layers", "field"),
    [
        ({"organ": 0}, "layers.organ"),
        ({"pad": 7}, "layers.pad"),
        ({"pad": -61}, "layers.pad"),
        ({"pad": math.nan}, "layers.pad"),
        ({"pad": True}, "layers.pad"),
        ({"pad": "loud"}, "layers.pad"),
        ([], "layers"),
        ("off", "layers"),
    ],
)
def test_layers_that_cannot_be_are_refused_by_name(layers: Any, field: str) -> None:
    assert refused({"layers": layers}).field == field


def test_when_one_field_is_wrong_nothing_is_changed() -> None:
    before = Controls()
    with pytest.raises(ControlsError):
        merge_change(before, {"key": "D", "layers": {"pad": "off"}, "intensity": 2})
    assert before == Controls()


changes = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from(KEYS),
        "mode": st.sampled_from(MODES),
        "layers": st.dictionaries(st.sampled_from(LAYERS), st.one_of(st.just(OFF), st.floats(-60, 6))),
    }
    | {name: st.floats(bounds.low, bounds.high) for name, bounds in RANGES.items()},
)


@given(first=changes, second=changes)
def test_what_was_named_is_enough_to_make_the_change_again(first: dict[str, Any], second: dict[str, Any]) -> None:
    current, _ = merge_change(Controls(), first)
    merged, named = merge_change(current, second)
    assert merge_change(current, named) == (merged, named)
    assert named.keys() == second.keys()
    untouched = current.as_dict().keys() - named.keys()
    assert all(merged.as_dict()[name] == current.as_dict()[name] for name in untouched)


def test_every_collapsing_control_is_one_of_the_score() -> None:
    assert COLLAPSING_CONTROLS < SCORE_CONTROLS < set(Controls().as_dict())
