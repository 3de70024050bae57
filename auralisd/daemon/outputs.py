"""Where stations go beside their listeners' sockets, and how each of these ways is just now."""

from __future__ import annotations

from typing import Protocol

import structlog
import trio

from auralisd.daemon.live_station import LiveStation
from auralisd.errors import UnknownNameError
from auralisd.station import OutputKind, OutputState, OutputStatus

log = structlog.get_logger()

STATION_CHECK_SECONDS = 2.0  # a station that is made later is sent on this soon


class OutputMetrics(Protocol):
    """Where outputs are counted."""

    def output_changed(self, output: str, *, is_on: bool) -> None:
        """An output came on or went off."""
        ...

    def output_failed(self, output: str, cause: str) -> None:
        """An output failed once more."""
        ...


class Stations(Protocol):
    """Finds stations."""

    def get(self, station_id: str) -> LiveStation:
        """The station of that id.

        Raises:
            UnknownNameError: there is none.
        """
        ...


class Output:
    """One way out; its task says here how it goes, everybody else reads it."""

    def __init__(
        self, *, kind: OutputKind, name: str, station_id: str, formats: tuple[str, ...], metrics: OutputMetrics
    ) -> None:
        """Begin as one that is about to start."""
        self.kind = kind
        self.name = name
        self.station_id = station_id
        self._formats = formats
        self._metrics = metrics
        self._state: OutputState = "starting"
        self._problem: str | None = None
        self._since_seconds = trio.current_time()
        metrics.output_changed(name, is_on=False)

    def status(self) -> OutputStatus:
        """How it is at this moment."""
        return OutputStatus(
            kind=self.kind,
            name=self.name,
            station=self.station_id,
            formats=self._formats,
            state=self._state,
            problem=self._problem,
            seconds=round(trio.current_time() - self._since_seconds, 1),
        )

    def on(self) -> None:
        """The sound arrives."""
        if self._state != "on":
            log.info("output on", kind=self.kind, output=self.name, station=self.station_id)
        self._change("on", None)

    def off(self) -> None:
        """It has ended as it should, and may start again."""
        self._change("starting", None)

    def failing(self, problem: str, *, cause: str, needs_a_person: bool = False) -> None:
        """It does not work and is tried again; that is told of once, and again if it takes a person to mend it."""
        self._metrics.output_failed(self.name, cause)
        if self._state != "failing" or (needs_a_person and problem != self._problem):
            tell = log.error if needs_a_person else log.warning
            tell("output failing", kind=self.kind, output=self.name, station=self.station_id, error=problem)
        self._change("failing", problem)

    async def station(self, stations: Stations) -> LiveStation:
        """Its station, as soon as there is one of that id."""
        while True:
            try:
                return stations.get(self.station_id)
            except UnknownNameError:
                self._change("waiting", f"there is no station {self.station_id!r}")
                await trio.sleep(STATION_CHECK_SECONDS)

    def _change(self, state: OutputState, problem: str | None) -> None:
        if state != self._state:
            self._since_seconds = trio.current_time()
            self._metrics.output_changed(self.name, is_on=state == "on")
        self._state, self._problem = state, problem
