"""Presets over REST."""

from __future__ import annotations

from urllib.parse import quote

import pytest

SAVED = {"built_in": False, "description": None, "loudness_target_lufs": None}


async def test_built_in_presets_come_first(house):
    await house.ask("POST", "/api/v1/presets", {"name": "Attic", "controls": {"key": "D"}})
    reply = await house.ask("GET", "/api/v1/presets")
    assert reply.json["presets"] == [
        {
            "name": "Focus",
            "built_in": True,
            "description": "For a page of work.",
            "loudness_target_lufs": -18.0,
            "controls": {"intensity": 0.4},
        },
        {
            "name": "Sleep",
            "built_in": True,
            "description": "For the night.",
            "loudness_target_lufs": -22.0,
            "controls": {"tempo_bpm": 50.0, "layers": {"bells": "off"}},
        },
        {"name": "Attic", **SAVED, "controls": {"key": "D"}},
    ]


async def test_a_saved_preset_is_normalised_and_replaced_whatever_the_case(house):
    await house.ask("POST", "/api/v1/presets", {"name": "attic", "controls": {"key": "D"}})
    reply = await house.ask("POST", "/api/v1/presets", {"name": " Attic ", "controls": {"bpm": 50}})
    assert reply.status == 201
    assert reply.json == {"name": "Attic", **SAVED, "controls": {"tempo_bpm": 50.0}}
    saved = [preset for preset in (await house.ask("GET", "/api/v1/presets")).json["presets"] if not preset["built_in"]]
    assert saved == [reply.json]


@pytest.mark.parametrize("name", ["Attic", "a/b", "Für Elise", "50 %", "?x=1", "夜"])
async def test_a_saved_preset_is_deleted_whatever_its_name(house, name):
    assert (await house.ask("POST", "/api/v1/presets", {"name": name, "controls": {}})).status == 201
    assert (await house.ask("DELETE", f"/api/v1/presets/{quote(name, safe='')}")).status == 204
    assert (await house.ask("DELETE", f"/api/v1/presets/{quote(name, safe='')}")).status == 404


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/presets"), ("DELETE", "/api/v1/presets/focus")])
async def test_a_built_in_preset_is_neither_replaced_nor_deleted(house, method, path):
    body = {"name": "FOCUS", "controls": {}} if method == "POST" else None
    reply = await house.ask(method, path, body)
    assert reply.status == 409
    assert reply.error["details"]["field"] == "preset"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "controls"),
        ({"controls": {}}, "name"),
        ({"name": "", "controls": {}}, "name"),
        ({"name": " ", "controls": {}}, "name"),
        ({"name": "x" * 41, "controls": {}}, "name"),
        ({"name": "two\r\nlines", "controls": {}}, "name"),
        ({"name": "\ud800", "controls": {}}, "name"),
        ({"name": "x", "controls": {"tempo_bpm": 0}}, "tempo_bpm"),
        ({"name": "x", "controls": []}, "controls"),
        ({"name": "x", "controls": {}, "built_in": True}, "built_in"),
    ],
)
async def test_a_preset_that_cannot_be_is_refused_by_the_field_to_blame(house, body, field):
    reply = await house.ask("POST", "/api/v1/presets", body)
    assert reply.status == 422
    assert reply.error["details"]["field"] == field


async def test_a_full_disk_refuses_a_preset_without_showing_where_the_state_lies(open_house, full_disk):
    house = open_house(run_in_worker=full_disk)
    reply = await house.ask("POST", "/api/v1/presets", {"name": "Attic", "controls": {}})
    assert reply.status == 503
    assert reply.headers["Retry-After"] == "5"
    assert reply.error["code"] == "unavailable"
    assert b"/var/lib" not in reply.content
    assert len((await house.ask("GET", "/api/v1/presets")).json["presets"]) == 2
