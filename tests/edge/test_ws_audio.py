"""WebSockets: forms, greetings, controls, limits and closes."""

import base64
import json
import struct
import time
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from trio_websocket import ConnectionClosed, wrap_client_stream

from auralisd.access import AccessPolicy
from auralisd.edge.door_limits import DoorLimits
from auralisd.transport.packet import PacketCodec, unpack_header
from auralisd.units import PACKET_FRAMES

OPUS, PCM, STATE, V0 = "auralis.v1.opus", "auralis.v1.pcm16", "auralis.v1.state", "auralis.v0.json"


@asynccontextmanager
async def connect(house, *subprotocols, path="/ws/stream", extra_headers=None):
    """A client of the library's own, on a socket that the house closes whatever happens."""
    async with trio.open_nursery() as nursery:
        websocket = await wrap_client_stream(
            nursery,
            await house.connect(),
            f"127.0.0.1:{house.port}",
            path,
            subprotocols=list(subprotocols),
            extra_headers=extra_headers,
            message_queue_size=1000,
        )
        yield websocket
        with trio.move_on_after(1):
            await websocket.aclose()
        nursery.cancel_scope.cancel()


async def handshake(house, *subprotocols, headers=(), **how):
    """The bare answer to a request for a WebSocket."""
    lines = ["Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13"]
    lines.append("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    lines += [f"Sec-WebSocket-Protocol: {', '.join(subprotocols)}"] if subprotocols else []
    return await house.get("/ws/stream", headers=[*lines, *headers], **how)


async def receive(websocket):
    with trio.fail_after(5):
        message = await websocket.get_message()
    return json.loads(message) if isinstance(message, str) else message


async def receive_json(websocket, kind):
    """The next message of ``kind``; audio and other news are passed over."""
    while True:
        message = await receive(websocket)
        if isinstance(message, dict) and message["type"] == kind:
            return message


async def receive_packets(websocket, count):
    packets = []
    while len(packets) < count:
        message = await receive(websocket)
        if isinstance(message, bytes):
            packets.append(message)
    return packets


async def say(websocket, **message):
    await websocket.send_message(json.dumps(message))


async def close_code(websocket):
    with trio.fail_after(5):
        while True:
            try:
                await websocket.get_message()
            except ConnectionClosed as closed:
                return closed.reason.code


async def test_hello_and_state_come_before_any_packet(house):
    await house.play(30)
    async with connect(house, PCM) as websocket:
        hello, state = await receive(websocket), await receive(websocket)
        first = await receive(websocket)
    assert hello["type"] == "hello"
    assert (hello["version"], hello["sample_rate"], hello["channels"]) == (1, 44100, 2)
    assert (hello["frames_per_packet"], hello["pre_skip"], hello["resumed"]) == (4410, 0, False)
    assert (hello["epoch"], hello["live_position"], hello["sequence"]) == (1, 30 * PACKET_FRAMES, 30)
    assert hello["station"]["id"] == "main"
    assert hello["controls"]["key"] == "A"
    assert hello["limits"] == {
        "may_control": True,
        "may_listen": True,
        "max_message_bytes": 4096,
        "frames_per_second": 50,
        "bytes_per_minute": 65536,
        "controls_per_second": 10,
    }
    assert hello["server"]["name"] == "auralisd"
    assert abs(hello["server"]["monotonic_seconds"] - time.monotonic()) < 5
    assert state["type"] == "state"
    assert set(state) == {"type", "controls", "chord", "next_chord", "section", "listeners", "station"}
    assert unpack_header(first).position == 20 * PACKET_FRAMES  # a second of history


async def test_pcm_packets_follow_each_other_with_the_sound_they_name(house, expected):
    await house.play(15)
    async with connect(house, PCM) as websocket:
        await receive(websocket)
        await house.play(3)
        packets = await receive_packets(websocket, 13)
    headers = [unpack_header(packet) for packet in packets]
    assert [header.sequence for header in headers] == list(range(5, 18))
    for header, packet in zip(headers, packets, strict=True):
        assert (header.codec, header.frames, header.channels, header.epoch) == (PacketCodec.PCM16, 4410, 2, 1)
        assert packet[32:] == expected.pcm16_of(header.position)


async def test_opus_packets_are_20_ms_each_and_never_precede_frame_0(house):
    async with connect(house, OPUS) as websocket:
        hello = await receive(websocket)
        assert (hello["sample_rate"], hello["frames_per_packet"], hello["pre_skip"]) == (48000, 960, 312)
        await house.play(3)
        headers = [unpack_header(packet) for packet in await receive_packets(websocket, 14)]
    assert [header.position for header in headers] == [882 * n for n in range(14)]
    assert [header.sequence for header in headers] == list(range(14))
    assert {(header.codec, header.frames) for header in headers} == {(PacketCodec.OPUS, 960)}
    assert headers[5].due_seconds - headers[4].due_seconds > 0


async def test_opus_hello_names_the_first_live_packet(house):
    async with connect(house, OPUS) as first:
        await house.play(20)
        async with connect(house, OPUS) as websocket:
            hello = await receive(websocket)
            await house.play(1)
            headers = [unpack_header(packet) for packet in await receive_packets(websocket, 55)]
        await receive_packets(first, 104)
    live = [header for header in headers if header.position >= hello["live_position"]]
    assert len(live) == 5
    assert live[0].sequence == hello["sequence"]
    assert headers[0].position == live[0].position - 44_100  # a second of history


async def test_every_listener_of_a_form_gets_identical_bytes(house):
    async with connect(house, PCM) as one, connect(house, PCM) as another, connect(house, OPUS) as third:
        await house.play(4)
        assert await receive_packets(one, 4) == await receive_packets(another, 4)
        assert len(await receive_packets(third, 19)) == 19


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [([PCM, OPUS], PCM), ([OPUS, PCM], OPUS), (["graphql-ws", STATE], STATE), ([V0], V0), ([], None)],
)
async def test_the_subprotocol_is_the_first_the_client_offers_that_is_known(house, offered, chosen):
    async with connect(house, *offered) as websocket:
        assert websocket.subprotocol == chosen


