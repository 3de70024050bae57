"""Endless streams and playlists for any player that speaks HTTP."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache, partial
from typing import Final

import trio

from auralisd.edge.door_context import DoorContext
from auralisd.edge.playlists import CONTENT_TYPES, DEFAULT_FORM, base_url, playlist
from auralisd.edge.refusals import answer, linger, refusal, refused, response_head, unknown_name
from auralisd.edge.request_head import RequestHead
from auralisd.edge.rooms import Room
from auralisd.edge.routes import PlaylistRoute, StreamRoute
from auralisd.edge.sockets import local_authority, tune_for_audio
from auralisd.edge.travellers import PassedListener, Traveller
from auralisd.errors import FormatError, RequestRefusedError, UnknownNameError
from auralisd.listening_links import PARAMETER, with_token
from auralisd.transport.codecs import GENRE, wav_header
from auralisd.transport.forms import Form, http_form
from auralisd.transport.icy import METADATA_INTERVAL_BYTES
from auralisd.transport.limits import ListenerLimits
from auralisd.transport.listener import Listener
from auralisd.transport.outlet import Outlet

AUDIO_TYPES: Final = {
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "wav": "audio/wav",
}
NO_REFERRER: Final = ("Referrer-Policy", "no-referrer")
"""A browser that shows a stream as a page asks for an icon, and would say in an address with a link where it is."""

ICY_FORMS: Final = ("mp3", "aac")
KNOWN_HEADS: Final = 64  # of some stations in each form; whoever else is asked for costs a tenth of a millisecond


async def serve_stream(
    context: DoorContext, stream: trio.SocketStream, head: RequestHead, route: StreamRoute, *, client: str
) -> None:
    """Answer ``GET /stream.*`` until the player leaves; ``Range`` is for files, and passed over.

    Whether it may listen is asked now and not again. ``client`` is the address it is known by.
    """
    try:
        room = context.rooms.room(route.station or context.rooms.default_id)
        form = http_form(route.form)
        _let_in(context, head, room, route.form, client)
    except (UnknownNameError, FormatError) as error:
        context.metrics.connection_refused("not_found")
        await answer(stream, unknown_name(error, with_body=head.method != "HEAD"))
        return
    except RequestRefusedError as error:
        await answer(stream, refused(error, with_body=head.method != "HEAD"))
        return
    icy = route.form in ICY_FORMS and head.headers.get("icy-metadata", "").strip() == "1"
    beginning = stream_head(room, route.form, icy=icy)
    if head.method == "HEAD":
        await answer(stream, beginning)
    elif context.headcount.no_room_to_listen:
        await answer(stream, no_room_for_listeners(context))
    else:
        if route.form == "wav":
            beginning += wav_header()
        seconds = head_start_seconds(head.query.get("burst"), form, room.broadcast.limits)
        connection = _Connection(context, stream, room, route.form, icy=icy, head_start_seconds=seconds)
        connection.outlet.preface(beginning)
        await connection.run(connection.hearing(room.broadcast.listening(connection.listener)))


def carried_on(
    context: DoorContext, stream: trio.SocketStream, passed: PassedListener
) -> Callable[[], Awaitable[None]]:
    """Go on with a stream that another process had begun: from now on it gets every packet.

    Returns:
        What sends it all that its socket did not take at once, until the player leaves; it has to be run.

    Raises:
        OSError: the player is gone.
        UnknownNameError, FormatError: its station is gone, or nobody here knows its format.
    """
    room = context.rooms.room(passed.station)
    http_form(passed.form)
    connection = _Connection(context, stream, room, passed.form, icy=passed.icy, head_start_seconds=0.0)
    connection.listener.sent_packets = passed.sent_packets
    connection.outlet.carry_on(passed.tail)
    hearing = ExitStack()
    hearing.enter_context(connection.hearing(room.broadcast.going_on(connection.listener, waiting=passed.waiting)))
    return partial(connection.run, hearing)


def _let_in(context: DoorContext, head: RequestHead, room: Room, form: str, client: str) -> None:
    """Raise RequestRefusedError unless the request may listen."""
    link = head.query.get(PARAMETER)
    context.admission.check(head.facts, client=client, station=room.station.id, form=form, link=link)


async def serve_playlist(
    context: DoorContext, stream: trio.SocketStream, head: RequestHead, route: PlaylistRoute, *, client: str
) -> None:
    """Answer ``GET /listen.m3u`` and ``.pls``; ``?format=`` chooses another stream than MP3.

    Where listening takes a link, the address inside carries the one that the playlist was asked for with, or a fresh
    one for whoever needed none.
    """
    try:
        room = context.rooms.room(route.station or context.rooms.default_id)
        form = head.query.get("format", DEFAULT_FORM)
        http_form(form)
        _let_in(context, head, room, form, client)
    except (UnknownNameError, FormatError) as error:
        context.metrics.connection_refused("not_found")
        await answer(stream, unknown_name(error, with_body=head.method != "HEAD"))
        return
    except RequestRefusedError as error:
        await answer(stream, refused(error, with_body=head.method != "HEAD"))
        return
    base = base_url(head, public_url=context.policy.public_url, local_address=local_authority(stream.socket))
    station = room.station.summary()
    admission = context.admission
    link = admission.carried(head.query.get(PARAMETER), station=station.id, form=form)
    link = link or admission.token(admission.grant(station.id, form=form))
    url = with_token(f"{base}/stations/{station.id}/stream.{form}", link)
    body = playlist(route.kind, title=station.title, url=url).encode()
    headers = [
        ("Content-Type", CONTENT_TYPES[route.kind]),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        NO_REFERRER,
    ]
    await answer(stream, response_head(200, headers) + (b"" if head.method == "HEAD" else body))


def stream_head(room: Room, form: str, *, icy: bool) -> bytes:
    """The head of an endless stream: no length, no chunks, closed when it ends."""
    return _stream_head(room.station.summary().title, form, icy)


@lru_cache(maxsize=KNOWN_HEADS)
def _stream_head(title: str, form: str, icy: bool) -> bytes:
    headers = [
        ("Content-Type", AUDIO_TYPES[form]),
        ("Cache-Control", "no-store"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
        ("X-Content-Type-Options", "nosniff"),
        NO_REFERRER,
        ("icy-name", title),
        ("icy-genre", GENRE),
    ]
    if icy:
        headers.append(("icy-metaint", str(METADATA_INTERVAL_BYTES)))
    return response_head(200, headers)


def no_room_for_listeners(context: DoorContext) -> bytes:
    """The answer to one listener too many."""
    context.metrics.connection_refused("full")
    retry = context.limits.retry_after_seconds
    message = f"there are as many listeners as this server takes; try again in {retry} s"
    return refusal(503, "unavailable", message, headers=[("Retry-After", str(retry))])


def head_start_seconds(asked: str | None, form: Form, limits: ListenerLimits) -> float:
    """The head start a listener gets: what it asked for within what is held, or what its form usually gets."""
    try:
        seconds = float(asked) if asked is not None else form.head_start_seconds
    except ValueError:
        seconds = form.head_start_seconds
    if math.isnan(seconds):
        return form.head_start_seconds
    return min(max(seconds, 0.0), limits.history_seconds)


def outlet_for(
    stream: trio.SocketStream, room: Room, form: Form, *, skipped: Callable[[int], None] = lambda _packets: None
) -> Outlet:
    """The way out to a listener of ``form``, with a kernel buffer that hides nothing.

    Args:
        stream: the connection.
        room: what it listens to.
        form: how.
        skipped: told of packets it misses, which are counted in any case.
    """
    limits, metrics = room.broadcast.limits, room.broadcast.metrics

    def count_skipped(packets: int) -> None:
        metrics.packets_skipped(form.name, packets)
        skipped(packets)

    tune_for_audio(stream.socket, send_buffer_bytes=limits.send_buffer_bytes)
    return Outlet(
        stream,
        backlog_packets=limits.backlog_packets,
        head_start_packets=limits.history_packets,
        evict_after_seconds=(
            limits.evict_after_seconds if form.compressed else limits.evict_uncompressed_after_seconds
        ),
        skipped=count_skipped,
    )


class _Connection:
    """One player and its endless stream."""

    def __init__(
        self,
        context: DoorContext,
        stream: trio.SocketStream,
        room: Room,
        form: str,
        *,
        icy: bool,
        head_start_seconds: float,
    ) -> None:
        self._context = context
        self._stream = stream
        self.outlet = outlet_for(stream, room, http_form(form))
        self.listener = Listener(
            form=http_form(form),
            outlet=self.outlet,
            head_start_seconds=head_start_seconds,
            icy=icy,
            dismiss=lambda _farewell: self.outlet.finish(),
        )
        self._traveller = Traveller(
            station=room.station.id, form=form, listener=self.listener, outlet=self.outlet, stream=stream
        )

    @contextmanager
    def hearing(self, listening: AbstractContextManager[None]) -> Iterator[None]:
        """Count it among the listeners, and those that can travel, while the block runs."""
        with self._context.headcount.listener(), listening:
            self._context.travellers[self._traveller] = None
            try:
                yield
            finally:
                self._context.travellers.pop(self._traveller, None)

    async def run(self, hearing: AbstractContextManager[object]) -> None:
        """Send until the player leaves or is dismissed; let go of the socket in the end."""
        try:
            with hearing, self.outlet.scope:
                await self.outlet.run()
            if self.outlet.ended_by == "finished":
                await linger(self._stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the player left while we said goodbye
        finally:
            self.outlet.close()
