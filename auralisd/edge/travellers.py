"""Listeners that can pass to another process while they listen, and what they take along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import trio

from auralisd.transport.listener import Listener
from auralisd.transport.outlet import Outlet, PassedTail

REST_PASSES: Final = 40
"""Passes of the loop until what clients have said is answered; two for each of a few messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedTalk:
    """What is said beside the sound, between two messages.

    Attributes:
        request: the handshake's, as the protocol library was given it.
        subprotocol: what it was answered, None if none was offered.
        client: the address the client is known by.
        may_control: whether it may change things.
        may_listen: whether the next connection of its page may listen.
    """

    request: bytes
    subprotocol: str | None
    client: str
    may_control: bool
    may_listen: bool


class Talk(Protocol):
    """The other half of a WebSocket: what its client says."""

    def pause(self) -> None:
        """Read nothing more until `go_on`."""
        ...

    def go_on(self) -> None:
        """Read again after `pause`."""
        ...

    @property
    def at_rest(self) -> bool:
        """Whether nothing is read any more, every message was whole, and all are answered."""
        ...

    def passed(self) -> PassedTalk:
        """What another process needs to go on with it, while it is at rest."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traveller:
    """A listener of an endless stream over HTTP, or a WebSocket.

    Attributes:
        station: the station's id.
        form: the ending of the stream's path, or the subprotocol.
        listener: who listens.
        outlet: the way to it.
        stream: the connection.
        talk: what its client says, None of players.
    """

    station: str
    form: str
    listener: Listener
    outlet: Outlet
    stream: trio.SocketStream
    talk: Talk | None = None

    def go_on(self) -> None:
        """Read and write again, after `at_rest` and `packed`."""
        self.outlet.go_on()
        if self.talk is not None:
            self.talk.go_on()


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedListener:
    """A listener on its way; its socket comes beside it.

    Attributes:
        station: the station's id.
        form: the ending of the stream's path, or the subprotocol.
        icy: it counts bytes from one block of metadata to the next.
        waiting: it has yet to hear anything, for want of an encoder.
        sent_packets: how many it was sent.
        tail: what its socket has yet to take.
        talk: what its client says, None of players.
    """

    station: str
    form: str
    icy: bool
    waiting: bool
    sent_packets: int
    tail: PassedTail
    talk: PassedTalk | None = None


async def at_rest(travellers: Sequence[Traveller]) -> None:
    """Read nothing more from those with a WebSocket; return once all that they have said is answered, if it soon is."""
    talks = [traveller.talk for traveller in travellers if traveller.talk is not None]
    for talk in talks:
        talk.pause()
    for _ in range(REST_PASSES):
        talks = [talk for talk in talks if not talk.at_rest]
        if not talks:
            return
        await trio.lowlevel.checkpoint()


async def packed(traveller: Traveller) -> PassedListener:
    """What ``traveller`` takes along; nothing is written to it from now on, until its outlet goes on.

    Raises:
        trio.ClosedResourceError: it is leaving, or in the midst of saying something.
    """
    listener, talk = traveller.listener, traveller.talk
    if talk is not None and not talk.at_rest:
        raise trio.ClosedResourceError
    return PassedListener(
        station=traveller.station,
        form=traveller.form,
        icy=listener.icy,
        waiting=listener.waiting,
        sent_packets=listener.sent_packets,
        tail=await traveller.outlet.hold(),
        talk=None if talk is None else talk.passed(),
    )
