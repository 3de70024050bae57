"""Sound, state and controls over one WebSocket.

trio-websocket does the handshake and the protocol's own frames (close, ping, pong);
the hub writes the audio to the same socket itself. Both pass through one `Outlet`,
frame by frame.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from auralisd.edge import ws_messages as messages
from auralisd.edge.door_context import DoorContext
from auralisd.edge.http_audio import no_room_for_listeners, outlet_for
from auralisd.edge.refusals import answer, linger, refused, unknown_name
from auralisd.edge.request_head import RequestHead
from auralisd.edge.rooms import Room
from auralisd.edge.routes import WebSocketRoute
from auralisd.edge.travellers import PassedListener, PassedTalk, Traveller
from auralisd.edge.ws_handshake import Handshake, read_handshake
from auralisd.edge.ws_session import Session
from auralisd.edge.ws_stream import RECEIVE_BYTES, WebSocketStream
from auralisd.errors import FormatError, RequestRefusedError, UnknownNameError
from auralisd.listening_links import PARAMETER
from auralisd.rate_limit import RateLimit
from auralisd.transport.forms import V0_FORM, WEBSOCKET_FORMS
from auralisd.transport.listener import Farewell, Listener, Resume, Welcome

CLOSE_NORMAL: Final = 1000
CLOSE_STOPPING: Final = 1001
CLOSE_NOT_UNDERSTOOD: Final = (1002, 1007)  # not the protocol, not UTF-8; trio-websocket keeps them to itself
CLOSE_POLICY: Final = 1008
CLOSE_TOO_BIG: Final = 1009  # sent by trio-websocket, which then reads no more
CLOSE_TOO_SLOW: Final = 4000
CLOSE_UNINVITED: Final = 4001
CLOSE_FULL: Final = 4003
HANDSHAKE_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 0.8  # within the second that a goodbye to everybody may take
_COUNT: Final = re.compile("[0-9]{1,19}")
MOST_SKIPPED_PACKETS: Final = 100
SKIPPED_WINDOW_SECONDS: Final = 30.0
"""Ten of thirty seconds missed: the line does not carry this form, and the page should ask for a smaller one."""
FAREWELLS_AT_ONCE: Final = 64
"""So many who may not stay are told so in a way a browser can read; past that there is only the bare answer."""
UNINVITED_RETRY_MS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Whose WebSocket it is.

    Attributes:
        client: the address it is known by.
        may_control: whether it may change things.
        may_listen: whether the next connection of its page may listen.
        resume: where it says it was cut off.
        rest: what came after its request.
    """

    client: str
    may_control: bool
    may_listen: bool
    resume: Resume | None = None
    rest: bytes = b""


async def serve_websocket(
    context: DoorContext, stream: trio.SocketStream, head: RequestHead, route: WebSocketRoute, *, client: str
) -> None:
    """Answer a WebSocket until either side has had enough of it.

    Args:
        context: what the door shares.
        stream: the connection, its head read.
        head: that head.
        route: which station it is for.
        client: the address it is known by.
    """
    try:
        room = context.rooms.room(route.station or context.rooms.default_id)
        handshake = read_handshake(head)
    except UnknownNameError as error:
        context.metrics.connection_refused("not_found")
        await answer(stream, unknown_name(error))
        return
    except RequestRefusedError as error:
        context.metrics.connection_refused("bad_request")
        await answer(stream, refused(error))
        return
    uninvited = _invitation_refused(context, head, room, handshake, client)
    if uninvited is not None and (uninvited.code == "rate_limited" or context.headcount.farewells >= FAREWELLS_AT_ONCE):
        await answer(stream, refused(uninvited))
        return
    if _is_one_too_many(context, handshake) and context.headcount.farewells >= FAREWELLS_AT_ONCE:
        await answer(stream, no_room_for_listeners(context))
        return
    link = head.query.get(PARAMETER)
    guest = Guest(
        client=client,
        may_control=context.policy.may_control(head.facts),
        may_listen=context.admission.may_listen(head.facts, station=room.station.id, link=link),
        resume=_resume(head.query),
        rest=head.rest,
    )
    connection = _Connection(context, stream, room, handshake, guest, invited=uninvited is None)
    await connection.run()


def carried_on_websocket(
    context: DoorContext, stream: trio.SocketStream, passed: PassedListener, talk: PassedTalk
) -> Callable[[], Awaitable[None]]:
    """Go on with a WebSocket that another process had opened: from now on it gets every packet.

    The library is shown the handshake once more and its answer is kept back, for the client has one.

    Returns:
        What converses with its client until either has had enough of it; it has to be run.

    Raises:
        OSError: the client is gone.
        UnknownNameError, FormatError: its station is gone, or nobody here knows its format.
    """
    room = context.rooms.room(passed.station)
    if passed.form not in WEBSOCKET_FORMS:
        raise FormatError(passed.form, tuple(WEBSOCKET_FORMS))
    handshake = Handshake(form=WEBSOCKET_FORMS[passed.form], subprotocol=talk.subprotocol, head=talk.request)
    guest = Guest(client=talk.client, may_control=talk.may_control, may_listen=talk.may_listen)
    connection = _Connection(context, stream, room, handshake, guest, passed=passed)
    return connection.run


