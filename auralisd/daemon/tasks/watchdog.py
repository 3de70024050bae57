"""Feeds systemd's watchdog, and only while the music really goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import trio

from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.systemd import Notifier

WARM_UP_SECONDS = 90.0  # while torch is imported the loop's own progress is enough, for as long
STATUS_SECONDS = 10.0


async def run_watchdog(
    notifier: Notifier, stations: Callable[[], Iterable[LiveStation]], can_render: trio.Event
) -> None:
    """Report until cancelled.

    The watchdog is fed when this loop turns and every station on the air has published (the bed
    counts) within half the watchdog's interval. A daemon that lives but is silent is restarted.
    """
    started_at = trio.current_time()
    interval = (notifier.watchdog_seconds or 2 * STATUS_SECONDS) / 2
    told = ""
    while True:
        now = trio.current_time()
        warming_up = not can_render.is_set() and now - started_at < WARM_UP_SECONDS
        silent = silent_stations(stations(), now=now, patience_seconds=interval)
        if warming_up or not silent:
            notifier.alive()
        sentence = status_sentence(stations(), warming_up=warming_up, silent=silent)
        if sentence != told:
            notifier.status(sentence)
            told = sentence
        await trio.sleep(min(STATUS_SECONDS, interval / 2))


def silent_stations(stations: Iterable[LiveStation], *, now: float, patience_seconds: float) -> tuple[str, ...]:
    """The stations on the air that have published nothing for ``patience_seconds``."""
    return tuple(s.id for s in stations if s.on_air and now - s.published_at > patience_seconds)


def status_sentence(stations: Iterable[LiveStation], *, warming_up: bool, silent: tuple[str, ...]) -> str:
    """One line a person reads in ``systemctl status``."""
    if silent:
        return f"silent: {', '.join(silent)}"
    every = list(stations)
    listeners = sum(station.broadcast.people_count for station in every)
    sounding = [station for station in every if station.on_air]
    words = "warming up" if warming_up else f"{len(sounding)} of {len(every)} stations sounding"
    return f"{words}, {listeners} listening"
