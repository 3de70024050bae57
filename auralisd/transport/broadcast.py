"""One station on the air: every form of it, what is held of it, and everybody who listens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import trio

from auralisd.transport.chunk import EncodedChunk
from auralisd.transport.forms import HTTP_FORMS, PCM, Form
from auralisd.transport.history import HeldChunk, History
from auralisd.transport.hub import Delivery, Hub, IcyHub, PassedBlocks
from auralisd.transport.limits import ListenerLimits, NoMetrics, TransportMetrics, packets_in
from auralisd.transport.listener import Farewell, Listener, Welcome
from auralisd.transport.volley import Volley

STALE_SECONDS: Final = 1.0
"""What is held is no head start any more once the newest of it was due so long ago: the station slept since."""


PASSED_PACKETS: Final = packets_in(6.0)
"""Held for head starts, and passed on: a player's first burst (4 s) and some room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedBroadcast:
    """A broadcast between two chunks, for another one to go on with.

    Attributes:
        epoch: which count of positions is on the air.
        chunks: the newest ones with when each was due, in seconds of ``CLOCK_MONOTONIC``.
        headers: of each codec that is on the air.
        icy: the streams with metadata.
    """

    epoch: int
    chunks: tuple[tuple[EncodedChunk, float], ...]
    headers: dict[str, bytes]
    icy: tuple[PassedBlocks, ...]


