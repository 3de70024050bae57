"""Keeps what must survive: stations, where they are in their pieces, and the controls log.

The disk is never waited for on the loop, and a disk that fails costs a line in the log and a
health check, no sound: what could not be written stays in memory and is tried again.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
import trio

from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.worker import RunInWorker
from auralisd.errors import StorageError
from auralisd.observability.metrics import Metrics
from auralisd.score import ControlChange
from auralisd.storage.state_file import SavedStation, StateFile

log = structlog.get_logger()


class StateKeeper:
    """The state file, behind a worker."""

    def __init__(self, state: StateFile, run_in_worker: RunInWorker, metrics: Metrics) -> None:
        """Use ``state`` from now on; nobody else writes stations to it."""
        self.let_go = False  # another process keeps the state from now on
        self._metrics = metrics
        self._state = state
        self._run_in_worker = run_in_worker
        self._removed: set[str] = set()  # stations that are gone here and not yet on the disk
        self.problem: str | None = None if state.kept else "; ".join(state.notices)

    async def saved_stations(self) -> tuple[SavedStation, ...]:
        """What was saved last; nothing where it cannot be read."""
        try:
            return await self._run_in_worker(self._state.stations)
        except StorageError as error:
            self._failed(error)
            return ()

    async def saved_changes(self, station_id: str) -> tuple[ControlChange, ...]:
        """The controls log of a station; nothing where it cannot be read."""
        try:
            return await self._run_in_worker(self._state.changes, station_id)
        except StorageError as error:
            self._failed(error)
            return ()

    async def save(self, station: LiveStation) -> None:
        """Keep a station, where it is in its piece, and what was changed since the last time.

        With a new piece the log of the one before is forgotten, now or as soon as the disk allows. A
        station that cannot be saved plays all the same.
        """
        if station.removed.is_set() or self.let_go:
            return  # or its row would come back
        saved = saved_form(station)
        piece, unsaved = station.piece, station.piece.desk.unsaved
        changes = tuple(unsaved)

        def write() -> None:
            self._forget(saved.id)  # another one had its name
            if piece.is_on_disk:
                self._state.save_stations([saved])
            else:
                self._state.begin_piece(saved)
            if changes:
                self._state.append_changes(saved.id, changes)

        if await self._try(write):
            piece.is_on_disk = True
            del unsaved[: len(changes)]

    async def remove(self, station_id: str) -> None:
        """Forget a station, now or as soon as the disk allows."""
        self._removed.add(station_id)
        await self.forget_removed()

    async def forget_removed(self) -> None:
        """Forget what was removed while the disk would not take it."""
        if self._removed and not self.let_go:
            await self._try(self._forget_all)

    def _forget_all(self) -> None:
        for station_id in tuple(self._removed):
            self._forget(station_id)

    def _forget(self, station_id: str) -> None:
        """In a job, so that nothing comes between: what is saved under that name afterwards stays."""
        if station_id in self._removed:
            self._state.remove_station(station_id)
            self._removed.discard(station_id)

    async def _try(self, write: Callable[[], None]) -> bool:
        began_seconds = trio.current_time()
        try:
            await self._run_in_worker(write)
        except StorageError as error:
            self._metrics.state_save_failed()
            self._failed(error)
            return False
        self._metrics.state_saved(trio.current_time() - began_seconds)
        if self.problem is not None and self._state.kept:
            log.info("the state is saved again")
            self.problem = None
        return True

    def _failed(self, error: StorageError) -> None:
        if self.problem != str(error):
            log.error("the state cannot be saved", error=str(error))
        self.problem = str(error)


def saved_form(station: LiveStation) -> SavedStation:
    """The station as the state file keeps it; the position is the piece's own."""
    return SavedStation(
        id=station.id,
        title=station.title,
        seed=station.piece.seed,
        preset=station.preset,
        pinned=station.pinned,
        epoch=station.epoch,
        position=max(0, station.live_position() - station.piece_origin),
        start_controls=station.piece.desk.start,
        controls=station.controls,
    )
