"""When which fault comes: at stated times, one after the other, with calm between, and never past the end."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from auralisd.soak.hostilities import HOSTILITIES
from auralisd.soak.plan import FAULTS, KILL, calm_seconds, planned
from auralisd.soak.process_faults import PROCESS_FAULTS


def plan_of(seconds, faults=FAULTS, seed=7):
    return planned(seconds, random.Random(seed), faults)


def test_every_fault_of_the_plan_can_be_done():
    assert {fault.name for fault in FAULTS} == {*HOSTILITIES, *PROCESS_FAULTS}


@pytest.mark.parametrize("minutes", [0.25, 0.6, 1, 10, 15, 60, 24 * 60])
def test_between_two_faults_and_after_the_last_there_is_calm(minutes):
    seconds = 60 * minutes
    plan, calm = plan_of(seconds), calm_seconds(seconds)
    ends = [one.at_seconds + one.fault.usual_seconds + one.fault.aftermath_seconds for one in plan]
    assert plan[0].at_seconds >= calm
    assert all(later.at_seconds - end >= calm - 1e-6 for end, later in zip(ends, plan[1:], strict=False))
    assert ends[-1] + calm <= seconds + 1e-6


def test_what_changes_the_process_comes_first_and_once():
    names = [one.fault.name for one in plan_of(3600)]
    assert names[:2] == ["kill", "handover"]
    assert (names.count("kill"), names.count("handover")) == (1, 1)


def test_ten_minutes_hold_every_fault():
    assert {one.fault for one in plan_of(600)} == set(FAULTS)


def test_an_hour_holds_every_other_fault_about_as_often_as_any():
    names = [one.fault.name for one in plan_of(3600)]
    counts = {fault.name: names.count(fault.name) for fault in FAULTS if not fault.once}
    assert max(counts.values()) - min(counts.values()) <= 2
    assert min(counts.values()) >= 5


def test_another_seed_is_another_order_and_the_same_seed_the_same():
    assert plan_of(600, seed=1) == plan_of(600, seed=1)
    assert plan_of(600, seed=1) != plan_of(600, seed=2)


def test_a_run_too_short_for_sigkill_holds_what_fits():
    plan = plan_of(15)
    assert plan
    assert KILL not in [one.fault for one in plan]


@pytest.mark.parametrize("faults", [(), (KILL,)])
def test_a_plan_of_nothing_or_of_sigkill_alone_ends(faults):
    assert [one.fault for one in plan_of(3600, faults)] == list(faults)


def test_a_day_is_a_plan_of_bounded_length():
    plan = plan_of(24 * 3600)
    assert len(plan) < 24 * 3600 / calm_seconds(24 * 3600)
    assert all(earlier.at_seconds < later.at_seconds for earlier, later in pairwise(plan))
