"""Recursive filters in whole-segment form, so that 63 frames cost three small matrix products.

A linear filter in state-space form, ``s' = A s + B x``, ``y = C s + D x``, is unrolled over a segment: the
answer to the segment's own input is one triangular matrix, the answer to the state at its start another,
and the states at all segment starts of a chunk follow from one product with the powers of ``A``
(Burrus, "Block realization of digital filters", 1972). The states are brought to a normal form (rotations),
which float32 holds without loss however low the corner is.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch.nn.functional import hardshrink

from auralisd.kernel.shelf import Kernel, KernelShelf, address
from auralisd.synthesis.grid import SEGMENT_FRAMES, SEGMENTS_PER_SPAN, Floats
from auralisd.units import SAMPLE_RATE_HZ

QUIETEST: Final = 1e-15
"""What is below is set to 0 wherever sound is fed back, or silence would end in slow denormal numbers."""

_COMPILED_ORDER: Final = 4
_ROUNDING: Final = 1e-12

type Sections = tuple[tuple[Floats, Floats], ...]
"""Second-order sections: numerator and denominator, three coefficients each."""


def high_pass(corner_hz: float, order: int) -> Sections:
    """Butterworth high-pass of an even order, bilinear transform with prewarped corner."""
    return _butterworth(corner_hz, order, high=True)


def low_pass(corner_hz: float, order: int) -> Sections:
    """Butterworth low-pass of an even order, bilinear transform with prewarped corner."""
    return _butterworth(corner_hz, order, high=False)


def dc_block(corner_hz: float = 5.0) -> Sections:
    """First-order high-pass that lets nothing but DC go."""
    pole = np.exp(-2.0 * np.pi * corner_hz / SAMPLE_RATE_HZ)
    gain = (1.0 + pole) / 2.0
    return ((gain * np.array([1.0, -1.0, 0.0]), np.array([1.0, -pole, 0.0])),)


def _butterworth(corner_hz: float, order: int, *, high: bool) -> Sections:
    warped = np.tan(np.pi * corner_hz / SAMPLE_RATE_HZ)
    sections = []
    for index in range(order // 2):
        damping = 2.0 * np.sin(np.pi * (2 * index + 1) / (2 * order))
        scale = 1.0 + damping * warped + warped**2
        numerator = np.array([1.0, -2.0, 1.0]) if high else warped**2 * np.array([1.0, 2.0, 1.0])
        denominator = np.array([scale, 2.0 * (warped**2 - 1.0), 1.0 - damping * warped + warped**2])
        sections.append((numerator / scale, denominator / scale))
    return tuple(sections)


def _state_space(sections: Sections) -> tuple[Floats, Floats, Floats, float]:
    """A, B, C, D of the sections in series (transposed direct form II each)."""
    a, b, c, d = np.zeros((0, 0)), np.zeros((0, 1)), np.zeros((1, 0)), 1.0
    for numerator, denominator in sections:
        b0, b1, b2 = numerator
        _, a1, a2 = denominator
        own_a = np.array([[-a1, 1.0], [-a2, 0.0]])
        own_b = np.array([[b1 - a1 * b0], [b2 - a2 * b0]])
        own_c = np.array([[1.0, 0.0]])
        a = np.block([[a, np.zeros((a.shape[0], 2))], [own_b @ c, own_a]])
        b = np.vstack([b, own_b * d])
        c = np.hstack([b0 * c, own_c])
        d = float(b0 * d)
    return _normal_form(a, b, c, d)


def _normal_form(a: Floats, b: Floats, c: Floats, d: float) -> tuple[Floats, Floats, Floats, float]:
    """The same filter with rotations on the diagonal of ``a``."""
    if not len(a):
        return a, b, c, d
    values, vectors = np.linalg.eig(a)
    columns = []
    for value, vector in zip(values, vectors.T, strict=True):
        if value.imag > 0.0:
            columns += [vector.real, vector.imag]
        elif value.imag == 0.0:
            columns.append(vector.real)
    basis = np.array(columns).T
    inverse = np.linalg.inv(basis)
    return inverse @ a @ basis, inverse @ b, c @ basis, d


class SegmentFilter:
    """A filter for several channels, each with its own sections, that runs a chunk at a time.

    Attributes:
        state: float32 ``(channels, order)``; zeros at rest.
        numbers: what the kernel runs it by, float64 ``(channels, FILTER_NUMBERS)``; None where it cannot.
    """

    def __init__(self, channels: tuple[Sections, ...], device: torch.device, shelf: KernelShelf | None = None) -> None:
        """Unroll the filters of ``channels`` over a segment and a span."""
        systems = [_state_space(sections) for sections in channels]
        self._order = max(1, max(len(a) for a, _, _, _ in systems))
        self._shelf = shelf or KernelShelf()
        self.numbers = _numbers(systems)
        unrolled = [_unrolled(*_padded(system, self._order)) for system in systems]
        self._own, self._inputs, self._powers, self._outputs = (
            torch.from_numpy(np.stack(parts).astype(np.float32)).to(device) for parts in zip(*unrolled, strict=True)
        )
        self.state = torch.zeros((len(channels), self._order), device=device)

    def filtered(self, sound: torch.Tensor) -> torch.Tensor:
        """The next chunk of ``sound``, float32 ``(channels, frames)``, filtered; moves the state on."""
        channels, frames = sound.shape
        kernel = self._shelf.kernel
        if kernel is not None and self.numbers is not None and self.state.device.type == "cpu":
            return self._run(kernel, sound.contiguous(), self.numbers)
        segments = frames // SEGMENT_FRAMES
        rows = sound.reshape(channels, segments, SEGMENT_FRAMES)
        driven = torch.bmm(rows, self._inputs).reshape(channels, segments * self._order)
        seen = torch.cat((self.state, driven), dim=1).unsqueeze(1)
        width = (segments + 1) * self._order
        states = torch.bmm(seen, self._powers[:, :width, :width]).reshape(channels, segments + 1, self._order)
        self.state = hardshrink(states[:, -1], QUIETEST)
        filtered = torch.baddbmm(torch.bmm(rows, self._own), states[:, :-1], self._outputs)
        return filtered.reshape(channels, frames)

    def _run(self, kernel: Kernel, sound: torch.Tensor, numbers: Floats) -> torch.Tensor:
        """``filtered`` in machine code, frame by frame."""
        filtered = torch.empty_like(sound)
        sizes = np.array([*sound.shape, self._order], dtype=np.int64)
        kernel.filtered_rows(
            sound.data_ptr(), filtered.data_ptr(), self.state.data_ptr(), address(numbers), address(sizes)
        )
        return filtered


def _numbers(systems: list[tuple[Floats, Floats, Floats, float]]) -> Floats | None:
    """What the compiled filter takes, float64 ``(channels, FILTER_NUMBERS)``; None where it is no pair of rotations."""
    rows = []
    for system in systems:
        if len(system[0]) > _COMPILED_ORDER:
            return None
        a, b, c, d = _padded(system, _COMPILED_ORDER)
        if max(np.abs(a[:2, 2:]).max(), np.abs(a[2:, :2]).max()) > _ROUNDING:
            return None
        rows.append(np.concatenate((a[:2, :2].ravel(), a[2:, 2:].ravel(), b.ravel(), c.ravel(), [d])))
    return np.array(rows)


def _padded(system: tuple[Floats, Floats, Floats, float], order: int) -> tuple[Floats, Floats, Floats, float]:
    a, b, c, d = system
    missing = order - len(a)
    return np.pad(a, (0, missing)), np.pad(b, ((0, missing), (0, 0))), np.pad(c, ((0, 0), (0, missing))), d


def _unrolled(a: Floats, b: Floats, c: Floats, d: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Matrices that act on row vectors: own input, input to state, states to states, state to output."""
    length, order, spans = SEGMENT_FRAMES, len(a), SEGMENTS_PER_SPAN + 1
    powers = [np.eye(order)]
    for _ in range(length):
        powers.append(a @ powers[-1])
    answer = np.array([d, *((c @ powers[k] @ b).item() for k in range(length - 1))])
    own = np.zeros((length, length))
    for row in range(length):
        own[row, row:] = answer[: length - row]
    inputs = np.hstack([powers[length - 1 - k] @ b for k in range(length)]).T
    outputs = np.vstack([c @ powers[k] for k in range(length)]).T
    across = np.zeros((spans * order, spans * order))
    block = np.eye(order)
    for distance in range(spans):
        for start in range(spans - distance):
            rows = slice(start * order, (start + 1) * order)
            columns = slice((start + distance) * order, (start + distance + 1) * order)
            across[rows, columns] = block.T
        block = powers[length] @ block
    return own, inputs, across, outputs
