"""Speaks to Icecast servers: becomes the source of a mount, and says what sounds on it.

The protocol is HTTP as Icecast 2.4 takes it from sources: a PUT with ``Expect:
100-continue``, after whose answer the sound follows without length and without chunks
for as long as both live; titles go over requests of their own to ``/admin/metadata``.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import h11
import trio

from auralisd import __version__
from auralisd.errors import PushError
from auralisd.transport.codecs import GENRE, STREAM_RECIPES

CONNECT_PATIENCE_SECONDS: Final = 5.0
ANSWER_PATIENCE_SECONDS: Final = 5.0  # a hanging server's kernel takes connections in its name
SEND_BUFFER_BYTES: Final = 65_536  # more would hide for half a minute that the server hangs
CONTENT_TYPES: Final = {"mp3": "audio/mpeg", "aac": "audio/aac", "opus": "audio/ogg"}
TITLED_FORMATS: Final = frozenset({"mp3", "aac"})
"""Formats whose titles Icecast takes from outside; in Ogg they would have to be in the stream."""

_SEALED: Final = (
    "the service has no network of its own; sudo auralisd install-service --write --now gives it one, "
    "now that the configuration has push targets"
)
_RECEIVE_BYTES: Final = 4096
_ANSWER_BYTES_MOST: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class IcecastMount:
    """One mount of one server, and how to open it.

    Attributes:
        host: the server's name or address.
        port: its port.
        mount: ``/auralis.mp3``.
        format: ``mp3``, ``aac`` or ``opus``.
        user: whom it knows the source as.
        password: kept out of ``repr``.
        public: whether it may list the mount in directories.
        tls: how the connection is encrypted; None for one that is not.
    """

    host: str
    port: int
    mount: str
    format: str
    user: str
    password: str = field(repr=False)
    public: bool = False
    tls: ssl.SSLContext | None = field(default=None, repr=False)


@asynccontextmanager
async def opened_source(mount: IcecastMount, *, title: str) -> AsyncIterator[trio.abc.Stream]:
    """A connection on which the server awaits the sound of ``mount``; cut at the end of the block.

    Raises:
        PushError: it cannot be reached, hangs, or does not want us.
    """
    async with _connected(mount) as stream:
        status = await _asked(stream, _source_request(mount, title))
        if status != 100 and not 200 <= status < 300:
            raise _refusal(status)
        yield stream


async def send_title(mount: IcecastMount, title: str) -> None:
    """Tell the server what sounds on ``mount`` now; a mount it has no source for is refused.

    Raises:
        PushError: it did not take it.
    """
    async with _connected(mount) as stream:
        status = await _asked(stream, _title_request(mount, title))
        if not 200 <= status < 300:
            raise _refusal(status)


async def send_all_within(stream: trio.abc.Stream, data: bytes, *, seconds: float) -> None:
    """Send ``data``.

    Raises:
        PushError: the server took nothing for ``seconds``, or is gone.
    """
    with _translated(), trio.move_on_after(seconds) as patience:
        await stream.send_all(data)
    if patience.cancelled_caught:
        raise PushError("hung", f"the server has taken nothing for {seconds:g} s")


async def wait_gone(stream: trio.abc.Stream) -> PushError:
    """Return why the connection ended, once it has; whatever the server says until then is passed over."""
    try:
        with _translated():
            while await stream.receive_some(_RECEIVE_BYTES):
                pass
    except PushError as error:
        return error
    return PushError("lost", "the server closed the connection")


def _source_request(mount: IcecastMount, title: str) -> h11.Request:
    recipe = STREAM_RECIPES[mount.format]
    info = f"ice-samplerate={recipe.rate_hz};ice-bitrate={recipe.bit_rate_bps // 1000};ice-channels=2"
    return h11.Request(
        method="PUT",
        target=mount.mount,
        headers=[
            *_headers(mount),
            (b"Content-Type", CONTENT_TYPES[mount.format].encode()),
            (b"Ice-Name", _one_line(title)),
            (b"Ice-Genre", GENRE.encode()),
            (b"Ice-Bitrate", b"%d" % (recipe.bit_rate_bps // 1000)),
            (b"Ice-Audio-Info", info.encode()),
            (b"Ice-Public", b"%d" % mount.public),
            (b"Expect", b"100-continue"),
        ],
    )


def _title_request(mount: IcecastMount, title: str) -> h11.Request:
    query = urlencode({"mount": mount.mount, "mode": "updinfo", "charset": "UTF-8", "song": title})
    return h11.Request(method="GET", target=f"/admin/metadata?{query}", headers=_headers(mount))


def _headers(mount: IcecastMount) -> list[tuple[bytes, bytes]]:
    host = f"[{mount.host}]" if ":" in mount.host else mount.host
    credentials = base64.b64encode(f"{mount.user}:{mount.password}".encode())
    return [
        (b"Host", f"{host}:{mount.port}".encode()),
        (b"Authorization", b"Basic " + credentials),
        (b"User-Agent", f"auralisd/{__version__}".encode()),
    ]


@asynccontextmanager
async def _connected(mount: IcecastMount) -> AsyncIterator[trio.abc.Stream]:
    stream: trio.abc.Stream | None = None
    with _translated(), trio.move_on_after(CONNECT_PATIENCE_SECONDS):
        plain = await trio.open_tcp_stream(mount.host, mount.port)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        stream = plain if mount.tls is None else await _encrypted(plain, mount, mount.tls)
    if stream is None:
        raise PushError("unreachable", f"no connection within {CONNECT_PATIENCE_SECONDS:g} s")
    try:
        yield stream
    finally:
        # Without the formalities: to say goodbye to a server that hangs would take for ever.
        await trio.aclose_forcefully(stream)


async def _encrypted(plain: trio.SocketStream, mount: IcecastMount, tls: ssl.SSLContext) -> trio.abc.Stream:
    stream = trio.SSLStream(plain, tls, server_hostname=mount.host, https_compatible=True)
    try:
        await stream.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(plain)
        raise
    return stream


async def _asked(stream: trio.abc.Stream, request: h11.Request) -> int:
    """The status of the first answer to ``request``, interim ones included."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_ANSWER_BYTES_MOST)
    with _translated(), trio.move_on_after(ANSWER_PATIENCE_SECONDS):
        await stream.send_all(connection.send(request) or b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.InformationalResponse | h11.Response):
                return event.status_code
            data = await stream.receive_some(_RECEIVE_BYTES)
            if not data:
                raise PushError("lost", "the server closed the connection without an answer")
            connection.receive_data(bytes(data))
    raise PushError("hung", f"the server has not answered for {ANSWER_PATIENCE_SECONDS:g} s")


