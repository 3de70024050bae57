"""Gives the encoders a packet every 100 ms, whatever the renderer does."""

from __future__ import annotations

import structlog
import trio

from auralisd.audio import AudioBlock
from auralisd.daemon.continuity import faded
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.studio import Studio
from auralisd.units import PACKET_FRAMES, db_to_gain

log = structlog.get_logger()

TAKE_AHEAD_SECONDS = 0.15  # a packet is asked for no sooner, so that controls act on later ones
FADE_OUT_PACKETS = 4  # almost half a second of goodbye
LEAD_STEP_SECONDS = 0.01  # per packet, when a lead is given back after the start, or taken


async def run_continuity(
    station: LiveStation,
    studio: Studio,
    live_blocks: trio.MemoryReceiveChannel[AudioBlock],
    programme: trio.MemorySendChannel[tuple[AudioBlock, bool]],
    stopping: trio.Event,
) -> None:
    """Send ``(block, last)`` packet by packet until ``stopping``, then fade out and return.

    Owns the sending end of ``programme``: when it returns, the encoders and the pacer run dry
    and return too.
    """
    held: AudioBlock | None = None
    fading = 0
    with programme, live_blocks:
        while fading < FADE_OUT_PACKETS:
            position = station.next_packet
            await station.gate.reach(position)
            due = station.clock.due_seconds(position) - station.lead_seconds
            await trio.sleep_until(due - TAKE_AHEAD_SECONDS)
            due = station.clock.due_seconds(position) - station.lead_seconds
            held = await _newest(station, live_blocks, held, position)
            live = held if held is not None and held.position == position else None
            studio.metrics.deadline_slack(due - trio.current_time())
            block = _next_block(station, studio, position, live)
            if stopping.is_set():
                block, fading = _faded_out(block, fading), fading + 1
            if position >= station.gate.enters_at:
                station.gate.unpublished += 1
                await programme.send((block, fading == FADE_OUT_PACKETS))
            station.next_packet = position + PACKET_FRAMES
            if studio.can_render.is_set():
                step = station.wanted_lead_seconds - station.lead_seconds
                station.lead_seconds += max(-LEAD_STEP_SECONDS, min(LEAD_STEP_SECONDS, step))


async def _newest(
    station: LiveStation, live_blocks: trio.MemoryReceiveChannel[AudioBlock], held: AudioBlock | None, position: int
) -> AudioBlock | None:
    """The live packet at ``position`` or a later one; an older one, or none, if it is not there when it is needed."""
    while held is None or held.position < position:
        try:
            held = live_blocks.receive_nowait()  # what is there is taken, however late it is
        except trio.WouldBlock:
            with trio.move_on_at(station.needed_seconds(position)) as patience:
                held = await live_blocks.receive()
            if patience.cancelled_caught:
                break
    return held


def _next_block(station: LiveStation, studio: Studio, position: int, live: AudioBlock | None) -> AudioBlock:
    was_on_bed = station.continuity.on_bed
    now = trio.current_time()
    if live is not None and was_on_bed and station.has_sounded:
        in_hand = (station.rendered_until - position) // PACKET_FRAMES - 1
        live = live if station.bed_stay.may_end(now, in_hand) else None
    station.continuity.bed_gain = db_to_gain(station.controls.level_db)
    block = station.continuity.next_block(position, live, anew=position == station.begins_anew_at)
    late = live is None and station.has_sounded  # while a station wakes or a piece begins, the bed is no failure
    station.has_sounded |= live is not None and position >= station.piece_origin
    if late:
        station.underruns += 1
        studio.metrics.underrun()
    if late and not was_on_bed:
        station.bed_stay.begin(now)
        studio.metrics.reserve(station.reserve.broke_off(now))
        log.warning("bed on the air", station=station.id, position=position)
        station.announce("bed_on_air", position)
    elif live is not None and was_on_bed:
        station.bed_stay.end(now)
        log.info("live sound on the air", station=station.id, position=position)
        station.announce("live_again", position)
    return block


def _faded_out(block: AudioBlock, step: int) -> AudioBlock:
    pcm16 = faded(block.pcm16, from_gain=1 - step / FADE_OUT_PACKETS, to_gain=1 - (step + 1) / FADE_OUT_PACKETS)
    return AudioBlock(position=block.position, pcm16=pcm16, bed=block.bed)
