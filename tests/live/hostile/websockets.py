"""WebSockets as no client should open or use them."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from tests.live.hostile.connection import Hostile, is_refusal, status_of
from tests.live.hostile.connections import SMALLEST_BUFFER_BYTES, UPGRADE
from tests.live.listeners import next_message

PING, PONG, CLOSE, TEXT, BINARY, MORE = 9, 10, 8, 1, 2, 0
FIN, COMPRESSED = 0x80, 0x40
CONTROL_ROUNDS = 5


def frame(
    opcode: int, payload: bytes = b"", *, first: int = FIN, masked: bool = True, claimed: int | None = None
) -> bytes:
    """A frame (RFC 6455, section 5.2) under a mask of zeros; ``claimed`` is the length it says it has."""
    size = len(payload) if claimed is None else claimed
    mask_bit = 0x80 if masked else 0
    if size < 126:
        length = bytes([mask_bit | size])
    elif size < 65_536:
        length = bytes([mask_bit | 126]) + size.to_bytes(2)
    else:
        length = bytes([mask_bit | 127]) + size.to_bytes(8)
    return bytes([first | opcode]) + length + (bytes(4) if masked else b"") + payload


def said_by(answer: bytes) -> tuple[list[dict], int | None]:
    """The JSON and the close code in what a daemon sent on a WebSocket."""
    frames = bytearray(answer.partition(b"\r\n\r\n")[2])
    messages, code = [], None
    while (message := next_message(frames)) is not None:
        opcode, payload = message
        assert code is None, "nothing follows a close"
        if opcode == TEXT:
            messages.append(json.loads(payload))
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2]) if payload else 1005
    return messages, code


@dataclass(frozen=True, slots=True)
class BadHandshake:
    """A request for a WebSocket that must be refused."""

    changed: dict[bytes, bytes]
    statuses: Collection[int]

    def __call__(self, port: int) -> None:
        """Make it ten times."""
        request = UPGRADE
        for old, new in self.changed.items():
            assert old in request
            request = request.replace(old, new)
        for _ in range(10):
            with Hostile(port) as connection:
                connection.send(request)
                answer = connection.read_all(3)
            assert status_of(answer) in self.statuses, answer[:200]
            assert is_refusal(answer)


@dataclass(frozen=True, slots=True)
class BadFrames:
    """Frames after which the daemon must part with their sender, and with which code."""

    data: bytes
    codes: Collection[int | None]

    def __call__(self, port: int) -> None:
        """Send them a few times, once together with the handshake."""
        for together in (True, False, False):
            with Hostile(port) as connection:
                connection.send(UPGRADE + self.data if together else UPGRADE)
                assert connection.read_until(b'"type":"state"')
                if not together:
                    connection.send(self.data)
                _, code = said_by(connection.read_all(4))
            assert code in self.codes, code


def _answered(data: bytes, expected: str, port: int) -> None:
    """What is no reason to part: it is answered, and the sound goes on."""
    for _ in range(CONTROL_ROUNDS):
        with Hostile(port) as connection:
            connection.send(UPGRADE)
            assert connection.read_until(b'"type":"state"')
            connection.send(data)
            assert connection.read_until(expected.encode(), 2), connection.received[-500:]
            connection.send(frame(CLOSE, (1000).to_bytes(2)))
            _, code = said_by(connection.read_all(3))
            assert code == 1000


def _flood(data: bytes, codes: Collection[int | None], port: int) -> None:
    with Hostile(port) as connection:
        connection.send(UPGRADE)
        assert connection.read_until(b'"type":"state"')
        connection.flood(data, seconds=1.0)
        _, code = said_by(connection.read_all(4))
        assert code in codes, code


def _slow_frame(port: int) -> None:
    with Hostile(port) as connection:
        connection.send(UPGRADE)
        for byte in frame(TEXT, b'{"type": "ping", "client_time": 1}'):
            connection.send(bytes([byte]))
            time.sleep(0.05)
        assert connection.read_until(b'"pong"', 3)


def _never_read(port: int) -> None:
    with Hostile(port, receive_buffer_bytes=SMALLEST_BUFFER_BYTES) as connection:
        connection.send(UPGRADE)
        began = time.monotonic()
        while connection.send(frame(PING, b"are you there")) and time.monotonic() - began < 14:
            time.sleep(0.1)
        assert time.monotonic() - began < 14, "a listener of PCM who takes nothing for ten seconds has to go"


def _text(message: object) -> bytes:
    return frame(TEXT, json.dumps(message).encode())


def _deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)[:-4]


_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
_EXTENSIONS = b"Sec-WebSocket-Extensions: " + b"permessage-deflate; client_max_window_bits, " * 300
_BOMB = _deflated(bytes(3_000_000))  # 3 MB in less than the 4 KiB that a message may have

HANDSHAKES: dict[str, Callable[[int], None]] = {
    "a WebSocket key that is too short": BadHandshake({_KEY: b"c2hvcnQ="}, {400}),
    "a WebSocket key that is no base64": BadHandshake({_KEY: b"!" * 24}, {400}),
    "two WebSocket keys": BadHandshake({_KEY: _KEY + b"\r\nSec-WebSocket-Key: " + _KEY}, {400}),
    "a WebSocket of version 8": BadHandshake({b"Version: 13": b"Version: 8"}, {400}),
    "a WebSocket from another page": BadHandshake(
        {b"Host: localhost": b"Host: localhost\r\nOrigin: https://evil.example"}, {403}
    ),
    "a WebSocket from no page at all": BadHandshake({b"Host: localhost": b"Host: localhost\r\nOrigin: null"}, {403}),
    "a WebSocket in HTTP/1.0": BadHandshake({b"HTTP/1.1": b"HTTP/1.0"}, {400}),
    "a WebSocket by POST": BadHandshake({b"GET": b"POST"}, {400}),
    "a WebSocket that does not say upgrade": BadHandshake({b"Connection: Upgrade": b"Connection: close"}, {400}),
    "a WebSocket of a thousand subprotocols": BadHandshake({b"auralis.v1.pcm16": b"chat," * 2000}, {400}),
    "a WebSocket at another station's address": BadHandshake({b"/ws/stream": b"/ws/stations/%2e%2e/stream"}, {404}),
}

FRAMES: dict[str, Callable[[int], None]] = {
    "a frame without a mask": BadFrames(frame(TEXT, b"{}", masked=False), {1002}),
    "reserved bits": BadFrames(frame(TEXT, b"{}", first=FIN | 0x30), {1002}),
    "an opcode nobody defined": BadFrames(frame(3, b"{}"), {1002}),
    "a control frame nobody defined": BadFrames(frame(11), {1002}),
    "the continuation of nothing": BadFrames(frame(MORE, b"{}"), {1002}),
    "a message within a message": BadFrames(frame(TEXT, b"{", first=0) + frame(TEXT, b"}"), {1002}),
    "a ping in fragments": BadFrames(frame(PING, b"a", first=0), {1002}),
    "a ping that is too long": BadFrames(frame(PING, b"p" * 126), {1002}),
    "a length with its top bit set": BadFrames(b"\x81\xff" + b"\xff" * 8 + bytes(4), {1002, 1009}),
    "a length written longer than it is": BadFrames(b"\x81\xfe\x00\x02" + bytes(4) + b"{}", {1002}),
    "a message of a terabyte, promised": BadFrames(frame(TEXT, b"x" * 5000, claimed=2**40), {1009}),
    "a message of 5 KiB": BadFrames(frame(TEXT, b"x" * 5000), {1009}),
    "a compressed frame that nobody agreed on": BadFrames(frame(TEXT, _BOMB, first=FIN | COMPRESSED), {1002}),
    "text that is not UTF-8": BadFrames(frame(TEXT, b"\xc0\xaf"), {1007}),
    "text that ends within a character": BadFrames(frame(TEXT, b"\xe2", first=0) + frame(MORE, b"\x82"), {1007}),
    "a close with half a code": BadFrames(frame(CLOSE, b"x"), {1002}),
    "a close with a code there is none of": BadFrames(frame(CLOSE, (999).to_bytes(2)), {1002}),
    "a close with a code that is never sent": BadFrames(frame(CLOSE, (1006).to_bytes(2)), {1002}),
    "a close whose reason is not UTF-8": BadFrames(frame(CLOSE, (1000).to_bytes(2) + b"\xff"), {1002, 1007}),
    "frames behind a close": BadFrames(frame(CLOSE, (1000).to_bytes(2)) + _text({"type": "ping"}) * 40, {1000, None}),
    "a message without end": partial(_flood, frame(MORE, b"", first=0) * 20, {1002, 1008, None}),
    "a message of fragments without end": partial(
        _flood, frame(TEXT, b"x", first=0) + frame(MORE, b"x" * 100, first=0) * 500, {1002, 1008, 1009, None}
    ),
    "a flood of pings": partial(_flood, frame(PING, b"p" * 125) * 50, {1008, None}),
    "a flood of pongs nobody asked for": partial(_flood, frame(PONG) * 500, {1008, None}),
    "a flood of bytes in one frame": partial(_flood, frame(BINARY, b"x" * 4000) * 10, {1008, None}),
    "a flood of changes": partial(_flood, _text({"type": "control", "controls": {"bpm": 61}}) * 20, {1008, None}),
    "a frame that comes byte by byte": _slow_frame,
    "a WebSocket that is never read": _never_read,
}

MESSAGES: dict[str, Callable[[int], None]] = {
    "a message of bytes": partial(_answered, frame(BINARY, b"\0" * 100), "bad_request"),
    "a message two thousand lists deep": partial(
        _answered, frame(TEXT, b'{"type": ' + b"[" * 2000 + b"]" * 2000 + b"}"), "bad_request"
    ),
    "a message of nothing": partial(_answered, frame(TEXT), "bad_request"),
    "a message of NaN": partial(
        _answered, frame(TEXT, b'{"type": "control", "controls": {"bpm": NaN}}'), "bad_request"
    ),
    "a message of a number past all numbers": partial(
        _answered, frame(TEXT, b'{"type": "stats", "underruns": 1e999}'), "bad_request"
    ),
    "a message of an integer of 4,000 digits": partial(
        _answered, frame(TEXT, b'{"type": "control", "controls": {"bpm": ' + b"9" * 4000 + b"}}"), "invalid_controls"
    ),
    "a message of half a surrogate pair": partial(
        _answered, frame(TEXT, b'{"type": "\\ud800", "id": "\\udfff"}'), "bad_request"
    ),
    "a message in fragments with pings between": partial(
        _answered,
        frame(TEXT, b'{"type": "pi', first=0) + frame(PING, b"!") + frame(MORE, b'ng"}'),
        '"type":"pong"',
    ),
    "a guess at the token": partial(_answered, _text({"type": "authorize", "token": "\ud800" * 100}), "error"),
}


def _extensions(port: int) -> None:
    for _ in range(10):
        with Hostile(port) as connection:
            connection.send(UPGRADE.replace(b"Host: localhost", b"Host: localhost\r\n" + _EXTENSIONS))
            assert connection.read_until(b'"type":"state"')
            assert b"sec-websocket-extensions" not in connection.received.lower()


def _resumes(port: int) -> None:
    for query in (
        b"epoch=-1&position=-1",
        b"epoch=9999999999999999999&position=9999999999999999999",
        b"epoch=\xb2&position=1e9",
    ):
        with Hostile(port) as connection:
            connection.send(UPGRADE.replace(b"/ws/stream", b"/ws/stream?" + query))
            connection.read(1)
            assert status_of(connection.received) in (101, 400)


WEBSOCKETS: dict[str, Callable[[int], None]] = {
    **HANDSHAKES,
    "a WebSocket of hundreds of extensions": _extensions,
    "a WebSocket that resumes where nobody was": _resumes,
    **FRAMES,
    **MESSAGES,
}
