"""The one port: dispatch, rules, limits, and whatever strangers send."""

import errno
import json
import socket

import pytest
import trio

from auralisd.access import AccessPolicy
from auralisd.edge.door_limits import DoorLimits
from auralisd.edge.front_door import open_listeners
from auralisd.edge.headcount import Headcount
from auralisd.transport.limits import ListenerLimits

UPGRADE = "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
WEBSOCKET = f"GET /ws/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n{UPGRADE}".encode()


async def all_of(stream):
    """Everything the server sends until it closes or resets."""
    received = b""
    with trio.fail_after(5):
        try:
            while data := await stream.receive_some():
                received += data
        except trio.BrokenResourceError:
            pass
    return received


def status_of(answer):
    return int(answer.split()[1])


def error_of(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


async def still_answers(house):
    answer = await house.get("/api/v1/status")
    assert answer.status == 200
    await answer.rest()


async def test_everything_else_goes_to_the_web_app_and_the_connection_closes(house):
    answer = await house.get("/api/v1/status?x=1")
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert json.loads(await answer.rest()) == {"path": "/api/v1/status", "client": "127.0.0.1", "body": ""}
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "body", ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"]
)
async def test_a_body_reaches_the_web_app_however_it_comes(house, body):
    request = f"POST /api/x HTTP/1.1\r\nHost: localhost\r\n{body}".encode()
    stream = await house.connect()
    for byte in request:
        await stream.send_all(bytes([byte]))
    assert error_free(await all_of(stream)) == "hello"


def error_free(answer):
    assert status_of(answer) == 200
    return json.loads(answer.partition(b"\r\n\r\n")[2])["body"]


