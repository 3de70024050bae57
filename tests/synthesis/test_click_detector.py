"""The click detector finds what is planted in real music, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from auralisd.synthesis.audition import as_floats, audition
from auralisd.synthesis.patches import CATALOGUE
from auralisd.units import SAMPLE_RATE_HZ
from tests.benchmarks.clicks import clicks


@pytest.fixture(scope="module")
def music():
    """A pad under felt keys: float64 ``(frames, 2)``."""
    pad, keys = (as_floats(b"".join(audition(CATALOGUE[layer][0]))) for layer in ("pad", "loops"))
    return (pad + keys).T.astype(np.float64)


def test_music_does_not_click(music):
    assert clicks(music) == []


@pytest.mark.parametrize("patch", CATALOGUE["percussion"] + CATALOGUE["grain"], ids=lambda patch: patch.name)
def test_what_is_struck_does_not_click(patch):
    assert clicks(as_floats(b"".join(audition(patch))).T.astype(np.float64)) == []


@pytest.mark.parametrize("at_frames", [50_000, 123_456, 400_001])
def test_a_step_of_34_db_below_full_scale_is_found(music, at_frames):
    broken = music.copy()
    broken[at_frames:, 0] += 0.02
    found = clicks(broken)
    assert len(found) == 1
    assert abs(found[0] - at_frames) < 441


def test_a_lost_packet_is_found_at_both_ends(music):
    broken = music.copy()
    broken[220_500:224_910] = 0.0
    assert len(clicks(broken)) == 2


def test_a_repeated_packet_is_found(music):
    broken = np.concatenate((music[:220_500], music[216_090:]))
    assert len(clicks(broken)) >= 1


def test_the_edges_of_a_bright_saw_are_no_clicks():
    phase = np.cumsum(np.full(SAMPLE_RATE_HZ, 660.0 / SAMPLE_RATE_HZ)) % 1.0
    saw = 0.2 * np.convolve(2.0 * phase - 1.0, [0.25, 0.5, 0.25], mode="same")
    fading_in = np.minimum(np.arange(SAMPLE_RATE_HZ) / 4_410, 1.0)[:, None]
    assert clicks(fading_in * np.stack((saw, saw), axis=1)) == []
