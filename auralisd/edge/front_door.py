"""The one port: accepts, reads the head of each request, and hands it to whoever answers it.

::

    serve_front_door
    ├── web app lifespan
    ├── announcer of each watched station
    ├── accept, per listening socket
    └── connection
        ├── stream, playlist    http_audio
        ├── WebSocket           ws_audio
        └── anything else       hypercorn_bridge

Nothing a client sends ends more than its own connection.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

import structlog
import trio

from auralisd.access import AccessPolicy, household
from auralisd.admission import Admission
from auralisd.edge.announcer import Announcer
from auralisd.edge.door_context import DoorContext
from auralisd.edge.door_limits import DoorLimits, DoorMetrics, NoDoorMetrics
from auralisd.edge.headcount import Headcount
from auralisd.edge.http_audio import carried_on, serve_playlist, serve_stream
from auralisd.edge.hypercorn_bridge import ASGIApp, WebBridge
from auralisd.edge.refusals import answer, refusal
from auralisd.edge.request_head import RequestHead, read_head
from auralisd.edge.rooms import Rooms
from auralisd.edge.routes import StreamRoute, WebSocketRoute, route_of
from auralisd.edge.sockets import open_listeners, peer_address, tune_connection
from auralisd.edge.travellers import PassedListener, Traveller
from auralisd.edge.ws_audio import carried_on_websocket, serve_websocket
from auralisd.errors import FormatError, HeadRefusedError, PeerGoneError, UnknownNameError

__all__ = ["DoorLimits", "FrontDoor", "open_listeners", "serve_front_door"]

log = structlog.get_logger(__name__)

TURNED_AWAY_AT_ONCE: Final = 64
"""So many of those there is no room for are told so; past that a connection is just closed."""
ACCEPT_PAUSE_SECONDS: Final = 0.1
RETRY_MS: Final = 2000
_NO_MORE_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


async def serve_front_door(
    *,
    listeners: Sequence[trio.SocketListener],
    rooms: Rooms,
    app: ASGIApp,
    policy: AccessPolicy,
    limits: DoorLimits | None = None,
    stopping: trio.Event,
    admission: Admission | None = None,
    metrics: DoorMetrics | None = None,
    task_status: trio.TaskStatus[FrontDoor] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until ``stopping`` is set; then say goodbye to every listener and return.

    Args:
        listeners: listening sockets, closed in the end.
        rooms: the stations.
        app: the web app, for every request that is not for sound.
        policy: who may connect and who may change things; asked at every request, so it may change meanwhile.
        limits: what a connection may cost; the same.
        stopping: set it to close the door. Nobody comes in any more; the stations may fade out and say
            goodbye by themselves, and who is left then is shown out, stalled listeners too.
        admission: who may listen; everybody where there is none.
        metrics: where to count.
        task_status: started with the door once connections are accepted.
    """
    limits = limits or DoorLimits()
    async with trio.open_nursery() as background:
        bridge = WebBridge(app)
        await background.start(bridge.lifespan)
        context = DoorContext(
            rooms=rooms,
            policy=policy,
            admission=admission or Admission(policy),
            limits=limits,
            metrics=metrics or NoDoorMetrics(),
            headcount=Headcount(limits),
            watch=Announcer(background).watch,
        )
        async with trio.open_nursery() as connections:
            door = FrontDoor(context, bridge, connections)
            try:
                async with trio.open_nursery() as accepting:
                    for listener in listeners:
                        accepting.start_soon(door.accept, listener, name="accept")
                    task_status.started(door)
                    await stopping.wait()
                    accepting.cancel_scope.cancel()
            finally:
                for listener in listeners:
                    listener.socket.close()
            await door.empty(within_seconds=limits.fade_out_seconds)
            await door.say_goodbye()
            await door.empty(within_seconds=limits.farewell_seconds)
            connections.cancel_scope.cancel()
        background.cancel_scope.cancel()