async def test_a_connection_is_never_reused_so_every_request_meets_the_door(house):
    request = b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
    stream = await house.send(request + request)
    answer = await all_of(stream)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert len(house.requests) == 1


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # a TLS client at the wrong door
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n", 400),
        (b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 400),
        (b"GET /ws/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (WEBSOCKET.replace(b"13", b"8") + b"\r\n", 400),
        (WEBSOCKET.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short") + b"\r\n", 400),
        (WEBSOCKET.replace(b"GET", b"POST") + b"\r\n", 400),
        (WEBSOCKET + b"Sec-WebSocket-Protocol: \xe9\xff\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /stream.mp3 HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 20_000, 431),
        (b"GET / HTTP/1.1\r\nHost: localhost" + b"\r\na:" * 200 + b"\r\n\r\n", 431),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_the_error_form(house, request_bytes, status):
    answer = await all_of(await house.send(request_bytes))
    assert status_of(answer) == status
    error = error_of(answer)
    assert set(error) == {"code", "message", "timestamp", "details"}
    assert error["code"] == {400: "bad_request", 421: "misdirected", 431: "too_large"}[status]
    assert "bytearray" not in error["message"]
    assert house.requests == []
    await still_answers(house)


@pytest.mark.parametrize("headers", [b"User-Agent: caf\xe9 \xff\xfe\r\n", b"Cookie: \xf0\x9f\x8e\xb5\r\n"])
async def test_headers_that_are_not_ascii_hurt_nobody(house, headers):
    answer = await all_of(await house.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n"))
    assert status_of(answer) == 200
    stream = await house.send(WEBSOCKET + headers + b"\r\n")
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 101")
    await still_answers(house)


async def test_a_head_that_dawdles_is_told_so(open_house):
    house = await open_house(limits=DoorLimits(head_seconds=0.1))
    answer = await all_of(await house.send(b"GET / HTTP/1.1\r\nHost: loc"))
    assert status_of(answer) == 408
    assert error_of(answer)["code"] == "request_timeout"


async def test_a_connection_that_never_asks_is_closed_without_a_word(open_house):
    house = await open_house(limits=DoorLimits(head_seconds=0.1))
    assert await all_of(await house.connect()) == b""
    assert not any(name == "connection_refused" for name, *_ in house.metrics.counts)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\nhello\r\n",
        b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1\r\nx\r\n" * 3000
        + b"-1\r\n",
        b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nshort",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n\xff\xfe garbage after the request",
        WEBSOCKET + b"\r\n" + b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # a length with its top bit set
        WEBSOCKET + b"\r\n" + b"\xf1\x80\0\0\0\0",  # reserved bits
        WEBSOCKET + b"\r\n" + b"\x81\x05hello",  # not masked
        WEBSOCKET + b"\r\n" + b"\x83\x80\0\0\0\0",  # an opcode nobody defined
        WEBSOCKET + b"\r\n" + b"\x80\x80\0\0\0\0",  # the continuation of nothing
        WEBSOCKET + b"\r\n" + b"\x89\xfe\x01\x00\0\0\0\0" + b"p" * 256,  # a ping too long to be one
        WEBSOCKET + b"\r\n" + b"\x81\x82\0\0\0\0\xff\xff",  # text that is not UTF-8
        WEBSOCKET + b"\r\n" + b"\x88\x81\0\0\0\0x",  # a close with half a code
        WEBSOCKET + b"\r\n" + b"\x88\x82\0\0\0\0\x00\x01",  # a close with a code there is none of
        WEBSOCKET + b"\r\nx",
    ],
)
@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_hostile_bytes_end_their_own_connection_only(house, request_bytes, ending):
    listener = await house.get("/stream.wav")
    stream = await house.send(request_bytes)
    if ending == "reset":
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        stream.socket.close()
    else:
        await stream.send_eof()
        await all_of(stream)
    await house.play(2)
    await listener.body_of(44 + 2 * 17_640)
    await still_answers(house)
    with trio.fail_after(3):
        while house.broadcast.listener_count > 1:
            await house.play(1)
            await trio.sleep(0.01)


@pytest.mark.parametrize("cut_after", [1, 20, len(WEBSOCKET) - 3])
async def test_resets_within_the_head_hurt_nobody(house, cut_after):
    stream = await house.send(WEBSOCKET[:cut_after])
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    stream.socket.close()
    await still_answers(house)


async def test_an_app_that_fails_costs_its_request_alone(open_house, caplog):
    async def broken(scope, receive, send):
        raise RuntimeError("a fault of ours")

    house = await open_house(app=broken)
    answer = await house.get("/api/v1/status")
    assert answer.status == 500
    assert b"fault of ours" not in await answer.rest()
    assert (await house.get("/stream.wav")).status == 200


async def test_more_connections_than_there_is_room_for_are_told_when_to_come_back(open_house):
    house = await open_house(limits=DoorLimits(max_connections=2))
    for _ in range(2):
        await house.get("/stream.wav")
    answer = await house.get("/")
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")
    assert (await answer.error())["code"] == "unavailable"
    assert house.metrics.counts["connection_refused", "full"] == 1


def test_connections_are_limited_per_address_but_not_this_machines_or_a_proxys():
    headcount = Headcount(DoorLimits(max_connections_per_address=1, trusted_proxies=("10.0.0.0/8",)))
    for address in ("127.0.0.1", "::1", "10.1.2.3", None):
        with headcount.connection(address):
            assert headcount.refusal(address) is None
    with headcount.connection("203.0.113.7"):
        assert headcount.refusal("203.0.113.7") == "address_full"
        assert headcount.refusal("203.0.113.8") is None
    assert headcount.refusal("203.0.113.7") is None


def test_a_household_is_one_address_or_one_ipv6_network():
    headcount = Headcount(DoorLimits(max_connections_per_address=1))
    with headcount.connection("2001:db8:1:2::3"):
        assert headcount.refusal("2001:db8:1:2:ffff::9") == "address_full"
        assert headcount.refusal("2001:db8:1:3::3") is None


async def test_a_target_in_absolute_form_is_the_same_place(house):
    request = b"GET http://localhost/stream.wav?burst=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert (await (await house.send(request)).receive_some()).startswith(b"HTTP/1.1 200 OK")


async def test_a_unix_socket_serves_as_well(open_house, tmp_path):
    house = await open_house()
    path = str(tmp_path / "auralisd.sock")
    listening = trio.socket.socket(trio.socket.AF_UNIX)
    await listening.bind(path)
    listening.listen()
    async with trio.SocketListener(listening) as listener, trio.open_nursery() as nursery:
        nursery.start_soon(house.door.accept, listener)
        for request, expected in (
            (b"GET /stream.wav HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 200"),
            (b"GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 200"),
            (WEBSOCKET + b"\r\n", b"HTTP/1.1 101"),
        ):
            async with await trio.open_unix_socket(path) as stream:
                await stream.send_all(request)
                assert (await stream.receive_some()).startswith(expected)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        ((), "203.0.113.7", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.7", "203.0.113.7"),
        (("127.0.0.1", "10.0.0.0/8"), "6.6.6.6, 203.0.113.7, 10.1.1.1", "203.0.113.7"),
        (("127.0.0.1",), "", "127.0.0.1"),
    ],
)
async def test_the_web_app_sees_who_asks_through_trusted_proxies_only(open_house, trusted, forwarded, client):
    house = await open_house(limits=DoorLimits(trusted_proxies=trusted))
    answer = await house.get("/", headers=[f"X-Forwarded-For: {forwarded}"])
    assert json.loads(await answer.rest())["client"] == client


async def test_a_public_url_is_a_host_too_and_what_playlists_name(open_house):
    policy = AccessPolicy(token=None, bind_is_loopback=True, public_url="https://radio.example/")
    house = await open_house(policy=policy)
    answer = await all_of(await house.send(b"GET /listen.m3u HTTP/1.1\r\nHost: radio.example\r\n\r\n"))
    assert answer.endswith(b"\nhttps://radio.example/stations/main/stream.mp3\n")


async def test_the_rules_can_change_while_the_door_is_open(open_house):
    policy, limits = AccessPolicy(token=None, bind_is_loopback=True), DoorLimits()
    house = await open_house(policy=policy, limits=limits)
    listener = await house.get("/stream.wav")
    elsewhere = b"GET / HTTP/1.1\r\nHost: radio.example\r\n\r\n"
    assert status_of(await all_of(await house.send(elsewhere))) == 421
    policy.allowed_hosts = frozenset({"radio.example"})
    assert status_of(await all_of(await house.send(elsewhere))) == 200
    limits.max_connections = 1
    assert status_of(await all_of(await house.send(elsewhere))) == 503
    await house.play(1)
    await listener.body_of(44 + 17_640)


class ShortOfDescriptors:
    """A listener whose accept fails once for want of descriptors."""

    def __init__(self, listener):
        self._listener = listener
        self.socket = listener.socket
        self.failures = 0

    async def accept(self):
        if not self.failures:
            self.failures += 1
            await trio.lowlevel.checkpoint()
            raise OSError(errno.EMFILE, "Too many open files")
        return await self._listener.accept()


async def test_running_out_of_descriptors_is_survived(house, nursery):
    (listener,) = await open_listeners("127.0.0.1", 0)
    short = ShortOfDescriptors(listener)
    async with listener, trio.open_nursery() as accepting:
        accepting.start_soon(house.door.accept, short)
        house.port = listener.socket.getsockname()[1]
        await still_answers(house)
        accepting.cancel_scope.cancel()
    assert short.failures == 1
    assert house.metrics.counts["connection_error_contained", "accept"] == 1


async def test_stopping_takes_its_second_and_no_more_with_stalled_listeners(open_house):
    house = await open_house(
        limits=DoorLimits(fade_out_seconds=0.05, farewell_seconds=0.2),
        listener_limits=ListenerLimits(farewell_seconds=0.3, send_buffer_bytes=8192),
    )
    for target in ("/stream.wav", "/stream.wav"):
        await house.get(target, receive_buffer_bytes=4096)
    websocket = await house.send(WEBSOCKET + b"\r\n", receive_buffer_bytes=4096)
    await websocket.receive_some(100)
    await house.play(60)
    assert house.broadcast.listener_count == 3
    house.stopping.set()
    with trio.fail_after(1.5):
        await house.closed.wait()
    assert house.broadcast.listener_count == 0


async def test_nobody_comes_in_once_the_door_closes(house):
    house.stopping.set()
    await house.closed.wait()
    with trio.socket.socket() as guest, pytest.raises(OSError, match="refused"):
        await guest.connect(("127.0.0.1", house.port))


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no dual-stack sockets here")
async def test_ipv4_is_ipv4_on_a_dual_stack_socket_too(open_house):
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as held:
        house = await open_house(listeners=[trio.SocketListener(trio.socket.from_stdlib_socket(held.dup()))])
        answer = await house.get("/api/v1/status")
        assert json.loads(await answer.rest())["client"] == "127.0.0.1"
        playlist = await all_of(await house.send(b"GET /listen.m3u HTTP/1.0\r\n\r\n"))
        assert f"http://127.0.0.1:{house.port}/stations/main/".encode() in playlist


async def test_hundreds_who_come_at_once_are_all_served(house):
    await house.play(10)
    served = []

    async def come():
        answer = await house.get("/stream.wav")
        await answer.body_of(44 + 10 * 17_640)
        served.append(answer)

    async with trio.open_nursery() as nursery:
        for _ in range(200):
            nursery.start_soon(come)
    assert len(served) == 200
    assert len({answer.body for answer in served}) == 1


@pytest.mark.parametrize(
    "missing",
    [
        (
            "TCP_USER_TIMEOUT",
            "TCP_NOTSENT_LOWAT",
            "MSG_NOSIGNAL",
            "MSG_DONTWAIT",
            "TCP_KEEPIDLE",
            "TCP_KEEPINTVL",
            "TCP_KEEPCNT",
        ),
    ],
)
async def test_socket_options_only_linux_has_are_done_without(missing, open_house, monkeypatch):
    for option in missing:
        monkeypatch.delattr(socket, option, raising=False)
    monkeypatch.setattr("auralisd.transport.outlet._SEND_FLAGS", 0)
    house = await open_house()
    await house.play(10)
    answer = await house.get("/stream.wav")
    await house.play(5)
    await answer.body_of(44 + 15 * 17_640)
    stream = await house.send(WEBSOCKET + b"\r\n")
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 101")
    await still_answers(house)


async def test_who_comes_while_the_door_is_shut_waits_and_is_answered_when_it_is_open_again(house):
    house.door.shut()
    house.door.shut()
    answered = trio.Event()

    async def ask():
        await still_answers(house)
        answered.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        with trio.move_on_after(0.3):
            await answered.wait()
        assert not answered.is_set()
        house.door.reopen()
        with trio.fail_after(5):
            await answered.wait()
