"""The side that goes on: plays along to nobody, then takes everything that is open."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from itertools import batched
from typing import Final

import structlog
import trio

from auralisd.daemon.handover.estate import (
    PREPARED_SECONDS,
    Cut,
    Estate,
    PassedStation,
    Plan,
    Word,
    bring_to,
    piece_of,
    rehearse,
)
from auralisd.daemon.handover.parcel import receive_parcel, send_parcel
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.piece import Piece
from auralisd.edge.front_door import FrontDoor
from auralisd.edge.travellers import PassedListener
from auralisd.errors import HandoverError
from auralisd.transport.codecs import CODECS
from auralisd.transport.forms import HTTP_FORMS, WEBSOCKET_FORMS
from auralisd.units import SAMPLE_RATE_HZ

log = structlog.get_logger()

PRE_ROLL_FRAMES: Final = 120 * SAMPLE_RATE_HZ
"""After it an instrument sounds to the last bit as the one that played all the time; see ``auralisd render``."""

ADMITTED_AT_ONCE: Final = 64  # a few milliseconds, then their tasks and others get a turn

GONE_SECONDS: Final = 5.0  # for the predecessor to end, with its pushes and files

type NewStation = Callable[[PassedStation, Piece], LiveStation]
"""Makes a station that has no task yet."""


class Successor:
    """Takes over from a predecessor at the other end of a link."""

    def __init__(self, link: socket.socket) -> None:
        """Nothing is said yet."""
        self._link = trio.SocketStream(trio.socket.from_stdlib_socket(link))
        self._listeners: Sequence[PassedListener] = ()
        self._sockets: list[socket.socket] = []
        self._rehearsed: dict[str, tuple[PassedStation, LiveStation]] = {}
        self._on_air: list[LiveStation] = []

    async def rehearse(self, new_station: NewStation, start: Callable[[LiveStation], None]) -> None:
        """Play along with what is on the air, to nobody; return once all of it sounds.

        Args:
            new_station: makes one.
            start: starts the task of one that is to play along.

        Raises:
            HandoverError: the predecessor goes on by itself, or is gone.
        """
        await send_parcel(self._link, "ready", Word())
        plan, _ = await receive_parcel(self._link, "plan", Plan)
        for passed in plan.stations:
            if passed.on_air:
                station = new_station(passed, piece_of(passed.piece))
                bring_to(station, passed)
                rehearse(station, lead_seconds=passed.lead_seconds, pre_roll_frames=PRE_ROLL_FRAMES)
                self._rehearsed[passed.id] = passed, station
                start(station)
        await _all_sound([station for _, station in self._rehearsed.values()])

    async def take(self, new_station: NewStation) -> list[LiveStation]:
        """All stations, those on the air held before the packet that is to come from here.

        From its first word on, what is done here is silence for those who listen: all else should be ready by then.

        Raises:
            HandoverError: the predecessor goes on by itself, or is gone.
        """
        rehearsed = self._rehearsed
        await send_parcel(self._link, "prepared", Word())
        cut, _ = await receive_parcel(self._link, "cut", Cut)
        for station_id, position in cut.positions.items():
            if station_id in rehearsed:
                rehearsed[station_id][1].gate.enters_at = position
                rehearsed[station_id][1].gate.hold(position)
        estate, self._sockets = await receive_parcel(self._link, "estate", Estate)
        self._listeners = estate.listeners
        _tell_of_what_is_unknown(estate)
        stations = [self._settled(passed, cut, new_station) for passed in estate.stations]
        for _, station in rehearsed.values():
            station.removed.set()  # those that changed meanwhile, or fell asleep
        return stations

    def _settled(self, passed: PassedStation, cut: Cut, new_station: NewStation) -> LiveStation:
        """The station that played along, if it is the same still, else another one."""
        planned, station = self._rehearsed.get(passed.id, (None, None))
        same = planned is not None and planned.piece == passed.piece and cut.positions.get(passed.id) is not None
        if station is not None and same and passed.on_air:
            del self._rehearsed[passed.id]
            station.title, station.preset, station.pinned = passed.title, passed.preset, passed.pinned
            self._on_air.append(station)
        else:
            station = new_station(passed, piece_of(passed.piece))
            bring_to(station, passed)
        if passed.broadcast is not None:
            station.broadcast.take_over(passed.broadcast)
        station.passed_bank = passed.bank
        return station

    async def wait_for_go(self) -> None:
        """Return when nobody else writes any more: the predecessor said so, or is gone."""
        await send_parcel(self._link, "adopted", Word())
        try:
            await receive_parcel(self._link, "go", Word)
        except HandoverError as error:
            log.warning("the predecessor ended before it could part", reason=error.reason)

    async def go(self, door: FrontDoor) -> None:
        """Go on with every listener and every station."""
        passed = list(zip(self._sockets, self._listeners, strict=True))
        taken = 0
        for some in batched(passed, ADMITTED_AT_ONCE):
            taken += sum(door.admit(connection, listener) for connection, listener in some)
            await trio.lowlevel.checkpoint()
        for station in self._on_air:
            station.rehearsing = False
            station.wanted_lead_seconds = 0.0
            station.gate.release()
            station.touch()
        log.info("took over", stations=len(self._on_air), listeners=taken, lost=len(passed) - taken)

    async def predecessor_gone(self) -> None:
        """Return when the predecessor has ended, or after ``GONE_SECONDS``."""
        with trio.move_on_after(GONE_SECONDS), contextlib.suppress(OSError, trio.BrokenResourceError):
            while await self._link.receive_some(1024):
                pass
        self._link.socket.close()


def _tell_of_what_is_unknown(estate: Estate) -> None:
    """One line for all that another version encodes and this one cannot: those who hear it have to come back."""
    forms = {form.name for form in HTTP_FORMS.values()}
    known = {*HTTP_FORMS, *WEBSOCKET_FORMS}
    unknown: set[str] = {one.form for one in estate.listeners if one.form not in known}
    for station in estate.stations:
        if station.bank is not None:
            unknown.update(line.codec for line in station.bank.lines if line.codec not in CODECS)
        if station.broadcast is not None:
            unknown.update(blocks.form for blocks in station.broadcast.icy if blocks.form not in forms)
    if unknown:
        hearing = sum(one.form not in known for one in estate.listeners)
        log.warning("formats of another version are left out", formats=sorted(unknown), listeners=hearing)


async def _all_sound(stations: Sequence[LiveStation]) -> None:
    """Return when all have caught up with the air; raises HandoverError where that takes too long."""
    with trio.move_on_after(PREPARED_SECONDS):
        while not all(station.has_sounded and not station.continuity.on_bed for station in stations):  # noqa: ASYNC110
            await trio.sleep(0.05)
        return
    raise HandoverError(f"not every station sounded within {PREPARED_SECONDS:.0f} s")
