"""Players over HTTP: heads, head starts, metadata, playlists, refusals."""

import re

import pytest
import trio

from auralisd.edge.door_limits import DoorLimits
from auralisd.transport.codecs import wav_header
from auralisd.units import PACKET_FRAMES

PACKET_BYTES = PACKET_FRAMES * 4


async def test_a_player_gets_the_wav_header_and_the_newest_second_at_once(house, expected):
    await house.play(30)
    answer = await house.get("/stream.wav")
    assert answer.status == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["connection"] == "close"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["icy-name"] == "Auralis"
    assert answer.headers["icy-genre"]
    assert "content-length" not in answer.headers
    assert "transfer-encoding" not in answer.headers
    newest_second = b"".join(expected.pcm16_of(n * PACKET_FRAMES) for n in range(20, 30))
    assert await answer.body_of(44 + 10 * PACKET_BYTES) == wav_header() + newest_second


async def test_what_is_published_later_follows_without_a_seam(house, expected):
    await house.play(5)
    answer = await house.get("/stream.wav?burst=0.2")
    await answer.body_of(44 + 2 * PACKET_BYTES)
    await house.play(3)
    body = await answer.body_of(44 + 5 * PACKET_BYTES)
    assert body[44:] == b"".join(expected.pcm16_of(n * PACKET_FRAMES) for n in range(3, 8))


@pytest.mark.parametrize(
    ("burst", "packets"), [("2", 20), ("0", 0), ("-3", 0), ("1e9", 200), ("nan", 10), ("soon", 10), ("0.15", 2)]
)
async def test_a_player_may_ask_for_its_head_start_within_what_is_held(house, expected, burst, packets):
    await house.play(230)
    answer = await house.get(f"/stream.wav?burst={burst}")
    await answer.body_of(44)
    await house.play(1)
    body = await answer.body_of(44 + (packets + 1) * PACKET_BYTES)
    assert body[44 : 44 + PACKET_BYTES] == expected.pcm16_of((230 - packets) * PACKET_FRAMES)


