"""Voice leading: near, independent, within the voices' ranges."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auralisd.composition.harmony import Harmony, harmony, qualities
from auralisd.composition.pitch import region
from auralisd.composition.voicing import (
    BASS_GAP,
    RESTING,
    WIDEST_GAP,
    WIDEST_MOTION,
    least_motion,
    may_follow,
    ranges,
    smoothest,
    voiced,
)
from auralisd.controls import MODES


@st.composite
def harmonies(draw: st.DrawFn) -> Harmony:
    place = region(draw(st.integers(0, 11)), draw(st.sampled_from(MODES)))
    degree = draw(st.integers(1, 7))
    return harmony(place, degree, draw(st.sampled_from(qualities(place, degree))))


voice_counts = st.sampled_from((4, 5))


@settings(max_examples=150, deadline=None)
@given(first=harmonies(), second=harmonies(), voices=st.tuples(voice_counts, voice_counts))
def test_voices_stay_in_range_uncrossed_and_say_the_whole_chord(
    first: Harmony, second: Harmony, voices: tuple[int, int]
) -> None:
    previous = voiced(first, voices[0], RESTING[voices[0]])
    voicing = voiced(second, voices[1], previous)
    assert len(voicing) == voices[1]
    for pitch, (low, high) in zip(voicing, ranges(voices[1]), strict=True):
        assert low <= pitch <= high
    gaps = [high - low for low, high in pairwise(voicing)]
    assert gaps[0] >= BASS_GAP
    assert all(0 < gap <= WIDEST_GAP for gap in gaps[1:])
    assert {pitch % 12 for pitch in voicing} <= second.classes
    assert {pitch % 12 for pitch in voicing} >= second.required


@settings(max_examples=150, deadline=None)
@given(first=harmonies(), second=harmonies(), voices=voice_counts)
def test_no_voice_leaps_no_block_is_shifted_no_outer_fifths_run_parallel(
    first: Harmony, second: Harmony, voices: int
) -> None:
    previous = voiced(first, voices, RESTING[voices])
    voicing = smoothest(second, voices, previous)
    assume(voicing is not None)
    assert voicing is not None
    moves = [pitch - origin for pitch, origin in zip(voicing, previous, strict=True)]
    assert max(map(abs, moves)) <= WIDEST_MOTION
    assert len(set(moves)) > 1 or moves[0] == 0
    assert may_follow(previous, voicing)


@settings(max_examples=60, deadline=None)
@given(first=harmonies(), between=harmonies(), last=harmonies(), voices=voice_counts)
def test_a_chord_led_towards_the_next_can_be_left_smoothly(
    first: Harmony, between: Harmony, last: Harmony, voices: int
) -> None:
    previous, goal = (voiced(one, voices, RESTING[voices]) for one in (first, last))
    voicing = smoothest(between, voices, previous, toward=goal)
    assume(voicing is not None)
    assert voicing is not None
    assert may_follow(voicing, goal)
    assert max(abs(high - low) for low, high in zip(voicing, goal, strict=True)) <= WIDEST_MOTION


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ((45, 52, 57, 64), (47, 54, 59, 66), False),  # a block, shifted
        ((45, 52, 60, 64), (47, 54, 62, 66), False),  # a block in fifths
        ((45, 55, 60, 64), (43, 55, 59, 62), False),  # outer voices in parallel fifths
        ((45, 52, 57, 64), (45, 53, 57, 65), True),  # two voices move, two hold
        ((45, 52, 57, 64), (45, 52, 57, 64), True),  # nobody moves
    ],
)
def test_what_may_follow_what(before: tuple[int, ...], after: tuple[int, ...], allowed: bool) -> None:
    assert may_follow(before, after) is allowed


def test_common_tones_are_held() -> None:
    place = region(9, "aeolian")
    tonic = voiced(harmony(place, 1, "m7"), 4, RESTING[4])
    submediant = voiced(harmony(place, 6, "maj7"), 4, tonic)
    assert len(set(tonic) & set(submediant)) >= 3


def test_voices_that_enter_or_leave_do_not_count_as_motion() -> None:
    assert least_motion((45, 52, 57, 64), (45, 52, 57, 60, 64)) == (0, 0, 0, 0)
    assert least_motion((45, 52, 57, 60, 64), (45, 53, 57, 64)) == (0, 1, 0, 0)
