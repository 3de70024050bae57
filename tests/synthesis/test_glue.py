"""Glue: how far a passage may stray from the minute it stands in."""

import numpy as np
import pytest
import torch

from auralisd.synthesis.glue import KNEE_LU, LARGEST_DB, RATIO, SLEW_DB_PER_SECOND, WINDOW_SECONDS, Glue, wanted_db
from auralisd.synthesis.grid import chunks
from auralisd.units import SAMPLE_RATE_HZ


def noise(seconds, level_db):
    drawn = np.random.default_rng(3).standard_normal((2, seconds * SAMPLE_RATE_HZ))
    return torch.from_numpy((drawn * 10 ** (level_db / 20)).astype(np.float32))


def heard(sound, *, block_frames=4_410):
    """Gain in dB at each block's start, and at the end."""
    glue, gains = Glue(), []
    for start in range(0, sound.shape[1], block_frames):
        for chunk in chunks(start, block_frames):
            gains.append(20 * np.log10(glue.gains(chunk.points())[0]))
            glue.listen(chunk, sound[:, chunk.start : chunk.end])
    return np.array(gains), glue


def test_what_stays_near_the_minute_is_left_alone():
    gains, _ = heard(torch.cat((noise(30, -30.0), noise(10, -31.0), noise(10, -29.5)), dim=1))
    assert not gains.any()


@pytest.mark.parametrize("step_db", [-12.0, 8.0])
def test_a_passage_that_strays_is_drawn_most_of_the_way_back(step_db):
    gains, glue = heard(torch.cat((noise(55, -30.0), noise(5, -30.0 + step_db)), dim=1))
    mean_db = 10 * np.log10((WINDOW_SECONDS - 5 + 5 * 10 ** (step_db / 10)) / WINDOW_SECONDS)
    strayed = step_db - mean_db
    expected = -np.sign(strayed) * min((abs(strayed) - KNEE_LU) * (1 - 1 / RATIO), LARGEST_DB)
    assert glue.gain_db == pytest.approx(expected, abs=0.1)
    assert np.abs(np.diff(gains)).max() <= SLEW_DB_PER_SECOND / 10 + 1e-9


def test_silence_is_raised_by_no_more_than_the_bound_and_never_breaks_the_arithmetic():
    _, glue = heard(torch.cat((noise(20, -30.0), torch.zeros(2, 5 * SAMPLE_RATE_HZ)), dim=1))
    assert glue.gain_db == pytest.approx(LARGEST_DB)
    assert wanted_db(-1e9) == LARGEST_DB
    assert wanted_db(1e9) == -LARGEST_DB


def test_the_first_ten_seconds_are_not_judged():
    gains, _ = heard(torch.cat((noise(2, -60.0), noise(8, -20.0)), dim=1))
    assert not gains.any()


def test_a_lasting_change_is_accepted_within_a_minute():
    _, glue = heard(torch.cat((noise(60, -30.0), noise(62, -40.0)), dim=1))
    assert glue.gain_db == 0.0


def test_the_gain_does_not_depend_on_the_block_size():
    sound = torch.cat((noise(20, -30.0), noise(5, -40.0)), dim=1)
    _, whole = heard(sound)
    _, parts = heard(sound, block_frames=441)
    assert whole.gain_db == parts.gain_db
