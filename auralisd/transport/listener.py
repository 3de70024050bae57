"""One listener: the form it chose, the way out to it, and what it is told when it joins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from auralisd.transport.forms import V0_FORM, Form
from auralisd.transport.packet import v0_json, websocket_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """Where the stream stands for a listener that joins.

    Attributes:
        epoch: which count of positions the rest belongs to.
        live_position: the first programme frame that is not history; None on a station that sleeps.
        sequence: the number its packet will have; 0 for forms without packets.
        resumed: whether the listener goes on where it was cut off.
    """

    epoch: int
    live_position: int | None
    sequence: int = 0
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """Why the station lets its listeners go.

    Attributes:
        reason: a word for programs, ``stopping`` or ``removed``.
        retry_ms: when to come back.
    """

    reason: str
    retry_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where a listener was cut off."""

    epoch: int
    position: int


class WayOut(Protocol):
    """Where a listener's frames go; nothing here ever waits."""

    ended_by: str | None
    """Why nothing more can be sent, ``gone``, ``too_slow`` or ``finished``; None while all is well."""

    descriptor: int
    """Of a socket that a packet may be written to just now, -1 where it has to be offered."""

    def offer(self, packet: bytes) -> None:
        """Send a packet now or later; who is too far behind misses it."""
        ...

    def took(self, packet: bytes, result: int) -> None:
        """Go on after ``packet`` was written to `descriptor`, but not all of it: so many bytes, or an error below 0."""
        ...

    def open(self, frames: Iterable[bytes]) -> None:
        """Send what must not be lost, before any packet that is offered later."""
        ...

    def start_over(self, frames: Iterable[bytes]) -> None:
        """Send ``frames`` in place of every packet that still waits."""
        ...

    def push(self, frame: bytes) -> bool:
        """Send a frame of ours in its turn; False if there is no room for it."""
        ...

    def abort(self) -> None:
        """End it at once."""
        ...


type Greeting = Callable[[Welcome], bytes]
"""Makes the frames a listener gets before any packet; asked again at the start of each epoch."""


@dataclass(slots=True, kw_only=True, eq=False)
class Listener:
    """One pair of ears, or one page that only wants to know.

    Attributes:
        form: what it receives.
        outlet: the way to it.
        head_start_seconds: how much of what is held it gets at once.
        greet: makes what it is told first; None for players that need nothing but the sound.
        dismiss: asks its connection to say goodbye.
        icy: it asked for metadata in its stream.
        resume: where it wants to go on.
        waiting: it has joined, and its encoder has yet to start.
        sent_packets: how many it was sent, skipped ones included.
    """

    form: Form
    outlet: WayOut
    head_start_seconds: float
    dismiss: Callable[[Farewell], None]
    greet: Greeting | None = None
    icy: bool = False
    resume: Resume | None = None
    waiting: bool = field(default=False, init=False)
    sent_packets: int = field(default=0, init=False)

    def offer(self, packet: bytes, *, timestamp_unix_ms: int = 0) -> None:
        """Send the shared bytes of one chunk; v0 messages are completed with this listener's count."""
        if self.form is V0_FORM:
            message = v0_json(packet, sequence=self.sent_packets, timestamp_unix_ms=timestamp_unix_ms)
            packet = websocket_frame(message, text=True)
        self.sent_packets += 1
        self.outlet.offer(packet)
