"""One station's life: asleep until somebody listens, then on the air, then asleep again."""

from __future__ import annotations

import functools

import structlog
import trio

from auralisd.audio import AudioBlock
from auralisd.daemon.bed_stay import BedStay
from auralisd.daemon.governor import Governor
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.reserve import Reserve
from auralisd.daemon.studio import Studio
from auralisd.daemon.supervise import Backoff, Escalation, supervise
from auralisd.daemon.tasks.composer_task import PHRASES_AHEAD, run_composer
from auralisd.daemon.tasks.continuity_task import run_continuity
from auralisd.daemon.tasks.encoder_task import PROGRAMME_AHEAD, run_encoders
from auralisd.daemon.tasks.pacer_task import CHUNKS_AHEAD, run_pacer
from auralisd.daemon.tasks.renderer_task import BLOCKS_AHEAD, fall_back_to_cpu, run_renderer
from auralisd.quality import Quality
from auralisd.score import ScoreSlice
from auralisd.transport.chunk import EncodedChunk
from auralisd.units import PACKET_FRAMES, ceil_to_grid

log = structlog.get_logger()

LINGER_SECONDS = 20.0  # a page that is loaded again finds its station playing
RETRY_MS = 2000  # when a listener may look whether the daemon is back
WAKE_SECONDS = 0.35  # from the first listener to the first packet: an instrument is built meanwhile
IMPORT_LEAD_SECONDS = 1.0  # importing torch stalls the loop by up to half a second at a time
RENDERER_BACKOFF = Backoff(first_seconds=0.2, most_seconds=15.0)


async def run_station(station: LiveStation, studio: Studio, stopping: trio.Event) -> None:
    """Serve one station until it is removed or the daemon stops."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_when, station.removed, nursery.cancel_scope, name=f"{station.id}: removal awaited")
        while not stopping.is_set():
            with trio.CancelScope() as asleep:
                async with trio.open_nursery() as waiting:
                    waiting.start_soon(_cancel_when, stopping, asleep, name=f"{station.id}: stop awaited")
                    await station.wait_wanted()
                    waiting.cancel_scope.cancel()
            if not stopping.is_set():
                await be_on_air(station, studio, stopping)
        await station.broadcast.say_goodbye(retry_ms=RETRY_MS, reason="stopping")
        nursery.cancel_scope.cancel()


async def be_on_air(station: LiveStation, studio: Studio, stopping: trio.Event) -> None:
    """Sound until nobody has listened for ``LINGER_SECONDS``, or fade out when the daemon stops.

    The pipeline, all channels bounded::

        composer -> phrases -> renderer -> blocks -> continuity -> programme -> encoders -> chunks -> pacer -> hub
        `------ anew for each piece ---------'
    """
    live_send, live_receive = trio.open_memory_channel[AudioBlock](BLOCKS_AHEAD)
    programme_send, programme_receive = trio.open_memory_channel[tuple[AudioBlock, bool]](PROGRAMME_AHEAD)
    chunks_send, chunks_receive = trio.open_memory_channel[EncodedChunk](CHUNKS_AHEAD)
    _go_on_air(station, studio)
    log.info("on the air", station=station.id, seed=station.piece.seed, position=station.next_packet)
    try:
        async with trio.open_nursery() as nursery:

            async def sound() -> None:
                async with trio.open_nursery() as line:
                    line.start_soon(
                        run_continuity, station, studio, live_receive, programme_send, stopping, name="continuity"
                    )
                    line.start_soon(run_encoders, station, studio, programme_receive, chunks_send, name="encoders")
                    line.start_soon(run_pacer, station, studio, chunks_receive, name="pacer")
                nursery.cancel_scope.cancel()  # the programme ended with the fade-out

            nursery.start_soon(sound, name=f"{station.id}: programme line")
            nursery.start_soon(run_pieces, station, studio, live_send, name=f"{station.id}: pieces")
            await _nobody_wants_it(station)
            nursery.cancel_scope.cancel()
    finally:
        station.on_air = False
        station.piece.rest()
        studio.metrics.quality_changed(station.governor.quality, Quality.FULL)
        # What the machine could not afford then says nothing of the next time.
        station.governor, station.reserve, station.bed_stay = Governor(), Reserve(), BedStay()
        station.touch()
        studio.spare_memory.leave()
        log.info("off the air", station=station.id)


async def run_pieces(station: LiveStation, studio: Studio, blocks: trio.MemorySendChannel[AudioBlock]) -> None:
    """Compose and render one piece after another; a new one begins when the station is reseeded."""
    with blocks:
        while True:
            reseeded = station.reseeded = trio.Event()
            async with trio.open_nursery() as nursery:
                phrases_send, phrases_receive = trio.open_memory_channel[ScoreSlice](PHRASES_AHEAD)
                first_packet = station.next_packet - station.pre_roll_frames
                station.piece.go_to(max(0, first_packet - station.piece_origin))
                nursery.start_soon(_supervised_composer, station, studio, phrases_send, name="composer")
                nursery.start_soon(_supervised_renderer, station, studio, phrases_receive, blocks, name="renderer")
                await reseeded.wait()
                nursery.cancel_scope.cancel()


async def _supervised_composer(
    station: LiveStation, studio: Studio, phrases: trio.MemorySendChannel[ScoreSlice]
) -> None:
    run = functools.partial(run_composer, station.piece, phrases)
    await supervise("composer", run, metrics=studio.metrics, backoff=RENDERER_BACKOFF)


async def _supervised_renderer(
    station: LiveStation,
    studio: Studio,
    phrases: trio.MemoryReceiveChannel[ScoreSlice],
    blocks: trio.MemorySendChannel[AudioBlock],
) -> None:
    async def run() -> None:
        await studio.can_render.wait()
        wanted = True
        while wanted:
            live = max(station.next_packet, station.rendered_until)
            first_packet = max(live - station.pre_roll_frames, station.piece_origin)
            wanted = await run_renderer(station, studio, phrases, blocks, first_packet)

    await supervise(
        "renderer",
        run,
        metrics=studio.metrics,
        backoff=RENDERER_BACKOFF,
        failed=functools.partial(fall_back_to_cpu, station, studio),
        escalation=Escalation(then=functools.partial(studio.give_up, f"the renderer of {station.id}")),
    )


def _go_on_air(station: LiveStation, studio: Studio) -> None:
    ready = studio.can_render.is_set()
    if not station.rehearsing:
        station.lead_seconds = 0.0 if ready else IMPORT_LEAD_SECONDS
    station.gate.unpublished = 0
    now = trio.current_time()
    first = station.clock.position_at(now + station.lead_seconds + WAKE_SECONDS)
    station.next_packet = ceil_to_grid(max(first, station.next_packet), PACKET_FRAMES)
    station.render_edge = station.rendered_until = station.next_packet
    station.published_at = now
    station.on_air = True
    station.on_bed = not ready
    station.has_sounded = False
    station.touch()


async def _nobody_wants_it(station: LiveStation) -> None:
    while True:
        while station.wanted:
            await station.wait_changed(station.revision)
        with trio.move_on_after(LINGER_SECONDS):
            await station.wait_wanted()
        if not station.wanted:
            return


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
