"""Links over REST, and the sound that takes one: HLS and exports."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest

from auralisd.access import AccessPolicy
from auralisd.admission import Admission
from auralisd.errors import UnknownNameError
from auralisd.listening_links import Grant, LinkKey
from auralisd.transport.hls.playlist import Segment, Window, master_playlist, media_playlist
from auralisd.web.hls import carrying_on

TOKEN = "a-token-of-some-length"
BEARER = f"Bearer {TOKEN}"
KEY = LinkKey("a-key-of-thirty-two-characters-or-more")
TODAY = 1_000_000
NETWORK = AccessPolicy(token=TOKEN, bind_is_loopback=False)
LINKS = "/api/v1/stations/main/listening-links"


def window():
    window = Window(next_sequence=7)
    for sequence, discontinuity in ((7, False), (8, True)):
        one = Segment(
            sequence=sequence,
            starts_unix_seconds=0.0,
            discontinuity=discontinuity,
            header=sequence,
            seconds={"aac": 2.0},
        )
        window = window.with_segment(one)
    return window


FILES = {
    "index.m3u8": master_playlist(["aac"]).encode(),
    "aac.m3u8": media_playlist(window(), "aac").encode(),
    "aac-7.m4s": b"sound",
    "aac-head-7.mp4": b"head",
}


async def read_hls(station, name):
    if station != "main" or name not in FILES:
        raise UnknownNameError("HLS file", name, ("index.m3u8",))
    return FILES[name]


def link(station="main", *, expires=TODAY + 60, form=None):
    return KEY.token(Grant(station=station, expires_at_seconds=expires, format=form))


@pytest.fixture
def invited(open_house):
    """A house on a network, for invited listeners."""
    refused = []
    admission = Admission(
        NETWORK, key=KEY, refused=refused.append, unix_seconds=lambda: TODAY, monotonic_seconds=lambda: 0.0
    )
    house = open_house(NETWORK, admission=admission, hls_file=read_hls)
    house.refused = refused
    return house


async def test_whoever_has_the_token_makes_a_link(invited):
    reply = await invited.ask("POST", LINKS, {"expires_seconds": 90}, authorization=BEARER)
    assert reply.status == 200
    made = reply.json
    assert (made["station"], made["format"], made["expires_at"]) == ("main", None, (TODAY + 90) * 1000)
    assert KEY.read(made["token"]) == Grant(station="main", expires_at_seconds=TODAY + 90)
    assert list(made["addresses"]) == ["page", "opus", "mp3", "flac", "aac", "wav", "m3u", "pls", "hls"]
    assert made["addresses"]["opus"] == f"http://127.0.0.1:8000/stations/main/stream.opus?listen={made['token']}"
    assert reply.headers["Cache-Control"] == "no-store"


async def test_a_link_is_good_for_a_day_unless_asked_otherwise_and_may_be_narrowed(invited):
    made = (await invited.ask("POST", LINKS, {"format": "mp3"}, authorization=BEARER)).json
    assert KEY.read(made["token"]) == Grant(station="main", expires_at_seconds=TODAY + 86_400, format="mp3")
    assert list(made["addresses"]) == ["mp3", "m3u", "pls"]


async def test_links_name_the_address_that_the_world_knows(open_house):
    policy = AccessPolicy(token=TOKEN, bind_is_loopback=True, public_url="https://music.example")
    house = open_house(policy, admission=Admission(policy, key=KEY))
    made = (await house.ask("POST", LINKS, {}, authorization=BEARER, Host="music.example")).json
    assert made["addresses"]["page"].startswith("https://music.example/?station=main&listen=l1.main.-.")
    assert "hls" not in made["addresses"]


async def test_where_everybody_may_listen_the_addresses_are_as_they_are(house):
    made = (await house.ask("POST", LINKS, {})).json
    assert (made["token"], made["expires_at"]) == (None, None)
    assert made["addresses"]["mp3"] == "http://127.0.0.1:8000/stations/main/stream.mp3"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expires_seconds": 0}, "expires_seconds"),
        ({"expires_seconds": 1e12}, "expires_seconds"),
        ({"expires_seconds": "24h"}, "expires_seconds"),
        ({"format": "ogg"}, "format"),
        ({"station": "night"}, "station"),
    ],
)
async def test_a_link_that_cannot_be_made_is_named(invited, body, field):
    reply = await invited.ask("POST", LINKS, body, authorization=BEARER)
    assert reply.status == 422
    assert reply.error["details"]["field"] == field


async def test_a_link_makes_no_link_and_changes_nothing(invited):
    for path in (LINKS, "/api/v1/stations/main/preset"):
        assert (await invited.ask("POST", f"{path}?listen={link()}", {"name": "Focus"})).status == 401
    assert (await invited.ask("POST", LINKS, {}, authorization=f"Bearer {link()}")).status == 403


async def test_a_station_that_is_not_there_has_no_links(invited):
    path = "/api/v1/stations/attic/listening-links"
    assert (await invited.ask("POST", path, {}, authorization=BEARER)).status == 404


async def test_making_links_is_limited_like_every_change(invited):
    statuses = [(await invited.ask("POST", LINKS, {}, authorization=BEARER)).status for _ in range(11)]
    assert statuses == [200] * 10 + [429]


@pytest.mark.parametrize("name", FILES)
async def test_every_file_of_hls_takes_a_link(invited, name):
    path = f"/hls/main/{name}"
    without = await invited.ask("GET", path)
    assert (without.status, without.error["code"]) == (401, "unauthorized")
    assert without.headers["Www-Authenticate"] == "Bearer"
    for brought, status in (
        (link(), 200),
        (link(form="hls"), 200),
        (link(form="aac"), 403),
        (link("night"), 403),
        (link(expires=TODAY), 403),
    ):
        assert (await invited.ask("GET", f"{path}?listen={brought}")).status == status
    assert (await invited.ask("GET", path, authorization=BEARER)).status == 200
    assert invited.refused == ["uninvited", "link_elsewhere", "link_elsewhere", "link_expired"]


async def test_a_player_that_follows_the_playlists_hears_every_segment(invited):
    address = f"http://127.0.0.1:8000/hls/main/index.m3u8?listen={link()}"
    fetched = {}

    async def follow(address):
        reply = await invited.ask("GET", address.removeprefix("http://127.0.0.1:8000"))
        name = re.search(r"/hls/main/([^?]+)", address)[1]
        fetched[name] = reply.status
        if name.endswith(".m3u8"):
            found = re.findall(r'^([^#\s].*)$|URI="([^"]+)"', reply.content.decode(), re.MULTILINE)
            for line, attribute in found:
                await follow(urljoin(address, line or attribute))

    await follow(address)
    assert set(fetched) == {"index.m3u8", "aac.m3u8", "aac-7.m4s", "aac-head-7.mp4", "aac-8.m4s", "aac-head-8.mp4"}
    assert {name: status for name, status in fetched.items() if "-8." not in name} == dict.fromkeys(FILES, 200)
    assert fetched["aac-8.m4s"] == 404  # asked for with the link, and not there


async def test_playlists_for_whoever_needs_no_link_stay_as_they_are(invited, open_house):
    for path in ("/hls/main/aac.m3u8", "/hls/main/aac.m3u8?listen=nonsense%22%0a%23EXTINF"):
        assert (await invited.ask("GET", path, authorization=BEARER)).content == FILES["aac.m3u8"]
    house = open_house(hls_file=read_hls)
    assert (await house.ask("GET", f"/hls/main/aac.m3u8?listen={link()}")).content == FILES["aac.m3u8"]


def test_everything_but_addresses_stays_in_a_playlist_that_carries_a_link_on():
    before = FILES["aac.m3u8"].decode()
    after = carrying_on(before, "T")
    assert after.replace("?listen=T", "") == before
    assert after.count("?listen=T") == 4
    assert '#EXT-X-MAP:URI="aac-head-7.mp4?listen=T"\n' in after
    assert after.endswith("aac-8.m4s?listen=T\n")


@pytest.mark.parametrize("name", FILES)
async def test_what_a_link_opened_is_kept_by_no_cache_that_others_use(invited, name):
    reply = await invited.ask("GET", f"/hls/main/{name}?listen={link()}")
    assert reply.headers["Cache-Control"].startswith("private, max-age=")
    assert "public" not in reply.headers["Cache-Control"]


async def test_exports_are_fetched_by_those_who_may_listen_and_listed_to_all(invited):
    export = await invited.deps.exports.finished()
    path = f"/api/v1/exports/{export.id}"
    assert (await invited.ask("GET", path)).status == 200
    assert (await invited.ask("GET", f"{path}/sound")).error["code"] == "unauthorized"
    assert (await invited.ask("GET", f"{path}/sound", authorization=BEARER)).content == b"RIFF"
    for brought, status in ((link(), 200), (link(form="wav"), 403), (link("night"), 403), (link(expires=1), 403)):
        assert (await invited.ask("GET", f"{path}/sound?listen={brought}")).status == status


async def test_an_export_is_fetched_as_ever_where_everybody_may_listen(house):
    export = await house.deps.exports.finished()
    assert (await house.ask("GET", f"/api/v1/exports/{export.id}/sound?t=1")).status == 200


async def test_guesses_at_hls_and_at_exports_count_together_by_address(invited):
    export = await invited.deps.exports.finished()
    paths = ["/hls/main/index.m3u8", f"/api/v1/exports/{export.id}/sound"] * 3
    statuses = [(await invited.ask("GET", f"{path}?listen=guess")).status for path in paths]
    assert statuses == [403] * 5 + [429]
    invited.peer = "192.168.1.77"
    assert (await invited.ask("GET", "/hls/main/index.m3u8?listen=guess")).status == 403


async def test_no_page_tells_another_where_its_visitor_came_from(invited):
    for path in ("/", f"/?listen={link()}", "/docs", "/client/main.js", "/hls/main/index.m3u8"):
        assert (await invited.ask("GET", path)).headers["Referrer-Policy"] == "no-referrer", path


@pytest.mark.logs_errors
async def test_no_link_is_in_the_log_of_a_request_that_fails(open_house, log_lines):
    async def broken(_station, _name):
        raise ZeroDivisionError

    house = open_house(hls_file=broken, admission=Admission(NETWORK, key=KEY, unix_seconds=lambda: TODAY))
    assert (await house.ask("GET", f"/hls/main/index.m3u8?listen={link()}")).status == 500
    assert log_lines
    assert link() not in repr(log_lines)
