from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from auralisd.synthesis.filters import SegmentFilter, dc_block, high_pass, low_pass
from auralisd.units import SAMPLE_RATE_HZ

FILTERS = {
    "dc block": dc_block(),
    "high-pass 120 Hz, 4th order": high_pass(120.0, 4),
    "low-pass 300 Hz": low_pass(300.0, 2),
    "band": (*high_pass(260.0, 2), *low_pass(2_600.0, 2)),
}


def reference(sections, sound):
    """The same filter, sample by sample in float64."""
    for numerator, denominator in sections:
        filtered, first, second = np.empty_like(sound), 0.0, 0.0
        for index, x in enumerate(sound):
            y = numerator[0] * x + first
            first = numerator[1] * x - denominator[1] * y + second
            second = numerator[2] * x - denominator[2] * y
            filtered[index] = y
        sound = filtered
    return sound


@pytest.mark.parametrize("name", FILTERS)
def test_the_unrolled_filter_is_the_recursive_one(name):
    sound = np.random.default_rng(1).standard_normal(4 * 2205)
    unrolled = SegmentFilter((FILTERS[name], ()), torch.device("cpu"))
    cuts = (0, 441, 630, 2205, 4410, 6615, 8820)
    parts = [
        unrolled.filtered(torch.from_numpy(np.stack([sound, sound])[:, begin:end].astype(np.float32)))
        for begin, end in pairwise(cuts)
    ]
    filtered, untouched = torch.cat(parts, dim=1).double().numpy()
    exact = reference(FILTERS[name], sound)
    assert 10 * np.log10(((filtered - exact) ** 2).mean() / (sound**2).mean()) < -100.0
    assert np.allclose(untouched, sound, atol=1e-6)


def test_corners_are_three_decibels_down_and_the_stop_band_is_steep():
    def level_db(sections, frequency):
        z = np.exp(-2j * np.pi * frequency / SAMPLE_RATE_HZ)
        power = 1.0
        for numerator, denominator in sections:
            power *= abs(np.polyval(numerator[::-1], z) / np.polyval(denominator[::-1], z)) ** 2
        return 10 * np.log10(power)

    assert level_db(high_pass(120.0, 4), 120.0) == pytest.approx(-3.01, abs=0.01)
    assert level_db(high_pass(120.0, 4), 60.0) < -23.0
    assert level_db(low_pass(300.0, 2), 300.0) == pytest.approx(-3.01, abs=0.01)
    assert level_db(dc_block(), 40.0) > -0.1
