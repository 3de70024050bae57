"""The side that hands over: starts a successor, and parts with everything once it has been taken."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog
import trio

from auralisd.daemon.handover.estate import (
    LEAD_SECONDS,
    PREPARED_SECONDS,
    Cut,
    Estate,
    PassedStation,
    Plan,
    Word,
    passed_station,
)
from auralisd.daemon.handover.links import successor_command, successor_environ
from auralisd.daemon.handover.parcel import receive_parcel, send_parcel
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.passed_sockets import PassedSocket
from auralisd.daemon.state_keeper import StateKeeper
from auralisd.daemon.systemd import Notifier
from auralisd.edge.front_door import FrontDoor
from auralisd.edge.travellers import PassedListener, Traveller, at_rest, packed
from auralisd.errors import HandoverError
from auralisd.units import PACKET_FRAMES

log = structlog.get_logger()

READY_SECONDS: Final = 120.0  # torch is imported and tried; a cold disk takes most of a minute
HELD_SECONDS: Final = 5.0  # from the cut to the last packet before it
ADOPTED_SECONDS: Final = 10.0  # beyond this listeners hear the gap more than the return
PACKETS_TO_THE_CUT: Final = 6  # the successor learns of it before it is there
SETTLE_SECONDS: Final = 0.5  # for requests under way
FAREWELL_SECONDS: Final = 1.0  # for listeners that cannot pass
MOST_TAIL_BYTES: Final = 4 << 20
"""What a socket has yet to take: a first burst of wav is 3.5 MB. Who is further behind is told goodbye."""
MOST_TAILS_BYTES: Final = 128 << 20  # of all listeners together


class Succession:
    """One hand-over at a time, at the operator's word."""

    def __init__(
        self,
        *,
        stations: Callable[[], Sequence[LiveStation]],
        keeper: StateKeeper,
        notifier: Notifier,
        listening: Sequence[PassedSocket],
        stopping: trio.Event,
        command: Callable[[], Sequence[str]] = successor_command,
    ) -> None:
        """Nothing is handed over before ``ask``; ``stopping`` ends it at once."""
        self.door: FrontDoor | None = None
        self.done = False
        self._stations = stations
        self._keeper = keeper
        self._notifier = notifier
        self._listening = listening
        self._stopping = stopping
        self._command = command
        self._asked = trio.Event()

    def ask(self) -> None:
        """Hand over as soon as a successor is ready; once more while that is under way changes nothing."""
        self._asked.set()

    async def run(self) -> None:
        """Hand over when asked; return once another process goes on."""
        while not self.done:
            await self._asked.wait()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_when, self._stopping, nursery.cancel_scope, name="stop awaited")
                await self._hand_over()
                nursery.cancel_scope.cancel()
            self._asked = trio.Event()

    async def _hand_over(self) -> None:
        if self.door is None or os.getpid() == 1:
            log.warning("no successor, this process goes on", reason="the first of a container cannot be replaced")
            return
        began = trio.current_time()
        travellers: list[Traveller] = []
        done = False
        try:
            async with successor(self._command(), self._listening) as (process, link):
                log.info("successor started", process=process.pid)
                self._lead(LEAD_SECONDS)
                await _hear(link, "ready", READY_SECONDS)
                await self._cut(link)
                listeners = await self._pack(travellers)
                silent_since = trio.current_time()
                passed = await self._pass(link, travellers, listeners)
                await _hear(link, "adopted", ADOPTED_SECONDS)
                self._notifier.main_process(process.pid)
                await send_parcel(link, "go", Word())
                # From here on nothing is written here, neither to a socket nor to the state.
                done = self.done = self._keeper.let_go = True
                seconds = round(trio.current_time() - began, 1)
                held = round(trio.current_time() - silent_since, 3)
                left = await self.door.part(travellers, within_seconds=FAREWELL_SECONDS)
                log.info("handed over", process=process.pid, passed=passed, closed=left, seconds=seconds, held=held)
        except (HandoverError, OSError) as error:
            if not done:
                reason = error.reason if isinstance(error, HandoverError) else repr(error)
                log.warning("no successor, this process goes on", reason=reason)
        finally:
            if not done:
                self._take_back(travellers)

    def _lead(self, seconds: float) -> None:
        for station in self._stations():
            station.wanted_lead_seconds = seconds

    def _take_back(self, travellers: Sequence[Traveller]) -> None:
        """Go on as if nothing had been asked."""
        self._notifier.main_process(os.getpid())
        self._lead(0.0)
        for traveller in travellers:
            traveller.go_on()
        for station in self._stations():
            station.gate.release()
        if self.door is not None:
            self.door.reopen()

    async def _cut(self, link: trio.SocketStream) -> None:
        """Stop the stations on the air, here and there, before the same packet."""
        plan = Plan(stations=tuple(passed_station(station, whole=False) for station in self._stations()))
        await send_parcel(link, "plan", plan)
        await _hear(link, "prepared", PREPARED_SECONDS)
        assert self.door is not None
        self.door.shut()
        positions: dict[str, int] = {}
        for station in self._stations():
            ahead = PACKETS_TO_THE_CUT * PACKET_FRAMES if station.on_air else 0
            station.gate.hold(station.next_packet + ahead)
            if station.on_air:
                positions[station.id] = station.next_packet + ahead
        await send_parcel(link, "cut", Cut(positions=positions))
        await self.door.settled(within_seconds=SETTLE_SECONDS)
        with trio.move_on_after(HELD_SECONDS) as patience:
            while not all(_is_still(station) for station in self._stations()):  # noqa: ASYNC110 (some are asleep)
                await trio.sleep(0.01)
        if patience.cancelled_caught:
            raise HandoverError("a station did not come to rest")
        for station in self._stations():
            await self._keeper.save(station)

    async def _pack(self, travellers: list[Traveller]) -> list[PassedListener]:
        """Stop writing to those who can pass; they are put into ``travellers``."""
        assert self.door is not None
        listeners: list[PassedListener] = []
        size_bytes = 0
        travellers += self.door.travellers
        await at_rest(travellers)
        able: list[Traveller] = []
        for traveller in travellers:
            try:
                passed = await packed(traveller)
            except (OSError, trio.ClosedResourceError):
                traveller.go_on()
                continue
            if passed.tail.size_bytes > MOST_TAIL_BYTES or size_bytes + passed.tail.size_bytes > MOST_TAILS_BYTES:
                traveller.go_on()
                continue
            size_bytes += passed.tail.size_bytes
            able.append(traveller)
            listeners.append(passed)
        travellers[:] = able
        return listeners

    async def _pass(
        self, link: trio.SocketStream, travellers: Sequence[Traveller], listeners: Sequence[PassedListener]
    ) -> int:
        """Send everything that is open.

        Returns:
            How many listeners pass: who has left since they were packed is none.
        """
        stations: list[PassedStation] = [passed_station(station, whole=True) for station in self._stations()]
        sockets = [traveller.stream.socket.fileno() for traveller in travellers]
        listeners = [one for one, descriptor in zip(listeners, sockets, strict=True) if descriptor >= 0]
        sockets = [descriptor for descriptor in sockets if descriptor >= 0]  # the others have left meanwhile
        with trio.move_on_after(ADOPTED_SECONDS) as patience:
            await send_parcel(link, "estate", Estate(stations=tuple(stations), listeners=tuple(listeners)), sockets)
        if patience.cancelled_caught:
            raise HandoverError("the successor takes nothing")
        return len(sockets)


@asynccontextmanager
async def successor(
    command: Sequence[str], listening: Sequence[PassedSocket]
) -> AsyncIterator[tuple[trio.Process, trio.SocketStream]]:
    """A process that is to go on, and the link to it; ended if the block is left by an exception.

    Raises:
        OSError: it cannot be started.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        kept = [theirs.fileno(), *(one.listening.fileno() for one in listening)]
        process = await trio.lowlevel.open_process(
            list(command),
            stdin=subprocess.DEVNULL,
            pass_fds=kept,
            env=successor_environ(os.environ, theirs, listening),
        )
        theirs.close()
        link = trio.SocketStream(trio.socket.from_stdlib_socket(ours.dup()))
        try:
            yield process, link
        except BaseException:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
            raise
        finally:
            link.socket.close()


async def _hear(link: trio.SocketStream, kind: str, within_seconds: float) -> None:
    with trio.move_on_after(within_seconds):
        await receive_parcel(link, kind, Word)
        return
    raise HandoverError(f"the successor was not {kind} within {within_seconds:.0f} s")


def _is_still(station: LiveStation) -> bool:
    return not station.on_air or (station.gate.parked and not station.gate.unpublished)


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
