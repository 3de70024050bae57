"""Chance: looked up, even, and the same for ever."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from auralisd.composition.chance import Chance


@given(seed=st.integers(), section=st.integers(0, 10**9), bar=st.integers(0, 10**9))
def test_the_same_place_holds_the_same_draws(seed: int, section: int, bar: int) -> None:
    first, again = (Chance(seed).stream("voicing", section, bar) for _ in range(2))
    assert [first.word() for _ in range(5)] == [again.word() for _ in range(5)]


def test_the_first_draws_are_pinned_for_every_machine_and_version() -> None:
    stream = Chance(1).stream("melody", 2, 3)
    assert [stream.word() for _ in range(3)] == [0xD59B740F485EFEF9, 0xDA5193D41F959F3B, 0xF1B4374D4CBBC1FF]


def test_topic_seed_and_every_number_of_the_key_matter() -> None:
    words = {
        Chance(seed).stream(topic, *key).word()
        for seed in (0, 1, -1, 2**64)
        for topic in ("melody", "bells")
        for key in ((), (0,), (0, 0), (0, 1), (1, 0))
    }
    assert len(words) == 4 * 2 * 5


@given(low=st.integers(-1000, 1000), span=st.integers(0, 1000), seed=st.integers(0, 100))
def test_draws_stay_within_their_bounds(low: int, span: int, seed: int) -> None:
    stream = Chance(seed).stream("bounds", low, span)
    assert low <= stream.between(low, low + span) <= low + span
    assert 0.0 <= stream.fraction() < 1.0
    assert low <= stream.uniform(low, low + span) <= low + span
    assert stream.pick("abc") in "abc"
    assert sorted(stream.shuffled(range(span))) == list(range(span))


def test_weights_decide_how_often() -> None:
    stream = Chance(5).stream("weights")
    counts = Counter(stream.weighted((1, 0, 3)) for _ in range(4000))
    assert counts[1] == 0
    assert 2800 < counts[2] < 3200


def test_neighbouring_keys_are_unrelated() -> None:
    fractions = [Chance(9).stream("bar", bar).fraction() for bar in range(2000)]
    assert 0.47 < sum(fractions) / len(fractions) < 0.53
    rising = sum(later > earlier for earlier, later in pairwise(fractions))
    assert 900 < rising < 1100