async def test_only_unknown_subprotocols_are_refused(house):
    answer = await handshake(house, "graphql-ws", "mqtt")
    assert answer.status == 400
    assert (await answer.error())["code"] == "bad_request"


async def test_compression_is_never_negotiated(house):
    extension = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    answer = await handshake(house, PCM, headers=[extension])
    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert "sec-websocket-extensions" not in answer.headers


async def test_the_first_protocol_gets_json_alone_counted_from_0(house, expected):
    await house.play(7)
    async with connect(house) as websocket:
        await trio.sleep(0.05)
        await house.play(2)
        for sequence in (0, 1):
            message = await receive(websocket)
            assert set(message) == {
                "type", "timestamp", "sequence", "sample_rate", "channels", "duration_ms", "format", "data"
            }  # fmt: skip
            assert (message["type"], message["sequence"]) == ("audio_chunk", sequence)
            assert (message["sample_rate"], message["channels"]) == (44100, 2)
            assert (message["duration_ms"], message["format"]) == (100, "pcm16")
            assert abs(message["timestamp"] - time.time() * 1000) < 5000
            pcm16 = base64.b64decode(message["data"])
            assert len(pcm16) == 17_640
            assert pcm16 == expected.pcm16_of((7 + sequence) * PACKET_FRAMES)


async def test_the_first_protocol_is_answered_when_it_asks_and_told_nothing_else(house):
    async with connect(house) as websocket:
        await websocket.send_message(json.dumps({"type": "ping", "client_time": 5}))
        await websocket.send_message(json.dumps({"type": "control", "id": 7, "controls": {"key": "D"}}))
        await websocket.send_message(json.dumps({"type": "no such thing"}))
        heard = [await receive(websocket) for _ in range(3)]
        assert [message["type"] for message in heard] == ["pong", "applied", "error"]
        assert (heard[0]["client_time"], heard[1]["id"]) == (5, 7)
        await house.play(1)
        assert (await receive(websocket))["type"] == "audio_chunk"


