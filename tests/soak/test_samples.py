"""The arithmetic of many readings: thinned, apart by whose doing it was, in a bounded number."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.observability.metrics import Metrics
from auralisd.soak.samples import Accounts, Sample, Thinned, passes_between, quantile, read_exposition, slope
from auralisd.soak.stage import COUNTERS, TASKS


def reading(at, *, process=1, underruns=0.0, passes=None):
    return Sample(
        at_seconds=at,
        process=process,
        resident_bytes=1,
        descriptors=1,
        tasks=1,
        passes=passes or {},
        counters={"underruns": underruns},
    )


@given(count=st.integers(0, 5000), most=st.sampled_from([2, 8, 64]))
def test_a_thinned_series_is_short_even_and_begins_at_the_beginning(count, most):
    series = Thinned[int](most)
    for number in range(count):
        series.add(number)
    kept = series.values
    assert len(kept) <= most
    if count:
        assert kept[0] == 0
        step = kept[1] - kept[0] if len(kept) > 1 else 1
        assert list(kept) == list(range(0, kept[-1] + 1, step))
        assert count - 1 - kept[-1] < step
        assert count <= most or len(kept) > most / 2 - 1


def test_a_series_that_begins_anew_holds_every_value_again():
    series = Thinned[int](4)
    for number in range(100):
        series.add(number)
    series.clear()
    for number in range(4):
        series.add(number)
    assert series.values == (0, 1, 2, 3)


def test_the_slope_is_that_of_the_line_the_points_lie_about():
    line = slope([(x, 3.0 * x + 1.0) for x in range(10)])
    assert (line.rise, line.error) == pytest.approx((3.0, 0.0))
    wobbling = slope([(float(x), 2.0 * x + (-1) ** x) for x in range(1000)])
    assert wobbling.rise == pytest.approx(2.0, abs=0.01)


def test_the_error_of_a_slope_is_as_large_as_chance_makes_it():
    rng = random.Random(7)
    off = [slope([(x, rng.gauss(0, 1)) for x in range(20)]) for _ in range(1000)]
    within_one = sum(abs(line.rise) < line.error for line in off)
    assert 600 < within_one < 730, "two thirds of a bell curve"


@pytest.mark.parametrize("points", [[], [(1.0, 5.0)], [(1.0, 5.0), (1.0, 6.0), (1.0, 7.0)]])
def test_a_point_has_no_slope(points):
    assert slope(points) is None


def test_a_quantile_is_interpolated_within_its_bucket():
    passes = {0.01: 980.0, 0.02: 1000.0, math.inf: 1000.0}
    assert quantile(passes, 0.99) == pytest.approx(0.015)
    assert quantile({0.01: 0.0, math.inf: 1.0}, 0.99) == 0.01
    assert quantile({0.01: 0.0, math.inf: 0.0}, 0.99) is None
    assert quantile({}, 0.99) is None


def test_passes_between_two_readings_are_those_that_came_since():
    assert passes_between({0.01: 5.0, math.inf: 6.0}, {0.01: 7.0, math.inf: 9.0}) == {0.01: 2.0, math.inf: 3.0}


def test_what_the_daemon_exports_is_read_back():
    metrics = Metrics()
    metrics.count_tasks(lambda: 17)
    for seconds in (0.0005, 0.004, 3.0):
        metrics.loop_passed(seconds)
    metrics.underrun()
    metrics.role_restarted("renderer")
    metrics.role_restarted("composer")
    metrics.connection_error_contained("request")
    metrics.bed_played(2.5)
    passes, counters = read_exposition(metrics.exposition().decode(), (*COUNTERS, TASKS))
    assert (passes[0.001], passes[0.005], passes[math.inf]) == (1.0, 2.0, 3.0)
    assert counters == {
        "auralisd_underruns_total": 1.0,
        "auralisd_restarts_total": 2.0,
        "auralisd_connection_errors_contained_total": 1.0,
        "auralisd_bed_seconds_total": 2.5,
        "auralisd_tasks": 17.0,
    }


class Faults:
    """One window of peers from 10 to 20, one of the process from 30 to 40."""

    @staticmethod
    def excused(begin, end):
        return any(low <= end and begin <= high for low, high in ((10, 20), (30, 40)))

    @staticmethod
    def hostile(begin, end):
        return not (end >= 30 and begin <= 40)


def test_underruns_outside_the_windows_count_and_those_inside_are_the_faults():
    accounts = Accounts(excused=Faults.excused, hostile=Faults.hostile)
    for at, underruns in ((0, 5), (9, 6), (15, 8), (21, 9), (29, 11), (41, 15), (50, 16)):
        accounts.take(reading(at, underruns=underruns))
    assert accounts.outside == {"underruns": (6 - 5) + (11 - 9) + (16 - 15)}
    assert accounts.inside == {"underruns": (8 - 6) + (9 - 8) + (15 - 11)}


def test_the_loop_is_judged_apart_in_normal_service_and_while_peers_misbehave_and_not_while_the_process_stands():
    accounts = Accounts(excused=Faults.excused, hostile=Faults.hostile)
    for at, count in ((0, 0.0), (9, 100.0), (20.5, 300.0), (29, 700.0), (41, 5000.0)):
        accounts.take(reading(at, passes={0.01: count, math.inf: count}))
    assert accounts.normal_passes == {0.01: 500.0, math.inf: 500.0}
    assert accounts.hostile_passes == {0.01: 200.0, math.inf: 200.0}


def test_another_process_counts_from_its_first_reading_on():
    accounts = Accounts(excused=Faults.excused, hostile=Faults.hostile)
    for sample in (
        reading(0, underruns=50),
        reading(1, process=2, underruns=3),
        reading(2, process=2, underruns=4),
    ):
        accounts.take(sample)
    assert accounts.outside == {"underruns": 1}


def test_a_process_that_answers_before_we_know_of_it_is_seen_by_counts_that_shrink():
    accounts = Accounts(excused=Faults.excused, hostile=Faults.hostile)
    for sample in (
        reading(0, underruns=21, passes={math.inf: 900.0}),
        reading(1, underruns=0, passes={math.inf: 50.0}),
        reading(2, underruns=1, passes={math.inf: 70.0}),
    ):
        accounts.take(sample)
    assert accounts.outside == {"underruns": 1}
    assert accounts.normal_passes == {math.inf: 20.0}
