"""The form: any hour by arithmetic, and home never far."""

from __future__ import annotations

from itertools import pairwise

import pytest

from auralisd.composition.archetypes import ARCHETYPES
from auralisd.composition.chance import Chance
from auralisd.composition.form import HOME, Form, SectionPlan
from auralisd.composition.pitch import region
from auralisd.controls import LAYERS
from auralisd.units import SAMPLE_RATE_HZ

HOUR = 3600 * SAMPLE_RATE_HZ
SEEDS = range(8)


def sections(form: Form, hours: int) -> list[SectionPlan]:
    plans = [form.section(0)]
    while plans[-1].end_frames < hours * HOUR:
        plans.append(form.following(plans[-1].index))
    return plans


def stays(form: Form, hours: int) -> list[tuple[bool, float]]:
    """(at home, minutes) of each stay in a region."""
    home, merged = region(9, "aeolian"), []
    for plan in sections(form, hours):
        place, minutes = form.region_of(plan, home), (plan.end_frames - plan.start_frames) / SAMPLE_RATE_HZ / 60
        if merged and merged[-1][0] == place:
            minutes += merged.pop()[1]
        merged.append((place, minutes))
    return [(place == home, minutes) for place, minutes in merged]


@pytest.mark.parametrize("seed", SEEDS)
def test_sections_join_without_gaps_and_last_two_to_six_minutes(seed: int) -> None:
    plans = sections(Form(Chance(seed)), 8)
    assert plans[0].start_frames == 0
    for plan, following in pairwise(plans):
        assert plan.end_frames == following.start_frames
        assert plan.index < following.index
        assert 120 <= (plan.end_frames - plan.start_frames) / SAMPLE_RATE_HZ <= 360


@pytest.mark.parametrize("seed", SEEDS)
def test_a_section_can_be_found_from_any_frame_and_from_its_neighbours(seed: int) -> None:
    form = Form(Chance(seed))
    for plan in sections(form, 3):
        found = Form(Chance(seed)).section_at((plan.start_frames + plan.end_frames) // 2)
        assert found == plan == form.section_at(plan.start_frames) == form.section_at(plan.end_frames - 1)
        assert form.preceding(form.following(plan.index).index) == plan
    assert form.preceding(0) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_home_comes_first_and_fills_two_fifths_of_any_hour(seed: int) -> None:
    form = Form(Chance(seed))
    home = region(9, "aeolian")
    plans = sections(form, 8)
    assert plans[0].excursion == HOME
    for start in range(0, 7 * HOUR, HOUR // 12):
        at_home = sum(
            max(0, min(plan.end_frames, start + HOUR) - max(plan.start_frames, start))
            for plan in plans
            if form.region_of(plan, home) == home
        )
        assert at_home >= 0.4 * HOUR


@pytest.mark.parametrize("seed", SEEDS)
def test_stays_last_four_to_twelve_minutes_and_neighbours_are_related(seed: int) -> None:
    form, home = Form(Chance(seed)), region(9, "aeolian")
    for _, minutes in stays(form, 8)[:-1]:
        assert 4 <= minutes <= 12
    places = [form.region_of(plan, home) for plan in sections(form, 8)]
    assert all(before.common_with(after) >= 5 for before, after in pairwise(places))
    assert len(set(places)) >= 6


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_staged_the_same_way_twice_within_ninety_minutes(seed: int) -> None:
    form, home = Form(Chance(seed)), region(9, "aeolian")
    plans = sections(form, 8)
    for place, plan in enumerate(plans):
        for later in plans[place + 1 :]:
            if later.start_frames - plan.start_frames < 1.5 * HOUR:
                staged = [(form.region_of(one, home), one.archetype.name, one.layers) for one in (plan, later)]
                assert staged[0] != staged[1]


def test_every_archetype_has_ten_different_sets_of_two_to_five_layers() -> None:
    for archetype in ARCHETYPES.values():
        sets = {archetype.layers(Chance(1), turn) for turn in range(10)}
        assert len(sets) == 10
        for layers in sets:
            assert {"drone", "pad"} < set(layers) <= set(LAYERS)
            assert len(layers) <= 5


def test_a_new_listener_meets_the_melody_at_once() -> None:
    assert all("melody" in Form(Chance(seed)).section(0).layers for seed in range(30))


def test_tension_and_density_move_evenly_through_a_section() -> None:
    plan = next(one for one in sections(Form(Chance(1)), 2) if one.archetype.name == "lift")
    middle = (plan.start_frames + plan.end_frames) // 2
    assert plan.tension_percent(plan.start_frames) == 40
    assert plan.tension_percent(middle) == 60
    assert plan.tension_percent(plan.end_frames) == plan.tension_percent(plan.end_frames + HOUR) == 80
    assert (
        plan.density_percent(plan.start_frames) < plan.density_percent(middle) < plan.density_percent(plan.end_frames)
    )
