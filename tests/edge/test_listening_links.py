"""Listening that takes a link: streams, playlists and WebSockets at the front door."""

import json

import pytest
import trio

from auralisd.access import AccessPolicy
from auralisd.admission import Admission
from auralisd.listening_links import Grant, LinkKey
from auralisd.units import PACKET_FRAMES
from tests.edge.test_ws_audio import OPUS, PCM, STATE, V0, close_code, connect, handshake, receive, receive_json, say

TOKEN = "a-token-of-some-length"
KEY = LinkKey("a-key-of-thirty-two-characters-or-more")
TODAY = 1_000_000
BEARER = f"Authorization: Bearer {TOKEN}"


class Clock:
    def __init__(self):
        self.seconds = float(TODAY)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def invited(open_house, clock):
    """A house on a network, for invited listeners."""
    houses = []

    def refused(reason):
        houses[0].metrics.connection_refused(reason)

    policy = AccessPolicy(token=TOKEN, bind_is_loopback=False)
    admission = Admission(policy, key=KEY, refused=refused, unix_seconds=lambda: clock.seconds)
    house = await open_house(policy=policy, admission=admission)
    houses.append(house)
    return house


def link(station="main", *, expires=TODAY + 60, form=None):
    return KEY.token(Grant(station=station, expires_at_seconds=expires, format=form))


STREAMS = ("/stream.wav", "/stations/main/stream.wav", "/listen.m3u", "/listen.pls", "/stations/main/listen.m3u")


