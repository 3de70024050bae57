"""Sounds to encode, and ffmpeg's command line to hear with what came of them."""

import shutil
import subprocess
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from auralisd.units import SAMPLE_RATE_HZ

type Pcm = npt.NDArray[np.int16]  # (frames, channels)


@pytest.fixture
def two_tones() -> Callable[[int], Pcm]:
    """Stereo sines, 440 Hz at -12 dBFS on the left and 660 Hz at -18 dBFS on the right."""

    def make(frames: int) -> Pcm:
        seconds = np.arange(frames) / SAMPLE_RATE_HZ
        left = 0.25 * np.sin(2 * np.pi * 440 * seconds)
        right = 0.125 * np.sin(2 * np.pi * 660 * seconds)
        return np.rint(np.stack([left, right], axis=1) * 32767).astype("<i2")

    return make


@pytest.fixture
def decode_with_ffmpeg() -> Callable[..., Pcm]:
    """What the ffmpeg program decodes from a stream it knows nothing of but its bytes."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("the ffmpeg program is not installed; on Debian: apt install ffmpeg")

    def decode(encoded: bytes, *, rate_hz: int = SAMPLE_RATE_HZ) -> Pcm:
        command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "s16le", "-ac", "2", "-ar", str(rate_hz), "-"]
        done = subprocess.run(command, input=encoded, capture_output=True, check=True, timeout=30)
        return np.frombuffer(done.stdout, dtype="<i2").reshape(-1, 2)

    return decode
