"""Reverb, echoes, filters, mastering and dither of a chunk, for numba to compile: what ``synthesis`` does in torch.

Where torch needs an array for each step, these need none between: half the memory is gone through, which is what
they cost when many stations share a cache.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import carray  # type: ignore[attr-defined]

from auralisd.kernel.desk import LN_2, two_to_the
from auralisd.kernel.layout import BUSES, FILTER_NUMBERS, HEARD_BUSES
from auralisd.kernel.voices import FRAMES, PER_FRAME, QUIETEST, Doubles, Singles, inlined

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


@inlined
def filter_row(sound: Singles, filtered: Singles, state: Singles, numbers: Doubles, order: int) -> None:
    """One channel through a filter of fourth order at most, in float64; in place where both rows are the same."""
    a00, a01, a10, a11, a22, a23, a32, a33 = numbers[:8]
    b0, b1, b2, b3, c0, c1, c2, c3, direct = numbers[8:17]
    x0 = np.float64(state[0])
    x1 = np.float64(state[1]) if order > 1 else 0.0
    x2 = np.float64(state[2]) if order > 2 else 0.0
    x3 = np.float64(state[3]) if order > 3 else 0.0
    for frame in range(len(sound)):
        level = np.float64(sound[frame])
        filtered[frame] = np.float32(direct * level + (c0 * x0 + c1 * x1) + (c2 * x2 + c3 * x3))
        x0, x1 = a00 * x0 + a01 * x1 + b0 * level, a10 * x0 + a11 * x1 + b1 * level
        x2, x3 = a22 * x2 + a23 * x3 + b2 * level, a32 * x2 + a33 * x3 + b3 * level
    state[0] = rested(x0)
    if order > 1:
        state[1] = rested(x1)
    if order > 2:
        state[2] = rested(x2)
    if order > 3:
        state[3] = rested(x3)


@inlined
def rested(level: float) -> np.float32:
    """``level``, or silence where it is next to nothing: numbers near zero are slow."""
    return np.float32(level) if abs(level) > QUIETEST else np.float32(0.0)


def filtered_rows(sound_at: Any, filtered_at: Any, states_at: Any, numbers_at: Any, sizes_at: Any) -> None:
    """Filters of fourth order at most, as two rotations that decay, one after the other frame.

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
        filter_row(sound[channel], filtered[channel], states[channel], numbers[channel], order)


def echoed_rows(
    line_at: Any, buses_at: Any, taps_at: Any, places_at: Any, mix_at: Any, numbers_at: Any, state_at: Any,
    echoes_at: Any, far_at: Any, room_at: Any, sizes_at: Any,
) -> None:  # fmt: skip
    """Echoes of a chunk: taps read, each at its own moving place, and what is sent written, filtered.

    Args:
        line_at: float32 ``(2, line_frames)``, the same twice, so that any reach back is one piece.
        buses_at: float32 ``(5, frames)`` at least; reverb left and right, and what is sent here, are rows 2 to 4.
        taps_at: float32 ``(2, taps)``: where in the first frame each begins, 0 to 1, and frames gone through per frame.
        places_at: first frame of each tap, int64 ``(taps,)``.
        mix_at: float32 ``(2 * taps + 2,)``: taps to the left, to the right, the last one's feedback, echoes' reverb.
        numbers_at: of the filter, float64 ``(FILTER_NUMBERS,)``.
        state_at: of the filter, float32 ``(order,)``, moved on.
        echoes_at: the answer, float32 ``(2, frames)``.
        far_at: what goes to the reverb, float32 ``(2, frames)``.
        room_at: room to work in, float32 ``(taps + 1, frames)``.
        sizes_at: int64: taps, frames, line_frames, first frame written, order.
    """
    sizes = carray(sizes_at, (5,))
    taps, frames, line_frames, first, order = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    line, buses = carray(line_at, (2 * line_frames,)), carray(buses_at, (5, frames))
    begun, places, mix = carray(taps_at, (2, taps)), carray(places_at, (taps,)), carray(mix_at, (2 * taps + 2,))
    numbers, state = carray(numbers_at, (FILTER_NUMBERS,)), carray(state_at, (order,))
    echoes, far, room = carray(echoes_at, (2, frames)), carray(far_at, (2, frames)), carray(room_at, (taps + 1, frames))
    for tap in range(taps):
        begin, step, place, row = begun[0, tap], begun[1, tap], places[tap], room[tap]
        for frame in range(frames):
            reach = begin + step * np.float32(frame)
            whole = math.floor(reach)
            at = place + int(whole)
            row[frame] = line[at] + (line[at + 1] - line[at]) * np.float32(reach - whole)
    for channel in range(2):
        row, out = echoes[channel], far[channel]
        for frame in range(frames):
            level = np.float32(0.0)
            for tap in range(taps):
                level += mix[channel * taps + tap] * room[tap, frame]
            row[frame] = level
            out[frame] = buses[2 + channel, frame] + mix[2 * taps + 1] * level
    fed = room[taps]
    for frame in range(frames):
        fed[frame] = buses[4, frame] + mix[2 * taps] * room[taps - 1, frame]
    filter_row(fed, fed, state, numbers, order)
    for frame in range(frames):
        level = rested(fed[frame])
        line[first + frame] = level
        line[line_frames + first + frame] = level


