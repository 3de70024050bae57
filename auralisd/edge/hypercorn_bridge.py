"""The only place that knows Hypercorn: one request of the web app, on a connection the front door accepted.

Hypercorn answers a single request whose head the door has read already, and then the
connection closes. Its defects that touch us are cured here:

* an exception in a connection ends the whole server: `WebBridge.serve` is run inside
  the door's guard, one call per connection;
* it shields its sends, so that a reader who stalls can never be sent away: ours have a
  deadline and can be cancelled;
* under Quart-Trio the end of a response cancels the task that sends it, and the
  connection stays open: the last send is shielded;
* it takes 64 KiB at a time, and a flood of tiny chunks in them freezes the loop: ours
  are small;
* each chunk of a body costs it a tenth of a millisecond, and a body may be one byte a
  chunk: after so many the request is refused;
* bytes after the request it was to answer turn the answer into a 400: they are not
  handed on;
* where the rest of a request is not HTTP it says 400 and nothing else: ours is in the
  error form;
* it reads on while it closes, so that an answer given before the whole body had come
  could be lost to a reset: ours stops reading first, and who closes reads what is left;
* it speaks HTTP/2 to whoever asks: neither ``PRI *`` nor an upgrade comes this far.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, cast

import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Event, RawData
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework

from auralisd.edge.refusals import error_body, linger, refusal
from auralisd.edge.request_head import RequestHead
from auralisd.errors import WebAppError

log = structlog.get_logger(__name__)

type Message = MutableMapping[str, Any]
type ASGIApp = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

RECEIVE_BYTES: Final = 4096
BODY_PIECES_MOST: Final = 512
"""Of one body, as it comes from HTTP: a reading or a chunk each. 64 KiB in a slow network's segments are 130."""

SEND_SECONDS: Final = 30.0  # for one piece of a response to be taken
LIFESPAN_SECONDS: Final = 0.5  # what an app has to tidy up
_BARE_REFUSAL: Final = re.compile(rb"HTTP/1\.1 (4\d\d) \r\ncontent-length: 0\r\n")  # the app's have a body