@pytest.mark.parametrize(("form", "media_type"), [("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("aac", "audio/aac")])
async def test_the_first_listener_of_a_codec_gets_its_header_and_four_seconds_as_soon_as_the_encoder_starts(
    house, expected, form, media_type
):
    await house.play(60)
    answer = await house.get(f"/stream.{form}")
    assert answer.headers["content-type"] == media_type
    assert answer.body == b""
    await house.play(1)
    start = b"[%s]" % form.encode() + b"".join(expected.span_of(form, n * PACKET_FRAMES).stream for n in range(21, 61))
    assert await answer.body_of(len(start)) == start


async def test_a_later_listener_of_the_codec_does_not_wait(house, expected):
    first = await house.get("/stream.mp3")
    await house.play(60)
    await first.body_of(60 * 1600)
    second = await house.get("/stream.mp3?burst=0.5")
    start = b"[mp3]" + b"".join(expected.span_of("mp3", n * PACKET_FRAMES).stream for n in range(55, 60))
    assert await second.body_of(len(start)) == start


async def test_every_station_has_the_same_streams(house):
    answer = await house.get("/stations/main/stream.wav")
    assert answer.status == 200


async def test_an_unknown_station_or_format_is_answered_with_the_known_ones(house):
    answer = await house.get("/stations/nowhere/stream.mp3")
    error = await answer.error()
    assert (answer.status, error["code"], error["details"]["known"]) == (404, "not_found", ["main"])
    answer = await house.get("/stream.ogg")
    error = await answer.error()
    assert (answer.status, error["details"]["value"]) == (404, "ogg")
    assert error["details"]["known"] == ["opus", "mp3", "flac", "aac", "wav"]


async def test_head_answers_the_same_headers_and_nothing_else(house):
    await house.play(10)
    of_get = await house.get("/stream.mp3")
    of_head = await house.get("/stream.mp3", method="HEAD")
    assert of_head.headers == of_get.headers
    assert await of_head.rest() == b""
    assert house.broadcast.listener_count == 1


async def test_a_range_is_passed_over(house):
    await house.play(5)
    answer = await house.get("/stream.wav", headers=["Range: bytes=0-"])
    assert answer.status == 200
    assert "content-range" not in answer.headers
    assert (await answer.body_of(4)) == b"RIFF"


async def test_a_player_of_http_1_0_without_a_host_is_served(house):
    await house.play(5)
    stream = await house.send(b"GET /stream.wav HTTP/1.0\r\n\r\n")
    received = await stream.receive_some()
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"transfer-encoding" not in received.lower()


async def test_a_radio_of_http_1_1_may_leave_the_host_out_too(house):
    stream = await house.send(b"GET /stream.mp3 HTTP/1.1\r\nUser-Agent: radio\r\n\r\n")
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_stream_can_only_be_listened_to(house, method):
    answer = await house.get("/stream.mp3", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (await answer.error())["code"] == "method_not_allowed"


async def test_one_listener_too_many_is_told_when_to_come_back(open_house):
    house = await open_house(limits=DoorLimits(max_listeners=1))
    await house.get("/stream.wav")
    answer = await house.get("/stream.wav")
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")
    assert (await answer.error())["code"] == "unavailable"


async def test_a_listener_that_leaves_makes_room(open_house):
    house = await open_house(limits=DoorLimits(max_listeners=1))
    first = await house.get("/stream.wav")
    await first.stream.aclose()
    with trio.fail_after(5):
        while house.broadcast.listener_count:
            await house.play(1)
            await trio.sleep(0.01)
    assert (await house.get("/stream.wav")).status == 200


async def test_metadata_comes_in_one_shared_stream_joined_just_after_a_block(house):
    first = await house.get("/stream.mp3", headers=["Icy-MetaData: 1"])
    assert first.headers["icy-metaint"] == "16000"
    await house.play(45)
    second = await house.get("/stream.mp3", headers=["Icy-MetaData: 1"])
    await house.play(30)
    for answer in (first, second):
        body = await answer.body_of(4 * 16_000 + 4 * 65)
        at = 0
        for _ in range(3):
            at += 16_000
            length = body[at] * 16
            text = body[at + 1 : at + 1 + length].rstrip(b"\0")
            assert text == b"StreamTitle='Em add9, settling';"
            at += 1 + length
    assert second.body[:16_000] in first.body


async def test_players_that_do_not_ask_get_no_metadata(house):
    answer = await house.get("/stream.mp3")
    await house.play(30)
    assert "icy-metaint" not in answer.headers
    assert b"StreamTitle" not in await answer.body_of(30 * 1600)


async def test_a_title_cannot_smuggle_a_header_in(house):
    house.station.title = "Night\r\nSet-Cookie: x=1"
    answer = await house.get("/stream.wav")
    assert "set-cookie" not in answer.headers
    assert answer.headers["icy-name"] == "NightSet-Cookie: x=1"


@pytest.mark.parametrize(
    ("kind", "pattern"), [("m3u", r"^#EXTM3U\n#EXTINF:-1,Auralis\n{url}\n$"), ("pls", r"File1={url}\n")]
)
async def test_playlists_hold_absolute_urls_of_the_host_asked_for(house, kind, pattern):
    for path in (f"/listen.{kind}", f"/stations/main/listen.{kind}"):
        answer = await house.get(path)
        url = f"http://127.0.0.1:{house.port}/stations/main/stream.mp3"
        text = (await answer.rest()).decode()
        assert re.search(pattern.format(url=re.escape(url)), text)
        assert int(answer.headers["content-length"]) == len(text)


async def test_a_playlist_of_another_format_can_be_asked_for(house):
    answer = await house.get("/listen.m3u?format=flac")
    assert (await answer.rest()).endswith(b"/stations/main/stream.flac\n")
    assert (await house.get("/listen.m3u?format=8track")).status == 404


async def test_stopping_ends_the_stream_after_its_last_packet(house, expected):
    await house.play(5)
    answer = await house.get("/stream.wav")
    await answer.body_of(44 + 5 * PACKET_BYTES)
    house.stopping.set()
    body = await answer.rest()
    assert body[44:] == b"".join(expected.pcm16_of(n * PACKET_FRAMES) for n in range(5))
    with trio.fail_after(3):
        await house.closed.wait()


@pytest.mark.parametrize(("form", "patience_seconds"), [("wav", 10), ("flac", 10), ("mp3", 30), ("opus", 30)])
async def test_a_stalled_player_is_gone_in_the_time_its_form_allows(house, form, patience_seconds, autojump_clock):
    """Real sockets under the virtual clock: packets come far too fast for who does not read."""
    await house.get(f"/stream.{form}", receive_buffer_bytes=4096)
    while not house.metrics.counts["packets_skipped", f"http.{form}"]:
        await house.play(10)
    stalled_at = trio.current_time()
    while house.broadcast.listener_count:
        await house.play(1)
        await trio.sleep(0.1)
    assert patience_seconds - 1 <= trio.current_time() - stalled_at <= patience_seconds + 0.5
    assert house.metrics.counts["listener_evicted", "too_slow"] == 1
