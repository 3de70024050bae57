"""Connections that dawdle, stall, break off or never stop: what matters is when, not only what."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from tests.live.hostile.connection import Hostile, is_refusal, status_of
from tests.live.hostile.requests import change, chunked, get

SMALLEST_BUFFER_BYTES = 2304  # the kernel's least
UPGRADE = get(
    "/ws/stream",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: auralis.v1.pcm16",
)
ROUNDS = 10


def _slow_head(port: int) -> None:
    with Hostile(port) as connection:
        connection.trickle(get("/healthz", "X: " + "x" * 1000), pause_seconds=0.02)
        assert status_of(connection.read_all()) == 408
        assert is_refusal(connection.received)


def _silence(port: int) -> None:
    with Hostile(port) as connection:
        assert connection.read_all(7) == b"", "who asks nothing is answered nothing"


def _slow_body(request: bytes, port: int) -> None:
    with Hostile(port) as connection:
        connection.send(request)
        connection.trickle(b"1" * 1000, pause_seconds=0.02)
        assert status_of(connection.read_all()) == 408
        assert is_refusal(connection.received)


def _slow_body_that_nobody_reads(port: int) -> None:
    with Hostile(port) as connection:
        connection.send(get("/healthz", "Content-Length: 1000"))
        connection.trickle(b"1" * 1000, pause_seconds=0.02)
        assert status_of(connection.read_all(7)) == 200


def _endless_body(request: bytes, piece: bytes, status: int, port: int) -> None:
    with Hostile(port) as connection:
        connection.send(request)
        connection.flood(piece, seconds=2)
        assert status_of(connection.read_all()) == status


def _tiny_chunks(port: int) -> None:
    with Hostile(port) as connection:
        connection.send(chunked(b"1\r\n \r\n" * 65_000 + b"2\r\n{}\r\n0\r\n\r\n"))
        assert status_of(connection.read_all()) == 400


def _expect_continue(port: int) -> None:
    with Hostile(port) as connection:
        head, _, body = change(b'{"bpm": 60}', "Expect: 100-continue").partition(b"\r\n\r\n")
        connection.send(head + b"\r\n\r\n")
        assert connection.read_until(b"\r\n\r\n")
        assert connection.received.startswith(b"HTTP/1.1 100 ")
        connection.send(body)
        assert b"HTTP/1.1 200 " in connection.read_all()


def _expect_continue_and_go_silent(port: int) -> None:
    with Hostile(port) as connection:
        connection.send(change(b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 9"))
        answer = connection.read_all()
    assert answer.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 408 " in answer


def _slow_read(target: str, port: int) -> None:
    with Hostile(port, receive_buffer_bytes=SMALLEST_BUFFER_BYTES) as connection:
        connection.send(get(target))
        ends_at = time.monotonic() + 2
        while time.monotonic() < ends_at:
            connection.read(1, size=1)
            time.sleep(0.02)
        assert status_of(connection.received) == 200


def _never_read(request: bytes, port: int) -> None:
    with Hostile(port, receive_buffer_bytes=SMALLEST_BUFFER_BYTES) as connection:
        connection.send(request)
        began = time.monotonic()
        while connection.send(b"\n") and time.monotonic() - began < 14:
            time.sleep(0.1)
        assert time.monotonic() - began < 14, "a listener of PCM who takes nothing for ten seconds has to go"


def _pipelined_flood(request: bytes, port: int) -> None:
    with Hostile(port) as connection:
        connection.flood(request * 200, seconds=1)
        assert connection.read_all().count(b"HTTP/1.1 200 ") == 1


def _talking_listener(port: int) -> None:
    with Hostile(port) as connection:
        connection.send(get("/stream.wav"))
        assert connection.read_until(b"RIFF")
        connection.flood(b"GET / HTTP/1.1\r\n" * 100, seconds=1.0)  # nobody listens to a listener
        connection.read(1)
        assert not connection.ended


def _urgent_bytes(port: int) -> None:
    for before in (b"", b"GET / HT", get("/stream.wav"), UPGRADE):
        with Hostile(port) as connection:
            connection.send(before)
            for _ in range(20):
                connection.send_urgent(b"!")
            connection.read(0.2)


def _half_close(sent: bytes, port: int) -> None:
    for _ in range(ROUNDS):
        with Hostile(port) as connection:
            connection.send(sent)
            connection.half_close()
            connection.read_all(3)


def _half_closed_listener(port: int) -> None:
    with Hostile(port) as connection:
        connection.send(get("/stream.wav"))
        connection.half_close()
        heard = time.monotonic() + 1.5
        while time.monotonic() < heard:
            assert connection.read(1), "a player that has nothing more to say may listen on"


def _reset(sent: bytes, awaited: bytes, port: int) -> None:
    for _ in range(ROUNDS):
        with Hostile(port) as connection:
            connection.send(sent)
            assert not awaited or connection.read_until(awaited)
            connection.reset()


_UNFINISHED = change(b"", path="/api/control").replace(b"Length: 0", b"Length: 9")
_PHASES: dict[str, tuple[bytes, bytes]] = {
    "at once": (b"", b""),
    "within the request line": (b"GET /he", b""),
    "within the headers": (b"GET / HTTP/1.1\r\nHost: loc", b""),
    "after the head": (get("/openapi.json"), b""),
    "within the body": (_UNFINISHED + b"{", b""),
    "within a chunk": (chunked(b"9\r\n{"), b""),
    "within the answer": (get("/openapi.json"), b"HTTP/1.1 200"),
    "within the sound": (get("/stream.wav?burst=20"), b"RIFF"),
    "within the handshake of a WebSocket": (UPGRADE[:-4], b""),
    "after the handshake of a WebSocket": (UPGRADE, b"HTTP/1.1 101"),
    "within a frame": (UPGRADE + b"\x81\xfe\x01", b"hello"),
    "behind a close": (UPGRADE + b"\x88\x82\0\0\0\0\x03\xe8", b"HTTP/1.1 101"),
}

CONNECTIONS: dict[str, Callable[[int], None]] = {
    "a head that comes byte by byte": _slow_head,
    "a connection that asks nothing": _silence,
    "a body that comes byte by byte": partial(_slow_body, _UNFINISHED.replace(b": 9", b": 1000")),
    "a body in chunks that come byte by byte": partial(_slow_body, chunked(b"400\r\n")),
    "a body that comes byte by byte and that nobody reads": _slow_body_that_nobody_reads,
    "a body without end": partial(_endless_body, chunked(b""), b"1000\r\n" + b" " * 4096 + b"\r\n", 413),
    "a body without end to an address that takes none": partial(
        _endless_body, get("/healthz", "Transfer-Encoding: chunked"), b"1000\r\n" + b" " * 4096 + b"\r\n", 200
    ),
    "a body of chunks of one byte": _tiny_chunks,
    "an expectation that is met": _expect_continue,
    "an expectation, and then silence": _expect_continue_and_go_silent,
    "an answer that is read byte by byte": partial(_slow_read, "/openapi.json"),
    "a stream that is read byte by byte": partial(_slow_read, "/stream.wav?burst=20"),
    "a stream that is never read": partial(_never_read, get("/stream.wav?burst=20")),
    "a flood of requests in one breath": partial(_pipelined_flood, get("/healthz", "Connection: keep-alive")),
    "a listener who talks without end": _talking_listener,
    "urgent bytes": _urgent_bytes,
    "half a connection closed before a word": partial(_half_close, b""),
    "half a connection closed within the head": partial(_half_close, b"GET / HTTP/1.1\r\nHost: loc"),
    "half a connection closed behind the head": partial(_half_close, get("/healthz")),
    "half a connection closed within the body": partial(_half_close, _UNFINISHED + b"{"),
    "half a connection closed by a WebSocket": partial(_half_close, UPGRADE),
    "half a connection closed by a listener": _half_closed_listener,
    **{f"a reset {phase}": partial(_reset, *how) for phase, how in _PHASES.items()},
}
