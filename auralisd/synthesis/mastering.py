"""From the mix to 16 bits: servo, glue, warmth, mono bass, level, limiter, dither. On the host, in one pass.

What the device computed comes over in one copy; everything here works on 4410 stereo frames at a time.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from auralisd.kernel.shelf import Kernel, KernelShelf, address
from auralisd.synthesis.chance import generator, hashed
from auralisd.synthesis.filters import SegmentFilter, dc_block, high_pass, low_pass
from auralisd.synthesis.glue import Glue
from auralisd.synthesis.grid import SEGMENT_FRAMES, Chunk, Floats
from auralisd.synthesis.limiter import LOOK_AHEAD_FRAMES, TruePeakLimiter
from auralisd.synthesis.loudness import LoudnessServo
from auralisd.synthesis.ramps import RampedControls
from auralisd.units import CHANNELS

MONO_BELOW_HZ: Final = 120.0
_BODY_HZ: Final = 300.0
_NEUTRAL_WARMTH: Final = 0.5
_DITHER_ROWS: Final = 2_048


class Mastering:
    """The last stage of one station."""

    def __init__(self, seed: int, shelf: KernelShelf | None = None) -> None:
        """Everything at rest."""
        self._shelf = shelf or KernelShelf()
        host = torch.device("cpu")
        self.servo = LoudnessServo()
        self.glue = Glue()
        self.limiter = TruePeakLimiter()
        self._seed = seed
        self._bass = SegmentFilter((dc_block(), high_pass(MONO_BELOW_HZ, 4)), host, self._shelf)
        self._body = SegmentFilter((low_pass(_BODY_HZ, 2), low_pass(_BODY_HZ, 2)), host, self._shelf)
        self._bass_numbers, self._body_numbers = _of_two_rotations(self._bass), _of_two_rotations(self._body)
        self._ramp = torch.arange(SEGMENT_FRAMES, dtype=torch.float32) / SEGMENT_FRAMES
        dither = generator(seed, "dither").random((2, _DITHER_ROWS, CHANNELS * SEGMENT_FRAMES), dtype=np.float32)
        self._dither = dither[0] - dither[1]  # triangular, one step to each side

    def mastered(self, chunk: Chunk, mix: torch.Tensor, reference: torch.Tensor, controls: RampedControls) -> bytes:
        """16-bit sound of ``chunk``, delayed by the limiter's look-ahead.

        Args:
            chunk: where we are.
            mix: float32 ``(2, frames)`` on the host.
            reference: float32 ``(2, frames)``, what the servo listens to.
            controls: at the grid points of ``chunk``.

        Returns:
            Interleaved little-endian int16 stereo.
        """
        gains = self.servo.gains(chunk.points()) * self.glue.gains(chunk.points())
        self.servo.listen(chunk, reference.numpy())
        self.glue.listen(chunk, mix)
        kernel = self._shelf.kernel
        if kernel is not None:
            return self._run(kernel, chunk, mix.contiguous(), gains, controls)
        sound = self._lines(mix, gains)
        sound = self._warmed(sound, controls.warmth)
        sound = self._mono_below(sound)
        sound = self._lines(sound, controls.level_gain)
        return self._dithered(chunk, self.limiter.limited(sound))

    def _lines(self, sound: torch.Tensor, gains: Floats) -> torch.Tensor:
        """``sound`` under a gain that is a line between grid points."""
        if gains.min() == gains.max():
            return sound if gains[0] == 1.0 else sound * float(gains[0])
        rows = sound.reshape(CHANNELS, -1, SEGMENT_FRAMES)
        return (rows * self._ramped(gains)).reshape(sound.shape)

    def _ramped(self, values: Floats) -> torch.Tensor:
        start = torch.from_numpy(values[:-1].astype(np.float32))[:, None]
        change = torch.from_numpy(np.diff(values).astype(np.float32))[:, None]
        return torch.addcmul(start, change, self._ramp)

    def _warmed(self, sound: torch.Tensor, warmth: Floats) -> torch.Tensor:
        """Body below 300 Hz and a soft curve; both grow with ``warmth``, and 0.5 is nearly neutral."""
        rows = sound.reshape(CHANNELS, -1, SEGMENT_FRAMES)
        if (warmth != _NEUTRAL_WARMTH).any():
            body = self._body.filtered(sound).reshape(rows.shape)
            rows = torch.addcmul(rows, body, self._ramped(_body_share(warmth)))
        drive = self._ramped(_drive(warmth))
        return (torch.tanh(rows * drive) / drive).reshape(sound.shape)

    def _run(self, kernel: Kernel, chunk: Chunk, mix: torch.Tensor, gains: Floats, controls: RampedControls) -> bytes:
        """``mastered`` in machine code, but for what the limiter does when it has to."""
        curves = np.empty((4, chunk.segments + 1), dtype=np.float32)
        curves[0], curves[1], curves[2] = gains, _body_share(controls.warmth), _drive(controls.warmth)
        curves[3] = controls.level_gain
        line, body, bass = self.limiter.line, self._body, self._bass
        body_order = body.state.shape[1] if curves[1].any() else 0
        sizes = np.array(
            [chunk.segments, line.shape[1], LOOK_AHEAD_FRAMES, body_order, bass.state.shape[1]], dtype=np.int64
        )
        room, loudest = np.empty(chunk.frames, dtype=np.float32), np.zeros(1, dtype=np.float32)
        kernel.mastered_rows(
            mix.data_ptr(), address(curves), address(self._body_numbers), body.state.data_ptr(),
            address(self._bass_numbers), bass.state.data_ptr(), address(room), line.data_ptr(), address(loudest),
            address(sizes),
        )  # fmt: skip
        pcm16 = self._dithered(chunk, self.limiter.limited_line(chunk.frames, float(loudest[0])))
        self.limiter.move_on(chunk.frames)
        return pcm16

    def _mono_below(self, sound: torch.Tensor) -> torch.Tensor:
        """Nothing at DC, and nothing to the sides below 120 Hz."""
        middle_side = torch.stack((sound[0] + sound[1], sound[0] - sound[1])).mul_(0.5)
        middle, side = self._bass.filtered(middle_side)
        return torch.stack((middle + side, middle - side))

    def _dithered(self, chunk: Chunk, sound: torch.Tensor) -> bytes:
        begin = hashed(self._seed, chunk.span) + chunk.offset // SEGMENT_FRAMES
        kernel = self._shelf.kernel
        if kernel is not None:
            answer = np.empty((chunk.frames, CHANNELS), dtype="<i2")
            sizes = np.array([chunk.segments, _DITHER_ROWS, begin % _DITHER_ROWS, sound.stride(0)], dtype=np.int64)
            kernel.dithered_rows(sound.data_ptr(), address(self._dither), address(answer), address(sizes))
            return answer.tobytes()
        rows = (begin % _DITHER_ROWS + np.arange(chunk.segments)) % _DITHER_ROWS
        interleaved = sound.numpy().T.reshape(-1)
        steps = np.rint(interleaved * 32767.0 + self._dither[rows].reshape(-1))
        samples: bytes = np.clip(steps, -32768, 32767).astype("<i2").tobytes()
        return samples


def _body_share(warmth: Floats) -> Floats:
    """How much of what lies below 300 Hz is added."""
    return 0.7 * (warmth - _NEUTRAL_WARMTH)


def _drive(warmth: Floats) -> Floats:
    """How far into the soft curve the sound goes."""
    return 0.35 + 1.1 * warmth


def _of_two_rotations(one: SegmentFilter) -> Floats:
    assert one.numbers is not None  # both filters here are of fourth order at most
    return one.numbers
