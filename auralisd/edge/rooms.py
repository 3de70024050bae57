"""What the front door needs to know of the stations: where to hear each, and what to ask it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from auralisd.station import Station
from auralisd.transport.broadcast import Broadcast


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A station and its broadcast: what to ask, and where to listen."""

    station: Station
    broadcast: Broadcast


class Rooms(Protocol):
    """All stations that can be heard."""

    @property
    def default_id(self) -> str:
        """The station that ``/stream.*`` plays."""
        ...

    def room(self, station_id: str) -> Room:
        """The station of that id.

        Raises:
            UnknownNameError: there is none.
        """
        ...

    def ids(self) -> tuple[str, ...]:
        """The ids there are."""
        ...
