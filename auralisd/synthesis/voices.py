"""The one door to torchsynth: its oscillators and envelopes, streamed.

torchsynth makes whole notes from sample 0; a daemon needs any 100 ms of a note. So only its maths is used:
``VCO.oscillator`` on phases computed in float64 from absolute time, and ``ADSR`` with ``ramp`` replaced by
one that takes the age of each note. ``p`` gives plain tensors instead of 0-to-1 parameters, so there are
no ranges to fit into and no clamping. (Importing torchsynth overwrites ``torch.pi`` with a float32 value;
this package uses ``math.pi``.)
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torchsynth.config import SynthConfig
from torchsynth.module import ADSR, SineVCO, SquareSawVCO

from auralisd.synthesis.grid import CONTROL_RATE_HZ, SEGMENT_FRAMES
from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ

_TWO_PI: Final = 2.0 * math.pi


def _config() -> SynthConfig:
    return SynthConfig(
        batch_size=1,
        sample_rate=SAMPLE_RATE_HZ,
        buffer_size_seconds=BLOCK_FRAMES / SAMPLE_RATE_HZ,
        control_rate=CONTROL_RATE_HZ,
        reproducible=False,
    )


class StreamedEnvelopes(ADSR):  # type: ignore[misc]  # torchsynth has no types
    """Attack, decay, sustain, release of many notes at any moments of their lives."""

    def __init__(self) -> None:
        """An envelope module whose parameters are handed over with each call."""
        super().__init__(_config())
        self._call: dict[str, torch.Tensor] = {}

    def p(self, parameter_id: str) -> torch.Tensor:
        """Values of the call under way, float32 ``(notes,)``, in seconds (``sustain``, ``alpha``: plain)."""
        return self._call[parameter_id]

    def levels(self, shapes: torch.Tensor, age_seconds: torch.Tensor) -> torch.Tensor:
        """Amplitude 0 to 1 of each note at each of its ages.

        Args:
            shapes: float32 ``(6, notes)``: attack, decay, sustain, release, alpha, seconds until release.
            age_seconds: float32 ``(notes, points)``, time since the onset; negative before it.

        Returns:
            float32 ``(notes, points)``.
        """
        attack, decay, sustain, release, alpha, held = shapes
        self._call.update(attack=attack, decay=decay, sustain=sustain, release=release, age=age_seconds)
        self._call["alpha"] = alpha.unsqueeze(1)
        # Not ADSR.output: it shortens the attack to the note's length, which would bend what has already
        # sounded when a note is released early. The product of the three ramps stays continuous.
        falling = self.make_decay(attack, decay).reshape(age_seconds.shape)
        levels: torch.Tensor = self.make_attack(attack) * falling * self.make_release(held)
        return levels

    def ramp(
        self, duration: torch.Tensor, start: torch.Tensor | None = None, inverse: bool | None = False
    ) -> torch.Tensor:
        """A ramp 0 to 1 over ``duration`` seconds from ``start`` on, at the ages of the call under way."""
        age = self._call["age"]
        elapsed = age if start is None else age - start.unsqueeze(1)
        ramp = (elapsed / duration.unsqueeze(1)).clamp_(0.0, 1.0)
        if inverse:
            ramp = 1.0 - ramp
        return torch.pow(ramp, self._call["alpha"])


class StreamedSines(SineVCO):  # type: ignore[misc]
    """Sines at given phases."""

    def __init__(self) -> None:
        """A sine oscillator without parameters of its own."""
        super().__init__(_config())
        self._nothing = torch.zeros(1)

    def sound(self, cycles: torch.Tensor, step: torch.Tensor, ramp: torch.Tensor) -> torch.Tensor:
        """Sines whose phase moves linearly inside each segment.

        Args:
            cycles: float32 ``(segments, strands)``, phase at the start of the segment, 0 to 1.
            step: the same shape, cycles gone through in the segment.
            ramp: float32 ``(63,)``, 0 to just below 1.

        Returns:
            float32 ``(segments, strands, 63)``, amplitude 1.
        """
        argument = torch.addcmul(cycles.unsqueeze(-1) - 0.25, step.unsqueeze(-1), ramp).mul_(_TWO_PI)
        sound: torch.Tensor = self.oscillator(argument, self._nothing)
        return sound


class StreamedSaws(SquareSawVCO):  # type: ignore[misc]
    """Soft saws (a tanh of a sine, bent; Lazzarini and Timoney 2010) at given phases."""

    def __init__(self) -> None:
        """A saw oscillator whose edge is handed over with each call."""
        super().__init__(_config())
        self._shape: torch.Tensor
        self.register_buffer("_shape", torch.ones(1))  # goes where the module goes
        self._call: dict[str, torch.Tensor] = {}

    def p(self, parameter_id: str) -> torch.Tensor:  # noqa: ARG002
        """Only ``shape`` is ever asked for: 1 is a saw."""
        return self._shape

    def partials_constant(self, midi_f0: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """How many partials the call under way wants, rather than as many as fit below Nyquist."""
        return self._call["partials"]

    def sound(
        self, cycles: torch.Tensor, step: torch.Tensor, ramp: torch.Tensor, partials: torch.Tensor
    ) -> torch.Tensor:
        """Saws whose phase moves linearly inside each segment.

        Args:
            cycles: float32 ``(segments, strands)``, phase at the start of the segment, 0 to 1.
            step: the same shape, cycles gone through in the segment.
            ramp: float32 ``(63,)``, 0 to just below 1.
            partials: float32 ``(segments, strands)``, edge of the saw; below 1 it is nearly a sine.

        Returns:
            float32 ``(segments, strands, 63)``, amplitude about 1.
        """
        argument = torch.addcmul(cycles.unsqueeze(-1), step.unsqueeze(-1), ramp).mul_(_TWO_PI)
        self._call["partials"] = partials.reshape(-1)
        sound: torch.Tensor = self.oscillator(argument.view(-1, SEGMENT_FRAMES), self._call["partials"])
        return sound.view(*cycles.shape, SEGMENT_FRAMES)
