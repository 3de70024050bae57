"""The beat clock: exact, and smooth through changes of tempo."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auralisd.composition.beat_clock import SLEW_FRAMES, TICKS_PER_BAR, TICKS_PER_BEAT, BeatClock
from auralisd.units import SAMPLE_RATE_HZ

tempi = st.integers(400, 1200).map(lambda tenths: tenths / 10)
changes = st.lists(st.tuples(st.integers(1, 60 * SAMPLE_RATE_HZ), tempi), max_size=8).map(sorted)


def clock_after(tempo_bpm: float, log: list[tuple[int, float]]) -> BeatClock:
    clock = BeatClock.starting(tempo_bpm)
    for at_frames, tempo in log:
        clock = clock.slewed(at_frames, tempo)
    return clock


def test_at_sixty_a_beat_is_a_second_eight_hours_in_too() -> None:
    clock = BeatClock.starting(60)
    for beat in (0, 1, 7, 8 * 3600):
        assert clock.frame_of_tick(beat * TICKS_PER_BEAT) == beat * SAMPLE_RATE_HZ


@given(tempo=tempi, log=changes)
def test_ticks_follow_each_other_and_are_found_again(tempo: float, log: list[tuple[int, float]]) -> None:
    clock = clock_after(tempo, log)
    frame = 61 * SAMPLE_RATE_HZ
    for _ in range(20):
        tick = clock.tick_from(frame)
        assert clock.frame_of_tick(tick) >= frame > clock.frame_of_tick(tick - 1)
        frame = clock.frame_of_tick(tick) + 1


@given(tempo=tempi, target=tempi, at_frames=st.integers(0, 30 * SAMPLE_RATE_HZ))
def test_a_change_begins_at_once_is_gradual_and_arrives(tempo: float, target: float, at_frames: int) -> None:
    clock = BeatClock.starting(tempo).slewed(at_frames, target)
    steps = [clock.tempo_bpm(at_frames + place * SLEW_FRAMES // 30) for place in range(32)]
    assert steps[-1] == target
    assert sorted(steps, reverse=target < tempo) == steps
    assert abs(steps[0] - tempo) <= abs(target - tempo) / 30 + 0.001
    if at_frames:
        assert clock.tempo_bpm(at_frames - 1) == tempo


@given(tempo=tempi, target=tempi, at_frames=st.integers(1, 30 * SAMPLE_RATE_HZ))
def test_what_has_passed_stays_where_it_was(tempo: float, target: float, at_frames: int) -> None:
    before = BeatClock.starting(tempo)
    after = before.slewed(at_frames, target)
    tick = 0
    while before.frame_of_tick(tick) <= at_frames:
        assert after.frame_of_tick(tick) == before.frame_of_tick(tick)
        tick += 1


def test_bars_have_four_beats() -> None:
    clock = BeatClock.starting(90)
    assert clock.frame_of_bar(3) == clock.frame_of_tick(3 * TICKS_PER_BAR)
    assert clock.bar_from(clock.frame_of_bar(3)) == 3
    assert clock.bar_line_from(clock.frame_of_bar(3) + 1) == clock.frame_of_bar(4)
    assert abs(clock.bar_frames(0) - 4 * 60 * SAMPLE_RATE_HZ / 90) <= 1


def test_the_clock_forgets_what_is_long_past() -> None:
    clock = BeatClock.starting(60)
    for change in range(1, 200):
        clock = clock.slewed(change * 10 * SAMPLE_RATE_HZ, 60 + change % 7)
    assert len(clock.segments) < 100