@pytest.mark.parametrize(
    ("subprotocol", "form", "patience_seconds"),
    [(PCM, "ws.v1.pcm16", 10), (V0, "ws.v0.json", 10), (OPUS, "ws.v1.opus", 30)],
)
async def test_a_stalled_listener_is_gone_in_the_time_its_form_allows(
    house, subprotocol, form, patience_seconds, autojump_clock
):
    """Real sockets under the virtual clock; who misses too much is sent away before its socket has stood so long."""
    await handshake(house, subprotocol, receive_buffer_bytes=4096)
    while not house.broadcast.listener_count:
        await trio.lowlevel.checkpoint()
    (traveller,) = house.door.travellers
    while not traveller.outlet.behind:
        await house.play(1)
    stalled_at = trio.current_time()
    while house.broadcast.listener_count:
        await house.play(1)
        await trio.sleep(0.1)
    assert 2 <= trio.current_time() - stalled_at <= patience_seconds + 0.5
    assert house.metrics.counts["packets_skipped", form]
    assert house.metrics.counts["listener_evicted", "too_slow"] == 1


async def test_the_state_form_hears_of_changes_and_gets_no_sound(house):
    async with connect(house, STATE) as websocket:
        await receive_json(websocket, "state")
        assert house.broadcast.listener_count == 0
        house.station.change_controls({"key": "D"}, cause="rest")
        await house.play(3)
        state = await receive_json(websocket, "state")
    assert state["controls"]["key"] == "D"


async def test_state_is_told_at_most_twice_a_second(house):
    async with connect(house, STATE) as websocket:
        await receive_json(websocket, "state")
        states = 0
        with trio.move_on_after(1.2):
            async with trio.open_nursery() as nursery:

                async def fiddle():
                    while True:
                        house.station.touch()
                        await trio.sleep(0.01)

                nursery.start_soon(fiddle)
                while True:
                    await receive_json(websocket, "state")
                    states += 1
    assert 1 <= states <= 3


async def test_a_change_is_applied_and_answered_with_its_id(house):
    async with connect(house, PCM) as websocket:
        await say(websocket, type="control", id="k1", controls={"key": "E", "layers": {"bells": "off"}})
        applied = await receive_json(websocket, "applied")
    assert applied["id"] == "k1"
    assert set(applied["positions"]) == {"key", "layers"}
    assert applied["controls"]["key"] == "E"
    assert applied["controls"]["layers"]["bells"] == "off"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type":"control","id":1,"controls":{"tempo_bpm":400}}', "invalid_controls"),
        ('{"type":"control","id":1,"controls":{"tempo_bpm":1e999}}', "bad_request"),
        ('{"type":"control","id":1,"controls":{"tempo_bpm":NaN}}', "bad_request"),
        ('{"type":"control","id":1,"controls":{"key":["\\ud800"]}}', "invalid_controls"),
        ('{"type":"control","id":1,"controls":[]}', "bad_request"),
        ('{"type":"dance","id":1}', "bad_request"),
        ('{"type":["control"],"id":1}', "bad_request"),
        ('{"id":1}', "bad_request"),
        ("[1,2]", "bad_request"),
        ("[" * 4000, "bad_request"),
        ("now", "bad_request"),
        (b"\x00\x01", "bad_request"),
    ],
)
async def test_what_cannot_be_taken_is_answered_and_the_music_goes_on(house, message, code):
    async with connect(house, PCM) as websocket:
        await websocket.send_message(message)
        error = await receive_json(websocket, "error")
        assert error["code"] == code
        assert error["message"]
        await house.play(1)
        await receive_packets(websocket, 1)
    assert house.station.controls.key == "A"


async def test_an_invalid_control_names_the_field_and_its_constraint(house):
    async with connect(house, PCM) as websocket:
        await say(websocket, type="control", id=7, controls={"brightness": 2, "key": "E"})
        error = await receive_json(websocket, "error")
    assert error["id"] == 7
    assert error["details"] == {"field": "brightness", "value": 2, "constraint": "a number from 0 to 1"}
    assert house.station.controls.key == "A"


async def test_a_ping_is_answered_with_both_clocks(house):
    async with connect(house, PCM) as websocket:
        await say(websocket, type="ping", client_time=12.5)
        pong = await receive_json(websocket, "pong")
    assert pong["client_time"] == 12.5
    assert abs(pong["server_time"] - time.monotonic()) < 5


async def test_players_may_report_their_underruns(house):
    async with connect(house, PCM) as websocket:
        await say(websocket, type="stats", underruns=3, buffer_ms=250, latency_ms=300)
        await say(websocket, type="stats", underruns="many")
        await say(websocket, type="ping", client_time=0)
        await receive_json(websocket, "pong")
    assert house.metrics.counts["client_underruns", 3] == 1


