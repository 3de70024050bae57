"""What is heard, judged by its samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def clicks(sound: NDArray[np.float32]) -> int:
    """How often the second difference of ``sound``, float32 ``(2, frames)``, stands out as no music does."""
    bend = np.abs(np.diff(sound, n=2, axis=1)).max(axis=0)
    windows = bend[: len(bend) // 2205 * 2205].reshape(-1, 2205)
    usual = np.median(windows, axis=1)
    usual = np.maximum(np.maximum(usual, np.roll(usual, 1)), np.maximum(np.roll(usual, -1), 2e-5))
    return int((windows.max(axis=1) > 40 * usual).sum())
