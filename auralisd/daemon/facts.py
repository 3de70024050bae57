"""What the daemon knows of itself, for ``/status``, ``/health`` and probes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import trio

from auralisd import __version__
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.outputs import Output
from auralisd.daemon.studio import Studio
from auralisd.observability.health import HealthCheck, HealthFacts, StationFacts, health_checks
from auralisd.station import OutputStatus


class LiveFacts:
    """Answers from the running parts; keeps nothing of its own but the time of the start."""

    def __init__(
        self,
        *,
        studio: Studio,
        stations: Callable[[], Iterable[LiveStation]],
        stopping: trio.Event,
        longest_pass_seconds: Callable[[], float],
        storage_problem: Callable[[], str | None],
        outputs: Iterable[Output] = (),
    ) -> None:
        """Look at these parts when asked."""
        self._studio = studio
        self._stations = stations
        self._stopping = stopping
        self._longest_pass_seconds = longest_pass_seconds
        self._storage_problem = storage_problem
        self._outputs = tuple(outputs)
        self._started_at = trio.current_time()

    @property
    def version(self) -> str:
        """The program's version."""
        return __version__

    @property
    def device(self) -> Mapping[str, str]:
        """``name`` and ``why`` of the synthesis device; name ``none`` while warming up."""
        return self._studio.device.as_dict()

    @property
    def stopping(self) -> bool:
        """Whether the daemon has begun to say goodbye."""
        return self._stopping.is_set()

    def uptime_seconds(self) -> float:
        """Seconds since the start."""
        return trio.current_time() - self._started_at

    def outputs(self) -> tuple[OutputStatus, ...]:
        """Where stations go beside their listeners' sockets."""
        return tuple(output.status() for output in self._outputs)

    def ready(self) -> bool:
        """Whether somebody who comes now hears something at once: the bed counts, so the daemon is ready early."""
        return not self._stopping.is_set() and bool(list(self._stations()))

    def checks(self) -> tuple[HealthCheck, ...]:
        """Renderer, loop, storage and stations, one line each; outputs too, where there are any."""
        now = trio.current_time()
        can_render = self._studio.can_render.is_set()
        return health_checks(
            HealthFacts(
                device=self._studio.device.name if can_render else None,
                loop_lag_seconds=self._longest_pass_seconds(),
                storage_problem=self._storage_problem(),
                stations=tuple(
                    StationFacts(
                        id=station.id,
                        state=station.state,
                        quiet_seconds=now - station.published_at if station.on_air else None,
                    )
                    for station in self._stations()
                ),
                outputs={status.name: status.problem for status in self.outputs()},
            )
        )