async def test_without_the_token_a_listener_may_only_listen_until_it_authorizes(open_house):
    policy = AccessPolicy(token="let me in", bind_is_loopback=False)
    house = await open_house(policy=policy)
    async with connect(house, PCM) as websocket:
        hello = await receive(websocket)
        assert hello["limits"]["may_control"] is False
        await say(websocket, type="control", id=1, controls={"key": "E"})
        assert (await receive_json(websocket, "error"))["code"] == "unauthorized"
        await say(websocket, type="authorize", token="please")
        assert (await receive_json(websocket, "error"))["code"] == "unauthorized"
        await say(websocket, type="authorize", token="let me in")
        await receive_json(websocket, "authorized")
        await say(websocket, type="control", id=2, controls={"key": "E"})
        assert (await receive_json(websocket, "applied"))["id"] == 2


async def test_guessing_the_token_is_slowed_down_over_connections_too(open_house):
    house = await open_house(policy=AccessPolicy(token="let me in", bind_is_loopback=False))
    codes = []
    for _ in range(2):
        async with connect(house, STATE) as websocket:
            for guess in ("a", "b", "c"):
                await say(websocket, type="authorize", token=guess)
                codes.append((await receive_json(websocket, "error"))["code"])
    assert codes == ["unauthorized"] * 5 + ["rate_limited"]


async def test_showing_the_right_token_again_and_again_is_no_guessing(open_house):
    house = await open_house(policy=AccessPolicy(token="let me in", bind_is_loopback=False))
    for _ in range(8):
        async with connect(house, STATE) as websocket:
            await say(websocket, type="authorize", token="let me in")
            await receive_json(websocket, "authorized")


async def test_a_forwarded_listener_may_only_listen_on_a_loopback_bind(house):
    async with connect(house, STATE, extra_headers=[(b"X-Forwarded-For", b"203.0.113.7")]) as websocket:
        assert (await receive(websocket))["limits"]["may_control"] is False


async def test_pages_of_elsewhere_are_refused(house):
    answer = await handshake(house, PCM, headers=["Origin: https://evil.example"])
    assert (answer.status, (await answer.error())["code"]) == (403, "forbidden")
    answer = await handshake(house, PCM, headers=[f"Origin: http://127.0.0.1:{house.port}"])
    assert answer.status == 101


async def test_more_than_ten_changes_a_second_are_errors_not_a_close(house):
    async with connect(house, STATE) as websocket:
        for n in range(14):
            await say(websocket, type="control", id=n, controls={"intensity": n / 20})
        replies = []
        while len(replies) < 14:
            message = await receive(websocket)
            if message["type"] in ("applied", "error"):
                replies.append(message)
        assert [reply["type"] for reply in replies[:10]] == ["applied"] * 10
        assert {reply.get("code") for reply in replies[11:]} == {"rate_limited"}
        await say(websocket, type="ping", client_time=1)
        await receive_json(websocket, "pong")


async def test_one_listener_too_many_is_let_in_to_be_told_so(open_house):
    house = await open_house(limits=DoorLimits(max_listeners=1))
    async with connect(house, PCM):
        async with connect(house, PCM) as websocket:
            bye = await receive(websocket)
            assert (bye["type"], bye["reason"], bye["retry_ms"]) == ("bye", "full", 10_000)
            assert await close_code(websocket) == 4003
        async with connect(house, STATE) as websocket:
            assert (await receive(websocket))["type"] == "hello"


async def test_of_many_who_shake_hands_at_once_no_more_are_let_in_than_there_is_room_for(open_house):
    house = await open_house(limits=DoorLimits(max_listeners=3))
    heard, first_words = trio.open_memory_channel(20)
    everybody_came = trio.Event()

    async def come():
        async with connect(house, PCM) as websocket:
            heard.send_nowait((await receive(websocket))["type"])
            await everybody_came.wait()

    async with trio.open_nursery() as guests:
        for _ in range(20):
            guests.start_soon(come)
        with trio.fail_after(5):
            words = [await first_words.receive() for _ in range(20)]
        assert house.broadcast.listener_count == 3
        everybody_came.set()
    assert sorted(words) == ["bye"] * 17 + ["hello"] * 3


async def test_messages_over_4_kib_close_with_1009(house):
    async with connect(house, PCM) as websocket:
        await websocket.send_message("x" * 5000)
        assert await close_code(websocket) == 1009


