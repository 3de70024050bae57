from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from auralisd.synthesis.chance import Draws, Walks, hashed
from auralisd.units import SAMPLE_RATE_HZ


@given(st.integers(-(2**70), 2**70), st.text(max_size=20))
def test_a_hash_is_the_same_number_each_time_and_depends_on_every_key(number, word):
    assert hashed(number, word) == hashed(number, word) < 2**64
    assert hashed(number, word) != hashed(number + 1, word)
    assert hashed(number, word) != hashed(number, word + "x")


def test_draws_belong_to_their_keys_and_are_even():
    first, again, other = Draws(1, "pad", 7), Draws(1, "pad", 7), Draws(1, "pad", 8)
    numbers = [first.uniform() for _ in range(4000)]
    assert numbers == [again.uniform() for _ in range(4000)]
    assert numbers != [other.uniform() for _ in range(4000)]
    assert np.histogram(numbers, 8, (0.0, 1.0))[0].min() > 420


def test_walks_are_smooth_bounded_independent_and_readable_in_any_order():
    walks, keys = Walks(3), np.arange(40)[:, None] * 991
    frames = np.arange(0, 600 * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 10, dtype=np.float64)[None, :]
    values = walks.at(frames, keys)
    assert np.abs(values).max() <= 1.16
    assert 0.15 < values.std() < 0.6
    assert np.abs(np.diff(values, axis=1)).max() < 0.06  # per 0.1 s
    assert np.abs(np.corrcoef(values) - np.eye(40)).mean() < 0.15
    assert np.array_equal(walks.at(frames[:, 500:501], keys)[:, 0], values[:, 500])
    hours_later = frames[:, :10] + 8 * 3600 * SAMPLE_RATE_HZ
    assert np.isfinite(walks.at(hours_later, keys)).all()
