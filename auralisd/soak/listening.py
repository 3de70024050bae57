"""Listeners of every kind, over real sockets."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Final

import trio
import trio_websocket

from auralisd.soak.hearing import WEBSOCKET_PREFIX, Ear, Hearing, Packet
from auralisd.transport.packet import FLAG_BED, HEADER

WEBSOCKET_FORMS: Final = ("auralis.v1.opus", "auralis.v1.pcm16")
FIRST_PROTOCOL: Final = "auralis.v0.json"
CONNECT_SECONDS: Final = 10.0
AGAIN_SECONDS: Final = 0.1
_HEAD_BYTES: Final = 16_384
_READ_BYTES: Final = 262_144
_MESSAGE_BYTES: Final = 1024 * 1024

_GONE: Final = (OSError, trio.BrokenResourceError, trio_websocket.HandshakeError, trio_websocket.ConnectionClosed)


async def stay(port: int, form: str, hearing: Hearing) -> None:
    """Listen to ``form`` of the default station until cancelled; connect again when it ends."""
    while True:
        ear = Ear(hearing=hearing, form=form, asked_at=trio.current_time(), stays=True)
        await hear(port, form, ear)
        ear.ended(trio.current_time())
        await trio.sleep(AGAIN_SECONDS)


async def visit(port: int, form: str, hearing: Hearing, *, seconds: float, station: str | None = None) -> None:
    """Listen for ``seconds`` and leave; ``station`` instead of the default one."""
    ear = Ear(hearing=hearing, form=form, asked_at=trio.current_time())
    with trio.move_on_after(seconds) as stay_scope:
        await hear(port, form, ear, station=station)
    if not stay_scope.cancelled_caught and station is None:  # a station that is removed says goodbye, and may
        ear.ended(trio.current_time())


async def hear(port: int, form: str, ear: Ear, *, station: str | None = None) -> None:
    """Take what comes until the daemon ends the connection, for whatever reason."""
    with contextlib.suppress(*_GONE):
        if form.startswith(WEBSOCKET_PREFIX):
            await _hear_websocket(port, form, ear, station)
        else:
            await _hear_http(port, form, ear, station)


async def _hear_http(port: int, form: str, ear: Ear, station: str | None) -> None:
    path = f"/stations/{station}/stream.{form}" if station else f"/stream.{form}"
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            data = await stream.receive_some(_HEAD_BYTES)
            if not data or len(head) > _HEAD_BYTES:
                return
            head += data
        if not head.startswith(b"HTTP/1.1 200"):
            return
        if not head.endswith(b"\r\n\r\n"):
            ear.sound(trio.current_time())
        while await stream.receive_some(_READ_BYTES):
            ear.sound(trio.current_time())


async def _hear_websocket(port: int, form: str, ear: Ear, station: str | None) -> None:
    path = f"/ws/stations/{station}/stream" if station else "/ws/stream"
    async with _connected(port, path, form) as connection:
        while True:
            message = await connection.get_message()
            if isinstance(message, bytes):
                ear.packet(_packet(message, trio.current_time()))
            elif form == FIRST_PROTOCOL and json.loads(message).get("type") == "audio_chunk":
                ear.sound(trio.current_time())


@contextlib.asynccontextmanager
async def _connected(port: int, path: str, form: str) -> AsyncIterator[trio_websocket.WebSocketConnection]:
    async with trio_websocket.open_websocket(
        "127.0.0.1",
        port,
        path,
        use_ssl=False,
        subprotocols=[form],
        max_message_size=_MESSAGE_BYTES,
        receive_buffer_size=65_536,
        connect_timeout=CONNECT_SECONDS,
        disconnect_timeout=1.0,
    ) as connection:
        yield connection


def _packet(message: bytes, now: float) -> Packet:
    _, _, _, sequence, position, _, _, flags, _, epoch = HEADER.unpack_from(message)
    return Packet(at_seconds=now, sequence=sequence, position=position, epoch=epoch, bed=bool(flags & FLAG_BED))
