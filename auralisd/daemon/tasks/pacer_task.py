"""Publishes each packet when it is due by the sample clock."""

from __future__ import annotations

import time

import structlog
import trio

from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.studio import Studio
from auralisd.transport.chunk import EncodedChunk
from auralisd.units import PACKET_FRAMES, frames_to_seconds

log = structlog.get_logger()

CHUNKS_AHEAD = 0  # the pacer holds one packet, the encoders the next
STANDSTILL_SECONDS = 1.0  # later than this, the process stood still, and the music with it


async def run_pacer(station: LiveStation, studio: Studio, chunks: trio.MemoryReceiveChannel[EncodedChunk]) -> None:
    """Publish until ``chunks`` ends.

    Sleeps to absolute deadlines of the sample clock, so lateness never adds up. After a
    standstill of the whole process (a suspended laptop) the clock is held back by as much:
    positions go on where they were.
    """
    with chunks:
        async for chunk in chunks:
            due = station.clock.due_seconds(chunk.position)
            await trio.sleep_until(due - station.lead_seconds)
            lateness = trio.current_time() - due
            if lateness > STANDSTILL_SECONDS:
                log.warning("the process stood still", station=station.id, seconds=round(lateness, 2))
                station.clock.hold_back(lateness)
                due += lateness
            due_monotonic = time.monotonic() + due - trio.current_time()
            await station.broadcast.publish(chunk, epoch=station.epoch, due_seconds=due_monotonic)
            station.gate.unpublished -= 1
            station.published(chunk)
            if chunk.bed:
                studio.metrics.bed_played(frames_to_seconds(PACKET_FRAMES))
