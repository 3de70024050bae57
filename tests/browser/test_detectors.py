"""The judges judged: a click detector that misses clicks proves nothing."""

import numpy as np
import pytest
from listening import Samples, clicks, gaps

pytestmark = pytest.mark.browser

RATE_HZ = 48000


def ambient(seconds: float = 2.0) -> Samples:
    """Return soft chords under noise, with a hard bell in the middle: float32 ``(2, frames)``."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    chance = np.random.default_rng(7)
    chord = sum(0.06 * np.sin(2 * np.pi * hz * t + hz) for hz in (110, 164.8, 220, 329.6, 440))
    struck = np.where(t > seconds / 2, np.exp(-(t - seconds / 2) * 6), 0.0)
    bell = 0.3 * struck * np.sin(2 * np.pi * 1760 * (t - seconds / 2))
    noise = 0.01 * chance.standard_normal(t.size)
    return np.stack([chord + bell + noise, chord + bell - noise]).astype(np.float32)


def test_clean_music_with_a_hard_attack_has_no_click() -> None:
    assert clicks(ambient(), RATE_HZ) == []


@pytest.mark.parametrize("cut_frames", [37, 128, 960])
def test_frames_cut_out_are_found_as_a_click(cut_frames: int) -> None:
    # Tones that no cut of these lengths joins smoothly, as music's would not either.
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    tone = (0.2 * np.sin(2 * np.pi * 331.7 * t) + 0.002 * np.sin(2 * np.pi * 2903 * t)).astype("f4")
    at = int(0.7 * RATE_HZ)
    cut = np.concatenate([tone[:at], tone[at + cut_frames :]])
    found = clicks(np.stack([cut, cut]), RATE_HZ)
    assert len(found) == 1
    assert found[0] == pytest.approx(0.7, abs=0.001)


def test_one_wrong_sample_in_music_is_found() -> None:
    sound = ambient()
    sound[1, 30_000] += 0.15
    assert clicks(sound, RATE_HZ) == pytest.approx([30_000 / RATE_HZ], abs=1e-3)


def test_a_hole_of_six_milliseconds_is_a_gap_and_four_are_not() -> None:
    sound = ambient()
    sound[:, 20_000:20_192] = 0
    assert gaps(sound, RATE_HZ) == []
    sound[:, 20_000:20_288] = 0
    assert gaps(sound, RATE_HZ) == pytest.approx([20_000 / RATE_HZ])
