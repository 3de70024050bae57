"""Writes a station as HLS, for as long as the daemon runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog
import trio

from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.outputs import Output, Stations
from auralisd.daemon.worker import RunInWorker
from auralisd.observability.metrics import Metrics
from auralisd.transport.basket import Basket
from auralisd.transport.forms import HLS_FORM
from auralisd.transport.hls.folder import HlsFolder
from auralisd.transport.hls.playlist import SEGMENT_SECONDS
from auralisd.transport.hls.writer import HlsWriter
from auralisd.transport.limits import packets_in
from auralisd.transport.listener import Listener
from auralisd.transport.packet import HEADER, unpack_header
from auralisd.wall_clock import unix_seconds

log = structlog.get_logger()

BACKLOG_PACKETS = packets_in(10.0)  # a disk that hangs for longer leaves a hole in the playlists
PACKETS_A_JOB = packets_in(0.5)  # after a pause it catches up in jobs that leave others their turn


async def run_hls(
    path: Path,
    renditions: tuple[str, ...],
    output: Output,
    stations: Stations,
    *,
    run_in_worker: RunInWorker,
    metrics: Metrics,
    stopping: trio.Event,
    unix_seconds: Callable[[], float] = unix_seconds,
) -> None:
    """Write the segments and playlists of ``output``'s station into ``path`` until the daemon stops.

    It counts as a listener, so that the station sounds. Numbers go on where the folder was left; in an
    empty one they begin with the time, so that no cache holds an older segment of the same name.

    Raises:
        EncoderError: an encoder is broken; the next incarnation begins with fresh ones.
    """
    while not stopping.is_set():
        station = await output.station(stations)
        first_sequence = int(unix_seconds() / SEGMENT_SECONDS)
        folder = await run_in_worker(partial(HlsFolder, path, renditions, first_sequence=first_sequence))
        writer = HlsWriter(folder, renditions, title=station.title)
        await write_station(station, writer, output, run_in_worker, metrics, unix_seconds)
        output.off()


async def write_station(
    station: LiveStation,
    writer: HlsWriter,
    output: Output,
    run_in_worker: RunInWorker,
    metrics: Metrics,
    unix_seconds: Callable[[], float],
) -> None:
    """Write ``station`` until it says goodbye; what cannot be written is left out, and the next is tried.

    Raises:
        EncoderError: an encoder is broken.
    """
    basket = Basket(packets=BACKLOG_PACKETS, skipped=partial(metrics.packets_skipped, HLS_FORM.name))
    listener = Listener(form=HLS_FORM, outlet=basket, head_start_seconds=0.0, dismiss=lambda _farewell: basket.finish())

    async def done(job: Callable[[], int]) -> None:
        try:
            shown = await run_in_worker(job)
        except OSError as error:
            output.failing(os.strerror(error.errno) if error.errno else repr(error), cause="disk")
        else:
            metrics.hls_segments_written(shown)
            if shown:
                output.on()

    with station.broadcast.listening(listener):
        while packets := await basket.take():
            writer.title = station.title
            for first in range(0, len(packets), PACKETS_A_JOB):
                wall_minus_monotonic = unix_seconds() - time.monotonic()
                await done(partial(_take, writer, packets[first : first + PACKETS_A_JOB], wall_minus_monotonic))
        await done(writer.finish)


def _take(writer: HlsWriter, packets: list[bytes], wall_minus_monotonic: float) -> int:
    shown = 0
    failure: OSError | None = None
    for packet in packets:
        header = unpack_header(packet)
        starts = wall_minus_monotonic + header.due_seconds
        try:
            shown += writer.take(header.position, packet[HEADER.size :], starts_unix_seconds=starts)
        except OSError as error:  # of one segment; the packets after it belong to the next
            failure = error
    if failure is not None:
        raise failure
    return shown
