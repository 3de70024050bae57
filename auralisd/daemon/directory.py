"""All stations of the daemon: the one place where they are added, found and removed."""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
import trio

from auralisd.controls import Controls, merge_change
from auralisd.daemon.control_desk import ControlDesk
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.memory_room import STATION_BYTES, Room, require, room_bytes
from auralisd.daemon.piece import Piece
from auralisd.daemon.state_keeper import StateKeeper
from auralisd.daemon.studio import Studio
from auralisd.daemon.tasks.station_task import run_station
from auralisd.errors import ConflictError, ControlsError, UnknownNameError
from auralisd.score import SEED_BITS
from auralisd.settings import ALWAYS_THERE, Settings, StationSettings
from auralisd.station import PresetShelf
from auralisd.storage.state_file import SavedStation
from auralisd.transport.broadcast import Broadcast
from auralisd.transport.limits import ListenerLimits
from auralisd.units import PACKET_FRAMES, ceil_to_grid

log = structlog.get_logger()

STATIONS_MOST = 64  # each is a line in every list; far more than one machine can sound at once
FAREWELL_SECONDS = 0.5  # for all listeners together, stalled ones too: a stop takes less than three seconds
_NOT_IN_AN_ID = re.compile(r"[^a-z0-9]+")


class LiveDirectory:
    """Every station, each with a task of its own in the daemon's nursery."""

    def __init__(
        self,
        *,
        settings: Settings,
        studio: Studio,
        keeper: StateKeeper,
        presets: PresetShelf,
        nursery: trio.Nursery,
        stopping: trio.Event,
        room: Room = room_bytes,
    ) -> None:
        """Begin without stations; ``open`` brings the configured and saved ones.

        ``room`` tells how much memory may still be taken.
        """
        self._room = room
        self._settings = settings
        self._studio = studio
        self._keeper = keeper
        self._presets = presets
        self._nursery = nursery
        self._stopping = stopping
        self._stations: dict[str, LiveStation] = {}

    @property
    def default_id(self) -> str:
        """The station that ``/stream.*`` plays."""
        return self._settings.default_station

    @property
    def stations(self) -> tuple[LiveStation, ...]:
        """All of them, the default one first."""
        return tuple(self._stations[station_id] for station_id in self.ids())

    def ids(self) -> tuple[str, ...]:
        """The ids there are, the default one first."""
        return tuple(sorted(self._stations, key=lambda station_id: (station_id != self.default_id, station_id)))

    def get(self, station_id: str) -> LiveStation:
        """The station of that id.

        Raises:
            UnknownNameError: there is none.
        """
        try:
            return self._stations[station_id]
        except KeyError:
            raise UnknownNameError("station", station_id, self.ids()) from None

    async def open(self) -> None:
        """Bring back what was saved and add what the configuration names; ``main`` is always there."""
        for saved in await self._keeper.saved_stations():
            await self._reopen(saved)
        await self.add_configured()

    def take_over(self, stations: Iterable[LiveStation]) -> None:
        """Go on with stations of another process; those that have no task yet get one."""
        for station in stations:
            self._stations[station.id] = station
            station.published_at = trio.current_time()  # the other process just did
            if not station.rehearsing:
                self.start(station)

    async def add_configured(self) -> None:
        """Add what the configuration names and is not there."""
        settings = self._settings
        main = StationSettings(id=ALWAYS_THERE, title=settings.title, seed=settings.seed, preset=settings.preset)
        wanted = {ALWAYS_THERE: main} | {station.id: station for station in settings.stations}
        for station in wanted.values():
            if station.id not in self._stations:
                await self._add_configured(station)

    async def add(
        self,
        *,
        title: str,
        station_id: str | None = None,
        seed: int | None = None,
        preset: str | None = None,
        controls: Mapping[str, Any] | None = None,
        pinned: bool = False,
    ) -> LiveStation:
        """Put a new station on the list, where it has room.

        Raises:
            MemoryShortError: what it takes while it sounds is not there.
            ConflictError: the id is taken, or there are as many stations as allowed.
            ControlsError, UnknownNameError: a bad control, an unknown preset.
        """
        require("station", STATION_BYTES, self._room)
        return await self._add(
            title=title, station_id=station_id, seed=seed, preset=preset, controls=controls, pinned=pinned
        )

    async def _add(
        self,
        *,
        title: str,
        station_id: str | None = None,
        seed: int | None = None,
        preset: str | None = None,
        controls: Mapping[str, Any] | None = None,
        pinned: bool = False,
    ) -> LiveStation:
        start, preset_name = await self._start_controls(preset, controls or {})
        # From here until it is on the list nothing is waited for, or two could come by the same id.
        if station_id is not None and station_id in self._stations:
            raise ConflictError("station", station_id, "is there already")
        if len(self._stations) >= STATIONS_MOST:
            raise ConflictError("station", title, f"has no room: there are {STATIONS_MOST} stations")
        new = SavedStation(
            id=station_id or self._free_id(title),
            title=title,
            seed=secrets.randbits(SEED_BITS) if seed is None else seed,
            preset=preset_name,
            pinned=pinned,
            epoch=1,
            position=0,
            start_controls=start,
            controls=start,
        )
        station = self._start(new, ControlDesk(start=start), epoch=new.epoch)
        await self._keeper.save(station)
        return station

    async def update(
        self, station_id: str, *, title: str | None = None, pinned: bool | None = None, seed: int | None = None
    ) -> LiveStation:
        """Rename, pin, or begin a new piece (``seed``), which starts a new epoch.

        Raises:
            UnknownNameError: there is no such station.
        """
        station = self.get(station_id)
        if title is not None:
            station.rename(title)
        if pinned is not None:
            station.pin(pinned)
        if seed is not None:
            station.begin_piece(seed)
        await self._keeper.save(station)
        return station

    async def remove(self, station_id: str) -> None:
        """Say goodbye to its listeners and forget it.

        Raises:
            UnknownNameError: there is no such station.
            ConflictError: it is the default one.
        """
        station = self.get(station_id)
        if station_id in (self.default_id, ALWAYS_THERE):
            raise ConflictError("station", station_id, "is the default one and stays")
        del self._stations[station_id]
        station.removed.set()
        gone = trio.Event()
        # Not in the task of whoever asks: a client that does not wait for its answer ends that one.
        self._nursery.start_soon(self._see_off, station, gone, name=f"farewell of {station_id}")
        await gone.wait()

    async def _see_off(self, station: LiveStation, gone: trio.Event) -> None:
        await station.broadcast.say_goodbye(retry_ms=0, reason="removed")
        await self._keeper.remove(station.id)
        gone.set()

    async def _reopen(self, saved: SavedStation) -> None:
        changes = await self._keeper.saved_changes(saved.id)
        desk = ControlDesk(start=saved.start_controls, log=changes)
        self._start(saved, desk, epoch=saved.epoch + 1, is_on_disk=True)
        await self._keeper.save(self._stations[saved.id])

    async def _add_configured(self, wanted: StationSettings) -> None:
        """Add it as far as it can be: a configured station must not keep the daemon from starting."""
        add = functools.partial(
            self._add, title=wanted.title or wanted.id, station_id=wanted.id, seed=wanted.seed, pinned=wanted.pinned
        )
        try:
            try:
                await add(preset=wanted.preset, controls=wanted.controls)
            except (ControlsError, UnknownNameError) as error:
                log.warning("configured station begins with the defaults", station=wanted.id, error=str(error))
                await add()
        except ConflictError as error:
            log.warning("configured station left out", station=wanted.id, error=str(error))

    def _start(self, saved: SavedStation, desk: ControlDesk, *, epoch: int, is_on_disk: bool = False) -> LiveStation:
        station = live_station(
            self._studio,
            station_id=saved.id,
            title=saved.title,
            piece=Piece(seed=saved.seed, desk=desk, is_on_disk=is_on_disk),
            preset=saved.preset,
            pinned=saved.pinned,
            epoch=epoch,
            position=ceil_to_grid(saved.position, PACKET_FRAMES),
        )
        self._stations[saved.id] = station
        self.start(station)
        return station

    def start(self, station: LiveStation) -> None:
        """Let ``station`` live from now on."""
        self._nursery.start_soon(run_station, station, self._studio, self._stopping, name=f"station {station.id}")

    async def _start_controls(self, preset: str | None, controls: Mapping[str, Any]) -> tuple[Controls, str | None]:
        start, name = Controls(), None
        if preset is not None:
            found = await self._presets.get(preset)
            start, name = merge_change(start, found.controls)[0], found.name
        if controls:
            start, name = merge_change(start, controls)[0], None
        return start, name

    def _free_id(self, title: str) -> str:
        stem = _NOT_IN_AN_ID.sub("-", title.lower()).strip("-")[:48] or "station"
        candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, STATIONS_MOST + 2))
        return next(candidate for candidate in candidates if candidate not in self._stations)


def live_station(
    studio: Studio,
    *,
    station_id: str,
    title: str,
    piece: Piece,
    preset: str | None,
    pinned: bool,
    epoch: int,
    position: int,
) -> LiveStation:
    """A station with a broadcast of its own, at ``position`` of its programme."""
    station = LiveStation(
        station_id=station_id,
        title=title,
        piece=piece,
        preset=preset,
        pinned=pinned,
        epoch=epoch,
        position=position,
        broadcast=Broadcast(
            limits=ListenerLimits(farewell_seconds=FAREWELL_SECONDS),
            metrics=studio.metrics,
            now_playing=lambda: now_playing(station),
            volley=studio.volley,
        ),
        studio=studio,
    )
    return station


def now_playing(station: LiveStation) -> str:
    """What a player shows as the title: "Auralis - D dorian, settling"."""
    sounding = station.now_sounding()
    chord, section = sounding.chord, sounding.section
    if chord is None:
        return station.title
    words = f", {section.words}" if section is not None else ""
    return f"{station.title} - {chord.tonic} {chord.mode}{words}"
