"""So many at once, so many a second, and no more clients in memory than agreed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.rate_limit import RateLimit, RateLimits


def test_a_burst_passes_and_the_next_waits():
    limit = RateLimit(per_second=10, burst=3)
    assert [limit.allows(5.0) for _ in range(4)] == [True, True, True, False]
    assert limit.retry_after_seconds() == pytest.approx(0.1)


def test_what_is_given_back_can_be_taken_again_and_never_overfills():
    limit = RateLimit(per_second=1, burst=2)
    assert limit.allows(0.0)
    assert limit.allows(0.0)
    limit.give_back()
    assert limit.allows(0.0)
    for _ in range(5):
        limit.give_back()
    assert [limit.allows(0.0) for _ in range(3)] == [True, True, False]


def test_waiting_as_long_as_told_is_enough():
    limit = RateLimit(per_second=4, burst=1)
    assert limit.allows(0.0)
    assert not limit.allows(0.0)
    assert limit.allows(limit.retry_after_seconds())


def test_the_bucket_never_holds_more_than_the_burst():
    limit = RateLimit(per_second=10, burst=2)
    assert limit.allows(0.0)
    assert [limit.allows(1_000_000.0) for _ in range(3)] == [True, True, False]


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing():
    limit = RateLimit(per_second=10, burst=1)
    assert limit.allows(100.0)
    assert not limit.allows(50.0)
    assert limit.allows(50.2)


def test_a_cost_is_taken_whole_or_not_at_all():
    limit = RateLimit(per_second=1, burst=10)
    assert limit.allows(0.0, cost=8)
    assert not limit.allows(0.0, cost=3)
    assert limit.retry_after_seconds(3) == pytest.approx(1.0)
    assert limit.allows(0.0, cost=2)


@given(
    waits=st.lists(st.floats(0, 2), min_size=1, max_size=200),
    per_second=st.floats(0.5, 20),
    burst=st.integers(1, 20),
)
def test_no_span_lets_more_through_than_the_burst_and_its_length(waits, per_second, burst):
    limit = RateLimit(per_second=per_second, burst=burst)
    now, passed = 0.0, []
    for wait in waits:
        now += wait
        if limit.allows(now):
            passed.append(now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - passed[first]) * per_second + 1e-6


def test_each_client_has_a_bucket_of_its_own():
    limits = RateLimits(per_second=1, burst=1)
    assert limits.of("a").allows(0.0)
    assert not limits.of("a").allows(0.0)
    assert limits.of("b").allows(0.0)


def test_the_longest_silent_client_is_forgotten_first():
    limits = RateLimits(per_second=1, burst=1, remembered=2)
    for client in ("a", "b"):
        assert limits.of(client).allows(0.0)
    limits.of("a")
    assert limits.of("c").allows(0.0)
    assert not limits.of("a").allows(0.0)
    assert limits.of("b").allows(0.0)  # forgotten, so it begins anew
