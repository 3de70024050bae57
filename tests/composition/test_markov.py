"""The chord model: rows are distributions, exactly, or they do not exist."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.composition.harmony import is_diminished
from auralisd.composition.markov import (
    OWN_DEGREE,
    TRANSITIONS,
    WHOLE,
    Distribution,
    TransitionTable,
    next_degree,
)
from auralisd.composition.pitch import region
from auralisd.controls import MODES
from auralisd.errors import ScoreError


@pytest.mark.parametrize(
    "shares",
    [
        (WHOLE,),
        (WHOLE, 0, 0, 0, 0, 0, 1),
        (WHOLE - 1, 0, 0, 0, 0, 0, 0),
        (WHOLE + 1, -1, 0, 0, 0, 0, 0),
        (0.5, 0.5, 0, 0, 0, 0, 0),
        (0,) * 7,
    ],
)
def test_what_does_not_sum_to_the_whole_is_refused(shares: tuple[int, ...]) -> None:
    with pytest.raises(ScoreError):
        Distribution(shares)


@given(weights=st.lists(st.integers(0, 10**9), min_size=7, max_size=7).filter(any))
def test_any_weights_become_a_distribution_in_proportion(weights: list[int]) -> None:
    shares = Distribution.from_weights(weights).shares
    assert sum(shares) == WHOLE
    for weight, share in zip(weights, shares, strict=True):
        assert abs(share - weight * WHOLE / sum(weights)) < 1


@pytest.mark.parametrize("weights", [(0,) * 7, (1, -1, 1, 1, 1, 1, 1)])
def test_weights_that_say_nothing_are_refused(weights: tuple[int, ...]) -> None:
    with pytest.raises(ScoreError):
        Distribution.from_weights(weights)


def test_a_table_needs_seven_rows_and_no_degree_may_lead_to_itself() -> None:
    rows = TRANSITIONS["dorian"].rows
    with pytest.raises(ScoreError):
        TransitionTable(rows[:6])
    with pytest.raises(ScoreError):
        TransitionTable((Distribution((WHOLE, 0, 0, 0, 0, 0, 0)), *rows[1:]))


@pytest.mark.parametrize("mode", MODES)
def test_every_row_of_every_mode_is_a_distribution_over_all_other_degrees(mode: str) -> None:
    for degree, row in enumerate(TRANSITIONS[mode].rows, start=1):
        assert sum(row.shares) == WHOLE
        assert all((share > 0) == (following != degree) for following, share in enumerate(row.shares, start=1))


@pytest.mark.parametrize("mode", MODES)
def test_the_modes_own_degree_is_raised_and_the_diminished_one_damped(mode: str) -> None:
    rows = TRANSITIONS[mode].rows
    reached = [sum(row.shares[degree] for row in rows) for degree in range(7)]
    place = region(0, mode)
    diminished = next(degree for degree in range(1, 8) if is_diminished(place, degree))
    assert reached[diminished - 1] == min(reached)
    assert sorted(range(1, 8), key=lambda degree: -reached[degree - 1])[:2] == sorted(
        (1, OWN_DEGREE[mode]), key=lambda degree: -reached[degree - 1]
    )


histories = st.lists(st.integers(1, 7), min_size=1, max_size=12).map(tuple)
percents = st.integers(0, 20).map(lambda n: n * 5)


@given(mode=st.sampled_from(MODES), history=histories, tension=percents, variety=percents)
def test_wherever_the_music_is_there_is_a_next_degree_and_it_is_another(
    mode: str, history: tuple[int, ...], tension: int, variety: int
) -> None:
    shares = next_degree(mode, history, tension, variety).shares
    assert sum(shares) == WHOLE
    assert shares[history[-1] - 1] == 0


def test_going_straight_back_is_damped() -> None:
    straight_back = next_degree("dorian", (4, 1), 50, 50).shares[3]
    afresh = next_degree("dorian", (5, 1), 50, 50).shares[3]
    assert straight_back < 0.5 * afresh


def test_what_was_heard_often_lately_waits() -> None:
    worn = next_degree("aeolian", (6, 4, 6, 3, 6, 5, 1), 50, 50).shares[5]
    fresh = next_degree("aeolian", (2, 4, 7, 3, 2, 5, 1), 50, 50).shares[5]
    assert worn < 0.4 * fresh


def test_tension_leaves_home_and_variety_widens_the_circle() -> None:
    calm, tense = (next_degree("lydian", (5, 3), tension, 50).shares for tension in (0, 100))
    assert tense[0] < calm[0]
    assert tense[1] > calm[1]
    narrow, wide = (next_degree("aeolian", (1,), 50, variety).shares for variety in (0, 100))
    assert max(wide) - min(wide[1:]) < max(narrow) - min(narrow[1:])
