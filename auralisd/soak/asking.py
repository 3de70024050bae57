"""One request, one answer, over a connection of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import h11
import trio

PATIENCE_SECONDS: Final = 5.0
MOST_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back.

    Attributes:
        status: of HTTP; 0 where there was no answer in time.
        body: all of it.
    """

    status: int
    body: bytes = b""

    @property
    def went_well(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; an empty object where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


async def ask(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    *,
    host: str | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Reply:
    """Ask the daemon; never raises because of what it answers, or that it does not."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = [("Host", host or f"127.0.0.1:{port}"), ("Connection", "close"), ("Content-Length", str(len(content)))]
    if body is not None:
        headers.append(("Content-Type", "application/json"))
    protocol = h11.Connection(h11.CLIENT)
    request = protocol.send(h11.Request(method=method, target=path, headers=headers)) or b""
    sent = request + (protocol.send(h11.Data(data=content)) or b"") + (protocol.send(h11.EndOfMessage()) or b"")
    reply = Reply(status=0)
    with trio.move_on_after(patience_seconds):
        try:
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                await stream.send_all(sent)
                reply = await _answer(stream, protocol)
        except (OSError, trio.BrokenResourceError, h11.RemoteProtocolError):
            return Reply(status=0)
    return reply


async def _answer(stream: trio.SocketStream, protocol: h11.Connection) -> Reply:
    status, body = 0, bytearray()
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            protocol.receive_data(await stream.receive_some())
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BYTES:
                return Reply(status=0)
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return Reply(status=status, body=bytes(body))
