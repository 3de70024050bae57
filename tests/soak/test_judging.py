"""What is asked, and when it was held: fed with what might have been seen."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from auralisd.soak.hearing import Share
from auralisd.soak.judging import LEAST_RESTS, Rebirth, Seen, judged
from auralisd.soak.samples import Sample

GOOD_PASSES = {0.005: 995.0, 0.01: 999.0, 0.05: 1000.0, math.inf: 1000.0}
SLOW_PASSES = {0.005: 900.0, 0.01: 900.0, 0.05: 900.0, math.inf: 1000.0}


def quiet(*, process=2, descriptors=20, tasks=30, resident_bytes=700_000_000):
    return Sample(
        at_seconds=0.0,
        process=process,
        resident_bytes=resident_bytes,
        descriptors=descriptors,
        tasks=tasks,
        passes={},
        counters={},
    )


def memory(mb_per_hour, *, points=100, seconds=600.0):
    return [
        (at, int(7e8 + mb_per_hour * 1e6 * at / 3600)) for at in (seconds * n / (points - 1) for n in range(points))
    ]


GOOD = Seen(
    run_seconds=900.0,
    outside=Share(longest_gap_seconds=0.12, longest_gap_form="wav", longest_wait_seconds=0.1),
    lost_to_peers=0,
    normal_passes=GOOD_PASSES,
    hostile_passes=GOOD_PASSES,
    underruns=0,
    restarts=0,
    contained=0,
    requests_failed=0,
    requests=40,
    promises_kept=9,
    promises=9,
    ended_by_itself=0,
    memory=memory(1.0),
    quiet_before=quiet(),
    quiet_after=quiet(),
    rebirth=Rebirth(
        sound_seconds=2.5, music_seconds=7.0, back_seconds=4.0, same_piece=True, same_bars=True, bar=3
    ),
)  # fmt: skip


def broken(seen):
    return [level.name for level in judged(seen) if level.held is False]


def unjudged(seen):
    return [level.name for level in judged(seen) if level.held is None]


def level(seen, name):
    return next(level for level in judged(seen) if level.name == name)


def test_a_good_run_holds_every_level():
    assert broken(GOOD) == unjudged(GOOD) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("underruns outside faults", {"underruns": 1.0}),
        ("listeners lost outside faults", {"outside": Share(lost=1)}),
        ("listeners lost to other peers", {"lost_to_peers": 1}),
        ("listeners refused outside faults", {"outside": Share(refused=2)}),
        ("packets missed outside faults", {"outside": Share(missed=3)}),
        ("longest gap outside faults", {"outside": Share(longest_gap_seconds=0.36)}),
        ("longest wait for the first sound", {"outside": Share(longest_wait_seconds=2.5)}),
        ("loop lag p99 in normal service", {"normal_passes": SLOW_PASSES}),
        ("loop lag p99 while peers misbehave", {"hostile_passes": SLOW_PASSES}),
        ("changes refused outside faults", {"requests_failed": 1}),
        ("parts started again outside faults", {"restarts": 1.0}),
        ("connections ended by a fault of the daemon", {"contained": 1.0}),
        ("processes that ended by themselves", {"ended_by_itself": 1}),
        ("faults that ended as promised", {"promises_kept": 8}),
        ("slope of the memory", {"memory": memory(6.0)}),
        ("descriptors at the end", {"quiet_after": quiet(descriptors=21)}),
        ("tasks at the end", {"quiet_after": quiet(tasks=31)}),
        ("sound after SIGKILL", {"rebirth": replace(GOOD.rebirth, sound_seconds=6.0)}),
        ("sound after SIGKILL", {"rebirth": replace(GOOD.rebirth, sound_seconds=None)}),
        ("music after SIGKILL", {"rebirth": replace(GOOD.rebirth, music_seconds=25.0)}),
        ("the piece after SIGKILL", {"rebirth": replace(GOOD.rebirth, back_seconds=13.0)}),
        ("the piece after SIGKILL", {"rebirth": replace(GOOD.rebirth, back_seconds=-6.0)}),
        ("the piece after SIGKILL", {"rebirth": replace(GOOD.rebirth, same_bars=False)}),
        ("the piece after SIGKILL", {"rebirth": replace(GOOD.rebirth, same_piece=False)}),
        ("the piece after SIGKILL", {"rebirth": replace(GOOD.rebirth, bar=None, same_bars=False)}),
    ],
)
def test_each_level_is_broken_by_its_own_figure_and_no_other(name, change):
    assert broken(replace(GOOD, **change)) == [name]


def test_where_nothing_was_watched_nothing_was_held():
    levels = judged(replace(GOOD, run_seconds=0.0))
    assert {level.held for level in levels} == {None}
    assert {level.measured for level in levels} == {"not done"}


def test_the_same_lag_is_too_much_in_normal_service_and_fair_while_peers_misbehave():
    passes = {0.005: 900.0, 0.01: 900.0, 0.02: 1000.0, math.inf: 1000.0}
    seen = replace(GOOD, normal_passes=passes, hostile_passes=passes)
    assert broken(seen) == ["loop lag p99 in normal service"]


def test_a_slope_over_the_bound_that_may_be_chance_is_not_judged():
    up_and_down = [(at, size + 20_000_000 * (n in (1, 4, 7))) for n, (at, size) in enumerate(memory(6.0, points=9))]
    seen = replace(GOOD, memory=up_and_down)
    assert unjudged(seen) == ["slope of the memory"]
    assert level(seen, "slope of the memory").measured.endswith("too short to judge")


@pytest.mark.parametrize("change", [{"run_seconds": 599.0}, {"memory": memory(600.0, points=LEAST_RESTS - 1)}])
def test_memory_of_a_short_run_is_not_judged_whatever_its_slope(change):
    seen = replace(GOOD, **({"memory": memory(600.0)} | change))
    assert level(seen, "slope of the memory").measured == "too short to judge"
    assert broken(seen) == []


def test_what_this_system_does_not_tell_is_not_judged():
    silent = quiet(resident_bytes=None, descriptors=None)
    seen = replace(GOOD, quiet_before=silent, quiet_after=silent, memory=[])
    assert unjudged(seen) == ["slope of the memory", "descriptors at the end"]
    assert level(seen, "descriptors at the end").measured == "not told by this system"


@pytest.mark.parametrize("change", [{"quiet_after": None}, {"quiet_before": quiet(process=1)}])
def test_what_is_left_is_compared_within_one_process_only(change):
    assert unjudged(replace(GOOD, **change)) == ["descriptors at the end", "tasks at the end"]


def test_without_faults_what_needs_them_is_not_judged():
    seen = replace(GOOD, rebirth=None, hostile_passes={}, promises=0, promises_kept=0)
    assert broken(seen) == []
    assert unjudged(seen) == [
        "loop lag p99 while peers misbehave",
        "sound after SIGKILL",
        "music after SIGKILL",
        "the piece after SIGKILL",
    ]


def test_what_was_measured_is_told_with_who_had_it():
    assert level(GOOD, "longest gap outside faults").measured == "120.0 ms (wav)"
    assert level(GOOD, "the piece after SIGKILL").measured == "the same bars (from 3), 4.0 s back"
    assert level(GOOD, "slope of the memory").value == pytest.approx(1.0, rel=0.01)