def _invitation_refused(
    context: DoorContext, head: RequestHead, room: Room, handshake: Handshake, client: str
) -> RequestRefusedError | None:
    """Why the client may not hear the station, or None; whoever only watches hears nothing."""
    if handshake.form.source is None:
        return None
    link = head.query.get(PARAMETER)
    try:
        context.admission.check(head.facts, client=client, station=room.station.id, form=None, link=link)
    except RequestRefusedError as error:
        return error
    return None


class _Connection:
    """One WebSocket from its handshake to its close."""

    def __init__(
        self,
        context: DoorContext,
        stream: trio.SocketStream,
        room: Room,
        handshake: Handshake,
        guest: Guest,
        *,
        invited: bool = True,
        passed: PassedListener | None = None,
    ) -> None:
        self._context = context
        self._stream = stream
        self._room = room
        self._handshake = handshake
        self._guest = guest
        self._invited = invited
        self._skips = RateLimit(per_second=MOST_SKIPPED_PACKETS / SKIPPED_WINDOW_SECONDS, burst=MOST_SKIPPED_PACKETS)
        self._outlet = outlet_for(stream, room, handshake.form, skipped=self._skipped)
        self._frames = WebSocketStream(stream, self._outlet, handshake.head, guest.rest, answered=passed is not None)
        self._conversation = trio.CancelScope()
        self._code = CLOSE_NORMAL
        self._farewell: Farewell | None = None
        self._parted = False  # both sides have closed: nothing is left to be read
        self._conversing = False
        self._answered = 0
        self._session = Session(context, room, client=guest.client, may_control=guest.may_control)
        self._listener = Listener(
            form=handshake.form,
            outlet=self._outlet,
            head_start_seconds=handshake.form.head_start_seconds,
            greet=None if handshake.form is V0_FORM else self._greet,
            resume=guest.resume,
            dismiss=self._dismiss,
        )
        self._traveller = Traveller(
            station=room.station.id,
            form=next(name for name, form in WEBSOCKET_FORMS.items() if form is handshake.form),
            listener=self._listener,
            outlet=self._outlet,
            stream=stream,
            talk=self,
        )
        self._hearing = ExitStack()
        self._is_carried_on = passed is not None
        if passed is not None:
            self._carry_on(passed)

    def pause(self) -> None:
        """Read nothing more from the client until `go_on`."""
        self._frames.pause()

    def go_on(self) -> None:
        """Read again after `pause`."""
        self._frames.go_on()

    @property
    def at_rest(self) -> bool:
        """Whether nothing is read any more, every message was whole, and all are answered."""
        return self._conversing and self._farewell is None and self._frames.at_rest(self._answered)

    def passed(self) -> PassedTalk:
        """What another process needs to go on with it, while it is at rest."""
        return PassedTalk(
            request=self._handshake.head,
            subprotocol=self._handshake.subprotocol,
            client=self._guest.client,
            may_control=self._session.may_control,
            may_listen=self._guest.may_listen,
        )

    async def run(self) -> None:
        """Shake hands, then converse, or turn the client away; let go of the socket in the end."""
        try:
            with self._hearing, self._outlet.scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._outlet.run, name="sender")
                    websocket = await self._accepted(nursery)
                    if websocket is None:
                        pass
                    elif not self._invited:
                        farewell = Farewell(reason="uninvited", retry_ms=UNINVITED_RETRY_MS)
                        await self._turn_away(websocket, CLOSE_UNINVITED, farewell)
                    elif self._is_carried_on:
                        await self._listen(websocket)
                    elif _is_one_too_many(self._context, self._handshake):  # asked now: many shake hands at once
                        self._context.metrics.connection_refused("full")
                        retry_ms = self._context.limits.retry_after_seconds * 1000
                        await self._turn_away(websocket, CLOSE_FULL, Farewell(reason="full", retry_ms=retry_ms))
                    else:
                        listening = self._room.broadcast.listening(self._listener)
                        self._hearing.enter_context(self._counted(listening))
                        await self._listen(websocket)
                    self._outlet.finish()
                    await trio.sleep(CLOSE_SECONDS)  # the sender ends the scope once all that waited has gone
                    nursery.cancel_scope.cancel()
            if not self._parted:
                with trio.move_on_after(CLOSE_SECONDS):
                    await linger(self._stream)
        except* (ConnectionClosed, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client left in the middle of something
        finally:
            self._outlet.close()

    async def _accepted(self, nursery: trio.Nursery) -> WebSocketConnection | None:
        with trio.move_on_after(HANDSHAKE_SECONDS):
            request = await wrap_server_stream(
                nursery,
                self._frames,
                message_queue_size=1,
                max_message_size=messages.MAX_MESSAGE_BYTES,
                receive_buffer_size=RECEIVE_BYTES,
            )
            websocket = await request.accept(subprotocol=self._handshake.subprotocol)
            self._frames.accepted.set()
            return websocket
        return None

    async def _turn_away(self, websocket: WebSocketConnection, code: int, farewell: Farewell) -> None:
        """Say why it may not stay; a browser can read a close code, but not a refused handshake."""
        with self._context.headcount.farewell():
            await self._part(websocket, code, farewell)

    async def _listen(self, websocket: WebSocketConnection) -> None:
        with self._hearing:
            with self._conversation:
                await self._answer_messages(websocket)
            if self._frames.flooded:
                self._context.metrics.listener_evicted("flood")
                self._outlet.push(close_frame(CLOSE_POLICY, "more than the limits in hello allow"))
            else:
                await self._part(websocket, self._code, self._farewell)

    def _carry_on(self, passed: PassedListener) -> None:
        """Be where another process was with it: what it had yet to send goes first, then the next packet."""
        self._listener.sent_packets = passed.sent_packets
        self._outlet.carry_on(passed.tail)
        going_on = self._room.broadcast.going_on(self._listener, waiting=passed.waiting)
        self._hearing.enter_context(self._counted(going_on))

    @contextmanager
    def _counted(self, listening: AbstractContextManager[None]) -> Iterator[None]:
        """Count it among the listeners, if it hears anything, and those that can travel, while the block runs."""
        is_listener = self._handshake.form.source is not None
        with self._context.headcount.listener() if is_listener else nullcontext(), listening:
            self._context.watch(self._room)
            self._context.travellers[self._traveller] = None
            try:
                yield
            finally:
                self._context.travellers.pop(self._traveller, None)

    def _greet(self, welcome: Welcome) -> bytes:
        may_control = self._session.may_control
        may_listen = self._guest.may_listen or may_control
        station, form = self._room.station, self._handshake.form
        hello = messages.hello(station, form, welcome, may_control=may_control, may_listen=may_listen)
        return messages.json_frame(hello) + messages.json_frame(messages.state(station))

    def _dismiss(self, farewell: Farewell) -> None:
        self._leave(CLOSE_STOPPING, farewell)

    def _skipped(self, packets: int) -> None:
        """Part with a listener whose line is too slow for its form, in words its page can act upon."""
        if not self._skips.allows(trio.current_time(), packets) and self._farewell is None:
            self._context.metrics.listener_evicted("too_slow")
            self._outlet.hush()
            self._leave(CLOSE_TOO_SLOW, Farewell(reason="too_slow", retry_ms=0))

    def _leave(self, code: int, farewell: Farewell) -> None:
        if self._farewell is None:
            self._code, self._farewell = code, farewell
        self._conversation.cancel()

    async def _answer_messages(self, websocket: WebSocketConnection) -> None:
        self._conversing = True
        try:
            while True:
                reply = self._session.reply_to(await websocket.get_message())
                if reply is not None:
                    await self._outlet.send(messages.json_frame(reply))
                self._answered += 1
        except (ConnectionClosed, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client left, or was told to
        finally:
            self._conversing = False

    async def _part(self, websocket: WebSocketConnection, code: int, farewell: Farewell | None) -> None:
        """Close properly if the client goes along with it in time; the first protocol knows no ``bye``."""
        with trio.move_on_after(CLOSE_SECONDS, shield=True) as patience:
            if farewell is not None and self._handshake.form is not V0_FORM:
                await self._outlet.send(messages.json_frame(messages.bye(farewell)))
            await websocket.aclose(code, farewell.reason if farewell else None)
        found = websocket.closed.code if websocket.closed is not None else code
        if found in CLOSE_NOT_UNDERSTOOD and not self._frames.close_sent:
            self._outlet.push(close_frame(found, "these are not the frames of a WebSocket client"))
        self._parted = not patience.cancelled_caught and found not in (CLOSE_TOO_BIG, *CLOSE_NOT_UNDERSTOOD)


def _is_one_too_many(context: DoorContext, handshake: Handshake) -> bool:
    """Whether there is no room for another listener; who only watches takes none."""
    return handshake.form.source is not None and context.headcount.no_room_to_listen


def close_frame(code: int, reason: str) -> bytes:
    """A close frame from a server (RFC 6455, section 5.5.1); ``reason`` of at most 123 bytes."""
    payload = code.to_bytes(2) + reason.encode()
    return bytes([0x88, len(payload)]) + payload


def _resume(query: Mapping[str, str]) -> Resume | None:
    """Where the client says it was cut off, or None."""
    epoch, position = query.get("epoch", ""), query.get("position", "")
    if not (_COUNT.fullmatch(epoch) and _COUNT.fullmatch(position)):
        return None
    return Resume(epoch=int(epoch), position=int(position))
