"""Tells everybody on a station's WebSockets when its state has changed, at most twice a second."""

from __future__ import annotations

from typing import Final

import structlog
import trio

from auralisd.edge import ws_messages as messages
from auralisd.edge.rooms import Room
from auralisd.station import Station

log = structlog.get_logger(__name__)

SECONDS_BETWEEN_STATES: Final = 0.5


class Announcer:
    """One task per station that has somebody to tell; the message is made once for all of them."""

    def __init__(self, nursery: trio.Nursery) -> None:
        """Run the tasks in ``nursery``."""
        self._nursery = nursery
        self._watched: set[Station] = set()

    def watch(self, room: Room) -> None:
        """Announce the changes of ``room``'s station for as long as somebody is there to be told."""
        if room.station not in self._watched:
            self._watched.add(room.station)
            self._nursery.start_soon(self._run, room, name=f"announcer of {room.station.id}")

    async def _run(self, room: Room) -> None:
        revision = room.station.revision
        try:
            while room.broadcast.has_watchers:
                revision = await room.station.wait_changed(revision)
                room.broadcast.tell(messages.json_frame(messages.state(room.station)))
                await trio.sleep(SECONDS_BETWEEN_STATES)
        except Exception as error:  # the news of one station are not worth the front door
            log.exception("the state of a station could not be announced", station=room.station.id, error=repr(error))
        finally:
            self._watched.discard(room.station)
