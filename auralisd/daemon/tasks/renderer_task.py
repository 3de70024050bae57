"""Turns the score into sound in a worker thread, one packet a job."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import structlog
import trio

from auralisd.audio import AudioBlock
from auralisd.controls import Controls
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.notices import notice
from auralisd.daemon.piece import Piece
from auralisd.daemon.studio import Instrument, Studio
from auralisd.daemon.tasks.pacer_task import STANDSTILL_SECONDS
from auralisd.daemon.worker import RunInWorker
from auralisd.errors import RenderError
from auralisd.quality import BROUGHT_BACK, LEFT_OUT, Quality
from auralisd.score import Reason, ScoreSlice
from auralisd.units import BLOCK_FRAMES, PACKET_FRAMES, ceil_to_grid, frames_to_seconds, seconds_to_frames

log = structlog.get_logger()

BLOCKS_AHEAD = 12  # more than the longest reserve: it is the reserve that holds the renderer back
BUILD_PATIENCE_SECONDS = 30.0  # tables and first torch operations on a slow machine
JOB_PATIENCE_SECONDS = 5.0  # a job of 100 ms that takes as long hangs
LOST_SECONDS = 2.0  # so far behind the air, what is missing is left out: nobody hears it any more


async def run_renderer(
    station: LiveStation,
    studio: Studio,
    phrases: trio.MemoryReceiveChannel[ScoreSlice],
    blocks: trio.MemorySendChannel[AudioBlock],
    first_packet: int,
) -> bool:
    """Render from ``first_packet`` of the programme on, until continuity is gone.

    Lets go as well where a standstill of the whole process made a job look as if it hung: nothing failed.

    Returns:
        Whether another instrument is wanted; False where continuity is gone.

    Owns a worker and an instrument for this incarnation: a hung job keeps its worker, and a
    failed instrument its state, for ever.

    Raises:
        RenderError: the instrument failed; the next incarnation gets a fresh one.
        trio.TooSlowError: a job hangs.
    """
    await studio.can_render.wait()
    rolling = station.pre_roll_frames > 0  # what is made has been heard, from another instrument
    station.pre_roll_frames = 0
    async with studio.build_slots:
        # Others may have been built meanwhile.
        station.begins_anew_at = first_packet if rolling else max(first_packet, station.next_packet)
        playing = await _Playing.begun(station, studio)
    with blocks.clone() as sending:
        while True:
            behind_seconds = frames_to_seconds(station.next_packet - playing.programme_position)
            rolling = rolling and behind_seconds > 0.0
            if behind_seconds > LOST_SECONDS and not rolling:
                log.info("renderer leaves out what is late", station=station.id, behind=round(behind_seconds, 1))
                ahead = ceil_to_grid(seconds_to_frames(station.reserve.seconds), PACKET_FRAMES)
                station.begins_anew_at = station.next_packet + ahead
                await playing.go_on_at(station.begins_anew_at)
            await playing.receive_score(phrases)
            await _until_it_is_time(station, playing.programme_position)
            station.render_edge = playing.programme_position + PACKET_FRAMES
            began = trio.current_time()
            async with studio.render_slots:
                made = await playing.next_packet(station.governor.quality)
            if made is None:
                log.info("renderer begins anew after a standstill", station=station.id)
                return True  # the pacer holds the clock back by what was missed
            block, cpu_seconds = made
            if rolling:
                continue
            _count(station, studio, cpu_seconds)
            govern(station, studio, busy_seconds=trio.current_time() - began)
            try:
                await sending.send(block)
            except trio.BrokenResourceError:
                return False
            station.rendered_until = block.end
            spare_seconds = station.needed_seconds(block.position) - trio.current_time()
            studio.metrics.reserve(station.reserve.packet_made(spare_seconds, now=trio.current_time()))


@dataclass(slots=True, kw_only=True)
class _Playing:
    """One instrument, the piece it plays, and how far it has come.

    Attributes:
        piece: what it plays to its end; a reseeded station begins another with another instrument.
        origin: programme frame at which the piece began.
        position: frame of the piece at which the next packet begins.
        instrument: what sounds.
        run_in_worker: where it works; a job that hangs keeps it for ever.
    """

    piece: Piece
    origin: int
    position: int
    instrument: Instrument
    run_in_worker: RunInWorker
    _waiting: list[ScoreSlice] = field(default_factory=list)  # score that the instrument has not taken
    _received_until: int = 0

    @classmethod
    async def begun(cls, station: LiveStation, studio: Studio) -> Self:
        """A fresh instrument at ``station.begins_anew_at``, with what sounds on there.

        Raises:
            trio.TooSlowError: it takes too long.
        """
        piece, origin, run_in_worker = station.piece, station.piece_origin, studio.new_worker()
        position = station.begins_anew_at - origin
        controls = piece.desk.sounding_at(position, piece.desk.controls_at(position))
        build = functools.partial(
            studio.new_instrument, seed=piece.seed, device=studio.device.name, position=position, controls=controls
        )
        with trio.fail_after(BUILD_PATIENCE_SECONDS):
            instrument = await run_in_worker(build)
        playing = cls(piece=piece, origin=origin, position=position, instrument=instrument, run_in_worker=run_in_worker)
        playing._take_what_sounds_on()
        return playing

    @property
    def programme_position(self) -> int:
        """Programme frame at which the next packet begins."""
        return self.origin + self.position

    async def go_on_at(self, programme_position: int) -> None:
        """Leave out what lies before ``programme_position``.

        Raises:
            trio.TooSlowError: the instrument hangs.
        """
        self.position = programme_position - self.origin
        controls = self.piece.desk.sounding_at(self.position, self.piece.desk.controls_at(self.position))
        with trio.fail_after(BUILD_PATIENCE_SECONDS):
            await self.run_in_worker(self.instrument.begin_anew, controls, self.position)
        self._take_what_sounds_on()

    def _take_what_sounds_on(self) -> None:
        self._waiting = [self.piece.still_sounding(min(self.position, self.piece.composed_until))]
        self._received_until = self.piece.composed_until

    async def receive_score(self, phrases: trio.MemoryReceiveChannel[ScoreSlice]) -> None:
        """Take in the score of the next packet."""
        while self._received_until < self.position + PACKET_FRAMES:
            received = await phrases.receive()
            if received.end_frames > self._received_until:  # the notes of others came with what sounds on
                self._received_until = received.end_frames
                self._waiting.append(received)

    async def next_packet(self, quality: Quality) -> tuple[AudioBlock, float] | None:
        """The next packet and the CPU seconds it took; None where the whole process stood still meanwhile.

        Raises:
            RenderError: the instrument failed.
            trio.TooSlowError: it hangs.
        """
        with trio.move_on_after(JOB_PATIENCE_SECONDS) as patience:
            controls = self.piece.desk.sounding_at(self.position)
            pcm16, cpu_seconds = await self.run_in_worker(
                render_packet, self.instrument, tuple(self._waiting), controls, quality
            )
        if patience.cancelled_caught:
            if trio.current_time() - patience.deadline < STANDSTILL_SECONDS:
                raise trio.TooSlowError
            return None
        self._waiting.clear()
        block = AudioBlock(position=self.programme_position, pcm16=pcm16)
        self.position += PACKET_FRAMES
        return block, cpu_seconds


async def _until_it_is_time(station: LiveStation, position: int) -> None:
    """Sleep until the packet at ``position`` is no further from the air than the reserve."""
    begin_at = _begins_seconds(station, position)
    while begin_at > trio.current_time():  # the clock may have been held back meanwhile
        await trio.sleep_until(begin_at)
        begin_at = _begins_seconds(station, position)


def _begins_seconds(station: LiveStation, position: int) -> float:
    return station.clock.due_seconds(position) - station.lead_seconds - station.reserve.seconds


def render_packet(
    instrument: Instrument, pieces: Sequence[ScoreSlice], controls: Controls, quality: Quality
) -> tuple[bytes, float]:
    """Interleaved int16 of the next packet, and the CPU seconds its making took. Blocking."""
    started = time.thread_time()
    instrument.make_do_with(quality)
    for piece in pieces:
        instrument.accept(piece)
    made = instrument.render(controls, PACKET_FRAMES).pcm16
    return made, time.thread_time() - started


def govern(station: LiveStation, studio: Studio, *, busy_seconds: float) -> None:
    """Leave something out, or bring it back, by how long the packet took; and say so."""
    before = station.governor.quality
    quality = station.governor.packet_made(
        busy_seconds, packet_seconds=frames_to_seconds(PACKET_FRAMES), now=trio.current_time()
    )
    if quality == before:
        return
    studio.metrics.quality_changed(before, quality)
    if quality > before:
        text = (
            f"this machine is busy: {' and '.join(LEFT_OUT[Quality(step)] for step in range(before + 1, quality + 1))}"
        )
        log.warning(
            "quality shed", station=station.id, quality=quality.name.lower(), load=round(station.governor.load, 2)
        )
    else:
        text = f"this machine has time again: {BROUGHT_BACK[before]}"
        log.info("quality back", station=station.id, quality=quality.name.lower(), load=round(station.governor.load, 2))
    position = station.render_edge - station.piece_origin
    station.piece.reasons.append(Reason(position=position, text=text, cause="governor"))
    if before is Quality.FULL:
        station.broadcast.tell(notice("quality_shed"))
    elif quality is Quality.FULL:
        station.broadcast.tell(notice("quality_full"))
    station.touch()


def fall_back_to_cpu(station: LiveStation, studio: Studio, error: Exception) -> None:
    """Give a failed device up for good, whatever it raised and if it hangs: the CPU is always there.

    A sound that is not finite is the music's fault, not the device's, and would be the same on another.
    """
    not_finite = isinstance(error, RenderError) and error.cause == "not_finite"
    if studio.device.name != "cpu" and not not_finite:
        log.warning("device lost, going on with the CPU", device=studio.device.name, error=repr(error))
        studio.device.why = f"cpu: {studio.device.name} failed while playing: {error!r}"
        studio.device.name = "cpu"
        station.announce("device_lost")


def _count(station: LiveStation, studio: Studio, cpu_seconds: float) -> None:
    station.render_seconds = cpu_seconds
    station.rendered_ratio = frames_to_seconds(PACKET_FRAMES) / max(cpu_seconds, 1e-6)
    studio.metrics.blocks_rendered(PACKET_FRAMES, cpu_seconds, block_frames=BLOCK_FRAMES)
