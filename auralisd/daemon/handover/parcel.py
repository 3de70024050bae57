"""What two processes of one hand-over say to each other: facts, bytes and open sockets, over a pair of sockets.

A parcel is its lengths, its facts as JSON, the bytes they refer to, and then the sockets, some at a time (SCM_RIGHTS).
Dataclasses go in; on the other side, which may be a newer version, they are checked on arrival and keys that it does
not know are passed over.
"""

from __future__ import annotations

import array
import dataclasses
import json
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import trio
from pydantic import TypeAdapter

from auralisd.errors import HandoverError

_LENGTHS: Final = struct.Struct("!IQI")
"""Bytes of JSON, bytes referred to, sockets."""

MOST_FACTS_BYTES: Final = 64 << 20
MOST_BYTES: Final = 512 << 20
MOST_SOCKETS: Final = 16_384
_SOCKETS_AT_ONCE: Final = 200  # the kernel takes 253 with one message
_RECEIVE_BYTES: Final = 1 << 20
_BLOB: Final = "\0bytes"


async def send_parcel(link: trio.SocketStream, kind: str, content: object, sockets: Sequence[int] = ()) -> None:
    """Send ``content``, made of dataclasses, JSON and bytes, and the descriptors of ``sockets``.

    Raises:
        HandoverError: the other side is gone.
    """
    blobs: list[bytes] = []
    facts = json.dumps({"kind": kind, "content": _plain(content, blobs), "lengths": [len(b) for b in blobs]}).encode()
    body = b"".join(blobs)
    try:
        await link.send_all(_LENGTHS.pack(len(facts), len(body), len(sockets)) + facts)
        await link.send_all(body)
        for first in range(0, len(sockets), _SOCKETS_AT_ONCE):
            some = array.array("i", sockets[first : first + _SOCKETS_AT_ONCE])
            await link.socket.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, some)])
    except (OSError, trio.BrokenResourceError) as error:
        raise HandoverError("the other process is gone") from error


async def receive_parcel[T](link: trio.SocketStream, kind: str, shape: type[T]) -> tuple[T, list[socket.socket]]:
    """The next parcel, which is to be of ``kind`` and hold a ``shape``.

    Raises:
        HandoverError: the other side is gone, or this is none.
    """
    try:
        facts_bytes, body_bytes, socket_count = _LENGTHS.unpack(await _exactly(link, _LENGTHS.size))
        if facts_bytes > MOST_FACTS_BYTES or body_bytes > MOST_BYTES or socket_count > MOST_SOCKETS:
            raise HandoverError("more is passed than can be taken")
        facts = json.loads(await _exactly(link, facts_bytes))
        body = memoryview(await _exactly(link, body_bytes))
        sockets = await _sockets(link, socket_count)
    except (OSError, trio.BrokenResourceError) as error:
        raise HandoverError("the other process is gone") from error
    if facts.get("kind") != kind:
        raise HandoverError(f"{kind} was expected, {facts.get('kind')} came")
    blobs, at = [], 0
    for length in facts["lengths"]:
        blobs.append(bytes(body[at : at + length]))
        at += length
    try:
        return TypeAdapter(shape).validate_python(_whole(facts["content"], blobs)), sockets
    except ValueError as error:
        raise HandoverError(f"what was passed does not fit this version: {str(error)[:300]}") from error


def _plain(value: object, blobs: list[bytes]) -> object:
    """``value`` as JSON; bytes are put aside and referred to."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), blobs) for field in dataclasses.fields(value)}
    if isinstance(value, bytes):
        blobs.append(value)
        return {_BLOB: len(blobs) - 1}
    if isinstance(value, Mapping):
        return {str(key): _plain(part, blobs) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, blobs) for part in value]
    return value


def _whole(value: Any, blobs: Sequence[bytes]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_BLOB}:
            return blobs[value[_BLOB]]
        return {key: _whole(part, blobs) for key, part in value.items()}
    return [_whole(part, blobs) for part in value] if isinstance(value, list) else value


async def _exactly(link: trio.SocketStream, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        data = await link.receive_some(min(_RECEIVE_BYTES, size - len(received)))
        if not data:
            raise HandoverError("the other process is gone")
        received += data
    return bytes(received)


async def _sockets(link: trio.SocketStream, count: int) -> list[socket.socket]:
    received: list[socket.socket] = []
    room = socket.CMSG_SPACE(_SOCKETS_AT_ONCE * array.array("i").itemsize)
    while len(received) < count:
        data, ancillary, flags, _ = await link.socket.recvmsg(1, room, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
        if not data or flags & socket.MSG_CTRUNC:
            raise HandoverError("not all sockets came through")
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors = array.array("i")
                descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
                received += [socket.socket(fileno=descriptor) for descriptor in descriptors]
    return received
