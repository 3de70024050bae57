"""All listeners of one form: each packet is framed once and the same bytes go to every socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final

import numpy as np
import structlog
import trio

from auralisd.transport.forms import HLS_FORM, V0_FORM, Form, framed
from auralisd.transport.history import HeldChunk
from auralisd.transport.icy import IcyBlocks
from auralisd.transport.limits import TransportMetrics, packets_in
from auralisd.transport.listener import Listener, WayOut
from auralisd.transport.volley import MOST_AT_ONCE, Volley
from auralisd.wall_clock import unix_ms

log = structlog.get_logger(__name__)

SENDS_PER_STEP: Final = MOST_AT_ONCE  # then whoever waits for the loop (accept, above all) gets a turn
VOLLEY_FROM: Final = 32  # for fewer listeners its preparation costs as much as it saves


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The same bytes for all of ``listeners``."""

    form: Form
    packet: bytes
    listeners: tuple[Listener, ...]

    async def make(self, metrics: TransportMetrics, volley: Volley | None = None) -> None:
        """Offer the packet to each, with a pause for others after every 256; nobody is waited for.

        Args:
            metrics: where to count the bytes.
            volley: writes to many sockets with one call; None where each is written to in turn.
        """
        timestamp_unix_ms = unix_ms()
        for index, step in enumerate(batched(self.listeners, SENDS_PER_STEP)):
            if index:
                await trio.lowlevel.checkpoint()
            in_turn: Sequence[Listener] = step
            if volley is not None and not volley.broken and self._are_many_alike(step):
                in_turn = self._written_at_once(step, volley)
            for listener in in_turn:
                try:
                    listener.offer(self.packet, timestamp_unix_ms=timestamp_unix_ms)
                except Exception:  # a fault with one listener must not cost the others the packet
                    log.exception("a listener was dropped", form=self.form.name)
                    listener.outlet.abort()
        metrics.sent(self.form.name, len(self.packet) * len(self.listeners))

    def _are_many_alike(self, step: Sequence[Listener]) -> bool:
        return len(step) >= VOLLEY_FROM and self.form is not V0_FORM and len(self.packet) > 0

    def _written_at_once(self, step: Sequence[Listener], volley: Volley) -> list[Listener]:
        """Write the packet to whose sockets may be written to; the others are left to be offered it."""
        ready: list[WayOut] = []
        descriptors: list[int] = []
        left: list[Listener] = []
        for listener in step:
            outlet = listener.outlet
            if outlet.descriptor < 0:
                left.append(listener)
            else:
                listener.sent_packets += 1
                ready.append(outlet)
                descriptors.append(outlet.descriptor)
        results = volley.send(descriptors, self.packet)
        for index in np.flatnonzero(results != len(self.packet)):
            ready[index].took(self.packet, int(results[index]))
        return left


class Hub:
    """The listeners of one form of one station."""

    def __init__(self, form: Form) -> None:
        """Start with no listener."""
        self.form = form
        self.listeners: dict[Listener, None] = {}

    def add(self, listener: Listener) -> None:
        """Count ``listener`` among those who receive this form."""
        self.listeners[listener] = None

    def remove(self, listener: Listener) -> None:
        """Deliver nothing more to ``listener``."""
        self.listeners.pop(listener, None)

    def waiting(self) -> list[Listener]:
        """Those whose encoder has yet to start."""
        return [listener for listener in self.listeners if listener.waiting]

    def head_start(self, held: Iterable[HeldChunk]) -> list[bytes]:
        """What a new listener gets of the chunks that are held for it."""
        return [chunk.framed_for(self.form) for chunk in held]

    def deliveries(self, held: HeldChunk, *, new_header: bytes = b"") -> list[Delivery]:
        """What is to be sent of a chunk just published, and to whom.

        Args:
            held: the chunk, in a form of this hub's source.
            new_header: the header of an encoder that had to be started again under its listeners.
        """
        listeners = self._ready()
        if not listeners:
            return []
        return [Delivery(form=self.form, packet=new_header + self._shared_bytes(held), listeners=listeners)]

    def _ready(self) -> tuple[Listener, ...]:
        return tuple(listener for listener in self.listeners if not listener.waiting)

    def _shared_bytes(self, held: HeldChunk) -> bytes:
        if self.form in (V0_FORM, HLS_FORM):  # 20 kB nobody will ask for again: not kept with the chunk
            return framed(self.form, held.chunk, epoch=held.epoch, due_seconds=held.due_seconds)
        return held.framed_for(self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedBlocks:
    """A stream with metadata between two chunks.

    Attributes:
        form: its name.
        begun: the sound of the next block so far.
        cut_until: programme frame up to which the sound was cut.
        blocks: the last whole ones, each with the position of the chunk it was finished with.
    """

    form: str
    begun: bytes
    cut_until: int
    blocks: tuple[tuple[bytes, int], ...]


class IcyHub(Hub):
    """The listeners of an MP3 or AAC stream who asked for metadata: they get whole blocks of it."""

    def __init__(self, form: Form, *, now_playing: Callable[[], str], held_seconds: float) -> None:
        """Ask ``now_playing`` for each block's title; hold ``held_seconds`` of blocks for head starts."""
        super().__init__(form)
        self._now_playing = now_playing
        self._cutter = IcyBlocks(now_playing)
        # Each block with the position of the chunk it was finished with.
        self._blocks: deque[tuple[bytes, int]] = deque(maxlen=packets_in(held_seconds))
        self._cut_until: int | None = None

    def passed(self) -> PassedBlocks | None:
        """Where it is between two chunks, for another hub; None where nothing is cut."""
        if self._cut_until is None:
            return None
        begun, blocks = bytes(self._cutter.begun), tuple(self._blocks)
        return PassedBlocks(form=self.form.name, begun=begun, cut_until=self._cut_until, blocks=blocks)

    def take_over(self, passed: PassedBlocks) -> None:
        """Go on where another hub was: its players count bytes from block to block."""
        self._cutter.begun[:] = passed.begun
        self._cut_until = passed.cut_until
        self._blocks.extend(passed.blocks)

    def remove(self, listener: Listener) -> None:
        """Deliver nothing more to ``listener``; after the last one nothing is cut any more."""
        super().remove(listener)
        if not self.listeners:
            self._cutter = IcyBlocks(self._now_playing)
            self._blocks.clear()
            self._cut_until = None

    def head_start(self, held: Iterable[HeldChunk]) -> list[bytes]:
        """The blocks that were finished within the chunks that are held for a new listener."""
        wanted = {chunk.chunk.position for chunk in held}
        return [block for block, finished_at in self._blocks if finished_at in wanted]

    def cut(self, held: Iterable[HeldChunk]) -> list[bytes]:
        """Cut what has not been cut yet; hand out the blocks that became whole."""
        whole: list[bytes] = []
        for chunk in held:
            position = chunk.chunk.position
            if self._cut_until is not None and position < self._cut_until:
                continue
            self._cut_until = chunk.chunk.end
            blocks = self._cutter.cut([chunk.framed_for(self.form)])
            self._blocks.extend((block, position) for block in blocks)
            whole += blocks
        return whole

    def deliveries(self, held: HeldChunk, *, new_header: bytes = b"") -> list[Delivery]:  # noqa: ARG002 (neither has one)
        """The blocks that became whole with this chunk, if any; nothing before the first listener has started."""
        if self._cut_until is None:
            return []
        blocks, listeners = self.cut([held]), self._ready()
        return [Delivery(form=self.form, packet=block, listeners=listeners) for block in blocks]
