"""The composer as the daemon uses it: slices, starts, changes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auralisd.composition import Composer
from auralisd.controls import KEYS, MODES, Controls
from auralisd.errors import ScoreError
from auralisd.score import ControlChange, ScoreSlice, event_stream_sha256, joined
from auralisd.units import SAMPLE_RATE_HZ

MINUTE = 60 * SAMPLE_RATE_HZ
HOUR = 60 * MINUTE


def changed(at_frames: int, **controls: object) -> ControlChange:
    return ControlChange(at_frames=at_frames, changed=controls, cause="rest")


def in_slices(composer: Composer, until_frames: int, slice_frames: int) -> ScoreSlice:
    slices = []
    while composer.position < until_frames:
        slices.append(composer.advance(min(until_frames, composer.position + slice_frames)))
    return joined(slices)


changes = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from(KEYS),
        "mode": st.sampled_from(MODES),
        "tempo_bpm": st.integers(40, 120).map(float),
        "intensity": st.integers(0, 10).map(lambda n: n / 10),
        "melody_complexity": st.integers(0, 10).map(lambda n: n / 10),
        "chord_variety": st.integers(0, 10).map(lambda n: n / 10),
        "harmonic_density": st.integers(0, 10).map(lambda n: n / 10),
        "night": st.booleans(),
    },
).filter(bool)
logs = st.lists(st.tuples(st.integers(0, 100 * SAMPLE_RATE_HZ), changes), max_size=6).map(
    lambda entries: tuple(changed(at, **what) for at, what in sorted(entries, key=lambda entry: entry[0]))
)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), log=logs, slice_frames=st.sampled_from((2205, 11025, 44100, 700_001)))
def test_how_the_music_is_sliced_does_not_change_it(
    seed: int, log: tuple[ControlChange, ...], slice_frames: int
) -> None:
    until = 110 * SAMPLE_RATE_HZ
    whole = joined([Composer(seed=seed, log=log).advance(until)])
    assert in_slices(Composer(seed=seed, log=log), until, slice_frames) == whole


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), log=logs)
def test_a_change_made_live_sounds_like_one_read_from_the_log(seed: int, log: tuple[ControlChange, ...]) -> None:
    until = 110 * SAMPLE_RATE_HZ
    live, slices = Composer(seed=seed), []
    for change in log:
        slices.append(live.advance(change.at_frames))
        live.change(change)
    slices.append(live.advance(until))
    assert joined(slices) == joined([Composer(seed=seed, log=log).advance(until)])


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    log=st.lists(st.tuples(st.integers(0, 40 * MINUTE), changes), max_size=12).map(
        lambda entries: tuple(changed(at, **what) for at, what in sorted(entries, key=lambda entry: entry[0]))
    ),
    start=st.integers(0, 38 * MINUTE),
)
def test_a_start_in_the_middle_equals_playing_up_to_it(seed: int, log: tuple[ControlChange, ...], start: int) -> None:
    until = start + 3 * MINUTE
    through = Composer(seed=seed, log=log)
    through.advance(start)
    begun_late = Composer(seed=seed, log=log, start_frames=start)
    # Joined, so that releases of notes from before the start (which only one of them gave out) fall away.
    assert joined([begun_late.advance(until)]) == joined([through.advance(until)])


def test_hour_seven_is_reached_by_arithmetic_and_is_the_hour_one_would_have_come_to() -> None:
    through = Composer(seed=7)
    through.advance(7 * HOUR)
    began = time.process_time()
    begun_late = Composer(seed=7, start_frames=7 * HOUR)
    assert time.process_time() - began < 0.5, "a start takes a section at most, not seven hours"
    assert begun_late.advance(7 * HOUR + 10 * MINUTE) == through.advance(7 * HOUR + 10 * MINUTE)


_HASH_PROGRAM = """
from auralisd.composition import Composer
from auralisd.score import ControlChange, event_stream_sha256
log = (ControlChange(at_frames=900_000, changed={"mode": "lydian", "intensity": 0.8}, cause="rest"),)
print(event_stream_sha256(Composer(seed=5, log=log).advance(300 * 44100)))
"""


def test_a_fresh_process_composes_the_same_stream_whatever_its_hash_seed() -> None:
    hashes = {
        subprocess.run(
            [sys.executable, "-c", _HASH_PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1", "4242")
    }
    log = (changed(900_000, mode="lydian", intensity=0.8),)
    here = event_stream_sha256(Composer(seed=5, log=log).advance(300 * SAMPLE_RATE_HZ))
    assert hashes == {here + "\n"}


def test_another_seed_is_another_piece() -> None:
    pieces = {event_stream_sha256(Composer(seed=seed).advance(MINUTE)) for seed in range(8)}
    assert len(pieces) == 8


def test_what_has_been_handed_out_cannot_be_asked_for_again() -> None:
    composer = Composer(seed=1)
    composer.advance(MINUTE)
    with pytest.raises(ScoreError):
        composer.advance(MINUTE - 1)
    with pytest.raises(ScoreError):
        composer.change(changed(MINUTE - 1, key="D"))


def test_a_log_out_of_order_is_refused() -> None:
    with pytest.raises(ScoreError):
        Composer(seed=1, log=(changed(10, key="D"), changed(5, key="E")))


def test_the_plan_is_what_is_later_handed_out_and_commits_nothing() -> None:
    composer, undisturbed = Composer(seed=11), Composer(seed=11)
    composer.advance(MINUTE)
    undisturbed.advance(MINUTE)
    planned = composer.plan(2 * MINUTE)
    assert composer.position == MINUTE
    assert planned == undisturbed.advance(2 * MINUTE)
    assert composer.advance(2 * MINUTE) == planned


def test_the_plan_changes_with_the_controls() -> None:
    composer = Composer(seed=11)
    composer.advance(MINUTE)
    before = composer.plan(2 * MINUTE)
    composer.change(changed(MINUTE, key="E", mode="lydian"))
    assert {chord.tonic for chord in composer.plan(2 * MINUTE).chords} == {"E"}
    assert {chord.tonic for chord in before.chords} == {"A"}


def test_one_can_ask_what_sounds_and_what_comes_next() -> None:
    composer = Composer(seed=3)
    assert composer.sounding(0)[0] is None
    piece = composer.advance(2 * MINUTE)
    now, following, section = composer.sounding(piece.chords[1].onset_frames + 5)
    assert now == piece.chords[1]
    assert following == piece.chords[2]
    assert section == piece.sections[0]
    now, following, _ = composer.sounding(2 * MINUTE)
    assert now is not None
    assert following is not None
    assert now.onset_frames < 2 * MINUTE <= following.onset_frames


def test_a_start_in_the_middle_knows_what_is_held() -> None:
    layers = set()
    for minute in (3, 8, 20):
        held = Composer(seed=3, start_frames=minute * MINUTE).held()
        layers |= {note.layer for note in held.notes}
        for note in held.notes:
            assert note.onset_frames < minute * MINUTE < note.onset_frames + note.duration_frames
    assert {"drone", "pad"} <= layers


def test_memory_does_not_grow_with_the_hours() -> None:
    def entries(composer: Composer) -> int:
        kept = (composer._past_chords, composer._past_sections, composer._sheet._waiting, composer._sheet._sounding)
        return sum(len(one) for one in kept) + len(composer._moment.clock.segments)

    composer = Composer(seed=2)
    composer.advance(HOUR // 2)
    after_half_an_hour = entries(composer)
    composer.advance(2 * HOUR)
    assert entries(composer) < 2 * after_half_an_hour


def test_controls_in_force_at_the_start_hold_from_frame_zero() -> None:
    piece = Composer(seed=1, controls=Controls(key="F", mode="lydian", tempo_bpm=70)).advance(MINUTE)
    assert {(chord.tonic, chord.mode) for chord in piece.chords} == {("F", "lydian")}
    assert {bar.tempo_bpm for bar in piece.bars} == {70.0}


def test_eight_bars_take_under_twenty_milliseconds_of_processor_time() -> None:
    composer = Composer(seed=1)
    eight_bars = 32 * SAMPLE_RATE_HZ
    spent = []
    for _ in range(15):
        began = time.process_time()
        composer.advance(composer.position + eight_bars)
        spent.append(time.process_time() - began)
    assert sorted(spent)[len(spent) // 2] < 0.020