class FrontDoor:
    """What happens to a connection between its acceptance and whoever answers it."""

    def __init__(self, context: DoorContext, bridge: WebBridge, connections: trio.Nursery) -> None:
        """Open, with nobody inside; each connection gets a task in ``connections``."""
        self._context = context
        self._bridge = bridge
        self._connections = connections
        self._reopened: trio.Event | None = None
        self._accepting: set[trio.CancelScope] = set()
        self._turned_away = 0
        self._open_connections = 0
        self._somebody_left = trio.Event()

    async def empty(self, *, within_seconds: float) -> None:
        """Return when everybody has left, or after ``within_seconds``."""
        with trio.move_on_after(within_seconds):
            while self._open_connections:
                await self._somebody_left.wait()

    @property
    def travellers(self) -> tuple[Traveller, ...]:
        """Who can pass to another process while they listen."""
        return tuple(self._context.travellers)

    def shut(self) -> None:
        """Accept nobody until `reopen`; who comes meanwhile waits with the kernel."""
        if self._reopened is None:
            self._reopened = trio.Event()
        for scope in self._accepting:
            scope.cancel()

    def reopen(self) -> None:
        """Accept again."""
        reopened, self._reopened = self._reopened, None
        if reopened is not None:
            reopened.set()

    async def settled(self, *, within_seconds: float) -> None:
        """Return when only listeners are inside, or after ``within_seconds``."""
        with trio.move_on_after(within_seconds):
            while self._open_connections > len(self._context.travellers):
                await self._somebody_left.wait()

    async def part(self, travellers: Sequence[Traveller], *, within_seconds: float) -> int:
        """Let go of ``travellers`` without a word, for another process goes on with them; say goodbye to the rest.

        Returns:
            How many were told goodbye.
        """
        for traveller in travellers:
            traveller.outlet.close()
            traveller.outlet.scope.cancel()
        await trio.lowlevel.checkpoint()
        passed = self._context.travellers.keys() & set(travellers)
        left = self._context.headcount.listeners - sum(one.listener.form.source is not None for one in passed)
        await self.say_goodbye(retry_ms=0)
        await self.empty(within_seconds=within_seconds)
        return left

    def admit(self, connection: socket.socket, passed: PassedListener) -> bool:
        """Go on with a listener of another process, whether or not there is room: it was let in already.

        Never waits: it gets the next packet, though its task has yet to start. False if that is not possible, and
        it is closed.
        """
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(connection))
        with ExitStack() as inside:
            try:
                inside.enter_context(self._context.headcount.connection(peer_address(stream.socket)))
                talk = passed.talk
                send = (
                    carried_on(self._context, stream, passed)
                    if talk is None
                    else carried_on_websocket(self._context, stream, passed, talk)
                )
            except (OSError, UnknownNameError, FormatError):  # gone on the way, or what it hears is
                stream.socket.close()
                return False
            serve = partial(self._carry_on, inside.pop_all(), send)
        self._connections.start_soon(self._guarded, stream, serve, name="connection")
        return True

    async def accept(self, listener: trio.SocketListener) -> None:
        """Accept for ever, save while the door is shut; when descriptors run out, wait for some to come back."""
        while True:
            if self._reopened is not None:
                await self._reopened.wait()
            stream = None
            try:
                with trio.CancelScope() as scope:
                    self._accepting.add(scope)
                    stream = await listener.accept()
            except OSError as error:
                if error.errno not in _NO_MORE_DESCRIPTORS:
                    raise
                self._context.metrics.connection_error_contained("accept")
                log.warning("no connection could be accepted", error=error.strerror)
                await trio.sleep(ACCEPT_PAUSE_SECONDS)
            finally:
                self._accepting.discard(scope)
            if stream is not None:
                self._connections.start_soon(self._guarded, stream, partial(self._serve, stream), name="connection")

    async def say_goodbye(self, *, retry_ms: int = RETRY_MS) -> None:
        """Let the listeners of every station go, all at once; they may come back after ``retry_ms``."""
        async with trio.open_nursery() as nursery:
            for station_id in self._context.rooms.ids():
                broadcast = self._context.rooms.room(station_id).broadcast
                goodbye = partial(broadcast.say_goodbye, retry_ms=retry_ms, reason="stopping")
                nursery.start_soon(goodbye, name=f"goodbye of {station_id}")

    async def _guarded(self, stream: trio.SocketStream, serve: Callable[[], Awaitable[None]]) -> None:
        """Serve one connection; whatever goes wrong in it ends there."""
        metrics = self._context.metrics
        metrics.connection_opened()
        self._open_connections += 1
        try:
            await serve()
        except Exception as error:  # the boundary of a connection: the fault costs its cause, and nobody else
            metrics.connection_error_contained("request")
            log.warning("a connection failed", error=repr(error), exc_info=True)
        finally:
            metrics.connection_closed()
            self._open_connections -= 1
            self._somebody_left.set()
            self._somebody_left = trio.Event()
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    async def _serve(self, stream: trio.SocketStream) -> None:
        context = self._context
        try:
            tune_connection(stream.socket)
            peer = peer_address(stream.socket)
        except OSError:
            return  # gone before it was looked at
        no_room = context.headcount.refusal(peer)
        if no_room is not None and self._turned_away >= TURNED_AWAY_AT_ONCE:
            context.metrics.connection_refused(no_room)
            return
        try:
            if no_room is not None:
                await self._turn_away(stream, no_room)
                return
            with context.headcount.connection(peer):
                head = await self._read_head(stream)
                await self._dispatch(stream, head, peer)
        except HeadRefusedError as error:
            context.metrics.connection_refused(error.reason)
            await answer(stream, refusal(error.status, error.code, str(error)))
        except PeerGoneError:
            pass

    async def _carry_on(self, inside: ExitStack, send: Callable[[], Awaitable[None]]) -> None:
        with inside:
            await send()

    async def _read_head(self, stream: trio.SocketStream) -> RequestHead:
        limits = self._context.limits
        return await read_head(stream, within_seconds=limits.head_seconds, max_bytes=limits.head_bytes)

    async def _turn_away(self, stream: trio.SocketStream, reason: str) -> None:
        """Answer 503 once the request is read, or its sender would see a reset instead."""
        self._turned_away += 1
        try:
            await self._read_head(stream)
            self._context.metrics.connection_refused(reason)
            retry = self._context.limits.retry_after_seconds
            message = f"there are as many connections as this server takes; try again in {retry} s"
            await answer(stream, refusal(503, "unavailable", message, headers=[("Retry-After", str(retry))]))
        finally:
            self._turned_away -= 1

    async def _dispatch(self, stream: trio.SocketStream, head: RequestHead, peer: str | None) -> None:
        context = self._context
        route = route_of(head.path)
        with_body = head.method != "HEAD"
        is_audio = route is not None and head.method in ("GET", "HEAD")
        refused_host = context.policy.host_refusal(head.facts, host_required=not is_audio)
        if refused_host is not None:
            context.metrics.connection_refused("misdirected")
            await answer(stream, refusal(421, "misdirected", refused_host, with_body=with_body))
        elif "upgrade" in head.headers or isinstance(route, WebSocketRoute):
            await self._upgrade(stream, head, route if isinstance(route, WebSocketRoute) else None, peer)
        elif route is None:
            await self._bridge.serve(stream, head, client=self._client(head, peer))
        elif not is_audio:
            message = f"{head.method} is not possible here; a stream can only be listened to"
            await answer(stream, refusal(405, "method_not_allowed", message, headers=[("Allow", "GET, HEAD")]))
        elif isinstance(route, StreamRoute):
            await serve_stream(context, stream, head, route, client=household(self._client(head, peer)))
        else:
            await serve_playlist(context, stream, head, route, client=household(self._client(head, peer)))

    async def _upgrade(
        self, stream: trio.SocketStream, head: RequestHead, route: WebSocketRoute | None, peer: str | None
    ) -> None:
        """A WebSocket of ours; nothing else is upgraded to."""
        context = self._context
        protocol = head.headers.get("upgrade", "").strip().lower()
        if route is None or protocol != "websocket":
            context.metrics.connection_refused("upgrade")
            message = "the only upgrade here is to a WebSocket, at /ws/stream and /ws/stations/{id}/stream"
            await answer(stream, refusal(400, "bad_request", message, with_body=head.method != "HEAD"))
            return
        refused_origin = context.policy.origin_refusal(head.facts)
        if refused_origin is not None:
            context.metrics.connection_refused("forbidden")
            await answer(stream, refusal(403, "forbidden", refused_origin))
            return
        await serve_websocket(context, stream, head, route, client=household(self._client(head, peer)))

    def _client(self, head: RequestHead, peer: str | None) -> str | None:
        """Who asks: the peer, or whom the last trusted proxy in the row says it spoke to."""
        limits = self._context.limits
        if not limits.trusts(peer):
            return peer
        for address in reversed(head.headers.get("x-forwarded-for", "").split(",")):
            if address.strip() and not limits.trusts(address.strip()):
                return address.strip()
        return peer
