"""The head of a request: read within a deadline and a size, parsed by h11, replayed to whoever answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl, unquote

import h11
import trio

from auralisd.access import RequestFacts
from auralisd.errors import HeadRefusedError, PeerGoneError

RECEIVE_BYTES: Final = 4096
MAX_HEADER_LINES: Final = 100  # what a line costs to parse, thousands of them would cost everybody's time
MAX_QUERY_FIELDS: Final = 100
_HOP_BY_HOP: Final = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"http2-settings"})


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """The head of one request.

    Attributes:
        method: in capitals, as it came.
        target: path and query as they came, ASCII.
        http_version: ``1.0`` or ``1.1``.
        raw_headers: name in lower case and value, as bytes, in the order they came.
        rest: bytes that came after the head.
    """

    method: str
    target: str
    http_version: str
    raw_headers: tuple[tuple[bytes, bytes], ...]
    rest: bytes

    @cached_property
    def path(self) -> str:
        """The path, percent-decoded; of a target in absolute form (RFC 9112, section 3.2.2) too."""
        path = self.target.partition("?")[0]
        scheme, _, rest = path.partition("://")
        if scheme.lower() in ("http", "https"):
            path = "/" + rest.partition("/")[2]
        return unquote(path)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query's fields; of repeated ones the last, of absurdly many none."""
        query = self.target.partition("?")[2]
        return dict(parse_qsl(query)) if query.count("&") < MAX_QUERY_FIELDS else {}

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case; repeated ones are joined by commas."""
        joined: dict[str, str] = {}
        for raw_name, raw_value in self.raw_headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return joined

    @cached_property
    def facts(self) -> RequestFacts:
        """What the access rules need to know of it."""
        return RequestFacts.from_headers(self.headers)

    def replayed(self) -> bytes:
        """The head again, for a server that is to answer this one request and then close."""
        lines = [b"%s %s HTTP/%s" % (self.method.encode(), self.target.encode(), self.http_version.encode())]
        lines += [b"%s: %s" % header for header in self.raw_headers if header[0] not in _HOP_BY_HOP]
        lines += [b"connection: close", b"", b""]
        return b"\r\n".join(lines)


async def read_head(stream: trio.abc.ReceiveStream, *, within_seconds: float, max_bytes: int) -> RequestHead:
    """The head of the request that ``stream`` begins with.

    Raises:
        HeadRefusedError: it is malformed, too long, or took too long.
        PeerGoneError: the peer left before it was complete.
    """
    received = bytearray()
    with trio.move_on_after(within_seconds):
        while True:
            try:
                data = await stream.receive_some(RECEIVE_BYTES)
            except trio.BrokenResourceError:
                raise PeerGoneError from None
            if not data:
                raise PeerGoneError
            received += data
            head = parse_head(bytes(received), max_bytes=max_bytes)
            if head is not None:
                return head
    if not received:
        raise PeerGoneError  # it never asked for anything: browsers open spare connections
    message = f"the request's head took longer than {within_seconds:g} s"
    raise HeadRefusedError(408, "request_timeout", message, reason="timeout")


def parse_head(received: bytes, *, max_bytes: int) -> RequestHead | None:
    """The head that ``received`` begins with, or None while it is incomplete.

    Raises:
        HeadRefusedError: it is malformed or too long.
    """
    end = received.find(b"\r\n\r\n")
    if (end < 0 and len(received) > max_bytes) or end > max_bytes:
        message = f"the request's head is longer than {max_bytes} bytes"
        raise HeadRefusedError(431, "too_large", message, reason="too_large")
    if received.count(b"\n", 0, end if end >= 0 else None) > MAX_HEADER_LINES:
        message = f"the request's head has more than {MAX_HEADER_LINES} lines"
        raise HeadRefusedError(431, "too_large", message, reason="too_large")
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=max_bytes + RECEIVE_BYTES)
    parser.receive_data(_with_optional_host(received, end))
    try:
        event = parser.next_event()
    except h11.RemoteProtocolError as error:
        what = str(error).partition(":")[0]  # what follows is the client's own bytes in Python's notation
        raise HeadRefusedError(400, "bad_request", f"not HTTP: {what}", reason="bad_request") from None
    if not isinstance(event, h11.Request):
        return None
    if event.http_version not in (b"1.0", b"1.1"):
        message = "only HTTP/1.0 and HTTP/1.1 are spoken here"
        raise HeadRefusedError(400, "bad_request", message, reason="upgrade")
    return RequestHead(
        method=event.method.decode("ascii"),
        target=event.target.decode("ascii"),
        http_version=event.http_version.decode("ascii"),
        raw_headers=tuple((bytes(name), bytes(value)) for name, value in event.headers),
        rest=bytes(parser.trailing_data[0]),
    )


def _with_optional_host(received: bytes, end: int) -> bytes:
    """``received`` as HTTP/1.0 if it is a complete head without a Host, which 1.1 must have.

    Simple radios leave it out, and whether it is needed is not the parser's to say.
    """
    if end < 0:
        return received
    line_end = received.find(b"\r\n")
    request_line = received[:line_end]
    if not request_line.endswith(b" HTTP/1.1") or b"\r\nhost:" in received[line_end : end + 2].lower():
        return received
    return request_line[: -len(b"1.1")] + b"1.0" + received[line_end:]
