"""What the front door finds behind a station's name."""

from __future__ import annotations

from auralisd.daemon.directory import LiveDirectory
from auralisd.edge.rooms import Room


class LiveRooms:
    """The directory, as the front door asks for it."""

    def __init__(self, directory: LiveDirectory) -> None:
        """Look into ``directory`` at each question."""
        self._directory = directory

    @property
    def default_id(self) -> str:
        """The station of the paths that name none."""
        return self._directory.default_id

    def ids(self) -> tuple[str, ...]:
        """The ids there are."""
        return self._directory.ids()

    def room(self, station_id: str) -> Room:
        """The station of that id and its broadcast.

        Raises:
            UnknownNameError: there is none.
        """
        station = self._directory.get(station_id)
        return Room(station=station, broadcast=station.broadcast)
