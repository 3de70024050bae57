"""All strands of a chunk onto the buses, for numba to compile: what ``synthesis.mixing`` does in torch and numpy.

One call per chunk instead of some hundred array operations, and the interpreter lock is free all the while.
Levels, phases and cutoffs are computed in float64 at the grid points; sound and mix are float32. Rows of 63
frames are worked on as 64, so that they fill the vector registers; the last one is dropped.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import carray  # type: ignore[attr-defined]

from auralisd.kernel.layout import BUSES, CONSTANTS, NOTE_VALUES, ROOM_ROWS, ROW_FRAMES, SIZES, STRAND_VALUES
from auralisd.kernel.voices import (
    DOUBLES,
    FRAMES,
    LANES,
    PER_FRAME,
    PLACES,
    ROWS,
    SAWS,
    SINGLES,
    Doubles,
    Singles,
    inlined,
    put_down,
    sound_segment,
    take_up,
)

WALK_OCTAVES: Final = 3
RING: Final = 1 << 16
RATE: Final = 44_100.0
LN_2: Final = math.log(2.0)
TWO_PI: Final = 2.0 * math.pi
HALF_PI: Final = math.pi / 2.0
NO_SOUND: Final = np.float32(0.0)

ONSET, JOINED, CUT = (NOTE_VALUES.index(name) for name in ("onset", "joined", "cut"))
ATTACK, DECAY, SUSTAIN, RELEASE = (NOTE_VALUES.index(name) for name in ("attack", "decay", "sustain", "release"))
CURVE, HELD, LAYER, LEAN = (NOTE_VALUES.index(name) for name in ("curve", "held", "layer", "brightness"))
VIBRATO_HZ, VIBRATO_CENTS, VIBRATO_DELAY = (
    NOTE_VALUES.index(name) for name in ("vibrato_hz", "vibrato_cents", "vibrato_delay")
)
ROW, OFFSET, WALK = (STRAND_VALUES.index(name) for name in ("row", "offset", "walk"))
FREQUENCY, CYCLES, DRIFT = (STRAND_VALUES.index(name) for name in ("frequency_hz", "cycles", "drift_cycles"))
DROP, DROP_RATE, PARTIALS = (STRAND_VALUES.index(name) for name in ("drop_cycles", "drop_rate", "partials"))
GAIN, DARK, BRIGHT = (STRAND_VALUES.index(name) for name in ("gain", "at_dark", "at_bright"))
DECAY_RATE, MOVEMENT, SPREAD = (STRAND_VALUES.index(name) for name in ("decay_rate", "movement", "spread_cents"))
CUTOFF, OPENING, SWEEP, Q = (STRAND_VALUES.index(name) for name in ("cutoff_hz", "opening", "sweep", "q"))

JOIN, STEAL, DRIFT_WALK, SWEEP_WALK, HIGHEST_EDGE = range(5)
SAW_STARTS, SAW_PLACES, PERIODS, OCTAVE_KEYS, WEIGHTS = (
    CONSTANTS.index(f"{name}_0") for name in ("saw_start", "saw_place", "period", "octave_key", "weight")
)


@inlined
def walk_at(ring: Doubles, constants: Doubles, frames: float, key: int) -> float:
    """One walk at one moment; as ``chance.Walks.at``."""
    level = 0.0
    for octave in range(WALK_OCTAVES):
        position = frames / constants[PERIODS + octave]
        cell = math.floor(position)
        x = position - cell
        index = int(cell) + int(constants[OCTAVE_KEYS + octave]) + key
        before, after = ring[index & (RING - 1)], ring[(index + 1) & (RING - 1)]
        weight = x * x * x * (x * (x * 6.0 - 15.0) + 10.0)
        level += constants[WEIGHTS + octave] * (before + (after - before) * weight)
    return level


@inlined
def two_to_the(octaves: float) -> float:
    """2 ** octaves to 1e-9 within 16 octaves either way; unlike the library's it vectorises."""
    x = min(max(octaves, -16.0), 16.0) * (LN_2 / 32.0)
    series = 1.0 + x / 9.0
    series = 1.0 + x / 8.0 * series
    series = 1.0 + x / 7.0 * series
    series = 1.0 + x / 6.0 * series
    series = 1.0 + x / 5.0 * series
    series = 1.0 + x / 4.0 * series
    series = 1.0 + x / 3.0 * series
    series = 1.0 + x / 2.0 * series
    series = 1.0 + x * series
    squared = series * series
    fourth = squared * squared
    eighth = fourth * fourth
    sixteenth = eighth * eighth
    return sixteenth * sixteenth


