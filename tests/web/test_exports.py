"""Exports over REST."""

import pytest


async def test_an_export_is_asked_for_looked_at_fetched_and_forgotten(house):
    begun = await house.ask("POST", "/api/v1/stations/main/exports", {"seconds": 5, "format": "wav"})
    assert begun.status == 202
    export = begun.json
    assert begun.headers["Location"] == f"/api/v1/exports/{export['id']}"
    assert (export["state"], export["to_position"] - export["from_position"]) == ("waiting", 5 * 44_100)
    assert (await house.ask("GET", f"/api/v1/exports/{export['id']}/sound")).status == 409
    house.deps.exports.finish(export["id"], b"RIFF" * 100_000)
    shown = (await house.ask("GET", f"/api/v1/exports/{export['id']}")).json
    assert (shown["state"], shown["size_bytes"]) == ("done", 400_000)
    assert (await house.ask("GET", "/api/v1/exports")).json == {"exports": [shown]}
    sound = await house.ask("GET", shown["sound"])
    assert sound.status == 200
    assert sound.content == b"RIFF" * 100_000
    assert sound.headers["Content-Type"] == "audio/wav"
    assert sound.headers["Content-Length"] == "400000"
    assert sound.headers["Content-Disposition"] == f'attachment; filename="main-{export["from_position"]}.wav"'
    assert (await house.ask("DELETE", f"/api/v1/exports/{export['id']}")).status == 204
    assert (await house.ask("GET", f"/api/v1/exports/{export['id']}")).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"seconds": 0.5}, "seconds"),
        ({"seconds": 7_201}, "seconds"),
        ({"format": "exe"}, "format"),
        ({"from_position": -1}, "from_position"),
        ({"from_positon": 1}, "from_positon"),
    ],
)
async def test_what_cannot_be_made_is_named(house, body, field):
    reply = await house.ask("POST", "/api/v1/stations/main/exports", body)
    assert reply.status == 422
    assert reply.error["details"]["field"] == field
    assert (await house.ask("GET", "/api/v1/exports")).json == {"exports": []}


@pytest.mark.parametrize("body", [{"seconds": 60}, {"seconds": 1, "from_position": 440_000}])
async def test_what_was_not_played_yet_is_a_conflict(house, body):
    reply = await house.ask("POST", "/api/v1/stations/main/exports", body)
    assert reply.status == 409
    assert "has played 10 s" in reply.error["message"]


async def test_a_station_that_is_not_there_has_no_exports(house):
    assert (await house.ask("POST", "/api/v1/stations/attic/exports", {"seconds": 1})).status == 404