def gathered_rows(buses_at: Any, echoes_at: Any, wet_at: Any, gains_at: Any, out_at: Any, sizes_at: Any) -> None:
    """Dry sound, echoes and reverb together, and what the loudness servo listens to.

    Args:
        buses_at: float32 ``(BUSES, segments * 63)``.
        echoes_at: float32 ``(2, segments * 63)``.
        wet_at: the same.
        gains_at: of the reverb at the grid points, float32 ``(segments + 1,)``.
        out_at: the answer, float32 ``(4, segments * 63)``: the mix, then the servo's.
        sizes_at: int64: segments.
    """
    segments = carray(sizes_at, (1,))[0]
    frames = segments * FRAMES
    buses, echoes, wet = carray(buses_at, (BUSES, frames)), carray(echoes_at, (2, frames)), carray(wet_at, (2, frames))
    gains, out = carray(gains_at, (segments + 1,)), carray(out_at, (4, frames))
    for channel in range(2):
        for segment in range(segments):
            gain, change = gains[segment], (gains[segment + 1] - gains[segment]) * PER_FRAME
            for frame in range(FRAMES):
                at = segment * FRAMES + frame
                heard = (gain + change * np.float32(frame)) * wet[channel, at]
                out[channel, at] = buses[channel, at] + echoes[channel, at] + heard
        for at in range(frames):
            out[2 + channel, at] = buses[HEARD_BUSES + channel, at]


