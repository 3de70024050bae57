"""The controls log: the first change at once, a flurry collapsed to its last."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from auralisd.composition.control_effects import COLLAPSE_FRAMES, Effect, EffectQueue
from auralisd.controls import Controls
from auralisd.score import ControlChange


def effects(*log: tuple[int, dict[str, object]]) -> list[Effect]:
    queue = EffectQueue(Controls())
    for at_frames, changed in log:
        queue.log(ControlChange(at_frames=at_frames, changed=changed, cause="rest"))
    taken = []
    while queue.next_frames is not None:
        taken.append(queue.pop())
    return taken


def outcome(*log: tuple[int, dict[str, object]]) -> list[tuple[int, dict[str, object]]]:
    return [(effect.at_frames, dict(effect.changed)) for effect in effects(*log)]


def test_a_first_change_acts_at_once() -> None:
    assert outcome((100, {"key": "D"})) == [(100, {"key": "D"})]


def test_further_ones_within_a_second_collapse_to_the_last() -> None:
    log = [(100 + place, {"key": key}) for place, key in enumerate(("D", "E", "F", "G"))]
    assert outcome(*log) == [(100, {"key": "D"}), (100 + COLLAPSE_FRAMES, {"key": "G"})]


def test_after_a_second_of_quiet_a_change_acts_at_once_again() -> None:
    log = [(100, {"key": "D"}), (100 + COLLAPSE_FRAMES, {"key": "E"})]
    assert outcome(*log) == [(100, {"key": "D"}), (100 + COLLAPSE_FRAMES, {"key": "E"})]


def test_key_and_mode_are_one_gesture() -> None:
    assert outcome((5, {"key": "D", "mode": "dorian"})) == [(5, {"key": "D", "mode": "dorian"})]
    late = outcome((5, {"key": "D"}), (900, {"mode": "dorian"}))
    assert late == [(5, {"key": "D"}), (5 + COLLAPSE_FRAMES, {"mode": "dorian"})]


def test_tempo_and_intensity_follow_the_hand() -> None:
    log = [(place, {"intensity": place / 100}) for place in range(10)]
    assert len(outcome(*log)) == 10


def test_sound_controls_and_values_that_are_there_already_move_nothing() -> None:
    assert outcome((5, {"brightness": 0.9, "layers": {"pad": 0.0}}), (9, {"key": "A", "intensity": 0.5})) == []


def test_asking_tells_when_each_control_acts() -> None:
    queue = EffectQueue(Controls())
    first = queue.log(ControlChange(at_frames=50, changed={"key": "D", "level_db": -3.0}, cause="ws"))
    second = queue.log(ControlChange(at_frames=60, changed={"key": "E", "tempo_bpm": 80.0}, cause="ws"))
    assert first == {"key": 50}
    assert second == {"key": 50 + COLLAPSE_FRAMES, "tempo_bpm": 60}


changes = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from("ABCDEFG"),
        "mode": st.sampled_from(("dorian", "lydian")),
        "intensity": st.just(1.0),
    },
)


@given(
    log=st.lists(st.tuples(st.integers(0, 200_000), changes), max_size=20).map(
        lambda log: sorted(log, key=lambda e: e[0])
    )
)
def test_effects_come_in_order_no_sooner_than_asked_and_end_where_the_listener_wanted(
    log: list[tuple[int, dict[str, object]]],
) -> None:
    taken = effects(*log)
    frames = [effect.at_frames for effect in taken]
    assert frames == sorted(set(frames))
    harmonic = [effect.at_frames for effect in taken if effect.changed.keys() & {"key", "mode"}]
    assert all(later - earlier >= COLLAPSE_FRAMES for earlier, later in pairwise(harmonic))
    wanted: dict[str, object] = {"key": "A", "mode": "aeolian", "intensity": 0.5}
    reached = dict(wanted)
    for _, changed in log:
        wanted |= changed
    for effect in taken:
        reached |= effect.changed
    assert reached == wanted
