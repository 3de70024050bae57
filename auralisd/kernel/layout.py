"""What is handed to the compiled mixer, row by row; known to those who write it and to those who compile it."""

from __future__ import annotations

from typing import Final

NOTE_VALUES: Final = (
    "onset",  # absolute frames, as the next two
    "joined",  # where it was faded in late, or far in the past
    "cut",  # where its fade to make room ends, or far in the future
    "attack",  # seconds, as decay, release and held
    "decay",
    "sustain",
    "release",
    "curve",
    "held",  # from its onset until its release
    "layer",
    "brightness",  # added to the control
    "vibrato_hz",
    "vibrato_cents",
    "vibrato_delay",  # seconds
)

STRAND_VALUES: Final = (
    "source",  # 0 table, 1 sine, 2 saw, 3 analogue
    "row",  # first row of the table
    "offset",  # rows between the grid and the table
    "walk",  # key of its slow walks
    "frequency_hz",
    "cycles",  # phase at the onset
    "drift_cycles",  # how far the phase wanders
    "drop_cycles",  # phase gained by the fall in pitch
    "drop_rate",  # 1 / seconds
    "partials",
    "gain",
    "at_dark",
    "at_bright",
    "decay_rate",  # nepers per second
    "movement",
    "left",
    "right",
    "send",
    "delay",
    "spread_cents",
    "cutoff_hz",  # at brightness 0.5
    "opening",  # octaves between brightness 0 and 1
    "sweep",  # octaves it wanders, up and down
    "q",
)

BUSES: Final = 7
"""dry left and right, reverb left and right, delay; then what the loudness servo listens to, left and right."""

HEARD_BUSES: Final = 5
"""The first of them, which the faders of the layers move; the servo listens before the faders."""

CONSTANTS: Final = (
    "join_frames", "steal_frames", "drift_walk", "sweep_walk", "highest_edge_hz",
    "saw_start_0", "saw_start_1", "saw_start_2", "saw_place_0", "saw_place_1", "saw_place_2",
    "period_0", "period_1", "period_2", "octave_key_0", "octave_key_1", "octave_key_2",
    "weight_0", "weight_1", "weight_2",
)  # fmt: skip
"""Numbers that the mixer is told rather than knows: frames, keys of walks, hertz, cycles, shares of the spread."""

SIZES: Final = (
    "notes", "strands", "tables", "sines", "saws", "analogue", "points", "start_frames", "span_frames",
    "rows_of_a_table", "table_rows", "layers",
)  # fmt: skip

FILTER_NUMBERS: Final = 17
"""Of one channel: two blocks of a, row by row, then b, c and d, for states of four numbers."""

ROW_FRAMES: Final = 64
"""A segment of 63 frames and one more, which fills the vector registers and is dropped."""

ROOM_ROWS: Final = (BUSES + 2 + (4 + BUSES), ROW_FRAMES)
"""Room of the mixer: a row for each bus, one of sound, one that counts, and what each voice side by side has."""