async def test_more_frames_than_allowed_close_with_1008(house):
    async with connect(house, PCM) as websocket:
        with suppress(ConnectionClosed):
            for _ in range(400):
                await say(websocket, type="ping", client_time=0)
        assert await close_code(websocket) == 1008
    assert house.metrics.counts["listener_evicted", "flood"] == 1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x02{}", 1002),  # not masked
        (b"\x83\x80\0\0\0\0", 1002),  # an opcode there is none of
        (b"\x80\x80\0\0\0\0", 1002),  # the rest of a message that never began
        (b"\x88\x81\0\0\0\0x", 1002),  # half a close code
        (b"\x81\x82\0\0\0\0\xff\xfe", 1007),
    ],
)
@pytest.mark.parametrize("subprotocol", [PCM, "auralis.v0.json"])
async def test_frames_that_are_none_are_told_so_in_a_close_code(house, frame, code, subprotocol):
    answer = await handshake(house, subprotocol)
    await answer.stream.send_all(frame)
    received = await answer.rest()
    assert b"\x88" + bytes([2 + len("these are not the frames of a WebSocket client")]) + code.to_bytes(2) in received


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x81\x02{}", 1002),
        (b"\x89\x80\0\0\0\0" * 200, 1008),
        (b"\x81\xfe\x14\x00\0\0\0\0" + b"x" * 5120, 1009),
        (b"\x88\x82\0\0\0\0\x03\xe8", 1000),
    ],
)
async def test_a_close_code_comes_behind_the_sound_that_still_waits(house, frames, code):
    """The sound that waits for a slow reader used to be left out, and the code with it."""
    await house.play(20)
    answer = await handshake(house, PCM, receive_buffer_bytes=4096)
    await answer.stream.send_all(frames)
    await trio.sleep(0.1)
    received = await answer.rest()
    assert code.to_bytes(2) in received[-64:]


async def test_a_flood_of_empty_fragments_closes_with_1008(house):
    websocket = await handshake(house, V0)
    await websocket.stream.send_all(b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 2000)
    body = await websocket.rest()
    assert body[:1] == b"\x88"
    assert struct.unpack("!H", body[2:4]) == (1008,)


async def test_stopping_says_bye_and_closes_with_1001(house):
    async with connect(house, PCM) as one, connect(house) as first_protocol:
        house.stopping.set()
        bye = await receive_json(one, "bye")
        assert (bye["reason"], bye["retry_ms"]) == ("stopping", 2000)
        assert await close_code(one) == 1001
        assert await close_code(first_protocol) == 1001
    with trio.fail_after(3):
        await house.closed.wait()


async def test_a_client_that_closes_is_answered_and_forgotten(house):
    async with connect(house, PCM) as websocket:
        await receive(websocket)
        with trio.fail_after(2):
            await websocket.aclose(1000, "good night")
    with trio.fail_after(2):
        revision = house.station.revision
        while house.broadcast.listener_count:
            revision = await house.station.wait_changed(revision)
    assert not any(count for (name, *_), count in house.metrics.counts.items() if name == "connection_error_contained")


async def test_a_listener_that_was_cut_off_goes_on_where_it_was(house, expected):
    await house.play(50)
    async with connect(house, PCM, path=f"/ws/stream?epoch=1&position={20 * PACKET_FRAMES}") as websocket:
        hello = await receive(websocket)
        packets = await receive_packets(websocket, 30)
    assert hello["resumed"] is True
    assert [unpack_header(packet).position for packet in packets] == [n * PACKET_FRAMES for n in range(20, 50)]


async def test_opus_goes_on_at_the_very_packet(house):
    async with connect(house, OPUS):
        await house.play(30)
        async with connect(house, OPUS, path=f"/ws/stream?epoch=1&position={882 * 97}") as websocket:
            hello = await receive(websocket)
            positions = [unpack_header(packet).position for packet in await receive_packets(websocket, 50)]
    assert hello["resumed"] is True
    assert positions[:50] == [882 * n for n in range(97, 147)]


@pytest.mark.parametrize(
    "where", ["epoch=2&position=88200", "epoch=1&position=99999999", "epoch=1", "epoch=x&position=y"]
)
async def test_who_cannot_go_on_starts_afresh(house, where):
    await house.play(50)
    async with connect(house, PCM, path=f"/ws/stream?{where}") as websocket:
        hello = await receive(websocket)
        first = await receive_packets(websocket, 1)
    assert hello["resumed"] is False
    assert unpack_header(first[0]).position == 40 * PACKET_FRAMES