@pytest.mark.parametrize("path", STREAMS)
async def test_a_stream_or_playlist_without_a_link_is_refused_with_the_cure(invited, path):
    answer = await invited.get(path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    error = await answer.error()
    assert error["code"] == "unauthorized"
    assert error["details"]["field"] == "listen"
    assert "auralisd token --listen" in error["details"]["constraint"]
    assert invited.metrics.counts["connection_refused", "uninvited"] == 1
    assert invited.broadcast.listener_count == 0
    head = await invited.get(path, method="HEAD")
    assert (head.status, await head.rest()) == (401, b"")


@pytest.mark.parametrize("path", STREAMS)
async def test_a_stream_or_playlist_is_opened_by_a_link_and_by_the_control_token(invited, path):
    answer = await invited.get(f"{path}?listen={link()}")
    assert (answer.status, answer.headers["referrer-policy"]) == (200, "no-referrer")
    assert (await invited.get(path, headers=[BEARER])).status == 200
    assert (await invited.get(f"{path}?listen={link()}", method="HEAD")).status == 200


@pytest.mark.parametrize(
    ("brought", "reason"),
    [
        (link(expires=TODAY), "link_expired"),
        (link("night"), "link_elsewhere"),
        (link(form="mp3"), "link_elsewhere"),
        ("%00%ff%0d%0aSet-Cookie:a", "link_forged"),
        ("", "uninvited"),
        ("l1.main.-.99999999999." + "A" * 43, "link_forged"),
        ("%F0%9F%8E%B5" * 50, "link_forged"),
        ("a&listen=b", "link_forged"),
    ],
)
async def test_a_link_that_is_not_good_is_refused_and_counted_by_its_reason(invited, brought, reason):
    answer = await invited.get(f"/stream.wav?listen={brought}")
    assert answer.status == (401 if reason == "uninvited" else 403)
    assert "set-cookie" not in answer.headers
    body = await answer.rest()
    assert not brought or brought.encode() not in body
    assert invited.metrics.counts["connection_refused", reason] == 1


async def test_guessing_is_slowed_down_per_address_and_a_good_link_is_let_in_all_the_same(invited):
    for _ in range(5):
        assert (await invited.get("/stream.wav?listen=guess")).status == 403
    answer = await invited.get("/stream.wav?listen=guess")
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert (await answer.error())["code"] == "rate_limited"
    assert (await handshake(invited, PCM)).status == 101  # no guess: it is told so in a farewell
    assert (await invited.get(f"/stream.wav?listen={link()}")).status == 200
    async with connect(invited, STATE) as websocket:
        await say(websocket, type="authorize", token="guess")
        assert (await receive_json(websocket, "error"))["code"] == "rate_limited"


async def test_a_stream_that_has_begun_goes_on_past_the_end_of_its_link(invited, clock, expected):
    await invited.play(5)
    address = f"/stream.wav?burst=0&listen={link()}"
    answer = await invited.get(address)
    await answer.body_of(44)
    clock.seconds += 3600
    await invited.play(3)
    body = await answer.body_of(44 + 3 * PACKET_FRAMES * 4)
    assert body[44:] == b"".join(expected.pcm16_of(n * PACKET_FRAMES) for n in range(5, 8))
    assert (await invited.get(address)).status == 403


@pytest.mark.parametrize("query", ["", "&format=flac"])
async def test_a_playlist_carries_on_the_link_it_was_asked_for_with(invited, query):
    form = query.rpartition("=")[2] or "mp3"
    text = await (await invited.get(f"/listen.m3u?listen={link()}{query}")).rest()
    address = text.decode().splitlines()[-1]
    assert address == f"http://127.0.0.1:{invited.port}/stations/main/stream.{form}?listen={link()}"


async def test_a_playlist_for_the_holder_of_the_token_carries_a_fresh_link_and_never_the_token(invited):
    text = (await (await invited.get("/listen.pls", headers=[BEARER])).rest()).decode()
    assert TOKEN not in text
    (address,) = [line.partition("=")[2] for line in text.splitlines() if line.startswith("File1=")]
    _, _, brought = address.partition("?listen=")
    assert KEY.read(brought) == Grant(station="main", expires_at_seconds=TODAY + 24 * 3600, format="mp3")
    assert (await invited.get(f"/stations/main/stream.mp3?listen={brought}")).status == 200


async def test_an_open_house_takes_links_for_what_they_are_and_puts_none_into_playlists(house):
    assert (await house.get("/stream.wav?listen=whatever")).status == 200
    text = await (await house.get(f"/listen.m3u?listen={link()}")).rest()
    assert b"?" not in text


@pytest.mark.parametrize("form", [OPUS, PCM])
@pytest.mark.parametrize(
    "query", ["", "?listen=nonsense", f"?listen={link(expires=TODAY)}", f"?listen={link('night')}"]
)
async def test_a_websocket_without_a_good_link_is_told_goodbye_in_words_a_page_can_read(invited, form, query):
    await invited.play(20)
    async with connect(invited, form, path=f"/ws/stream{query}") as websocket:
        assert await receive(websocket) == {"type": "bye", "reason": "uninvited", "retry_ms": 60_000}
        assert await close_code(websocket) == 4001
    assert invited.broadcast.listener_count == 0


async def test_the_first_protocol_is_closed_without_a_word(invited):
    async with connect(invited, V0) as websocket:
        assert await close_code(websocket) == 4001


async def test_a_websocket_with_a_link_or_the_token_hears_the_station(invited):
    await invited.play(20)
    async with connect(invited, PCM, path=f"/ws/stations/main/stream?listen={link()}") as websocket:
        hello = await receive_json(websocket, "hello")
        assert (hello["limits"]["may_listen"], hello["limits"]["may_control"]) == (True, False)
        assert isinstance(await receive(websocket), dict)
        assert isinstance(await receive(websocket), bytes)
    headers = [(b"Authorization", f"Bearer {TOKEN}".encode())]
    async with connect(invited, PCM, extra_headers=headers) as websocket:
        assert (await receive_json(websocket, "hello"))["limits"]["may_listen"] is True


async def test_a_link_for_one_format_opens_no_websocket(invited):
    async with connect(invited, OPUS, path=f"/ws/stream?listen={link(form='opus')}") as websocket:
        assert await close_code(websocket) == 4001


async def test_resuming_takes_a_link_that_is_still_good(invited, clock):
    await invited.play(20)
    address = f"/ws/stream?listen={link()}&epoch=1&position={18 * PACKET_FRAMES}"
    async with connect(invited, PCM, path=address) as websocket:
        assert (await receive_json(websocket, "hello"))["resumed"] is True
    clock.seconds += 60
    async with connect(invited, PCM, path=address) as websocket:
        assert (await receive(websocket))["reason"] == "uninvited"


async def test_whoever_only_watches_needs_no_link_and_is_told_whether_he_may_listen(invited):
    for query, may_listen in (("", False), ("?listen=nonsense", False), (f"?listen={link()}", True)):
        async with connect(invited, STATE, path=f"/ws/stream{query}") as websocket:
            assert (await receive_json(websocket, "hello"))["limits"]["may_listen"] is may_listen


async def test_a_page_that_authorizes_gets_a_link_for_its_next_connections(invited):
    async with connect(invited, STATE) as websocket:
        await say(websocket, type="authorize", token=TOKEN)
        answer = await receive_json(websocket, "authorized")
    assert KEY.read(answer["listen"]) == Grant(station="main", expires_at_seconds=TODAY + 24 * 3600)
    async with connect(invited, PCM, path=f"/ws/stream?listen={answer['listen']}") as websocket:
        assert (await receive_json(websocket, "hello"))["limits"]["may_listen"] is True


async def test_a_page_that_authorizes_at_an_open_house_gets_what_it_always_got(open_house):
    house = await open_house(policy=AccessPolicy(token=TOKEN, bind_is_loopback=False))
    async with connect(house, STATE) as websocket:
        await say(websocket, type="authorize", token=TOKEN)
        assert await receive_json(websocket, "authorized") == {"type": "authorized"}


async def test_past_so_many_farewells_there_is_only_the_bare_answer(invited, monkeypatch):
    monkeypatch.setattr("auralisd.edge.ws_audio.FAREWELLS_AT_ONCE", 0)
    answer = await handshake(invited, PCM)
    assert answer.status == 401
    assert (await answer.error())["code"] == "unauthorized"


async def test_a_websocket_that_guesses_too_often_gets_the_bare_answer(invited):
    for _ in range(5):
        await invited.get("/stream.wav?listen=guess")
    lines = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Sec-WebSocket-Protocol: {PCM}"]
    answer = await invited.get("/ws/stream?listen=guess", headers=lines)
    assert answer.status == 429


async def test_no_link_is_in_the_log_of_a_connection_that_fails(invited, log_lines, monkeypatch):
    def broken(*_what, **_how):
        raise ZeroDivisionError

    monkeypatch.setattr("auralisd.edge.http_audio.stream_head", broken)
    stream = await invited.send(f"GET /stream.wav?listen={link()} HTTP/1.1\r\nHost: radio\r\n\r\n".encode())
    with trio.fail_after(5):
        await stream.receive_some()
    assert log_lines
    assert link() not in json.dumps(log_lines, default=str)
