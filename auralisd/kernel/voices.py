"""The virtual-analogue voices of ``analogue`` for numba to compile: 32 side by side, in vector instructions.

Imported only where the code is made (``compiled``), never where it runs. What it needs to work in is handed
over, so that the machine code stands alone: it asks nothing of Python or numba and holds no interpreter lock.

Saws and their edges are placed in float64; edges are visited by rounds (the first of each saw, then the second
...), since a loop per saw would end where no processor can foresee. Sound and filter are float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from numba import carray, float32, int64, njit  # type: ignore[attr-defined]

type Doubles = npt.NDArray[np.float64]
type Singles = npt.NDArray[np.float32]
type Wholes = npt.NDArray[np.int64]

LANES: Final = 32
FRAMES: Final = 63
SAWS: Final = 3
FASTMATH: Final = {"contract", "nsz", "arcp", "reassoc"}
SLOTS: Final = SAWS * LANES
LEAD_ROWS: Final = 4
ROWS: Final = LEAD_ROWS + FRAMES + 4
PI_BY_RATE: Final = math.pi / 44_100.0
LOWEST_HZ: Final = 30.0
HIGHEST_HZ: Final = 16_000.0
LEAST_Q: Final = 0.55
QUIETEST: Final = 1e-15
ONE: Final = np.float32(1.0)
TWO: Final = np.float32(2.0)
THIRD: Final = np.float32(1.0 / 3.0)
QUARTER: Final = np.float32(0.25)
TWELFTH: Final = np.float32(1.0 / 12.0)
PER_FRAME: Final = np.float32(1.0 / FRAMES)

SINGLES: Final = (15 + 4 + ROWS + FRAMES, LANES)
DOUBLES: Final = (2 + 2 * SAWS, LANES)
PLACES: Final = (2, SLOTS)
"""Shapes of the room to work in: float32, float64, and float64 and int64 alike."""


def inlined[F: Callable[..., object]](function: F) -> F:
    """``function`` for numba to put where it is called."""
    bare: Any = njit  # its types do not know the last three options
    compiled = bare(
        nogil=True, error_model="numpy", fastmath=FASTMATH, forceinline=True,
        no_cpython_wrapper=True, no_cfunc_wrapper=True,
    )(function)  # fmt: skip
    return cast("F", compiled)


@inlined
def begin_saws(starts: Doubles, ends: Doubles, at: Doubles, apart: Doubles, left: Wholes, straight: Singles) -> None:
    """Each saw as a line, and where its first edge lies, how far apart they are, and how many there are."""
    for lane in range(LANES):
        straight[0, lane] = straight[1, lane] = np.float32(0.0)
    for saw in range(SAWS):
        for lane in range(LANES):
            start = starts[saw, lane]
            step = (ends[saw, lane] - start) * (1.0 / FRAMES)
            into = start - math.floor(start - 2.0 * step)
            straight[0, lane] += np.float32(2.0 * into - 1.0)
            straight[1, lane] += np.float32(2.0 * step)
            spacing = 1.0 / step
            first = (1.0 - into) * spacing
            at[saw * LANES + lane] = first
            apart[saw * LANES + lane] = spacing
            left[saw * LANES + lane] = int64(math.floor((FRAMES + 1.0 - first) * step)) + 1


@inlined
def draw_edges(at: Doubles, apart: Doubles, left: Wholes, active: Wholes, edges: Singles) -> None:
    """Write how far the ramps fall from one row to the next into ``edges``, ``(ROWS, LANES)``."""
    waiting = 0
    for slot in range(SLOTS):
        active[waiting] = slot
        waiting += 1 if left[slot] > 0 else 0
    turn = 1
    while waiting > 0:
        still = 0
        for index in range(waiting):
            slot = active[index]
            lane = slot % LANES
            below = math.floor(at[slot])
            row = int64(below) + LEAD_ROWS - 1
            late = float32(at[slot] - below)
            rest = ONE - late
            first = rest * rest * rest * rest * -TWELFTH
            second = late * (np.float32(4.0) * THIRD + late * late * (late * QUARTER - TWO * THIRD)) - ONE
            third = -ONE - rest * (np.float32(4.0) * THIRD + rest * rest * (rest * QUARTER - TWO * THIRD))
            fourth = late * late * late * late * TWELFTH - TWO
            edges[row, lane] += first
            edges[row + 1, lane] += second - first
            edges[row + 2, lane] += third - second
            edges[row + 3, lane] += fourth - third
            edges[row + 4, lane] += -TWO - fourth
            at[slot] += apart[slot]
            active[still] = slot
            still += 1 if left[slot] > turn else 0
        waiting = still
        turn += 1
    for lane in range(LANES):
        edges[LEAD_ROWS, lane] += (edges[0, lane] + edges[1, lane]) + (edges[2, lane] + edges[3, lane])


@inlined
def place_poles(cutoff_hz: Doubles, q: Doubles, lines: Singles) -> None:
    """mu, kappa and d of ``poles.pole_lines`` at one grid point: ``(5, LANES)``."""
    for lane in range(LANES):
        angle = PI_BY_RATE * min(max(cutoff_hz[lane], LOWEST_HZ), HIGHEST_HZ)
        # tan by its Taylor series, which is exact to 1e-9 below 16 kHz and vectorises
        a = angle * angle
        sine = 1.0 + a * (-1 / 6 + a * (1 / 120 + a * (-1 / 5040 + a * (1 / 362880 - a / 39916800))))
        cosine = a * (-1 / 720 + a * (1 / 40320 + a * (a / 479001600 - 1 / 3628800)))
        cosine = 1.0 + a * (-1 / 2 + a * (1 / 24 + cosine))
        warped = angle * sine / cosine
        damping = 1.0 / max(q[lane], LEAST_Q)
        turning = warped * np.sqrt(4.0 - damping * damping)
        by_scale = 1.0 / (1.0 + damping * warped + warped * warped)
        mu_real = (damping * warped + 2.0 * warped * warped) * by_scale
        mu_imag = -turning * by_scale
        zero_real = (2.0 - mu_real) * (2.0 - mu_real) - mu_imag * mu_imag
        zero_imag = -2.0 * (2.0 - mu_real) * mu_imag
        below_real = turning * by_scale * mu_imag
        below_imag = turning * by_scale * (1.0 - mu_real)
        gain = warped * warped * by_scale / (below_real * below_real + below_imag * below_imag)
        lines[0, lane] = np.float32(mu_real)
        lines[1, lane] = np.float32(mu_imag)
        lines[2, lane] = np.float32(gain * (zero_real * below_real + zero_imag * below_imag))
        lines[3, lane] = np.float32(gain * (zero_imag * below_real - zero_real * below_imag))
        lines[4, lane] = np.float32(warped * warped / (1.0 - damping * warped + warped * warped))


@inlined
def filter_segment(
    start: Singles, change: Singles, straight: Singles, edges: Singles, state: Singles, sound: Singles
) -> None:
    """63 frames of 32 voices through their poles."""
    for frame in range(FRAMES):
        passed = float32(frame)
        for lane in range(LANES):
            level = straight[0, lane] + edges[frame + LEAD_ROWS, lane]
            straight[0, lane] = level
            x = level + straight[1, lane] * passed
            mu_real, mu_imag = start[0, lane] + passed * change[0, lane], start[1, lane] + passed * change[1, lane]
            real, imag = state[0, lane], state[1, lane]
            new_real = real + x - (mu_real * real - mu_imag * imag)
            new_imag = imag - (mu_real * imag + mu_imag * real)
            state[0, lane], state[1, lane] = new_real, new_imag
            kappa_real = start[2, lane] + passed * change[2, lane]
            kappa_imag = start[3, lane] + passed * change[3, lane]
            direct = start[4, lane] + passed * change[4, lane]
            sound[frame, lane] = direct * x + (kappa_real * new_real - kappa_imag * new_imag)


@inlined
def take_up(
    first: int, cutoff_hz: Doubles, q: Doubles, poles: Singles,
    cutoff_here: Doubles, q_here: Doubles, state: Singles, start: Singles,
) -> None:  # fmt: skip
    """Put the 32 voices from ``first`` on side by side, at the first grid point; the last one fills what is over."""
    last = cutoff_hz.shape[0] - 1
    for lane in range(LANES):
        voice = min(first + lane, last)
        state[0, lane], state[1, lane] = poles[0, voice], poles[1, voice]
        q_here[lane], cutoff_here[lane] = q[voice], cutoff_hz[voice, 0]
    place_poles(cutoff_here, q_here, start)


@inlined
def sound_segment(
    starts: Doubles, ends: Doubles, cutoff_here: Doubles, q_here: Doubles,
    at: Doubles, apart: Doubles, left: Wholes, active: Wholes,
    start: Singles, change: Singles, after: Singles, straight: Singles, state: Singles, edges: Singles, sound: Singles,
) -> None:  # fmt: skip
    """63 frames of 32 voices into ``sound``, between the phases ``starts`` and ``ends``, towards ``cutoff_here``."""
    edges[:] = np.float32(0.0)
    begin_saws(starts, ends, at, apart, left, straight)
    draw_edges(at, apart, left, active, edges)
    place_poles(cutoff_here, q_here, after)
    for line in range(5):
        for lane in range(LANES):
            change[line, lane] = (after[line, lane] - start[line, lane]) * PER_FRAME
    filter_segment(start, change, straight, edges, state, sound)
    for line in range(5):
        for lane in range(LANES):
            start[line, lane] = after[line, lane]


@inlined
def put_down(first: int, lanes: int, state: Singles, poles: Singles) -> None:
    """Keep where the poles are; what has died away becomes 0."""
    for lane in range(lanes):
        heard = abs(state[0, lane]) + abs(state[1, lane]) > QUIETEST
        poles[0, first + lane] = state[0, lane] if heard else np.float32(0.0)
        poles[1, first + lane] = state[1, lane] if heard else np.float32(0.0)


def analogue_voices(
    cycles_at: Any, cutoff_at: Any, q_at: Any, states_at: Any, sound_at: Any, sizes_at: Any,
    singles_at: Any, doubles_at: Any, places_at: Any, wholes_at: Any,
) -> None:  # fmt: skip
    """A chunk of each voice into ``sound_at``, float32 ``(points - 1, 63, voices)``; the states move on.

    Args:
        cycles_at: where the phases lie, float64 ``(voices, 3, points)``; as for ``analogue.TorchVoices.sound`` ...
        cutoff_at: ... float64 ``(voices, points)``.
        q_at: float64 ``(voices,)``.
        states_at: float32 ``(2, voices)``.
        sound_at: the answer.
        sizes_at: int64: how many voices, and how many grid points, one more than there are segments.
        singles_at: room to work in, ``SINGLES``.
        doubles_at: ``DOUBLES``.
        places_at: float64 ``PLACES``.
        wholes_at: int64 ``PLACES``.
    """
    sizes = carray(sizes_at, (2,))
    voices, points = sizes[0], sizes[1]
    cycles, cutoff_hz = carray(cycles_at, (voices, SAWS, points)), carray(cutoff_at, (voices, points))
    q, poles = carray(q_at, (voices,)), carray(states_at, (2, voices))
    out = carray(sound_at, (points - 1, FRAMES, voices))
    singles, doubles = carray(singles_at, SINGLES), carray(doubles_at, DOUBLES)
    places, wholes = carray(places_at, PLACES), carray(wholes_at, PLACES)
    start, change, after = singles[0:5], singles[5:10], singles[10:15]
    straight, state = singles[15:17], singles[17:19]
    edges, sound = singles[19 : 19 + ROWS], singles[19 + ROWS :]
    cutoff_here, q_here = doubles[0], doubles[1]
    starts, ends = doubles[2:5], doubles[5:8]
    at, apart, left, active = places[0], places[1], wholes[0], wholes[1]
    for first in range(0, voices, LANES):
        lanes = min(LANES, voices - first)
        take_up(first, cutoff_hz, q, poles, cutoff_here, q_here, state, start)
        for segment in range(points - 1):
            for lane in range(LANES):
                voice = first + min(lane, lanes - 1)
                cutoff_here[lane] = cutoff_hz[voice, segment + 1]
                for saw in range(SAWS):
                    starts[saw, lane] = cycles[voice, saw, segment]
                    ends[saw, lane] = cycles[voice, saw, segment + 1]
            sound_segment(
                starts, ends, cutoff_here, q_here, at, apart, left, active,
                start, change, after, straight, state, edges, sound,
            )  # fmt: skip
            for frame in range(FRAMES):
                for lane in range(lanes):
                    out[segment, frame, first + lane] = sound[frame, lane]
        put_down(first, lanes, state, poles)
