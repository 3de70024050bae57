"""A spectrogram as a PNG file; PyAV, which encodes the streams, encodes the picture too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from auralisd.units import SAMPLE_RATE_HZ

WINDOW_FRAMES: Final = 8_192
HOP_FRAMES: Final = 735  # 60 columns a second
ROWS: Final = 480
LOWEST_HZ, HIGHEST_HZ = 30.0, 16_000.0
FLOOR_DB: Final = -90.0
_MARKED_HZ: Final = (100.0, 1_000.0, 10_000.0)
_COLOURS: Final = np.array([(4, 4, 12), (40, 22, 92), (128, 38, 118), (218, 78, 70), (250, 168, 64), (252, 252, 210)])
"""From silence to the loudest; the path between them rises in brightness throughout."""


def write_spectrogram(sound: npt.NDArray[np.float32], path: Path) -> None:
    """Write the picture of ``sound``, float32 ``(2, frames)``.

    Raises:
        OSError: the file cannot be written.
    """
    picture = _coloured(_levels(sound.mean(axis=0)))
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as file:
        stream = file.add_stream("png")
        stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], "rgb24"
        for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
            file.mux(packet)
        for packet in stream.encode(None):
            file.mux(packet)


def _levels(mono: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Level of each row and column, 0 (the floor) to 1 (the loudest): ``(ROWS, columns)``, low pitches first."""
    padded = np.pad(mono, WINDOW_FRAMES // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_FRAMES)[::HOP_FRAMES]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW_FRAMES))) ** 2
    wanted_hz = LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (np.arange(ROWS) / (ROWS - 1))
    bins = wanted_hz * WINDOW_FRAMES / SAMPLE_RATE_HZ
    below = bins.astype(np.int64)
    share = bins - below
    rows = power[:, below] * (1.0 - share) + power[:, below + 1] * share
    level_db = 10.0 * np.log10(np.maximum(rows / max(rows.max(), 1e-12), 1e-12))
    return np.asarray(np.clip(1.0 - level_db.T / FLOOR_DB, 0.0, 1.0))


def _coloured(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Red, green and blue, high pitches on top, with a line for each second and each decade."""
    place = levels[::-1] * (len(_COLOURS) - 1)
    below = np.minimum(place.astype(np.int64), len(_COLOURS) - 2)
    share = (place - below)[..., None]
    picture = _COLOURS[below] * (1.0 - share) + _COLOURS[below + 1] * share
    picture[:, :: SAMPLE_RATE_HZ // HOP_FRAMES] += 22.0
    for hertz in _MARKED_HZ:
        row = round((ROWS - 1) * (1.0 - np.log(hertz / LOWEST_HZ) / np.log(HIGHEST_HZ / LOWEST_HZ)))
        picture[row] += 22.0
    return np.asarray(np.clip(picture, 0.0, 255.0), dtype=np.uint8)