def _refusal(status: int) -> PushError:
    if status == 401:
        return PushError("refused", "the server refuses the user or the password")
    if status == 403:
        return PushError("taken", "the server says no (403): as a rule another source has the mount")
    return PushError("rejected", f"the server answers {status}")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn what the network and the parser raise into a PushError."""
    try:
        yield
    except OSError as error:
        raise PushError("unreachable", _SEALED if _is_sealed() else _reason(error)) from error
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise PushError("unreachable", f"no encrypted connection: {_tls_reason(error.__cause__)}") from error
        raise PushError("lost", "the connection broke") from error
    except h11.RemoteProtocolError as error:
        raise PushError("rejected", "its answer is not HTTP") from error


def _tls_reason(error: ssl.SSLError) -> str:
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error.reason)


def _is_sealed() -> bool:
    """Whether the process may open no connections at all, as the service without push targets."""
    try:
        trio.socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()
    except OSError as error:
        return error.errno == errno.EAFNOSUPPORT
    return False


def _reason(error: OSError) -> str:
    """What the system said; Trio tells of all addresses it tried, and each has a reason of its own."""
    if isinstance(error, socket.gaierror):
        return f"its name is not known: {error.strerror}"
    attempts = error.__cause__.exceptions if isinstance(error.__cause__, ExceptionGroup) else ()
    numbers = dict.fromkeys(one.errno for one in (error, *attempts) if isinstance(one, OSError) and one.errno)
    return ", ".join(os.strerror(number) for number in numbers) or "no connection"


def _one_line(text: str) -> bytes:
    return "".join(character for character in text if character.isprintable()).encode()