class Broadcast:
    """The hubs of one station; lives in the event loop.

    Attributes:
        limits: how patient it is.
        listeners_changed: called whenever ``listener_count`` or ``people_count`` may have changed.
    """

    def __init__(
        self,
        *,
        limits: ListenerLimits | None = None,
        metrics: TransportMetrics | None = None,
        now_playing: Callable[[], str] = lambda: "",
        monotonic_seconds: Callable[[], float] = time.monotonic,
        volley: Volley | None = None,
    ) -> None:
        """Go on the air with nobody listening.

        Args:
            limits: how patient to be.
            metrics: where to count.
            now_playing: what players show as the title; asked about once a second while somebody wants it.
            monotonic_seconds: ``CLOCK_MONOTONIC``, the clock of ``due_seconds``.
            volley: writes to many sockets with one call; None where each is written to in turn.
        """
        self.limits = limits or ListenerLimits()
        self.metrics: TransportMetrics = metrics or NoMetrics()
        self.listeners_changed: Callable[[], None] = lambda: None
        self._now_playing = now_playing
        self._monotonic_seconds = monotonic_seconds
        self._volley = volley
        self._history = History(self.limits.history_packets)
        self._hubs: dict[tuple[str, bool], Hub] = {}
        self._headers: dict[str, bytes] = {}
        self._listeners: dict[Listener, None] = {}
        self._ears = 0
        self._people = 0
        self._epoch = 0
        self._next_position: int | None = None
        self._somebody_listens = trio.Event()
        self._somebody_left = trio.Event()
        self._farewell: Farewell | None = None

    @property
    def epoch(self) -> int:
        """Which count of positions is on the air."""
        return self._epoch

    @property
    def listener_count(self) -> int:
        """How many receive sound, or wait for their encoder to start."""
        return self._ears

    @property
    def people_count(self) -> int:
        """`listener_count` less what takes the sound elsewhere: Icecast servers and folders are nobody's ears."""
        return self._people

    @property
    def has_watchers(self) -> bool:
        """Whether anybody wants to be told of the station's state."""
        return any(listener.greet is not None for listener in self._listeners)

    def wanted_codecs(self) -> frozenset[str]:
        """The codecs that somebody receives or waits for."""
        return frozenset(hub.form.codec for hub in self._hubs.values() if hub.listeners and hub.form.codec is not None)

    async def wait_listeners(self) -> None:
        """Return as soon as somebody listens; who only watches the state does not count."""
        await self._somebody_listens.wait()

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Let ``listener`` hear the station while the block runs.

        It is greeted, gets its container's header and its head start, and then every packet.
        """
        try:
            self._join(listener)
            yield
        finally:
            self._leave(listener)

    @contextmanager
    def going_on(self, listener: Listener, *, waiting: bool) -> Iterator[None]:
        """As `listening`, for one who heard the station until now: it gets the next packet and nothing before.

        ``waiting`` says that it has yet to hear anything, for want of an encoder.
        """
        try:
            listener.waiting = waiting
            self._admit(listener)
            yield
        finally:
            self._leave(listener)

    def passed(self) -> PassedBroadcast:
        """All that another broadcast needs to go on; nothing may be published meanwhile."""
        hubs = (hub for hub in self._hubs.values() if isinstance(hub, IcyHub))
        return PassedBroadcast(
            epoch=self._epoch,
            # A codec's start was told when it was; it is none any more.
            chunks=tuple(
                (replace(held.chunk, started={}, failed=()), held.due_seconds)
                for held in self._history.last(PASSED_PACKETS)
            ),
            headers=dict(self._headers),
            icy=tuple(blocks for hub in hubs if (blocks := hub.passed()) is not None),
        )

    def take_over(self, passed: PassedBroadcast) -> None:
        """Go on where another broadcast was, before anybody listens; a form this version does not know is left out."""
        self._epoch = passed.epoch
        for chunk, due_seconds in passed.chunks:
            self._history.add(chunk, epoch=passed.epoch, due_seconds=due_seconds)
            self._next_position = chunk.end
        self._headers.update(passed.headers)
        forms = {form.name: form for form in HTTP_FORMS.values()}
        for blocks in passed.icy:
            form = forms.get(blocks.form)
            hub = None if form is None else self._hub_of(form, icy=True)
            if isinstance(hub, IcyHub):
                hub.take_over(blocks)

    async def publish(self, chunk: EncodedChunk, *, epoch: int, due_seconds: float) -> None:
        """Send one chunk to everybody, in every form somebody receives.

        Never waits for a listener; after every 256 sends others get a turn.

        Args:
            chunk: the next one; a jump in its position makes a fresh start of what is held.
            epoch: which count of positions it belongs to.
            due_seconds: ``CLOCK_MONOTONIC`` at which its first frame is due.
        """
        held = self._history.add(chunk, epoch=epoch, due_seconds=due_seconds)
        self._epoch, self._next_position = epoch, chunk.end
        for codec, start in chunk.started.items():
            self._history.fill_in(codec, start.backlog)
            self._headers[codec] = start.header
        # Who gets what is settled before the first pause: a listener that joins during
        # one has this chunk in its head start already.
        deliveries = self._deliveries(held)
        for hub in self._hubs.values():
            for listener in hub.waiting():
                if held.has(listener.form.source or ""):
                    self._start(hub, listener)
        for delivery in deliveries:
            await delivery.make(self.metrics, self._volley)
        self.metrics.packet_published(self._monotonic_seconds() - due_seconds)

    def begin_epoch(self, epoch: int) -> None:
        """Begin another epoch with the next chunk; WebSocket listeners are greeted again.

        What is held is forgotten. Players of containers hear the sound go on.
        """
        self._epoch = epoch
        self._forget_what_is_stale()
        for listener in list(self._listeners):
            if listener.greet is not None:
                listener.outlet.start_over([listener.greet(self._welcome(listener.form, resumed=False))])
        self._history.clear()

    def tell(self, frames: bytes) -> None:
        """Send ``frames`` of JSON to every WebSocket listener that is greeted; who is far behind misses them."""
        for listener in list(self._listeners):
            if listener.greet is not None:
                listener.outlet.push(frames)

    async def say_goodbye(self, *, retry_ms: int, reason: str) -> None:
        """Let every listener go, within ``limits.farewell_seconds``; later ones are turned away at once.

        Args:
            retry_ms: when to come back.
            reason: a word for programs, ``stopping`` or ``removed``.
        """
        self._farewell = Farewell(reason=reason, retry_ms=retry_ms)
        for listener in list(self._listeners):
            listener.dismiss(self._farewell)
        with trio.move_on_after(self.limits.farewell_seconds, shield=True):
            while self._listeners:
                await self._somebody_left.wait()
        for listener in list(self._listeners):
            listener.outlet.abort()
        await trio.lowlevel.checkpoint()

    def _join(self, listener: Listener) -> None:
        self._forget_what_is_stale()
        newest = self._history.newest
        hub, source = self._hub(listener), listener.form.source
        self._count_in(listener)
        if source is not None and source != PCM and (newest is None or not newest.has(source)):
            listener.waiting = True
            if listener.greet is not None:
                listener.outlet.open([listener.greet(self._welcome(listener.form, resumed=False))])
        else:
            self._start(hub, listener, greet=True)
        hub.add(listener)
        if self._farewell is not None:
            listener.dismiss(self._farewell)

    def _admit(self, listener: Listener) -> None:
        self._count_in(listener)
        self._hub(listener).add(listener)
        if self._farewell is not None:
            listener.dismiss(self._farewell)

    def _count_in(self, listener: Listener) -> None:
        self._listeners[listener] = None
        self.metrics.listener_joined(listener.form.name)
        if listener.form.source is not None:
            self._ears += 1
            self._people += not listener.form.is_output
            self._somebody_listens.set()
        self.listeners_changed()

    def _forget_what_is_stale(self) -> None:
        newest = self._history.newest
        if newest is not None and self._monotonic_seconds() > newest.due_seconds + STALE_SECONDS:
            self._history.clear()
            self._next_position = None

    def _leave(self, listener: Listener) -> None:
        self._hub(listener).remove(listener)
        del self._listeners[listener]
        self.metrics.listener_left(listener.form.name)
        if listener.outlet.ended_by == "too_slow":
            self.metrics.listener_evicted("too_slow")
        if listener.form.source is not None:
            self._ears -= 1
            self._people -= not listener.form.is_output
            if not self._ears:
                self._somebody_listens = trio.Event()
        self._somebody_left.set()
        self._somebody_left = trio.Event()
        self.listeners_changed()

    def _hub(self, listener: Listener) -> Hub:
        return self._hub_of(listener.form, icy=listener.icy)

    def _hub_of(self, form: Form, *, icy: bool) -> Hub:
        hub = self._hubs.get((form.name, icy))
        if hub is None:
            hub = self._hubs[form.name, icy] = (
                IcyHub(form, now_playing=self._now_playing, held_seconds=self.limits.history_seconds)
                if icy
                else Hub(form)
            )
        return hub

    def _deliveries(self, held: HeldChunk) -> list[Delivery]:
        deliveries: list[Delivery] = []
        for hub in self._hubs.values():
            source = hub.form.source
            if source is not None and held.has(source):
                restarted = source == "opus" and source in held.chunk.started and hub.form.packet_codec is None
                new_header = self._headers[source] if restarted else b""
                deliveries += hub.deliveries(held, new_header=new_header)
        return deliveries

    def _start(self, hub: Hub, listener: Listener, *, greet: bool = False) -> None:
        """Send ``listener`` all that comes before the next live packet."""
        form = listener.form
        chunks, resumed = self._head_start(listener)
        frames: list[bytes] = []
        if greet and listener.greet is not None:
            frames.append(listener.greet(self._welcome(form, resumed=resumed)))
        if isinstance(hub, IcyHub):
            hub.cut(chunks)
        elif form.codec is not None and form.packet_codec is None:
            frames.append(self._headers.get(form.codec, b""))
        if chunks and resumed and listener.resume is not None:
            frames.append(chunks.pop(0).framed_since(form, listener.resume.position))
        frames += hub.head_start(chunks)
        listener.waiting = False
        listener.outlet.open([frame for frame in frames if frame])

    def _head_start(self, listener: Listener) -> tuple[list[HeldChunk], bool]:
        """The held chunks ``listener`` is to get, and whether they go on where it was cut off."""
        form = listener.form
        if form.source is None:
            return [], False
        if listener.resume is not None and form.packet_codec is not None:
            resume = listener.resume
            chunks = self._history.since(form, epoch=resume.epoch, position=resume.position)
            if chunks is not None:
                return chunks, True
        # Who waited for an encoder was there when the newest packet went out.
        packets = max(packets_in(listener.head_start_seconds), int(listener.waiting))
        return self._history.head_start(form.source, packets), False

    def _welcome(self, form: Form, *, resumed: bool) -> Welcome:
        newest = self._history.newest
        position = self._next_position
        if newest is not None and form.source is not None and newest.has(form.source):
            position = newest.end_for(form)
        sequence = form.packet_codec.sequence_at(position) if form.packet_codec is not None and position else 0
        return Welcome(epoch=self._epoch, live_position=position, sequence=sequence, resumed=resumed)
