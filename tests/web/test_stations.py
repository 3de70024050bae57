"""Stations over REST."""

from __future__ import annotations

import pytest


async def test_the_list_shows_every_station_with_the_default_one_first(house):
    house.stations.put("night", "Night", 3, "Sleep", house.stations.get("main").controls, pinned=True)
    reply = await house.ask("GET", "/api/v1/stations")
    assert reply.status == 200
    assert [station["id"] for station in reply.json["stations"]] == ["main", "night"]
    assert reply.json["stations"][1] == {
        "id": "night",
        "title": "Night",
        "seed": 3,
        "preset": "Sleep",
        "state": "idle",
        "pinned": True,
        "listeners": 0,
        "epoch": 1,
        "position": 441_000,
    }


async def test_a_station_says_what_it_plays_who_may_steer_it_and_where_to_hear_it(house):
    reply = await house.ask("GET", "/api/v1/stations/main")
    assert reply.status == 200
    assert reply.json["controls"]["key"] == "A"
    assert reply.json["may_control"] is True
    assert reply.json["streams"] == {
        name: f"/stations/main/stream.{name}" for name in ("opus", "mp3", "flac", "aac", "wav")
    }


async def test_a_new_station_is_answered_with_its_address(house):
    body = {"title": " Night ", "id": "night", "seed": 5, "preset": "sleep", "controls": {"key": "Db"}, "pinned": True}
    reply = await house.ask("POST", "/api/v1/stations", body)
    assert reply.status == 201
    assert reply.headers["Location"] == "/api/v1/stations/night"
    assert reply.json["title"] == "Night"
    assert reply.json["controls"]["key"] == "C#"
    assert reply.json["controls"]["tempo_bpm"] == 50.0
    assert (await house.ask("GET", "/api/v1/stations/night")).json == reply.json


async def test_a_title_is_all_a_new_station_needs(house):
    reply = await house.ask("POST", "/api/v1/stations", {"title": "Morning"})
    assert reply.status == 201
    assert reply.json["pinned"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": 5}, "title"),
        ({"title": "x", "id": "Not An Id"}, "id"),
        ({"title": "x", "id": "../main"}, "id"),
        ({"title": "x", "seed": -1}, "seed"),
        ({"title": "x", "seed": 2**53}, "seed"),
        ({"title": "x", "seed": 1.5}, "seed"),
        ({"title": "x", "seed": True}, "seed"),
        ({"title": "x", "pinned": "yes"}, "pinned"),
        ({"title": "x", "colour": "blue"}, "colour"),
        ({"title": "x", "controls": {"tempo_bpm": 200}}, "tempo_bpm"),
        ({"title": "x", "controls": 5}, "controls"),
    ],
)
async def test_a_station_that_cannot_be_is_refused_by_the_field_to_blame(house, body, field):
    reply = await house.ask("POST", "/api/v1/stations", body)
    assert reply.status == 422
    assert reply.error["code"] == "invalid_controls"
    assert reply.error["details"]["field"] == field
    assert house.stations.ids() == ("main",)


async def test_an_id_that_is_taken_is_a_conflict(house):
    reply = await house.ask("POST", "/api/v1/stations", {"title": "x", "id": "main"})
    assert reply.status == 409
    assert reply.error["details"]["value"] == "main"


async def test_a_preset_that_is_not_there_is_not_found(house):
    reply = await house.ask("POST", "/api/v1/stations", {"title": "x", "preset": "Nap"})
    assert reply.status == 404
    assert reply.error["details"] == {"field": "preset", "value": "Nap", "constraint": "one of Focus, Sleep"}


async def test_a_station_is_renamed_and_pinned(house):
    reply = await house.ask("PATCH", "/api/v1/stations/main", {"title": "Home", "pinned": True})
    assert reply.status == 200
    assert (reply.json["title"], reply.json["pinned"], reply.json["epoch"]) == ("Home", True, 1)


@pytest.mark.parametrize(("body", "seed"), [({"seed": 99}, 99), ({"seed": 99.0}, 99), ({"reseed": True}, 4242)])
async def test_a_new_piece_begins_a_new_epoch(house, body, seed):
    reply = await house.ask("PATCH", "/api/v1/stations/main", body)
    assert (reply.json["seed"], reply.json["epoch"], reply.json["position"]) == (seed, 2, 0)


async def test_a_seed_of_ones_own_and_a_drawn_one_exclude_each_other(house):
    reply = await house.ask("PATCH", "/api/v1/stations/main", {"seed": 1, "reseed": True})
    assert reply.status == 422
    assert house.stations.get("main").summary().seed == 7


async def test_an_empty_change_changes_nothing(house):
    before = house.stations.get("main").summary()
    reply = await house.ask("PATCH", "/api/v1/stations/main", {"title": None, "reseed": False})
    assert reply.status == 200
    assert house.stations.get("main").summary() == before


async def test_a_station_is_removed(house):
    await house.ask("POST", "/api/v1/stations", {"title": "x", "id": "night"})
    reply = await house.ask("DELETE", "/api/v1/stations/night")
    assert (reply.status, reply.content) == (204, b"")
    assert "Content-Type" not in reply.headers
    assert (await house.ask("GET", "/api/v1/stations/night")).status == 404


async def test_the_default_station_stays(house):
    reply = await house.ask("DELETE", "/api/v1/stations/main")
    assert reply.status == 409
    assert reply.error["code"] == "conflict"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/score"),
        ("GET", "/why"),
    ],
)
async def test_a_station_that_is_not_there_is_named_with_those_that_are(house, method, path):
    reply = await house.ask(method, "/api/v1/stations/moon" + path)
    assert reply.status == 404
    assert reply.error["details"] == {"field": "station", "value": "moon", "constraint": "one of main"}