class WebBridge:
    """Hands requests to an ASGI app through Hypercorn's Trio server."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the app; `lifespan` starts it."""
        self._app = app
        self._wrapped = ASGIWrapper(cast(ASGIFramework, _with_shielded_end(_with_bounded_body(app))))
        self._config = Config()
        self._config.accesslog = None
        self._config.errorlog = logging.getLogger("hypercorn.error")
        self._config.include_server_header = False
        self._context = WorkerContext(None)

    async def serve(self, stream: trio.SocketStream, head: RequestHead, *, client: str | None) -> None:
        """Have one request answered.

        Whatever is wrong with the rest of the request may come out as any exception; the caller
        ends the connection and nothing else.

        Args:
            stream: the connection, its head read.
            head: that head.
            client: whom the app is to see as ``scope["client"]``: the peer, or whom a trusted proxy named.
        """
        state = {} if client is None else {_CLIENT: client}
        # Of an SSLStream Hypercorn uses no more than any stream has, but for a handshake it does without.
        replayed = cast("trio.SSLStream[trio.SocketStream]", _ReplayedStream(stream, head))
        await _OneRequestServer(self._wrapped, self._config, self._context, state, replayed).run()

    async def lifespan(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Tell the app that it starts, and when cancelled that it stops; an app may not care.

        Raises:
            WebAppError: the app says that it cannot start.
        """
        conversation = _Lifespan(self._app)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(conversation.run_app, name="web app lifespan")
            try:
                await conversation.start()
                task_status.started()
                await trio.sleep_forever()
            finally:
                await conversation.stop()


class _Lifespan:
    """The ASGI lifespan of one app, from our side."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._to_app, self._inbox = trio.open_memory_channel[Message](2)
        self._started, self._stopped = trio.Event(), trio.Event()
        self._failure: str | None = None
        # It outlives a cancellation by as long as it takes to hear of the shutdown.
        self._scope = trio.CancelScope(shield=True)

    async def run_app(self) -> None:
        """Run the app's side; an app that raises before it has started knows no lifespan, and that is fine."""
        scope: Message = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            with self._scope:
                await self._app(scope, self._inbox.receive, self._send)
        except Exception:
            if self._started.is_set():
                log.exception("the web app's lifespan ended early")
        finally:
            self._started.set()
            self._stopped.set()

    async def start(self) -> None:
        await self._to_app.send({"type": "lifespan.startup"})
        await self._started.wait()
        if self._failure is not None:
            raise WebAppError(self._failure)

    async def stop(self) -> None:
        with trio.move_on_after(LIFESPAN_SECONDS, shield=True):
            self._to_app.send_nowait({"type": "lifespan.shutdown"})
            await self._stopped.wait()
        self._scope.cancel()

    async def _send(self, message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            self._failure = str(message.get("message") or "the web app did not start")
        (self._started if message["type"].startswith("lifespan.startup.") else self._stopped).set()
        await trio.lowlevel.checkpoint()


_CLIENT: Final = "auralisd.client"


def _with_shielded_end(app: ASGIApp) -> ASGIApp:
    """``app``, whose last send is not cancelled by what that send sets off; and who sees the real client."""

    async def shielded(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        async def send_shielded(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                with trio.CancelScope(shield=True):  # bounded: each send below has its deadline
                    await send(message)
            else:
                await send(message)

        client = scope.get("state", {}).get(_CLIENT)
        if client is not None:
            port = scope["client"][1] if scope.get("client") else 0
            scope = {**scope, "client": (client, port)}
        await app(scope, receive, send_shielded)

    return shielded


def _with_bounded_body(app: ASGIApp) -> ASGIApp:
    """``app``, which does not see more than ``BODY_PIECES_MOST`` pieces of a body; then 400, and it is over."""

    async def bounded(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        pieces, answering, refused = 0, False, False

        async def receive_bounded() -> Message:
            nonlocal pieces, refused
            message = await receive()
            pieces += message["type"] == "http.request"
            if pieces <= BODY_PIECES_MOST:
                return message
            if not refused and not answering:
                refused = True
                await _refuse(send, 400, "bad_request", f"the body came in more than {BODY_PIECES_MOST} pieces")
            return {"type": "http.disconnect"}

        async def send_unless_refused(message: Message) -> None:
            nonlocal answering
            if refused:
                await trio.lowlevel.checkpoint()
                return
            answering = True
            await send(message)

        await app(scope, receive_bounded, send_unless_refused)

    return bounded


async def _refuse(send: Callable[[Message], Awaitable[None]], status: int, code: str, message: str) -> None:
    body = json.dumps(error_body(code, message)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class _OneRequestServer(TCPServer):
    """Hypercorn's connection with sends that have a deadline."""

    async def protocol_send(self, event: Event) -> None:
        """Send a piece of the response; a peer that takes nothing for too long is cut off."""
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        data = event.data
        if refused := _BARE_REFUSAL.match(data):
            code = "too_large" if refused[1] == b"431" else "bad_request"
            data = refusal(int(refused[1]), code, "the body is not what HTTP says of bodies")
        async with self.send_lock:
            with trio.move_on_after(SEND_SECONDS) as patience:
                # Of a peer that is gone the reading side takes notice, and tells the app.
                with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await self.stream.send_all(data)
        if patience.cancelled_caught:
            await trio.aclose_forcefully(self.stream)


class _ReplayedStream(trio.abc.HalfCloseableStream):
    """The connection as Hypercorn sees it: the head once more, then the body in small pieces, then nothing."""

    def __init__(self, stream: trio.SocketStream, head: RequestHead) -> None:
        self._stream = stream
        self._before = head.replayed() + head.rest
        self._left = _request_bytes(head)
        self._ended = False
        self._reading = trio.CancelScope()
        self._closed = trio.Event()

    @property
    def socket(self) -> trio.socket.SocketType:
        """Whom Hypercorn asks for the addresses."""
        return self._stream.socket

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """The next few bytes of the request; once it is complete, only word of the peer's leaving.

        Raises:
            trio.ClosedResourceError: the response is complete, and the connection is closed.
        """
        if not self._ended:
            with trio.CancelScope() as self._reading:
                return await self._next_piece(min(max_bytes or RECEIVE_BYTES, RECEIVE_BYTES))
        await self._closed.wait()
        raise trio.ClosedResourceError

    async def _next_piece(self, size: int) -> bytes | bytearray:
        while True:
            if self._before:
                await trio.lowlevel.checkpoint()
                data: bytes | bytearray = self._before[:size]
                self._before = self._before[size:]
            else:
                data = await self._stream.receive_some(size)
            if self._left is None or not data:
                return data
            piece = data[: self._left]
            self._left -= len(piece)
            if piece:
                return piece

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Pass a piece of the response on."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """As the socket has it."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """The response is complete; what is left of the request is for `aclose` to read."""
        self._ended = True
        self._reading.cancel()
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close, once the peer has had the chance to read the response."""
        try:
            if self._ended:
                await linger(self._stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
            pass  # nobody is left to read it
        finally:
            self._closed.set()
            await trio.aclose_forcefully(self._stream)


def _request_bytes(head: RequestHead) -> int | None:
    """How many bytes the whole request has; None where only its chunks can tell."""
    if "transfer-encoding" in head.headers:
        return None
    return len(head.replayed()) + int(head.headers.get("content-length", "0"))  # h11 has seen that it is a number
