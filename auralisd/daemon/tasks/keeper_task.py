"""Saves the stations every few seconds, and at once when a control was turned."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

import trio

from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.state_keeper import StateKeeper

SAVE_SECONDS = 10.0  # after a crash the piece goes on at most as much earlier
CHECK_SECONDS = 1.0  # a change of controls is on the disk this soon


async def run_keeper(keeper: StateKeeper, stations: Callable[[], Iterable[LiveStation]]) -> None:
    """Save until cancelled; a station that sleeps and was not touched is not written again."""
    last_saves: WeakKeyDictionary[LiveStation, tuple[float, int]] = WeakKeyDictionary()
    while True:
        await trio.sleep(CHECK_SECONDS)
        await keeper.forget_removed()
        now = trio.current_time()
        for station in stations():
            saved_at, revision = last_saves.get(station, (-math.inf, -1))
            changed = bool(station.piece.desk.unsaved) or (not station.on_air and revision != station.revision)
            if changed or (station.on_air and now - saved_at >= SAVE_SECONDS):
                await keeper.save(station)
                last_saves[station] = (now, station.revision)
