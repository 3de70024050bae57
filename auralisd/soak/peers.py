"""Connections that are used as no client should use them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import AsyncIterator

import trio

SMALLEST_BUFFER_BYTES = 2304  # the kernel's least
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_MOST_BYTES = 1024 * 1024


@contextlib.asynccontextmanager
async def connected(port: int, *, receive_buffer_bytes: int | None = None) -> AsyncIterator[trio.SocketStream]:
    """A connection to the daemon, closed at the end."""
    peer = trio.socket.socket()
    try:
        if receive_buffer_bytes is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        await peer.connect(("127.0.0.1", port))
        stream = trio.SocketStream(peer)
        yield stream
    finally:
        peer.close()


def get(target: str, *headers: str) -> bytes:
    """A GET of ``target``."""
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def upgrade(subprotocol: str = "auralis.v1.pcm16") -> bytes:
    """The handshake of a WebSocket that listens to the default station."""
    return get(
        "/ws/stream",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {subprotocol}",
    )


def text_frame(message: object) -> bytes:
    """One masked text frame of up to 125 bytes of JSON (RFC 6455 section 5.2)."""
    data, mask = json.dumps(message).encode(), os.urandom(4)
    return bytes([0x81, 0x80 | len(data)]) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


async def send(stream: trio.SocketStream, data: bytes) -> bool:
    """Whether the daemon took it."""
    try:
        await stream.send_all(data)
    except trio.BrokenResourceError:
        return False
    return True


async def receive(stream: trio.SocketStream) -> bytes:
    """What comes next; nothing when the daemon has ended the connection, in whatever way."""
    try:
        return await stream.receive_some()
    except trio.BrokenResourceError:
        return b""


async def receive_all(stream: trio.SocketStream) -> bytes:
    """Everything that comes until the daemon ends the connection; the first megabyte of it is kept."""
    received = bytearray()
    while data := await receive(stream):
        received += data[: max(0, _MOST_BYTES - len(received))]
    return bytes(received)


async def receive_until(stream: trio.SocketStream, wanted: bytes) -> bytes:
    """Everything up to ``wanted`` and what came with it, or up to the end."""
    received = b""
    while wanted not in received and (data := await receive(stream)):
        received += data
    return received


def reset(stream: trio.SocketStream) -> None:
    """End it without a goodbye."""
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    stream.socket.close()


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 where there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0
