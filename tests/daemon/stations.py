"""A station with a synthesiser that needs no torch, in virtual time: for tests of the pipeline."""

import math
from contextlib import asynccontextmanager

import numpy as np
import trio

from auralisd.audio import AudioBlock, samples_to_pcm16
from auralisd.controls import Controls
from auralisd.daemon.control_desk import ControlDesk
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.piece import Piece
from auralisd.daemon.studio import DeviceInUse, Studio
from auralisd.daemon.tasks.station_task import run_station
from auralisd.daemon.worker import run_inline
from auralisd.kernel import KernelShelf
from auralisd.observability.metrics import Metrics
from auralisd.transport.broadcast import Broadcast
from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ


class ToneInstrument:
    """Sounds a steady sine whatever the score says; can be told to fail."""

    def __init__(self, *, seed, device, position, controls):
        self.seed = seed
        self.device = device
        self.position = position
        self.accepted = []

    def accept(self, piece):
        self.accepted.append(piece)

    def begin_anew(self, controls, position):
        self.position = position

    def make_do_with(self, quality):
        self.quality = quality

    def render(self, controls, frames=BLOCK_FRAMES):
        at = self.position + np.arange(frames)
        wave = 0.3 * np.sin(2 * math.pi * 220 * at / SAMPLE_RATE_HZ)
        block = AudioBlock(position=self.position, pcm16=samples_to_pcm16(np.stack([wave, wave]).astype(np.float32)))
        self.position += frames
        return block


class RecordedBroadcast(Broadcast):
    """A real broadcast that also remembers what was published and when."""

    def __init__(self):
        super().__init__(monotonic_seconds=trio.current_time)
        self.published = []  # (virtual seconds, epoch, chunk)

    async def publish(self, chunk, *, epoch, due_seconds):
        self.published.append((trio.current_time(), epoch, chunk))
        await super().publish(chunk, epoch=epoch, due_seconds=due_seconds)

    @property
    def chunks(self):
        return [chunk for _, _, chunk in self.published]


def new_studio(
    new_instrument=ToneInstrument, *, ready=True, device="cpu", new_worker=lambda: run_inline, give_up=lambda *_: None
):
    """A studio whose jobs run inline."""
    bed = samples_to_pcm16(np.full((2, 20 * SAMPLE_RATE_HZ), 0.1, dtype=np.float32))
    studio = Studio(
        new_worker=new_worker,
        new_instrument=new_instrument,
        can_render=trio.Event(),
        device=DeviceInUse(device, "of the test"),
        kernel=KernelShelf(),
        shipped_bed=bed,
        metrics=Metrics(),
        give_up=give_up,
    )
    if ready:
        studio.can_render.set()
    return studio


def new_station(studio, *, position=0, seed=1, pinned=True, controls=None):
    """A station with a recorded broadcast."""
    return LiveStation(
        station_id="main",
        title="Test",
        piece=Piece(seed=seed, desk=ControlDesk(start=controls or Controls())),
        preset=None,
        pinned=pinned,
        epoch=1,
        position=position,
        broadcast=RecordedBroadcast(),
        studio=studio,
    )


@asynccontextmanager
async def on_air(station, studio):
    """The station's task, beside the test; yields the event that stops it."""
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_station, station, studio, stopping)
        yield stopping
        nursery.cancel_scope.cancel()
