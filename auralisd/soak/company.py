"""Those who come and go, and a musician who turns the controls: what a daemon has to do on any day."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from auralisd.controls import KEYS, MODES
from auralisd.soak.asking import Reply, ask
from auralisd.soak.hearing import Hearing
from auralisd.soak.listening import FIRST_PROTOCOL, WEBSOCKET_FORMS, visit

VISITORS: Final = 5
"""At a time."""

SHORTEST_VISIT_SECONDS: Final = 1.0
LONGEST_VISIT_SECONDS: Final = 15.0
LONGEST_PAUSE_SECONDS: Final = 4.0
BETWEEN_CHANGES_SECONDS: Final = (1.5, 6.0)
MOST_STATIONS: Final = 2
"""Beside the one that is always there."""

_STATION_PREFIX: Final = "soak-"
_PRESET: Final = "Soak"
_PRESETS: Final = ("Focus", "Meditation", "Sleep", "Bright")
_MAIN_CONTROLS: Final = "/api/v1/stations/main/controls"
_HUSH_SECONDS: Final = 15.0


@dataclass(slots=True)
class Asked:
    """How the musician's requests went.

    Attributes:
        requests: all of them.
        failed: that did not go well, outside faults.
        last_failure: what was asked then, and the status of the answer.
    """

    requests: int = 0
    failed: int = 0
    last_failure: str = ""


@dataclass(slots=True)
class Company:
    """Who comes, goes and steers; they can be sent home and asked back.

    Attributes:
        port: the daemon's.
        forms: formats over HTTP that it offers.
        hearing: where they write what they hear.
        rng: chance.
        asked: how the musician fares.
    """

    port: int
    forms: tuple[str, ...]
    hearing: Hearing
    rng: random.Random
    asked: Asked = field(default_factory=Asked)
    _stations: list[str] = field(default_factory=list)
    _made: int = 0
    _preset_kept: bool = False
    _gathered: trio.CancelScope | None = None
    _may_gather: trio.Event = field(default_factory=trio.Event)
    _gone: trio.Event = field(default_factory=trio.Event)

    async def run(self) -> None:
        """Be there whenever asked to be, until cancelled."""
        while True:
            await self._may_gather.wait()
            if not self._may_gather.is_set():
                continue  # sent home before they came
            with self._gathering():
                async with trio.open_nursery() as nursery:
                    for number in range(VISITORS):
                        nursery.start_soon(self._come_and_go, name=f"visitor {number}")
                    nursery.start_soon(self._steer, name="musician")
            await self._tidy()
            self._gone.set()

    def gather(self) -> None:
        """Ask them all to come."""
        self._may_gather.set()

    async def hush(self) -> None:
        """Send them all home; their stations and presets are removed. Returns when they are gone."""
        self._may_gather = trio.Event()
        if self._gathered is None:
            return
        self._gone = trio.Event()
        self._gathered.cancel()
        with trio.move_on_after(_HUSH_SECONDS):
            await self._gone.wait()

    @contextmanager
    def _gathering(self) -> Iterator[None]:
        with trio.CancelScope() as self._gathered:
            yield
        self._gathered = None

    async def _come_and_go(self) -> None:
        while True:
            await trio.sleep(self.rng.uniform(0, LONGEST_PAUSE_SECONDS))
            form = self.rng.choice((*self.forms, *WEBSOCKET_FORMS, FIRST_PROTOCOL))
            station = self.rng.choice((None, None, *self._stations))
            seconds = self.rng.uniform(SHORTEST_VISIT_SECONDS, LONGEST_VISIT_SECONDS)
            await visit(self.port, form, self.hearing, seconds=seconds, station=station)

    async def _steer(self) -> None:
        while True:
            await trio.sleep(self.rng.uniform(*BETWEEN_CHANGES_SECONDS))
            acts: list[Callable[[], Any]] = [self._turn] * 6 + [self._choose_preset, self._keep_preset]
            acts += [self._remove_station] if len(self._stations) >= MOST_STATIONS else [self._add_station]
            await self.rng.choice(acts)()

    async def _turn(self) -> None:
        change = self.rng.choice(
            (
                {"key": self.rng.choice(KEYS)},
                {"mode": self.rng.choice(MODES)},
                {"tempo_bpm": self.rng.randint(50, 90)},
                {"intensity": round(self.rng.random(), 2)},
                {"brightness": round(self.rng.random(), 2), "warmth": round(self.rng.random(), 2)},
                {"space": round(self.rng.random(), 2)},
                {"layers": {"bells": self.rng.choice(("off", -12.0, 0.0))}},
            )
        )
        await self._ask("PATCH", _MAIN_CONTROLS, change)

    async def _choose_preset(self) -> None:
        await self._ask("POST", "/api/v1/stations/main/preset", {"name": self.rng.choice(_PRESETS)})

    async def _keep_preset(self) -> None:
        if self._preset_kept:
            reply = await self._ask("DELETE", f"/api/v1/presets/{_PRESET}")
        else:
            reply = await self._ask("POST", "/api/v1/presets", {"name": _PRESET, "controls": {"brightness": 0.4}})
        self._preset_kept ^= reply.went_well

    async def _add_station(self) -> None:
        self._made += 1
        station = f"{_STATION_PREFIX}{self._made}"
        preset = self.rng.choice(_PRESETS)
        reply = await self._ask("POST", "/api/v1/stations", {"title": station, "id": station, "preset": preset})
        if reply.went_well:
            self._stations.append(station)

    async def _remove_station(self) -> None:
        station = self._stations.pop(0)
        reply = await self._ask("DELETE", f"/api/v1/stations/{station}")
        if not reply.went_well:
            self._stations.insert(0, station)

    async def _ask(self, method: str, path: str, body: Any = None) -> Reply:
        began_at = trio.current_time()
        reply = await ask(self.port, method, path, body)
        self.asked.requests += 1
        if not reply.went_well and not self.hearing.windows.excuse(began_at, trio.current_time()):
            self.asked.failed += 1
            self.asked.last_failure = f"{method} {path}: {reply.status}"
        return reply

    async def _tidy(self) -> None:
        """Remove what the musician made, as far as the daemon answers; also what an answer got lost about."""
        listed = (await ask(self.port, "GET", "/api/v1/stations")).json().get("stations", [])
        for station in [one["id"] for one in listed if one["id"].startswith(_STATION_PREFIX)]:
            await ask(self.port, "DELETE", f"/api/v1/stations/{station}")
            await trio.sleep(0.1)  # ten changes a second are allowed
        if self._preset_kept:
            await ask(self.port, "DELETE", f"/api/v1/presets/{_PRESET}")
        self._stations.clear()
        self._preset_kept = False
