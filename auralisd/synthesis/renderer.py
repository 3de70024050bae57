"""The synthesiser of one station: score in, mastered blocks out.

``Renderer`` holds all state of the sound. Notes are functions of absolute time, so what is carried from
block to block is only the room (reverb, echoes), the mastering, and the gliding controls. It runs in a
worker thread, one call at a time, on whichever thread that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from auralisd.audio import AudioBlock
from auralisd.controls import Controls
from auralisd.errors import RenderError
from auralisd.kernel.layout import BUSES
from auralisd.kernel.shelf import KernelShelf, address
from auralisd.quality import Quality
from auralisd.score import ScoreSlice
from auralisd.synthesis.chance import Walks
from auralisd.synthesis.delay import EchoDelay
from auralisd.synthesis.device import translated
from auralisd.synthesis.grid import SEGMENT_FRAMES, Chunk, chunks
from auralisd.synthesis.limiter import LOOK_AHEAD_FRAMES
from auralisd.synthesis.mastering import Mastering
from auralisd.synthesis.mixing import VoiceMixer
from auralisd.synthesis.notes import NoteBook
from auralisd.synthesis.oscillators import TableBank
from auralisd.synthesis.ramps import ControlRamps, RampedControls
from auralisd.synthesis.reverb import Reverb, wet_gain
from auralisd.units import BLOCK_FRAMES, floor_to_grid

LATENCY_FRAMES: Final = LOOK_AHEAD_FRAMES
"""What is written at a position is heard this much later (7 ms): the limiter looks ahead."""


@dataclass(frozen=True, slots=True)
class RendererStatistics:
    """What a station's renderer is doing, for metrics.

    Attributes:
        sounding_notes: notes that are on, releases included.
        sounding_strands: sources they are made of.
        coming_notes: notes handed over that have not begun.
        dropped_notes: notes that found no table free, since the start.
        servo_db: gain of the loudness servo.
        limiter_db: how far the limiter turns down, 0 when idle.
    """

    sounding_notes: int
    sounding_strands: int
    coming_notes: int
    dropped_notes: int
    servo_db: float
    limiter_db: float


class Renderer:
    """Turns a score into sound, block by block.

    Attributes:
        position: first frame of the next block.
        device: name of the torch device it works on.
    """

    def __init__(
        self,
        *,
        seed: int,
        device: str = "cpu",
        position: int = 0,
        controls: Controls | None = None,
        shelf: KernelShelf | None = None,
    ) -> None:
        """A renderer at rest.

        Args:
            seed: of the station; the same seed, score and controls give the same sound.
            device: as ``choose_device`` names it.
            position: where to start, rounded down to a multiple of 63 frames.
            controls: settled values to start from.
            shelf: where the compiled kernel lies, or will lie; without one torch plays alone.

        Raises:
            RenderError: if the device fails.
        """
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("highest")  # no TF32: it would leave 60 dB of a mix
        self._seed, self._shelf = seed, shelf or KernelShelf()
        self.position = floor_to_grid(position, SEGMENT_FRAMES)
        self.device = device
        settled, shelf = controls or Controls(), self._shelf
        self._ramps = ControlRamps(settled)
        try:
            with torch.inference_mode():
                place = torch.device(device)
                self._bank = TableBank(seed, place)
                self._notes = NoteBook(seed=seed, bank=self._bank)
                self._mixer = VoiceMixer(bank=self._bank, walks=Walks(seed), device=place, shelf=shelf)
                self._reverb = Reverb(settled.space, place, shelf)
                self._delay = EchoDelay(place, shelf)
                self._mastering = Mastering(seed, shelf)
        except (RuntimeError, MemoryError) as error:
            raise translated(error) from error

    def accept(self, piece: ScoreSlice) -> None:
        """Take notes and early releases to come; notes already under way are faded in, past ones dropped."""
        self._notes.accept(piece.notes, piece.releases, self.position)

    def render(self, controls: Controls, frames: int = BLOCK_FRAMES) -> AudioBlock:
        """The next ``frames`` (a multiple of 63) of sound.

        Raises:
            RenderError: ``device_lost``, ``out_of_memory``, ``not_finite`` or ``failed``; the renderer can
                still be moved to another device.
        """
        start = self.position
        pcm16 = bytearray()
        try:
            with torch.inference_mode():
                self._ramps.turn(controls, start)
                for chunk in chunks(start, frames):
                    pcm16 += self._chunk(chunk)
        except (RuntimeError, MemoryError) as error:
            raise translated(error) from error
        self.position = start + frames
        return AudioBlock(position=start, pcm16=bytes(pcm16))

    def begin_anew(self, controls: Controls, position: int) -> None:
        """Go on elsewhere without what sounded and what was to come; tables, room and loudness stay.

        Args:
            controls: settled values to start from.
            position: where to start, rounded down to a multiple of 63 frames.

        Raises:
            RenderError: if the device fails.
        """
        quality = self.quality
        self.position = floor_to_grid(position, SEGMENT_FRAMES)
        self._ramps = ControlRamps(controls)
        self._notes = NoteBook(seed=self._seed, bank=self._bank)
        self._notes.make_do_with(quality, self.position)
        try:
            with torch.inference_mode():
                self._reverb.rest()
                self._delay = EchoDelay(self._delay.device, self._shelf)
        except (RuntimeError, MemoryError) as error:
            raise translated(error) from error

    def make_do_with(self, quality: Quality) -> None:
        """Sound more or less of the score from the next block on; nothing begins or ends with a click."""
        if quality != self.quality:
            self._notes.make_do_with(quality, self.position)
            self._reverb.short = quality >= Quality.SHORT_ROOM

    @property
    def quality(self) -> Quality:
        """How much of the sound is made."""
        return self._notes.quality

    def statistics(self) -> RendererStatistics:
        """Figures of this moment."""
        notes = self._notes
        return RendererStatistics(
            sounding_notes=len(notes.sounding),
            sounding_strands=sum(len(sounding.strands) for sounding in notes.sounding),
            coming_notes=len(notes.coming),
            dropped_notes=notes.dropped,
            servo_db=self._mastering.servo.gain_db,
            limiter_db=self._mastering.limiter.reduction_db,
        )

    def moved_to(self, device: str) -> Renderer:
        """This renderer on another device: position, controls and sounding notes as they are.

        The tails of reverb and echoes come along where the old device still answers.

        Raises:
            RenderError: if the new device fails too.
        """
        try:
            with torch.inference_mode():
                place = torch.device(device)
                self._bank.move_to(place)
                self._mixer.move_to(place)
                self._reverb.move_to(place)
                self._delay.move_to(place)
                self._notes.find_tables_again()
        except (RuntimeError, MemoryError) as error:
            raise translated(error) from error
        self.device = device
        return self

    def _chunk(self, chunk: Chunk) -> bytes:
        controls = self._ramps.at(chunk.points())
        arrays = self._notes.begin(chunk)
        if arrays is None:
            buses = torch.zeros((BUSES, chunk.frames), device=self._delay.device)
        else:
            buses = self._mixer.mixed(chunk, arrays, controls)
        out = self._in_the_room(chunk, buses, controls).cpu()
        if not bool(torch.isfinite(out.sum())):
            raise RenderError("not_finite", f"the mix at frame {chunk.start} is not finite")
        return self._mastering.mastered(chunk, out[:2], out[2:], controls)

    def _in_the_room(self, chunk: Chunk, buses: torch.Tensor, controls: RampedControls) -> torch.Tensor:
        """Dry, echoes and reverb together, then the servo's reference: float32 ``(4, frames)``."""
        echoes, far = self._delay.heard(chunk, buses)
        wet = self._reverb.wet(chunk, far, self._ramps.space_target())
        gain = wet_gain(controls.space)
        kernel = self._shelf.kernel
        if kernel is not None and wet.device.type == "cpu":
            wet = wet.contiguous()
            gains, sizes = gain.astype(np.float32), np.array([chunk.segments], dtype=np.int64)
            out = torch.empty((4, chunk.frames))
            kernel.gathered_rows(
                buses.data_ptr(), echoes.data_ptr(), wet.data_ptr(), address(gains), out.data_ptr(), address(sizes)
            )
            return out
        start = self._mixer.uploads(gain[:-1].astype(np.float32))[:, None]
        change = self._mixer.uploads(np.diff(gain).astype(np.float32))[:, None]
        swept = wet.reshape(2, -1, SEGMENT_FRAMES) * torch.addcmul(start, change, self._mixer.ramp)
        return torch.cat((buses[:2] + echoes + swept.reshape(wet.shape), buses[5:]))