@inlined
def sine(cycles: float) -> float:
    """The sine of ``cycles`` turns, by its Taylor series in the first quarter: to 6e-8."""
    turned = cycles - math.floor(cycles + 0.5)
    quarter = 0.25 - abs(abs(turned) - 0.25)
    a = TWO_PI * quarter
    b = a * a
    series = 1.0 - b / 110.0
    series = 1.0 - b / 72.0 * series
    series = 1.0 - b / 42.0 * series
    series = 1.0 - b / 20.0 * series
    series = 1.0 - b / 6.0 * series
    return math.copysign(a * series, turned)


@inlined
def ramp(elapsed: float, duration: float) -> float:
    """How far a ramp of ``duration`` has come: 0 to 1."""
    return min(max(elapsed / duration, 0.0), 1.0)


@inlined
def curved(share: float, curve: float) -> float:
    """``share ** curve``; nearly always its ends are asked for."""
    if share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    return math.pow(share, curve)


@inlined
def lean(brightness: float, by: float) -> float:
    """Brightness of a note; as ``mixing``'s."""
    return brightness + 4.0 * brightness * (1.0 - brightness) * by


@inlined
def draw_note(
    note: int, points: int, begin: float, notes: Doubles, controls: Doubles, constants: Doubles, drawn: Doubles
) -> None:
    """Envelope of a note at the grid points, ``drawn[0]``, and its brightness, ``drawn[1]``."""
    onset, joined, cut = notes[ONSET, note], notes[JOINED, note], notes[CUT, note]
    attack, decay, sustain = notes[ATTACK, note], notes[DECAY, note], notes[SUSTAIN, note]
    release, curve, held = notes[RELEASE, note], notes[CURVE, note], notes[HELD, note]
    for point in range(points):
        frames = begin + FRAMES * point
        age = (frames - onset) / RATE
        level = curved(ramp(age, attack), curve)
        if level > 0.0:
            level *= (1.0 - sustain) * curved(1.0 - ramp(age - attack, decay), curve) + sustain
            level *= curved(1.0 - ramp(age - held, release), curve)
            level *= ramp(frames - joined, constants[JOIN]) * ramp(cut - frames, constants[STEAL])
        drawn[0, point] = level
    for point in range(points):
        drawn[1, point] = lean(controls[0, point], notes[LEAN, note])


