"""Everything the web side works with, handed in as one value."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import trio

from auralisd.access import AccessPolicy
from auralisd.admission import Admission
from auralisd.errors import UnknownNameError
from auralisd.observability.metrics import Metrics
from auralisd.score import SEED_BITS
from auralisd.station import DaemonFacts, ExportShelf, PresetShelf, StationDirectory
from auralisd.wall_clock import unix_ms
from auralisd.web.pages import shipped_client_directory


async def _no_hls(station_id: str, _name: str) -> bytes:
    raise UnknownNameError("HLS station", station_id, ())


def _draw_seed() -> int:
    return secrets.randbits(SEED_BITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDependencies:
    """What the app asks and tells.

    Attributes:
        stations: all stations.
        presets: all presets.
        exports: sound files of what was played.
        daemon: what the daemon knows of itself.
        policy: who may do what.
        admission: who may listen.
        metrics: where answers are counted and ``/metrics`` comes from.
        client_directory: the page's files.
        hls_file: reads a file of a station's HLS, by the ids of both; raises UnknownNameError.
        changes_per_second: changes one client may make.
        body_timeout_seconds: how long a client may take to send a body.
        monotonic_seconds: the clock of the rate limits.
        unix_ms: the wall clock, for timestamps in answers only.
        draw_seed: chance, for a new piece.
    """

    stations: StationDirectory
    presets: PresetShelf
    exports: ExportShelf
    daemon: DaemonFacts
    policy: AccessPolicy
    admission: Admission
    metrics: Metrics
    client_directory: Path = field(default_factory=shipped_client_directory)
    hls_file: Callable[[str, str], Awaitable[bytes]] = _no_hls
    changes_per_second: float = 10.0
    body_timeout_seconds: float = 5.0
    monotonic_seconds: Callable[[], float] = trio.current_time
    unix_ms: Callable[[], int] = unix_ms
    draw_seed: Callable[[], int] = _draw_seed
