"""The night curve: an hour down, a minute up, by arithmetic alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.night import DAWN_FRAMES, DUSK_FRAMES, SOUND_STEP_FRAMES, Night, night_at
from auralisd.units import SAMPLE_RATE_HZ

HOUR = 3600 * SAMPLE_RATE_HZ


def test_by_day_nothing_is_taken_away() -> None:
    assert Night().density_share(7 * HOUR) == 1.0
    assert Night().brightness_share(7 * HOUR) == 1.0


@pytest.mark.parametrize(
    ("after_frames", "brightness", "density"),
    [(0, 1.0, 1.0), (HOUR // 2, 0.85, 0.75), (HOUR, 0.7, 0.5), (8 * HOUR, 0.7, 0.5)],
)
def test_over_an_hour_brightness_falls_by_30_percent_and_density_by_50(
    after_frames: int, brightness: float, density: float
) -> None:
    night = Night().turned(True, 1_000_000)
    assert night.brightness_share(1_000_000 + after_frames) == pytest.approx(brightness, abs=2e-4)
    assert night.density_share(1_000_000 + after_frames) == pytest.approx(density, abs=1e-9)


def test_the_day_is_back_within_a_minute_from_however_deep() -> None:
    night = Night().turned(True, 0).turned(False, 2 * HOUR)
    assert night.depth(2 * HOUR + DAWN_FRAMES // 2) == pytest.approx(0.5)
    assert night.depth(2 * HOUR + DAWN_FRAMES) == 0.0


def test_saying_it_twice_changes_nothing() -> None:
    night = Night().turned(True, 0)
    assert night.turned(True, HOUR // 2) is night


def test_the_sound_follows_in_steps_that_leave_time_for_a_glide() -> None:
    night = Night().turned(True, 12_345)
    shares = {night.brightness_share(frame) for frame in range(HOUR, HOUR + SOUND_STEP_FRAMES, 4410)}
    assert len(shares) == 1
    assert SOUND_STEP_FRAMES >= 1.5 * SAMPLE_RATE_HZ


@given(
    switches=st.lists(st.tuples(st.integers(0, 3 * HOUR), st.booleans()), max_size=8).map(
        lambda drawn: sorted(drawn, key=lambda switch: switch[0])
    ),
    start=st.booleans(),
    at_frames=st.integers(0, 4 * HOUR),
)
def test_it_never_jumps_and_stays_within_its_bounds(
    switches: list[tuple[int, bool]], start: bool, at_frames: int
) -> None:
    night = night_at(start, [switch for switch in switches if switch[0] <= at_frames])
    later = night_at(start, [switch for switch in switches if switch[0] <= at_frames + SAMPLE_RATE_HZ])
    assert 0.0 <= night.depth(at_frames) <= 1.0
    step = later.depth(at_frames + SAMPLE_RATE_HZ) - night.depth(at_frames)
    assert -SAMPLE_RATE_HZ / DAWN_FRAMES - 1e-9 <= step <= SAMPLE_RATE_HZ / DUSK_FRAMES + 1e-9
