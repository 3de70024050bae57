"""Sound to draw: rendered afresh, as ``auralisd render`` would."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from auralisd.cli.performance import Performance, played
from auralisd.composition.presets import BUILT_IN
from auralisd.controls import Controls, merge_change
from auralisd.score import ControlChange
from auralisd.units import CHANNELS, SAMPLE_RATE_HZ
from tests.pictures.scores import SEED

Sound = NDArray[np.float64]


def rendered(preset: str, start_seconds: float, until_seconds: float, log: tuple[ControlChange, ...] = ()) -> Sound:
    """The sound of a preset in A: float64 ``(frames, 2)``, full scale 1."""
    controls, _ = merge_change(Controls(), BUILT_IN[preset])
    performance = Performance(
        seed=SEED,
        controls=controls,
        log=log,
        begin_frames=round(start_seconds * SAMPLE_RATE_HZ),
        end_frames=round(until_seconds * SAMPLE_RATE_HZ),
    )
    blocks = [np.frombuffer(block.pcm16, dtype="<i2") for block in played(performance, device="cpu") if block]
    sound = np.concatenate(blocks).reshape(-1, CHANNELS)
    return sound[: performance.frames].astype(np.float64) / 32768.0
