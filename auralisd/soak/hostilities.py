"""What peers do to the daemon over sockets, and what it owes everybody meanwhile."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

import trio

from auralisd.errors import PromiseBrokenError
from auralisd.soak.asking import ask
from auralisd.soak.child import Child, own_environment
from auralisd.soak.peers import (
    SMALLEST_BUFFER_BYTES,
    connected,
    get,
    receive,
    receive_all,
    receive_until,
    reset,
    send,
    status_of,
    text_frame,
    upgrade,
)
from auralisd.soak.waiting import until

RESETS: Final = 40
STORM: Final = 200
CHANGES_AT_ONCE: Final = 60
FRAMES_AT_ONCE: Final = 200  # fifty a second, and twice as many at once
BODY_BYTES: Final = 2_000_000
HELD_SECONDS: Final = 3.0
_LOCK_TRIES: Final = 50
_MAIN_CONTROLS: Final = "/api/v1/stations/main/controls"
_STREAM: Final = "/stream.wav"
_PONG: Final = b"\x8a\x80" + bytes(4)

_NO_REQUESTS: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "random bytes": bytes(range(256)) * 8,
        "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
        "a method without a name": b" / HTTP/1.1\r\n\r\n",
        "a head of 20 KB": get("/healthz", "X: " + "x" * 20_000),
        "two lengths": get("/healthz", "Content-Length: 1", "Content-Length: 2") + b"{}",
        "a host of others": b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    }
)
_NO_FRAMES: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "a frame without a mask": b"\x81\x02{}",
        "reserved bits": b"\xf1\x82\0\0\0\0{}",
        "a length of all ones": b"\x81\xff" + b"\xff" * 8 + bytes(4),
        "text that is not UTF-8": b"\x81\x82\0\0\0\0\xc0\xaf",
    }
)


async def stall(child: Child) -> str:
    """Two listeners take nothing at all; each has to go, by the clock."""
    began_at = trio.current_time()
    async with trio.open_nursery() as nursery:
        for request, nudge in ((get(_STREAM), b"\n"), (upgrade(), _PONG)):
            nursery.start_soon(_take_nothing, child.port, request, nudge)
    return f"both were sent away after {trio.current_time() - began_at:.0f} s at most"


async def _take_nothing(port: int, request: bytes, nudge: bytes) -> None:
    """Returns when the daemon has ended the connection: then ``nudge``, which a listener may well send, fails."""
    async with connected(port, receive_buffer_bytes=SMALLEST_BUFFER_BYTES) as stream:
        await send(stream, request)
        taken = True
        while taken:
            await trio.sleep(0.2)
            taken = await send(stream, nudge)


async def break_off(child: Child) -> str:
    """Forty listeners reset their connection, before, at and after the first sound."""
    for number in range(RESETS):
        async with connected(child.port) as stream:
            await send(stream, get(_STREAM) if number % 2 else upgrade())
            if number % 4 > 1:
                await receive(stream)
            reset(stream)
    return f"{RESETS} were gone"


async def garbage(child: Child) -> str:
    """Bytes that are no request, and frames that are none: each ends its own connection."""
    for words, data in _NO_REQUESTS.items():
        async with connected(child.port) as stream:
            await send(stream, data)
            status = status_of(await receive_all(stream))
            if not 400 <= status < 500:
                raise PromiseBrokenError("a refusal", f"{words}: {status or 'no answer'}")
    for words, data in _NO_FRAMES.items():
        async with connected(child.port) as stream:
            await send(stream, upgrade())
            if status_of(await receive_until(stream, b"\r\n\r\n")) != 101:
                raise PromiseBrokenError("a handshake", f"{words}: none")
            await send(stream, data)
            await receive_all(stream)
    return f"{len(_NO_REQUESTS)} refusals, {len(_NO_FRAMES)} closed"


async def close_by_half(child: Child) -> str:
    """Say that nothing more comes, at every moment of a connection; a player may listen on."""
    for sent in (b"", b"GET /str", get("/healthz"), upgrade(), upgrade() + b"\x81"):
        async with connected(child.port) as stream:
            await send(stream, sent)
            await stream.send_eof()
            with trio.move_on_after(2):
                await receive_all(stream)
    async with connected(child.port) as stream:
        await send(stream, get(_STREAM))
        await stream.send_eof()
        ends_at = trio.current_time() + 1.5
        while trio.current_time() < ends_at:
            if not await receive(stream):
                raise PromiseBrokenError("a player that has nothing more to say listens on", "it was sent away")
    return "a player listened on"


async def oversized_body(child: Child) -> str:
    """Two megabytes for a change of controls: 413, whether they are promised or sent in chunks."""
    head = "POST /api/control HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunk = b"fffe\r\n" + b"1" * 0xFFFE + b"\r\n"
    for more, body in (
        (f"Content-Length: {BODY_BYTES}", b"1" * BODY_BYTES),
        ("Transfer-Encoding: chunked", chunk * (BODY_BYTES // len(chunk))),
    ):
        async with connected(child.port) as stream, trio.open_nursery() as nursery:
            nursery.start_soon(send, stream, f"{head}{more}\r\n\r\n".encode() + body)
            status = status_of(await receive_all(stream))
            nursery.cancel_scope.cancel()
        if status != 413:
            raise PromiseBrokenError("413", f"{more}: {status or 'no answer'}")
    return "413 to both"


async def dawdle(child: Child) -> str:
    """A head that comes byte by byte is given up: 408."""
    async with connected(child.port) as stream, trio.open_nursery() as nursery:
        nursery.start_soon(_trickle, stream, get("/healthz", "X: " + "x" * 2000))
        status = status_of(await receive_all(stream))
        nursery.cancel_scope.cancel()
    if status != 408:
        raise PromiseBrokenError("408", str(status or "no answer"))
    return "408"


async def _trickle(stream: trio.SocketStream, data: bytes) -> None:
    for byte in data:
        if not await send(stream, bytes([byte])):
            return
        await trio.sleep(0.02)


async def flood(child: Child) -> str:
    """More changes and more frames than anybody may send: 429 for the one, 1008 for the other."""
    statuses: list[int] = []

    async def change() -> None:
        statuses.append((await ask(child.port, "PATCH", _MAIN_CONTROLS, {"level_db": 0})).status)

    async with trio.open_nursery() as nursery:
        for _ in range(CHANGES_AT_ONCE):
            nursery.start_soon(change)
    refused = statuses.count(429)
    if refused == 0 or refused + statuses.count(200) != CHANGES_AT_ONCE:
        raise PromiseBrokenError("ten a second, 429 for the others", f"{sorted(set(statuses))}")
    async with connected(child.port) as stream:
        await send(stream, upgrade("auralis.v1.state"))
        await receive_until(stream, b"\r\n\r\n")
        await send(stream, text_frame({"type": "ping", "client_time": 0}) * FRAMES_AT_ONCE)
        said = await receive_all(stream)
    if (1008).to_bytes(2) not in said:
        raise PromiseBrokenError("a close with 1008", "another end")
    return f"{refused} of {CHANGES_AT_ONCE} refused, then 1008"


async def storm(child: Child) -> str:
    """Two hundred connections at the same moment: all are served."""
    served = 0

    async def come() -> None:
        nonlocal served
        async with connected(child.port) as stream:
            await send(stream, get("/stream.opus"))
            answer = await receive_until(stream, b"OggS")
            served += status_of(answer) == 200 and b"OggS" in answer

    began_at = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(STORM):
            nursery.start_soon(come)
    if served < STORM:
        raise PromiseBrokenError("all are served", f"{served} of {STORM} were")
    return f"all heard something within {trio.current_time() - began_at:.1f} s"


async def reload(child: Child) -> str:
    """SIGHUP with a wrong configuration changes nothing; with a right one what can change does."""
    host = "soak.example.org"
    logged = child.log_bytes()
    child.configure('allowed_hosts = ["soak.example.org"]\nno_such_key = 1\n')
    child.send(signal.SIGHUP)
    await _until_said(child, logged, "no_such_key")
    if (status := (await ask(child.port, "GET", "/healthz", host=host)).status) != 421:
        raise PromiseBrokenError("the old configuration holds", f"{status} under a host it does not name")
    for more, wanted in (('allowed_hosts = ["soak.example.org"]\n', 200), ("", 421)):
        logged = child.log_bytes()
        child.configure(more)
        child.send(signal.SIGHUP)
        await _until_said(child, logged, "configuration reloaded")
        if (status := (await ask(child.port, "GET", "/healthz", host=host)).status) != wanted:
            raise PromiseBrokenError(f"{wanted} after the reload", str(status))
    return "the wrong one changed nothing, the right one did"


async def _until_said(child: Child, offset: int, words: str) -> None:
    with trio.move_on_after(3):
        await until(lambda: words in child.said_since(offset))
        return
    raise PromiseBrokenError(f"a line in the log: {words}", "there is none")


async def hold_state(child: Child) -> str:
    """Another program holds the database; what is to be saved is saved afterwards."""
    database = sqlite3.connect(child.state_dir / "auralis.db", timeout=0, isolation_level=None)
    try:
        for _ in range(_LOCK_TRIES):
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                await trio.sleep(0.02)
            else:
                break
        else:
            raise PromiseBrokenError("a state file that is free now and then", "it never is")
        changed = await ask(child.port, "PATCH", _MAIN_CONTROLS, {"level_db": 0})
        if changed.status != 200:
            raise PromiseBrokenError("controls turn without the disk", str(changed.status))
        await trio.sleep(HELD_SECONDS)
        database.execute("ROLLBACK")
    finally:
        database.close()
    return "controls turned meanwhile"


async def second_daemon(child: Child) -> str:
    """A second daemon on the same state is refused in one line."""
    ended = await trio.run_process(
        child.command(port=0),
        stdin=subprocess.DEVNULL,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        env=own_environment(os.environ),
    )
    if ended.returncode != 78:
        raise PromiseBrokenError("exit 78", str(ended.returncode))
    return "exit 78"


type Hostility = Callable[[Child], Awaitable[str]]
"""Does it, and says what came of it.

Raises:
    PromiseBrokenError: something else than the documents say.
"""

HOSTILITIES: Final[Mapping[str, Hostility]] = MappingProxyType(
    {
        "reload": reload,
        "lock": hold_state,
        "second": second_daemon,
        "stall": stall,
        "reset": break_off,
        "garbage": garbage,
        "halfclose": close_by_half,
        "body": oversized_body,
        "dawdle": dawdle,
        "flood": flood,
        "storm": storm,
    }
)
