"""Controls that are turned while sound is on: each glides to its new value over 1.5 s.

A layer's gain glides as a fader does (amplitude is the square of its travel), ``level_db`` in decibels,
the rest as they are. The glide sets out at twice its mean speed and slows down towards its end, so that
the hand hears its own movement in the very first blocks and the arrival is soft.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from auralisd.controls import LAYERS, OFF, Controls
from auralisd.synthesis.grid import Floats
from auralisd.units import db_to_gain, seconds_to_frames

RAMP_FRAMES: Final = seconds_to_frames(1.5)
_SCALARS: Final = ("brightness", "space", "warmth", "level_db")
LAYER_INDEX: Final[Mapping[str, int]] = {layer: index for index, layer in enumerate(LAYERS)}


def _targets(controls: Controls) -> Floats:
    faders = [
        0.0 if controls.layers[layer] == OFF else db_to_gain(float(controls.layers[layer])) ** 0.5 for layer in LAYERS
    ]
    return np.array([*faders, *(getattr(controls, name) for name in _SCALARS)], dtype=np.float64)


class ControlRamps:
    """Where every sound control is at any frame, on its way from its last value to its new one."""

    def __init__(self, controls: Controls) -> None:
        """Begin settled on ``controls``."""
        self._target = _targets(controls)
        self._from = self._target.copy()
        self._begun = np.full(self._target.shape, -float(RAMP_FRAMES))
        self._controls = controls

    def turn(self, controls: Controls, at_frames: int) -> None:
        """Glide to ``controls`` from ``at_frames`` on; what is already under way bends from where it is."""
        if controls is self._controls:
            return
        self._controls = controls
        target = _targets(controls)
        changed = target != self._target
        if changed.any():
            now = self._values(np.array([float(at_frames)]))[:, 0]
            self._from = np.where(changed, now, self._from)
            self._begun = np.where(changed, float(at_frames), self._begun)
            self._target = target

    def at(self, points: Floats) -> RampedControls:
        """The controls at absolute frames ``points``, float64 ``(points,)``."""
        return RampedControls(self._values(points))

    def space_target(self) -> float:
        """Where ``space`` is going."""
        return float(self._target[len(LAYERS) + _SCALARS.index("space")])

    def _values(self, points: Floats) -> Floats:
        if points[0] >= self._begun.max() + RAMP_FRAMES:
            return np.repeat(self._target[:, None], len(points), axis=1)
        left = np.clip(1.0 - (points[None, :] - self._begun[:, None]) / RAMP_FRAMES, 0.0, 1.0)
        return np.asarray(self._target[:, None] - (self._target - self._from)[:, None] * left * left)


class RampedControls:
    """Sound controls at some grid points; each attribute is float64 ``(points,)``."""

    __slots__ = ("brightness", "layer_gains", "level_gain", "space", "warmth")

    def __init__(self, values: Floats) -> None:
        """Turn fader travel and decibels into linear amplitude."""
        faders = values[: len(LAYERS)]
        self.layer_gains = faders * faders
        """Linear amplitude of each layer, float64 ``(layers, points)``."""
        self.brightness, self.space, self.warmth, level_db = values[len(LAYERS) :]
        self.level_gain = 10.0 ** (level_db / 20.0)
