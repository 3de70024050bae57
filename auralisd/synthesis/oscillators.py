"""Table oscillators: long seamless loops, made when first needed and read as whole segments.

A table holds 129,024 frames (2.93 s) of one tone at one pitch, so no interpolation is needed and nothing
aliases. It is read at the absolute position on the control grid: 63 consecutive frames are one row, and
playing any number of voices is one gather of rows.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from auralisd.synthesis.chance import generator, hashed
from auralisd.synthesis.grid import SEGMENT_FRAMES, Integers
from auralisd.synthesis.tones import HarmonicTone, Tone
from auralisd.synthesis.uploads import Uploads
from auralisd.units import SAMPLE_RATE_HZ, midi_to_hz

TABLE_ROWS: Final = 2_048
TABLE_FRAMES: Final = TABLE_ROWS * SEGMENT_FRAMES
TABLE_SLOTS: Final = 56  # 29 MB
_WANTED_AT_MOST: Final = TABLE_SLOTS // 2  # what is asked for must not push out what is needed first
_BINS: Final = TABLE_FRAMES // 2 + 1
_BIN_HZ: Final = SAMPLE_RATE_HZ / TABLE_FRAMES
_NOISE_GRID_CENTS: Final = 400  # noise bands need no finer pitch than this
_TONE_GRID_CENTS: Final = 5

type TableKey = tuple[Tone, int]
"""A tone and its pitch in cents of a semitone above MIDI 0."""


def table_key(tone: Tone, pitch_midi: float) -> TableKey:
    """The table that serves ``tone`` at ``pitch_midi``."""
    grid = _TONE_GRID_CENTS if isinstance(tone, HarmonicTone) else _NOISE_GRID_CENTS
    return tone, round(pitch_midi * 100 / grid) * grid


class TableBank:
    """A fixed pool of tables on the device; the longest unused one makes room.

    Attributes:
        pool: float32, all rows of all tables one after the other, and one number more for who reads 64 frames.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        """Reserve the pool; tables are made by ``make_next`` and ``first_row``."""
        self._make_pool(device)
        self._slots: OrderedDict[TableKey, int] = OrderedDict()
        self._free = list(range(TABLE_SLOTS))
        self._wanted: deque[TableKey] = deque()
        self._seed = seed
        phases = generator(seed, "table phases").uniform(0.0, 2.0 * np.pi, _BINS)
        self._phasors = np.exp(1j * phases).astype(np.complex64)

    def want(self, key: TableKey) -> None:
        """Ask for a table that will be needed soon."""
        if key not in self._slots and key not in self._wanted and len(self._wanted) < _WANTED_AT_MOST:
            self._wanted.append(key)

    def make_next(self, in_use: Callable[[], frozenset[TableKey]]) -> None:
        """Make one of the tables asked for, if any is missing: about 4 ms."""
        while self._wanted:
            key = self._wanted.popleft()
            if key not in self._slots:
                self.first_row(key, in_use())
                return

    def first_row(self, key: TableKey, in_use: frozenset[TableKey]) -> int | None:
        """First row of the table ``key``, made now if it must be; None when all tables are in use."""
        found = self._slots.get(key)
        if found is None:
            found = self._room(in_use)
            if found is None:
                return None
            first = found * TABLE_ROWS
            self._rows[first : first + TABLE_ROWS] = self._uploads(self._table(key)).view(TABLE_ROWS, SEGMENT_FRAMES)
            self._slots[key] = found
        self._slots.move_to_end(key)
        return found * TABLE_ROWS

    def read(self, rows: Integers) -> torch.Tensor:
        """Segments ``rows``, int64 ``(segments, strands)``: float32 ``(segments, strands, 63)``."""
        return torch.index_select(self._rows, 0, self._uploads(rows.reshape(-1))).view(*rows.shape, SEGMENT_FRAMES)

    def move_to(self, device: torch.device) -> None:
        """Begin again on ``device``: the tables are made anew when they are needed."""
        self._make_pool(device)
        self._wanted.extend(self._slots)
        self._slots.clear()
        self._free = list(range(TABLE_SLOTS))

    def _make_pool(self, device: torch.device) -> None:
        self._uploads = Uploads(device)
        self.pool = torch.zeros(TABLE_SLOTS * TABLE_FRAMES + 1, device=device)
        self._rows = self.pool[:-1].view(-1, SEGMENT_FRAMES)

    def _room(self, in_use: frozenset[TableKey]) -> int | None:
        if self._free:
            return self._free.pop()
        for key in self._slots:
            if key not in in_use:
                return self._slots.pop(key)
        return None

    def _table(self, key: TableKey) -> torch.Tensor:
        """Float32 ``(frames,)`` with an RMS of 1."""
        tone, cents = key
        magnitude = tone.magnitude(midi_to_hz(cents / 100), _BINS, _BIN_HZ)
        shift = hashed(self._seed, tone.name, cents) % _BINS
        spectrum = np.empty(_BINS, dtype=np.complex64)
        spectrum[shift:] = self._phasors[: _BINS - shift]
        spectrum[:shift] = self._phasors[_BINS - shift :]
        spectrum *= magnitude.astype(np.float32) * np.float32(TABLE_FRAMES / np.sqrt(2.0 * np.sum(magnitude**2)))
        table: torch.Tensor = torch.fft.irfft(torch.from_numpy(spectrum), n=TABLE_FRAMES)
        return table
