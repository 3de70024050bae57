"""Listeners that can pass to another process while they listen, and what they take along."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from auralisd.transport.listener import Listener
from auralisd.transport.outlet import Outlet, PassedTail


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traveller:
    """A listener of an endless stream over HTTP.

    Attributes:
        station: the station's id.
        form: the ending of the stream's path.
        listener: who listens.
        outlet: the way to it.
        stream: the connection.
    """

    station: str
    form: str
    listener: Listener
    outlet: Outlet
    stream: trio.SocketStream


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedListener:
    """A listener on its way; its socket comes beside it.

    Attributes:
        station: the station's id.
        form: the ending of the stream's path.
        icy: it counts bytes from one block of metadata to the next.
        waiting: it has yet to hear anything, for want of an encoder.
        sent_packets: how many it was sent.
        tail: what its socket has yet to take.
    """

    station: str
    form: str
    icy: bool
    waiting: bool
    sent_packets: int
    tail: PassedTail


async def packed(traveller: Traveller) -> PassedListener:
    """What ``traveller`` takes along; nothing is written to it from now on, until its outlet goes on.

    Raises:
        trio.ClosedResourceError: it is leaving.
    """
    listener = traveller.listener
    return PassedListener(
        station=traveller.station,
        form=traveller.form,
        icy=listener.icy,
        waiting=listener.waiting,
        sent_packets=listener.sent_packets,
        tail=await traveller.outlet.hold(),
    )
