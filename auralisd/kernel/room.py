"""Reverb, echoes, filters, warmth and dither of a chunk, for numba to compile: what ``synthesis`` does in torch.

Where torch needs an array for each step, these need none between: half the memory is gone through, which is what
they cost when many stations share a cache.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import carray  # type: ignore[attr-defined]

from auralisd.kernel.desk import LN_2, two_to_the
from auralisd.kernel.layout import FILTER_NUMBERS
from auralisd.kernel.voices import FRAMES, PER_FRAME

STEPS: Final = np.float32(32_767.0)


def summed_partitions(sound_at: Any, impulse_at: Any, total_at: Any, sizes_at: Any) -> None:
    """Spectra of past sound times those of the impulse, all partitions together, added to ``total_at``.

    Args:
        sound_at: complex64 ``(2, partitions, bins)``, by slots.
        impulse_at: complex64 ``(2, 2 * partitions, bins)``, doubled, so that any rotation is one piece.
        total_at: complex64 ``(2, total_bins)``.
        sizes_at: int64: partitions, bins, total_bins, first row of the impulse.
    """
    sizes = carray(sizes_at, (4,))
    partitions, numbers, first = sizes[0], 2 * sizes[1], sizes[3]
    sound, impulse = carray(sound_at, (2, partitions, numbers)), carray(impulse_at, (2, 2 * partitions, numbers))
    total = carray(total_at, (2, 2 * sizes[2]))
    for channel in range(2):
        whole = total[channel]
        for partition in range(partitions):
            one, other = sound[channel, partition], impulse[channel, first + partition]
            for pair in range(numbers // 2):
                real, imag = one[2 * pair], one[2 * pair + 1]
                by_real, by_imag = other[2 * pair], other[2 * pair + 1]
                whole[2 * pair] += real * by_real - imag * by_imag
                whole[2 * pair + 1] += real * by_imag + imag * by_real


def read_taps(line_at: Any, taps_at: Any, begins_at: Any, steps_at: Any, places_at: Any, sizes_at: Any) -> None:
    """What taps read of a delay line, each at its own moving place, with straight lines between frames.

    Args:
        line_at: float32 ``(line_frames,)``.
        taps_at: the answer, float32 ``(taps, frames)``.
        begins_at: where in the first frame each tap begins, float32 ``(taps,)``, 0 to 1.
        steps_at: frames gone through per frame, float32 ``(taps,)``.
        places_at: first frame of each tap, int64 ``(taps,)``.
        sizes_at: int64: taps, frames, line_frames.
    """
    sizes = carray(sizes_at, (3,))
    line, taps = carray(line_at, (sizes[2],)), carray(taps_at, (sizes[0], sizes[1]))
    begins, steps = carray(begins_at, (sizes[0],)), carray(steps_at, (sizes[0],))
    places = carray(places_at, (sizes[0],))
    for tap in range(sizes[0]):
        for frame in range(sizes[1]):
            reach = begins[tap] + steps[tap] * np.float32(frame)
            whole = math.floor(reach)
            at = places[tap] + int(whole)
            taps[tap, frame] = line[at] + (line[at + 1] - line[at]) * np.float32(reach - whole)


def filtered_rows(sound_at: Any, filtered_at: Any, states_at: Any, numbers_at: Any, sizes_at: Any) -> None:
    """Filters of fourth order at most, as two rotations that decay, one after the other frame; in float64.

    Args:
        sound_at: float32 ``(channels, frames)``.
        filtered_at: the answer, the same.
        states_at: float32 ``(channels, order)``, moved on.
        numbers_at: float64 ``(channels, FILTER_NUMBERS)``: a and its rows, b, c, d; as ``filters`` has them.
        sizes_at: int64: channels, frames, order.
    """
    sizes = carray(sizes_at, (3,))
    channels, frames, order = sizes[0], sizes[1], sizes[2]
    sound, filtered = carray(sound_at, (channels, frames)), carray(filtered_at, (channels, frames))
    states, numbers = carray(states_at, (channels, order)), carray(numbers_at, (channels, FILTER_NUMBERS))
    for channel in range(channels):
        a00, a01, a10, a11, a22, a23, a32, a33 = numbers[channel, :8]
        b0, b1, b2, b3, c0, c1, c2, c3, direct = numbers[channel, 8:17]
        x0 = np.float64(states[channel, 0])
        x1 = np.float64(states[channel, 1]) if order > 1 else 0.0
        x2 = np.float64(states[channel, 2]) if order > 2 else 0.0
        x3 = np.float64(states[channel, 3]) if order > 3 else 0.0
        for frame in range(frames):
            level = np.float64(sound[channel, frame])
            filtered[channel, frame] = np.float32(direct * level + (c0 * x0 + c1 * x1) + (c2 * x2 + c3 * x3))
            x0, x1 = a00 * x0 + a01 * x1 + b0 * level, a10 * x0 + a11 * x1 + b1 * level
            x2, x3 = a22 * x2 + a23 * x3 + b2 * level, a32 * x2 + a33 * x3 + b3 * level
        states[channel, 0] = np.float32(x0)
        if order > 1:
            states[channel, 1] = np.float32(x1)
        if order > 2:
            states[channel, 2] = np.float32(x2)
        if order > 3:
            states[channel, 3] = np.float32(x3)


def warmed_rows(sound_at: Any, drive_at: Any, warmed_at: Any, sizes_at: Any) -> None:
    """``tanh(x * drive) / drive``.

    Args:
        sound_at: float32 ``(channels, segments * 63)``.
        drive_at: at the grid points, float32 ``(segments + 1,)``.
        warmed_at: the answer, as ``sound_at``.
        sizes_at: int64: channels, segments.
    """
    sizes = carray(sizes_at, (2,))
    channels, segments = sizes[0], sizes[1]
    sound, drives = carray(sound_at, (channels, segments * FRAMES)), carray(drive_at, (segments + 1,))
    warmed = carray(warmed_at, (channels, segments * FRAMES))
    for channel in range(channels):
        for segment in range(segments):
            begun = np.float64(drives[segment])
            change = np.float64((drives[segment + 1] - drives[segment]) * PER_FRAME)
            for frame in range(FRAMES):
                drive = begun + change * frame
                driven = min(max(sound[channel, segment * FRAMES + frame] * drive, -11.0), 11.0)
                grown = two_to_the(driven * (1.0 / LN_2))
                grown *= grown
                warmed[channel, segment * FRAMES + frame] = np.float32((grown - 1.0) / ((grown + 1.0) * drive))


def dithered_rows(sound_at: Any, dither_at: Any, steps_at: Any, sizes_at: Any) -> None:
    """16-bit steps of stereo sound with dither.

    Args:
        sound_at: float32 ``(2, segments * 63)``, -1 to 1.
        dither_at: in steps, float32 ``(rows, 126)``, left and right in turns.
        steps_at: the answer, int16 ``(segments * 63, 2)``.
        sizes_at: int64: segments, rows, first row.
    """
    sizes = carray(sizes_at, (3,))
    segments, rows = sizes[0], sizes[1]
    sound, dither = carray(sound_at, (2, segments * FRAMES)), carray(dither_at, (rows, 2 * FRAMES))
    steps = carray(steps_at, (segments * FRAMES, 2))
    for segment in range(segments):
        row = dither[(sizes[2] + segment) % rows]
        for frame in range(FRAMES):
            for channel in range(2):
                level = sound[channel, segment * FRAMES + frame] * STEPS + row[2 * frame + channel]
                steps[segment * FRAMES + frame, channel] = np.int16(min(max(np.rint(level), -32_768.0), 32_767.0))
