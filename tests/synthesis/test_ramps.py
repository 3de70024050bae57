"""How a turned control travels, and that every note follows it from the first block on."""

import numpy as np
import pytest

from auralisd.controls import Controls
from auralisd.synthesis.mixing import _leaned
from auralisd.synthesis.patches import CATALOGUE
from auralisd.synthesis.ramps import RAMP_FRAMES, ControlRamps
from auralisd.units import BLOCK_FRAMES


def brightness_at(ramps, *frames):
    return ramps.at(np.array(frames, dtype=np.float64)).brightness


def test_a_turn_sets_out_at_once_and_arrives_softly_after_a_second_and_a_half():
    ramps = ControlRamps(Controls(brightness=1.0))
    ramps.turn(Controls(brightness=0.0), 0)
    first_block, half, late, arrived, after = brightness_at(
        ramps, BLOCK_FRAMES, RAMP_FRAMES // 2, RAMP_FRAMES * 9 // 10, RAMP_FRAMES, 2 * RAMP_FRAMES
    )
    assert first_block < 0.94
    assert half == pytest.approx(0.25, abs=1e-4)
    assert 0.0 < late < 0.02
    assert arrived == after == 0.0


def test_a_turn_under_way_bends_from_where_it_is():
    ramps = ControlRamps(Controls(brightness=1.0))
    ramps.turn(Controls(brightness=0.0), 0)
    on_the_way = brightness_at(ramps, RAMP_FRAMES // 3)
    ramps.turn(Controls(brightness=0.8), RAMP_FRAMES // 3)
    assert brightness_at(ramps, RAMP_FRAMES // 3) == pytest.approx(on_the_way)
    assert brightness_at(ramps, RAMP_FRAMES // 3 + RAMP_FRAMES) == pytest.approx(0.8)


def test_a_glide_never_passes_its_goal():
    ramps = ControlRamps(Controls(level_db=-20.0))
    ramps.turn(Controls(level_db=0.0), 0)
    gains = ramps.at(np.arange(0, 2 * RAMP_FRAMES, 63, dtype=np.float64)).level_gain
    assert np.all(np.diff(gains) >= 0)
    assert gains.max() == 1.0


@pytest.mark.parametrize("patch", [patch for row in CATALOGUE.values() for patch in row], ids=lambda patch: patch.name)
@pytest.mark.parametrize("velocity", [0.2, 0.5, 0.8])
def test_loud_and_soft_notes_follow_brightness_over_its_whole_range(patch, velocity):
    control = np.linspace(0.0, 1.0, 101)
    heard = _leaned(control, np.float64(patch.velocity_brightness * (velocity - 0.5)))
    assert np.all(np.diff(heard) > 0.004)
    assert (heard[0], heard[-1]) == (0.0, 1.0)