async def test_a_new_epoch_greets_everybody_again(house):
    await house.play(5)
    async with connect(house, PCM) as websocket:
        await receive_json(websocket, "hello")
        await receive_packets(websocket, 5)
        house.programme.epoch = 2
        house.broadcast.begin_epoch(2)
        await house.play(1)
        hello = await receive_json(websocket, "hello")
        packets = await receive_packets(websocket, 1)
    assert (hello["epoch"], hello["live_position"], hello["sequence"]) == (2, 5 * PACKET_FRAMES, 5)
    first = unpack_header(packets[0])
    assert (first.epoch, first.position, first.sequence) == (2, 5 * PACKET_FRAMES, 5)


async def test_pongs_and_json_never_tear_a_frame_under_load(house):
    """A client with a small window and much to say, beside a hub that writes as fast as it can."""
    async with trio.open_nursery() as nursery, connect(house, PCM) as websocket:
        talked = trio.Event()

        async def talk():
            for n in range(40):
                await say(websocket, type="ping", client_time=n)
                with trio.move_on_after(5):
                    await websocket.ping(b"%d" % n)
                await trio.sleep(0.025)
            talked.set()

        nursery.start_soon(talk)
        positions, pongs = [], []
        while len(pongs) < 40:
            await house.play(2)
            message = await receive(websocket)
            while True:
                if isinstance(message, bytes):
                    header = unpack_header(message)
                    assert len(message) == 32 + 17_640
                    positions.append(header.position)
                elif message["type"] == "pong":
                    pongs.append(message["client_time"])
                with trio.move_on_after(0.001) as waited:
                    raw = await websocket.get_message()
                    message = json.loads(raw) if isinstance(raw, str) else raw
                if waited.cancelled_caught:
                    break
        await talked.wait()
    assert pongs == list(range(40))
    assert positions == sorted(positions)


async def test_a_line_too_slow_for_its_form_is_told_so_with_4000(house):
    """Its page can then ask for a smaller form; a player could not."""
    answer = await handshake(house, PCM, receive_buffer_bytes=4096)
    for _ in range(40):
        await house.play(10)
        with trio.move_on_after(0.02):
            answer.body += await answer.stream.receive_some(3000)
    frames = frames_of(await answer.rest())
    assert frames[-1] == (0x88, (4000).to_bytes(2) + b"too_slow")
    assert json.loads(frames[-2][1])["type"] == "bye"
    assert house.metrics.counts["listener_evicted", "too_slow"] == 1


async def test_frames_stay_whole_when_the_socket_takes_them_in_pieces(house):
    """A small window, packets, pongs and JSON all at once; read raw, byte for byte."""
    answer = await handshake(house, PCM, receive_buffer_bytes=4096)
    for n in range(30):
        await house.play(1)
        if n % 3 == 0:
            await answer.stream.send_all(b"\x89\x82\0\0\0\0" + b"%02d" % n)
            text = b'{"type":"ping","client_time":%d}' % n
            await answer.stream.send_all(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
        await trio.sleep(0.005)
    house.stopping.set()
    frames = frames_of(await answer.rest())
    assert {opcode for opcode, _ in frames} == {0x81, 0x82, 0x88, 0x8A}
    assert {len(payload) for opcode, payload in frames if opcode == 0x82} == {32 + 17_640}
    assert [payload for opcode, payload in frames if opcode == 0x8A] == [b"%02d" % n for n in range(0, 30, 3)]
    texts = [json.loads(payload) for opcode, payload in frames if opcode == 0x81]
    assert [text["client_time"] for text in texts if text["type"] == "pong"] == list(range(0, 30, 3))
    assert texts[-1]["type"] == "bye"
    assert frames[-1][0] == 0x88


def frames_of(received):
    """A server's frames, each as its first byte and its payload."""
    frames, at = [], 0
    while at < len(received):
        opcode, length = received[at], received[at + 1]
        at += 2
        if length == 126:
            length, at = int.from_bytes(received[at : at + 2]), at + 2
        frames.append((opcode, received[at : at + length]))
        assert len(frames[-1][1]) == length, "the last frame is cut short"
        at += length
    return frames