def mastered_rows(
    mix_at: Any, curves_at: Any, body_at: Any, body_states_at: Any, bass_at: Any, bass_states_at: Any,
    room_at: Any, line_at: Any, loudest_at: Any, sizes_at: Any,
) -> None:  # fmt: skip
    """From the mix to what the limiter is given: loudness, body and warmth, mono bass, level.

    Args:
        mix_at: float32 ``(2, segments * 63)``.
        curves_at: at the grid points, float32 ``(4, segments + 1)``: gain, share of the body, drive, level.
        body_at: the low-pass of the body, float64 ``(2, FILTER_NUMBERS)``.
        body_states_at: float32 ``(2, order)``, moved on.
        bass_at: of the middle and of the sides, float64 ``(2, FILTER_NUMBERS)``.
        bass_states_at: float32 ``(2, order)``, moved on.
        room_at: room to work in, float32 ``(segments * 63,)``.
        line_at: float32 ``(2, line_frames)``; the answer goes there.
        loudest_at: the largest magnitude of the answer, float32 ``(1,)``.
        sizes_at: int64: segments, line_frames, first frame of the answer, order of the body or 0 for none, of the bass.
    """
    sizes = carray(sizes_at, (5,))
    segments, body_order, bass_order = sizes[0], sizes[3], sizes[4]
    frames, first = segments * FRAMES, sizes[2]
    mix, curves = carray(mix_at, (2, frames)), carray(curves_at, (4, segments + 1))
    body, bass = carray(body_at, (2, FILTER_NUMBERS)), carray(bass_at, (2, FILTER_NUMBERS))
    bass_states = carray(bass_states_at, (2, bass_order))
    line, room = carray(line_at, (2, sizes[1])), carray(room_at, (frames,))
    left, right = line[0, first : first + frames], line[1, first : first + frames]
    for channel in range(2):
        row = line[channel, first : first + frames]
        for segment in range(segments):
            gain = curves[0, segment]
            change = (curves[0, segment + 1] - gain) * PER_FRAME
            for frame in range(FRAMES):
                at = segment * FRAMES + frame
                row[at] = mix[channel, at] * (gain + change * np.float32(frame))
        if body_order > 0:
            states = carray(body_states_at, (2, body_order))
            filter_row(row, room, states[channel], body[channel], body_order)
            for segment in range(segments):
                share = curves[1, segment]
                change = (curves[1, segment + 1] - share) * PER_FRAME
                for frame in range(FRAMES):
                    at = segment * FRAMES + frame
                    row[at] += room[at] * (share + change * np.float32(frame))
        for segment in range(segments):
            begun = np.float64(curves[2, segment])
            turned = np.float64((curves[2, segment + 1] - curves[2, segment]) * PER_FRAME)
            for frame in range(FRAMES):
                at = segment * FRAMES + frame
                drive = begun + turned * frame
                driven = min(max(row[at] * drive, -11.0), 11.0)
                grown = two_to_the(driven * (1.0 / LN_2))
                grown *= grown
                row[at] = np.float32((grown - 1.0) / ((grown + 1.0) * drive))
    half = np.float32(0.5)
    for at in range(frames):
        middle, side = (left[at] + right[at]) * half, (left[at] - right[at]) * half
        left[at], right[at] = middle, side
    filter_row(left, left, bass_states[0], bass[0], bass_order)
    filter_row(right, right, bass_states[1], bass[1], bass_order)
    loudest = np.float32(0.0)
    for segment in range(segments):
        level = curves[3, segment]
        change = (curves[3, segment + 1] - level) * PER_FRAME
        for frame in range(FRAMES):
            at = segment * FRAMES + frame
            gain = level + change * np.float32(frame)
            middle, side = left[at], right[at]
            left[at], right[at] = (middle + side) * gain, (middle - side) * gain
            loudest = max(loudest, abs(left[at]), abs(right[at]))
    carray(loudest_at, (1,))[0] = loudest


def dithered_rows(sound_at: Any, dither_at: Any, steps_at: Any, sizes_at: Any) -> None:
    """16-bit steps of stereo sound with dither.

    Args:
        sound_at: float32 ``(2, row_frames)``, -1 to 1; the first frames of each row are taken.
        dither_at: in steps, float32 ``(rows, 126)``, left and right in turns.
        steps_at: the answer, int16 ``(segments * 63, 2)``.
        sizes_at: int64: segments, rows, first row, row_frames.
    """
    sizes = carray(sizes_at, (4,))
    segments, rows = sizes[0], sizes[1]
    sound, dither = carray(sound_at, (2, sizes[3])), carray(dither_at, (rows, 2 * FRAMES))
    steps = carray(steps_at, (segments * FRAMES, 2))
    for segment in range(segments):
        row = dither[(sizes[2] + segment) % rows]
        for frame in range(FRAMES):
            for channel in range(2):
                level = sound[channel, segment * FRAMES + frame] * STEPS + row[2 * frame + channel]
                steps[segment * FRAMES + frame, channel] = np.int16(min(max(np.rint(level), -32_768.0), 32_767.0))
