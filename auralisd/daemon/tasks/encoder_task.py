"""Encodes each packet once per format that somebody listens to, in a worker thread."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import trio

from auralisd.audio import AudioBlock
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.studio import Studio
from auralisd.daemon.worker import RunInWorker
from auralisd.transport.chunk import EncodedChunk
from auralisd.transport.encoders import EncoderBank

log = structlog.get_logger()

PROGRAMME_AHEAD = 0  # continuity holds the packet until the encoders take it
TURN_PATIENCE_SECONDS = 0.1  # what goes on the air now waits for no renderer that hangs
JOB_PATIENCE_SECONDS = 1.5  # a busy machine is late with 100 ms of sound; longer than this it hangs


async def run_encoders(
    station: LiveStation,
    studio: Studio,
    programme: trio.MemoryReceiveChannel[tuple[AudioBlock, bool]],
    chunks: trio.MemorySendChannel[EncodedChunk],
) -> None:
    """Encode until ``programme`` ends.

    A bank that fails or hangs is replaced, with a worker of its own; that packet goes out as PCM
    alone. A single codec's failure is the bank's own business.
    """
    with programme, chunks:
        bank, run_in_worker = EncoderBank(title=station.title, turns=studio.catch_up_turns), studio.new_worker()
        async for block, last in programme:
            bank.title = station.title
            passed, station.passed_bank = station.passed_bank, None
            if passed is not None:
                await run_in_worker(bank.take_over, passed)
            station.encoders = bank
            chunk = await _encoded(station, studio, bank, run_in_worker, block, last=last)
            if chunk is None:
                studio.metrics.role_restarted("encoder")
                studio.catch_up_turns.give_back(bank)
                bank, run_in_worker = EncoderBank(title=station.title, turns=studio.catch_up_turns), studio.new_worker()
                chunk = EncodedChunk(position=block.position, pcm16=block.pcm16, bed=block.bed, last=last)
            for codec in chunk.failed:
                log.warning("encoder failed", station=station.id, codec=codec, error=str(bank.failures[codec]))
                studio.metrics.encoder_failed(codec)
            await chunks.send(chunk)
        await run_in_worker(bank.close)


async def _encoded(
    station: LiveStation,
    studio: Studio,
    bank: EncoderBank,
    run_in_worker: RunInWorker,
    block: AudioBlock,
    *,
    last: bool,
) -> EncodedChunk | None:
    """The packet in every form that is wanted; None where the bank failed or hangs."""
    with trio.move_on_after(JOB_PATIENCE_SECONDS):
        try:
            async with a_turn(studio.encode_slots):
                return await run_in_worker(encode_packet, bank, block, station.broadcast.wanted_codecs(), last)
        except Exception as error:  # whatever a codec library raises costs its formats a gap
            log.exception("encoders failed", station=station.id, error=repr(error))
    return None


@asynccontextmanager
async def a_turn(slots: trio.CapacityLimiter) -> AsyncIterator[None]:
    """One of ``slots``, unless none becomes free in time: then go on without."""
    with trio.move_on_after(TURN_PATIENCE_SECONDS) as patience:
        await slots.acquire()
    try:
        yield
    finally:
        if not patience.cancelled_caught:
            slots.release()


def encode_packet(bank: EncoderBank, block: AudioBlock, wanted: frozenset[str], last: bool) -> EncodedChunk:
    """The packet in every form that is wanted. Blocking."""
    return bank.encode(block.position, block.pcm16, wanted=wanted, bed=block.bed, last=last)
