"""Steering over REST, and what it tells of the music."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auralisd.controls import KEYS, LAYERS, MODES, RANGES, Controls, merge_change
from auralisd.errors import ControlsError

CONTROLS = "/api/v1/stations/main/controls"


async def test_a_change_is_answered_with_the_controls_and_when_each_is_heard(house):
    reply = await house.ask("PATCH", CONTROLS, {"key": "db", "bpm": 72, "layers": {"bells": "off"}})
    assert reply.status == 200
    assert reply.json["controls"]["key"] == "C#"
    assert reply.json["controls"]["layers"]["bells"] == "off"
    assert reply.json["controls"]["layers"]["pad"] == 0.0
    assert reply.json["applied_at"] == {
        name: {"position": 445_410, "seconds_from_now": 0.1} for name in ("key", "tempo_bpm", "layers")
    }
    assert house.stations.get("main").controls.tempo_bpm == 72.0


@pytest.mark.parametrize(
    ("raw", "field", "constraint"),
    [
        (b'{"tempo_bpm": 200}', "tempo_bpm", "a number from 40 to 120 bpm"),
        (b'{"bpm": 20}', "bpm", "a number from 40 to 120 bpm"),
        (b'{"intensity": NaN}', "intensity", "a number from 0 to 1"),
        (b'{"intensity": Infinity}', "intensity", "a number from 0 to 1"),
        (b'{"intensity": 1e999}', "intensity", "a number from 0 to 1"),
        (b'{"intensity": "0.5"}', "intensity", "a number from 0 to 1"),
        (b'{"intensity": true}', "intensity", "a number from 0 to 1"),
        (b'{"intensity": null}', "intensity", "a number from 0 to 1"),
        (b'{"key": "H"}', "key", None),
        (b'{"key": {"a": [NaN]}}', "key", None),
        (b'{"mode": "locrian"}', "mode", None),
        (b'{"layers": {"tuba": 0}}', "layers.tuba", None),
        (b'{"layers": {"pad": 7}}', "layers.pad", "a number from -60 to 6 dB, or 'off'"),
        (b'{"layers": [0]}', "layers", None),
        (b'{"brightnes": 0.5}', "brightnes", "no such control; did you mean brightness?"),
        (b'{"brightnes": NaN}', "brightnes", "no such control; did you mean brightness?"),
        (b'{"\\ud800": "\\ud800"}', "\ud800", None),
        (b'{"bpm": 50, "tempo_bpm": 60}', "tempo_bpm", None),
        (b'{"key": "D", "intensity": 2}', "intensity", None),
        (b'{"intensity": 1' + b"0" * 4000 + b"}", "intensity", None),
        (b'{"x": "' + b"y" * 60_000 + b'"}', "x", None),
    ],
    ids=lambda value: value[:30].decode(errors="replace") if isinstance(value, bytes) else "",
)
@pytest.mark.parametrize("path", [CONTROLS, "/api/control"])
async def test_what_cannot_be_taken_is_refused_by_its_field_and_nothing_changes(house, path, raw, field, constraint):
    method = "PATCH" if path == CONTROLS else "POST"
    reply = await house.ask(method, path, data=raw)
    assert reply.status == 422
    assert len(reply.content) < 2000
    error = reply.error
    assert error["code"] == "invalid_controls"
    assert error["details"]["field"] == field
    assert error["details"]["constraint"]
    if constraint is not None:
        assert error["details"]["constraint"] == constraint
    assert house.stations.get("main").controls == Controls()


_numbers = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-200, 200), st.floats(0, 1))
_anything = st.one_of(_numbers, st.none(), st.booleans(), st.text(max_size=5), st.lists(st.integers(), max_size=2))
_changes = st.dictionaries(
    st.one_of(st.sampled_from([*RANGES, "key", "mode", "layers", "bpm"]), st.text(max_size=8)),
    st.one_of(
        _anything,
        st.sampled_from([*KEYS, *MODES]),
        st.dictionaries(st.sampled_from([*LAYERS, "tuba"]), st.one_of(_anything, st.just("off")), max_size=3),
    ),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(change=_changes)
async def test_rest_takes_exactly_what_the_controls_take(house, change):
    house.now_seconds += 1.0
    before = house.stations.get("main").controls
    try:
        expected, named = merge_change(before, change)
    except ControlsError:
        expected, named = before, None
    reply = await house.ask("PATCH", CONTROLS, change)
    assert house.stations.get("main").controls == expected
    if named is None:
        assert reply.status == 422
        assert reply.error["details"]["field"] is not None
    else:
        assert reply.status == 200
        assert set(reply.json["applied_at"]) == set(named)
        assert all(math.isfinite(value) for value in reply.json["controls"].values() if isinstance(value, float))


async def test_a_preset_is_played_by_its_name_in_whatever_case(house):
    reply = await house.ask("POST", "/api/v1/stations/main/preset", {"name": "sLEEP"})
    assert reply.status == 200
    assert reply.json["controls"]["tempo_bpm"] == 50.0
    assert set(reply.json["applied_at"]) == {"tempo_bpm", "layers"}
    assert house.stations.get("main").summary().preset == "Sleep"
    assert house.stations.get("main").reasons[0].cause == "preset"


async def test_a_preset_that_is_not_there_changes_nothing(house):
    reply = await house.ask("POST", "/api/v1/stations/main/preset", {"name": "Nap"})
    assert reply.status == 404
    assert house.stations.get("main").controls == Controls()


async def test_the_score_is_shown_as_far_as_it_is_asked_for(house):
    short = await house.ask("GET", "/api/v1/stations/main/score?seconds=2.5")
    assert (short.json["seconds"], len(short.json["events"])) == (2.5, 2)
    usual = await house.ask("GET", "/api/v1/stations/main/score")
    assert usual.json["seconds"] == 60.0
    assert [event["committed"] for event in usual.json["events"]] == [True, False]
    assert len((await house.ask("GET", "/api/v1/stations/main/score?seconds=61")).json["events"]) == 3


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("score?seconds=0", "seconds"),
        ("score?seconds=121", "seconds"),
        ("score?seconds=nan", "seconds"),
        ("score?seconds=soon", "seconds"),
        ("score?seconds=", "seconds"),
        ("score?seconds=1&seconds=2", "seconds"),
        ("score?minutes=1", "minutes"),
        ("why?limit=0", "limit"),
        ("why?limit=1.5", "limit"),
        ("why?limit=201", "limit"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_by_its_parameter(house, path, field):
    reply = await house.ask("GET", f"/api/v1/stations/main/{path}")
    assert reply.status == 422
    assert reply.error["details"]["field"] == field


async def test_why_tells_the_newest_first_and_how_long_ago(house):
    for key in ("D", "E", "F"):
        await house.ask("PATCH", CONTROLS, {"key": key})
    reply = await house.ask("GET", "/api/v1/stations/main/why?limit=2")
    assert len(reply.json["reasons"]) == 2
    assert reply.json["reasons"][0] == {
        "position": 440_900,
        "seconds_ago": 0.002,
        "text": "changed ['key']",
        "cause": "rest",
    }


async def test_the_short_path_steers_the_default_station(house):
    reply = await house.ask("POST", "/api/control", {"key": "D", "bpm": 80, "intensity": 0.25})
    assert reply.status == 200
    assert reply.json["status"] == "updated"
    assert reply.json["timestamp"] == 1_700_000_000_000
    parameters = reply.json["parameters"]
    assert (parameters["key"], parameters["bpm"], parameters["tempo_bpm"], parameters["intensity"]) == (
        "D",
        80.0,
        80.0,
        0.25,
    )