@inlined
def draw_levels(
    strand: int, points: int, begin: float, span: int, onset: float, fader: Doubles, strands: Doubles,
    constants: Doubles, ring: Doubles, drawn: Doubles, work: Doubles, levels: Singles,
) -> None:  # fmt: skip
    """Amplitude of a strand at the grid points: ``levels[0]`` after its layer's ``fader``, ``levels[1]`` before it."""
    dark = strands[GAIN, strand] * strands[DARK, strand]
    brighter = strands[GAIN, strand] * strands[BRIGHT, strand] - dark
    movement, fading = strands[MOVEMENT, strand], strands[DECAY_RATE, strand]
    moved, moving = 0.0, 0.0
    if movement != 0.0:
        span_begin, key = float((int(begin) // span) * span), int(strands[WALK, strand])
        first = walk_at(ring, constants, span_begin, key)
        moving = movement * (walk_at(ring, constants, span_begin + span, key) - first) / span
        moved = movement * first + moving * (begin - span_begin)
    for point in range(points):
        bright = dark + brighter * drawn[1, point]
        work[point] = drawn[0, point] * bright * (1.0 + moved + moving * (FRAMES * point))
    if fading != 0.0:
        for point in range(points):
            work[point] *= math.exp(-fading * max((begin + FRAMES * point - onset) / RATE, 0.0))
    for point in range(points):
        levels[0, point] = np.float32(work[point] * fader[point])
        levels[1, point] = np.float32(work[point])


@inlined
def draw_phases(
    strand: int, note: int, points: int, begin: float,
    notes: Doubles, strands: Doubles, constants: Doubles, ring: Doubles, cycles: Doubles,
) -> None:  # fmt: skip
    """Phase of a strand at the grid points, in cycles: a function of time alone, as ``mixing``'s."""
    onset, frequency, phase = notes[ONSET, note], strands[FREQUENCY, strand], strands[CYCLES, strand]
    for point in range(points):
        cycles[point] = phase + frequency * ((begin + FRAMES * point - onset) / RATE)
    drift, drop, rate = strands[DRIFT, strand], strands[DROP, strand], notes[VIBRATO_HZ, note]
    if drift != 0.0:
        key = int(strands[WALK, strand]) + int(constants[DRIFT_WALK])
        for octave in range(WALK_OCTAVES):
            period, weight = constants[PERIODS + octave], constants[WEIGHTS + octave]
            first = math.floor(begin / period)
            held = first == math.floor((begin + FRAMES * (points - 1)) / period)
            index = int(first) + int(constants[OCTAVE_KEYS + octave]) + key
            before, after = ring[index & (RING - 1)], ring[(index + 1) & (RING - 1)]
            for point in range(points):
                x = (begin + FRAMES * point) / period - first
                if not held and x >= 1.0:
                    x -= 1.0
                    before, after = ring[(index + 1) & (RING - 1)], ring[(index + 2) & (RING - 1)]
                share = x * x * x * (x * (x * 6.0 - 15.0) + 10.0)
                cycles[point] += drift * weight * (before + (after - before) * share)
    if drop != 0.0:
        for point in range(points):
            elapsed = max((begin + FRAMES * point - onset) / RATE, 0.0)
            cycles[point] += drop * (1.0 - math.exp(-elapsed * strands[DROP_RATE, strand]))
    if rate != 0.0:
        depth = frequency * (math.pow(2.0, notes[VIBRATO_CENTS, note] / 1200.0) - 1.0) / (TWO_PI * rate)
        for point in range(points):
            elapsed = (begin + FRAMES * point - onset) / RATE
            cycles[point] += depth * ramp(elapsed, notes[VIBRATO_DELAY, note]) * sine(rate * elapsed)


@inlined
def draw_cutoff(
    strand: int, points: int, begin: float, span: int,
    strands: Doubles, constants: Doubles, ring: Doubles, bright: Doubles, cutoff_hz: Doubles,
) -> None:  # fmt: skip
    """Cutoff of an analogue strand at the grid points, in hertz."""
    key = int(strands[WALK, strand]) + int(constants[SWEEP_WALK])
    span_begin = float((int(begin) // span) * span)
    swept = walk_at(ring, constants, span_begin, key)
    sweeping = (walk_at(ring, constants, span_begin + span, key) - swept) / span
    opening, sweep, middle = strands[OPENING, strand], strands[SWEEP, strand], strands[CUTOFF, strand]
    for point in range(points):
        octaves = opening * (bright[point] - 0.5)
        octaves += sweep * (swept + sweeping * (begin + FRAMES * point - span_begin))
        cutoff_hz[point] = middle * two_to_the(octaves)


@inlined
def play_sine(start: float, step: float, row: Singles) -> None:
    """A segment of a sine whose phase goes from ``start`` on by ``step`` cycles."""
    for frame in range(ROW_FRAMES):
        row[frame] = np.float32(sine(start + step * (frame / FRAMES)))


@inlined
def play_saw(start: float, step: float, partials: float, row: Singles) -> None:
    """A segment of a soft saw: a tanh of a sine, bent (Lazzarini and Timoney 2010)."""
    for frame in range(ROW_FRAMES):
        at = start + step * (frame / FRAMES)
        edge = min(max(HALF_PI * partials * sine(at), -11.0), 11.0)
        grown = two_to_the(edge * (1.0 / LN_2))
        grown *= grown
        row[frame] = np.float32(0.5 * (grown - 1.0) / (grown + 1.0) * (1.0 + sine(at + 0.25)))


@inlined
def mix_row(
    row: Singles, first: int, strand: int, segment: int, levels: Singles, onto: Singles, passed: Singles, mix: Singles,
) -> None:  # fmt: skip
    """A segment of one strand, from frame ``first`` on, under its lines of level; ``mix`` holds bus after bus."""
    loud, plain = levels[strand, 0, segment], levels[strand, 1, segment]
    louder = (levels[strand, 0, segment + 1] - loud) * PER_FRAME
    plainer = (levels[strand, 1, segment + 1] - plain) * PER_FRAME
    if first > 0:  # a line through zero at the very first frame
        share = np.float32(-first / (FRAMES - first))
        loud, plain = levels[strand, 0, segment + 1] * share, levels[strand, 1, segment + 1] * share
        louder = (levels[strand, 0, segment + 1] - loud) * PER_FRAME
        plainer = (levels[strand, 1, segment + 1] - plain) * PER_FRAME
    left, right, far_left, far_right = onto[0, strand], onto[1, strand], onto[2, strand], onto[3, strand]
    echo, own_left, own_right = onto[4, strand], onto[5, strand], onto[6, strand]
    for frame in range(first, ROW_FRAMES):
        heard = row[frame] * (loud + louder * passed[frame])
        own = row[frame] * (plain + plainer * passed[frame])
        mix[frame] += left * heard
        mix[ROW_FRAMES + frame] += right * heard
        mix[2 * ROW_FRAMES + frame] += far_left * heard
        mix[3 * ROW_FRAMES + frame] += far_right * heard
        mix[4 * ROW_FRAMES + frame] += echo * heard
        mix[5 * ROW_FRAMES + frame] += own_left * own
        mix[6 * ROW_FRAMES + frame] += own_right * own


@inlined
def mix_lanes(
    first: int, lanes: int, strand: int, segment: int, sound: Singles, levels: Singles, onto: Singles,
    passed: Singles, lines: Singles, buses: Singles,
) -> None:  # fmt: skip
    """A segment of the voices side by side in ``sound``, ``(63, 32)``; voice ``first`` is ``strand``."""
    for lane in range(LANES):
        here = strand + first + min(lane, lanes - 1)
        for line in range(2):
            lines[line, lane] = levels[here, line, segment]
            lines[2 + line, lane] = (levels[here, line, segment + 1] - levels[here, line, segment]) * PER_FRAME
        for bus in range(BUSES):
            lines[4 + bus, lane] = onto[bus, here] if lane < lanes else NO_SOUND
    for frame in range(FRAMES):
        share = passed[frame]
        left = right = far_left = far_right = echo = own_left = own_right = NO_SOUND
        for lane in range(LANES):
            heard = sound[frame, lane] * (lines[0, lane] + lines[2, lane] * share)
            own = sound[frame, lane] * (lines[1, lane] + lines[3, lane] * share)
            left += lines[4, lane] * heard
            right += lines[5, lane] * heard
            far_left += lines[6, lane] * heard
            far_right += lines[7, lane] * heard
            echo += lines[8, lane] * heard
            own_left += lines[9, lane] * own
            own_right += lines[10, lane] * own
        at = segment * FRAMES + frame
        buses[0, at] += left
        buses[1, at] += right
        buses[2, at] += far_left
        buses[3, at] += far_right
        buses[4, at] += echo
        buses[5, at] += own_left
        buses[6, at] += own_right


@inlined
def begins_at(note: int, begin: int, segment: int, notes: Doubles) -> int:
    """Which frame of ``segment`` the note begins at: 0 if it began before, 63 if it has not begun."""
    return min(max(int(notes[ONSET, note]) - begin - segment * FRAMES, 0), FRAMES)


def mixed_strands(
    notes_at: Any, strands_at: Any, owners_at: Any, onto_at: Any, controls_at: Any, constants_at: Any, ring_at: Any,
    tables_at: Any, poles_at: Any, buses_at: Any, sizes_at: Any,
    levels_at: Any, drawn_at: Any, phases_at: Any, cutoffs_at: Any, rows_at: Any,
    singles_at: Any, doubles_at: Any, places_at: Any, wholes_at: Any,
) -> None:  # fmt: skip
    """A chunk of all strands into ``buses_at``, float32 ``(7, frames)``; the poles move on.

    Args:
        notes_at: float64 ``(NOTE_VALUES, notes)``.
        strands_at: float64 ``(STRAND_VALUES, strands)``, by source: tables, sines, saws, analogue.
        owners_at: note of each strand, int64 ``(strands,)``.
        onto_at: gain onto each bus, float32 ``(7, strands)``.
        controls_at: brightness, then the gain of each layer, float64 ``(1 + layers, points)``.
        constants_at: float64 ``CONSTANTS``.
        ring_at: random numbers of the walks, float64 ``(65536,)``.
        tables_at: float32 ``(table_rows, 63)``, and one number more.
        poles_at: state of the analogue strands, float32 ``(2, analogue)``.
        buses_at: the answer.
        sizes_at: int64 ``SIZES``.
        levels_at: room for float32 ``(strands, 2, points)``.
        drawn_at: room for float64 ``(notes + 1, 2, points)``.
        phases_at: room for float64 ``(strands, points)``.
        cutoffs_at: room for float64 ``(2 * analogue, points)``, at least three in a row.
        rows_at: room for float32 ``ROOM_ROWS``.
        singles_at: room for the voices, as the next three.
        doubles_at: ``DOUBLES``.
        places_at: float64 ``PLACES``.
        wholes_at: int64 ``PLACES``.
    """
    sizes = carray(sizes_at, (len(SIZES),))
    count, many, tables, sines, saws, analogue = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]
    points, begin, span = sizes[6], sizes[7], sizes[8]
    notes, strands = carray(notes_at, (len(NOTE_VALUES), count)), carray(strands_at, (len(STRAND_VALUES), many))
    owners, onto = carray(owners_at, (many,)), carray(onto_at, (BUSES, many))
    controls, constants = carray(controls_at, (1 + sizes[11], points)), carray(constants_at, (len(CONSTANTS),))
    ring, table = carray(ring_at, (RING,)), carray(tables_at, (sizes[10] * FRAMES + 1,))
    poles, buses = carray(poles_at, (2, analogue)), carray(buses_at, (BUSES, (points - 1) * FRAMES))
    levels, phases = carray(levels_at, (many, 2, points)), carray(phases_at, (many, points))
    drawn = carray(drawn_at, (count + 1, 2, points))
    work = drawn[count, 0]
    cutoffs, rows = carray(cutoffs_at, (2 * analogue, max(points, SAWS))), carray(rows_at, ROOM_ROWS)
    mix, row, passed, lines = carray(rows_at, (BUSES * ROW_FRAMES,)), rows[BUSES], rows[BUSES + 1], rows[BUSES + 2 :]
    for frame in range(ROW_FRAMES):
        passed[frame] = np.float32(frame)
    moment = float(begin)
    plain = tables + sines + saws
    for note in range(count):
        draw_note(note, points, moment, notes, controls, constants, drawn[note])
    for strand in range(many):
        note = owners[strand]
        fader = controls[1 + int(notes[LAYER, note])]
        draw_levels(
            strand, points, moment, span, notes[ONSET, note], fader, strands, constants, ring, drawn[note], work,
            levels[strand],
        )  # fmt: skip
        if strand >= tables:
            draw_phases(strand, note, points, moment, notes, strands, constants, ring, phases[strand])
        if strand >= plain:
            draw_cutoff(strand, points, moment, span, strands, constants, ring, drawn[note, 1], cutoffs[strand - plain])
    for segment in range(points - 1):
        mix[:] = NO_SOUND
        for strand in range(plain):
            first = begins_at(owners[strand], begin, segment, notes)
            if levels[strand, 1, segment] == NO_SOUND and levels[strand, 1, segment + 1] == NO_SOUND:
                continue
            if strand < tables:
                turned = (begin // FRAMES + segment + int(strands[OFFSET, strand])) % sizes[9]
                at = (int(strands[ROW, strand]) + turned) * FRAMES
                mix_row(table[at : at + ROW_FRAMES], first, strand, segment, levels, onto, passed, mix)
                continue
            start = phases[strand, segment] - math.floor(phases[strand, segment])
            step = phases[strand, segment + 1] - phases[strand, segment]
            if strand < tables + sines:
                play_sine(start, step, row)
            else:
                bright = drawn[owners[strand], 1, segment]
                partials = strands[PARTIALS, strand] * two_to_the(2.4 * (bright - 0.5))
                highest = max(constants[HIGHEST_EDGE] / strands[FREQUENCY, strand], 0.3)
                play_saw(start, step, min(partials, highest), row)
            mix_row(row, first, strand, segment, levels, onto, passed, mix)
        for bus in range(BUSES):
            for frame in range(FRAMES):
                buses[bus, segment * FRAMES + frame] = mix[bus * ROW_FRAMES + frame]
    singles, doubles = carray(singles_at, SINGLES), carray(doubles_at, DOUBLES)
    places, wholes = carray(places_at, PLACES), carray(wholes_at, PLACES)
    start_lines, change, after = singles[0:5], singles[5:10], singles[10:15]
    straight, state = singles[15:17], singles[17:19]
    edges, sound = singles[19 : 19 + ROWS], singles[19 + ROWS :]
    cutoff_here, q_here = doubles[0], doubles[1]
    starts, ends, ratios = doubles[2:5], doubles[5:8], cutoffs[analogue:]
    for voice in range(analogue):
        for saw in range(SAWS):
            cents = strands[SPREAD, plain + voice] * constants[SAW_PLACES + saw]
            ratios[voice, saw] = math.pow(2.0, cents / 1200.0)
    for first in range(0, analogue, LANES):
        lanes = min(LANES, analogue - first)
        take_up(first, cutoffs[:analogue], strands[Q, plain:], poles, cutoff_here, q_here, state, start_lines)
        for segment in range(points - 1):
            for lane in range(LANES):
                voice = first + min(lane, lanes - 1)
                cutoff_here[lane] = cutoffs[voice, segment + 1]
                for saw in range(SAWS):
                    shift = constants[SAW_STARTS + saw]
                    starts[saw, lane] = phases[plain + voice, segment] * ratios[voice, saw] + shift
                    ends[saw, lane] = phases[plain + voice, segment + 1] * ratios[voice, saw] + shift
            sound_segment(
                starts, ends, cutoff_here, q_here, places[0], places[1], wholes[0], wholes[1],
                start_lines, change, after, straight, state, edges, sound,
            )  # fmt: skip
            for lane in range(lanes):
                silent = begins_at(owners[plain + first + lane], begin, segment, notes)
                if 0 < silent < FRAMES:
                    share = np.float32(-silent / (FRAMES - silent))
                    for line in range(2):
                        reached = levels[plain + first + lane, line, segment + 1]
                        levels[plain + first + lane, line, segment] = reached * share
                    for frame in range(silent):
                        sound[frame, lane] = NO_SOUND
            mix_lanes(first, lanes, plain, segment, sound, levels, onto, passed, lines, buses)
        put_down(first, lanes, state, poles)
