"""Controls brought in musically: what moves, what stays, and what waits; a restless hand breaks no rule."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auralisd.composition import Composer
from auralisd.composition.arrivals import turned
from auralisd.composition.harmony import OPEN_FIFTH, harmony
from auralisd.composition.pitch import MODE_INTERVALS, Region, region
from auralisd.composition.remapping import REGISTERS
from auralisd.composition.voicing import leads_to
from auralisd.controls import KEYS, MODES, Controls
from auralisd.night import DUSK_FRAMES
from auralisd.score import Chord, ControlChange, ScoreSlice, event_stream_sha256, joined
from auralisd.units import SAMPLE_RATE_HZ
from tests.benchmarks.steering import VOICE_LEADING, drawn_changes, played

SECOND = SAMPLE_RATE_HZ
HOUR = 3600 * SECOND

regions = st.builds(region, st.integers(0, 11), st.sampled_from(tuple(MODE_INTERVALS)))


def changed(at_frames: int, **controls: object) -> ControlChange:
    return ControlChange(at_frames=at_frames, changed=controls, cause="rest")


def place_of(chord: Chord) -> Region:
    return region(KEYS.index(chord.tonic), chord.mode)


@cache
def half_an_hour(mode: str, density: float) -> ScoreSlice:
    return Composer(seed=3, controls=Controls(mode=mode, harmonic_density=density)).advance(HOUR // 2)


# A new mode


@pytest.mark.parametrize("density", [0.1, 0.9])
@pytest.mark.parametrize("mode", MODES)
def test_in_a_new_mode_only_the_voices_that_left_it_move(mode: str, density: float) -> None:
    counts = []
    for chord in half_an_hour(mode, density).chords[::3]:
        left = place_of(chord)
        for goal in MODES:
            arrived = region(left.tonic, goal)
            led = turned(harmony(left, chord.degree, chord.quality), chord.voicing, arrived)
            assert led is not None
            moved = [(before, after) for before, after in zip(chord.voicing, led[1], strict=True) if before != after]
            must = sum(not arrived.contains(pitch) for pitch in chord.voicing)
            counts.append(len(moved) - must)
            assert all(arrived.contains(pitch) for pitch in led[1])
            assert all(abs(after - before) <= 3 for before, after in moved)
            assert not moved or leads_to(chord.voicing, led[1])
    assert set(counts) <= {0, 1}, "where what stays is no harmony of the new mode, one more voice goes along"
    assert counts.count(0) >= 0.94 * len(counts)


def test_a_chord_all_of_whose_voices_stay_goes_on_sounding() -> None:
    piece = joined([Composer(seed=6).advance(900 * SECOND)])
    for chord in piece.chords[1:]:
        arrived = region(KEYS.index(chord.tonic), "dorian")
        at_frames = chord.onset_frames + 5 * SECOND
        held = {
            note.pitch_midi
            for note in piece.notes
            if note.layer == "pad"
            and note.onset_frames < at_frames
            and note.onset_frames + note.duration_frames > at_frames + 6 * SECOND
        }
        stays = held == set(chord.voicing) and all(arrived.contains(pitch) for pitch in held)
        if stays and chord.mode == "aeolian" and chord.duration_frames > 12 * SECOND:
            break
    composer = Composer(seed=6)
    early = composer.advance(at_frames)
    composer.change(changed(at_frames, mode="dorian"))
    late = composer.advance(at_frames + 6 * SECOND)
    first, following = late.chords[:2]
    assert (first.onset_frames, first.voicing, first.mode) == (at_frames, chord.voicing, "dorian")
    struck = [note for note in late.notes if note.layer == "pad" and note.onset_frames < following.onset_frames]
    assert struck == []
    assert following.onset_frames - at_frames <= 5 * SECOND
    assert any(arrived.contains(pitch) and not place_of(chord).contains(pitch) for pitch in following.voicing)
    assert early.chords[-1].voicing == first.voicing


def test_in_a_related_key_the_common_tones_are_held_not_struck_again() -> None:
    composer, at_frames = Composer(seed=6), 47 * SECOND
    composer.advance(at_frames)
    held = {note.pitch_midi: note for note in composer.held().notes if note.layer == "pad"}
    composer.change(changed(at_frames, key="E"))
    late = composer.advance(at_frames + 4 * SECOND)
    common = held.keys() & set(late.chords[0].voicing)
    assert common
    released = {release.note_id for release in late.releases if release.layer == "pad"}
    assert {held[pitch].note_id for pitch in held.keys() - common} <= released
    assert not {held[pitch].note_id for pitch in common} & released
    assert not [note for note in late.notes if note.layer == "pad" and note.pitch_midi in common]


@pytest.mark.parametrize(("key", "through"), [("E", False), ("D", False), ("B", True), ("G", True), ("Eb", True)])
def test_a_fifth_is_near_and_all_else_goes_through_an_open_fifth(key: str, through: bool) -> None:
    composer, at_frames = Composer(seed=6), 47 * SECOND
    composer.advance(at_frames)
    composer.change(changed(at_frames, key=key))
    arrival = composer.advance(at_frames + 3 * SECOND).chords
    assert (arrival[0].quality == OPEN_FIFTH) == through
    if through:
        assert arrival[0].degree == arrival[1].degree == 1
        assert {pitch % 12 for pitch in arrival[0].voicing} == {KEYS.index(key), (KEYS.index(key) + 7) % 12}


# What waits


@given(left=regions, arrived=regions, layer=st.sampled_from(tuple(REGISTERS)), step=st.integers(0, 80))
def test_what_waits_is_carried_degree_for_degree(left: Region, arrived: Region, layer: str, step: int) -> None:
    low, high = REGISTERS[layer]
    pitch = left.pitch_of_step(step)
    if not low <= pitch <= high:
        return
    carried = left.carried(pitch, arrived, REGISTERS[layer])
    assert low <= carried <= high
    assert arrived.classes.index(carried % 12) == left.classes.index(pitch % 12)
    at_an_edge = min(pitch - low, high - pitch) < 6
    assert abs(carried - pitch) <= (11 if at_an_edge else 6)


@given(left=regions, arrived=regions, degree=st.integers(0, 6), side=st.sampled_from((-1, 1)))
def test_a_neighbour_that_waits_still_leans_by_a_semitone(
    left: Region, arrived: Region, degree: int, side: int
) -> None:
    goal = 60 + (left.classes[degree] - 60) % 12
    neighbour = goal + side
    if left.contains(neighbour):
        return
    carried, carried_goal = (left.carried(pitch, arrived, (55, 80)) for pitch in (neighbour, goal))
    resolution = arrived.resolution(carried, carried_goal)
    assert 1 <= abs(resolution - carried) <= 2
    assert arrived.contains(resolution)


def test_a_loop_that_has_begun_goes_on_on_the_same_degrees() -> None:
    controls = Controls(melody_complexity=0.9)
    found = 0
    for seed in range(4):
        steady = Composer(seed=seed, controls=controls).advance(900 * SECOND)
        loops = [note for note in steady.notes if note.layer == "loops"]
        figures = [
            (first, second)
            for first, second in pairwise(loops)
            if first.phrase == second.phrase and SECOND < second.onset_frames - first.onset_frames < 3 * SECOND
        ]
        for first, second in figures[::7]:
            at_frames = first.onset_frames + SECOND // 2
            composer = Composer(seed=seed, controls=controls, start_frames=at_frames)
            left = place_of(next(chord for chord in reversed(steady.chords) if chord.onset_frames <= at_frames))
            arrived = region((left.tonic + 8) % 12, "lydian")
            composer.change(changed(at_frames, key=arrived.tonic_name, mode="lydian"))
            waiting = [note for note in composer.advance(second.onset_frames + 1).notes if note.layer == "loops"]
            later = next(note for note in waiting if note.onset_frames == second.onset_frames)
            assert left.classes.index(second.pitch_midi % 12) == arrived.classes.index(later.pitch_midi % 12)
            found += 1
    assert found >= 3


# Flurries


@settings(max_examples=12)
@given(
    seed=st.integers(0, 999),
    at_frames=st.integers(0, 400 * SECOND),
    turns=st.lists(
        st.one_of(
            st.fixed_dictionaries({"key": st.sampled_from(KEYS)}),
            st.fixed_dictionaries({"mode": st.sampled_from(MODES)}),
            st.fixed_dictionaries({"tempo_bpm": st.integers(40, 120).map(float)}),
            st.fixed_dictionaries({"intensity": st.integers(0, 10).map(lambda tenths: tenths / 10)}),
            st.fixed_dictionaries({"harmonic_density": st.integers(0, 10).map(lambda tenths: tenths / 10)}),
            st.fixed_dictionaries({"chord_variety": st.integers(0, 10).map(lambda tenths: tenths / 10)}),
        ),
        min_size=10,
        max_size=10,
    ),
)
def test_ten_changes_in_a_second_of_whatever_kind_break_no_rule(
    seed: int, at_frames: int, turns: list[dict[str, object]]
) -> None:
    changes = [(at_frames + place * SECOND // 10, turn) for place, turn in enumerate(turns)]
    piece, judged = played(seed, changes, at_frames + 60 * SECOND)
    assert {rule: judged.violations[rule] for rule in VOICE_LEADING} == {rule: [] for rule in VOICE_LEADING}
    assert piece.chords


def test_an_hour_of_a_restless_hand_is_heard_in_time_and_breaks_no_rule() -> None:
    _, judged = played(11, drawn_changes(11, 30, HOUR), HOUR)
    assert judged.changes.total() >= 20
    assert judged.late == []
    assert {rule: found for rule, found in judged.violations.items() if found} == {}


# The night


def test_the_night_makes_the_music_sparser_and_leaves_the_first_moments_alone() -> None:
    def notes(piece: ScoreSlice, begin: int, end: int) -> list[tuple[int, int]]:
        moving = (note for note in piece.notes if note.layer not in ("pad", "drone"))
        return [(note.onset_frames, note.pitch_midi) for note in moving if begin <= note.onset_frames < end]

    day = Composer(seed=4).advance(3 * HOUR)
    night = Composer(seed=4, controls=Controls(night=True)).advance(3 * HOUR)
    assert notes(day, 0, 10 * SECOND) == notes(night, 0, 10 * SECOND)
    ratio = len(notes(night, HOUR, 3 * HOUR)) / len(notes(day, HOUR, 3 * HOUR))
    assert 0.4 <= ratio <= 0.6, ratio
    assert [chord.voicing for chord in day.chords[:5]] == [chord.voicing for chord in night.chords[:5]]


def test_turning_the_night_on_is_not_noticed_at_once_and_the_plan_stays() -> None:
    steady, turned_on = (Composer(seed=6) for _ in range(2))
    for composer in (steady, turned_on):
        composer.advance(60 * SECOND)
    assert turned_on.change(changed(60 * SECOND, night=True)) == {"night": 60 * SECOND}
    chords = [[chord.voicing for chord in composer.plan(100 * SECOND).chords] for composer in (steady, turned_on)]
    assert chords[0] == chords[1]


def test_hour_seven_of_the_night_is_reached_by_arithmetic() -> None:
    log = (changed(HOUR, night=True), changed(5 * HOUR, night=False), changed(5 * HOUR + 20 * SECOND, night=True))
    start = 6 * HOUR + 123
    cold = Composer(seed=7, log=log, start_frames=start)
    through = Composer(seed=7, log=log)
    through.advance(start)
    assert cold._moment.night == through._moment.night
    assert cold._moment.night.depth(start + DUSK_FRAMES) == 1.0
    until = start + 300 * SECOND
    assert event_stream_sha256(joined([cold.advance(until)])) == event_stream_sha256(joined([through.advance(until)]))
