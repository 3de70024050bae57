"""The characters of the house: what each promises, read off its controls and its score."""

from __future__ import annotations

from itertools import pairwise

import pytest

from auralisd.composition import Composer
from auralisd.composition.presets import BUILT_IN, CHARACTERS
from auralisd.controls import LAYERS, OFF, Controls, merge_change
from auralisd.score import Note, ScoreSlice, joined
from auralisd.units import SAMPLE_RATE_HZ

VOICES_ENTER_SECONDS = 8.1
HOUR_FRAMES = 3600 * SAMPLE_RATE_HZ


def heard(name: str, seed: int, hours: int = 1) -> tuple[Controls, ScoreSlice]:
    """The score of a preset without the layers that are off in it."""
    controls, _ = merge_change(Controls(), BUILT_IN[name])
    score = joined([Composer(seed=seed, controls=controls).advance(hours * HOUR_FRAMES)])
    return controls, score


def audible(controls: Controls, score: ScoreSlice) -> list[Note]:
    return [note for note in score.notes if controls.layers[note.layer] != OFF]


def test_there_are_ten_the_four_of_the_first_row_first() -> None:
    assert list(CHARACTERS)[:4] == ["Focus", "Meditation", "Sleep", "Bright"]
    assert len(CHARACTERS) == 10


@pytest.mark.parametrize("name", CHARACTERS)
def test_each_says_in_one_sentence_what_it_is_like(name: str) -> None:
    description = CHARACTERS[name].description
    assert description[0].isupper()
    assert description.endswith(".")
    assert description.count(".") == 1
    assert 40 <= len(description) <= 110


@pytest.mark.parametrize("name", CHARACTERS)
def test_each_turns_every_control_but_the_key(name: str) -> None:
    controls, named = merge_change(Controls(), CHARACTERS[name].controls)
    kept = {"key", "night"}  # the listener's own
    assert named.keys() == controls.as_dict().keys() - kept, "a preset leaves nothing else behind"
    assert set(named["layers"]) == set(LAYERS)


@pytest.mark.parametrize("name", CHARACTERS)
def test_the_loudness_target_is_18_below_full_scale_and_the_level_on_top(name: str) -> None:
    character = CHARACTERS[name]
    assert character.loudness_lufs == -18.0 + character.controls["level_db"]


@pytest.mark.parametrize(
    ("name", "mode", "tempo_bpm", "intensity", "level_db"),
    [
        ("Focus", "dorian", 60, 0.5, 0),
        ("Meditation", "aeolian", 50, 0.3, 0),
        ("Sleep", "phrygian", 40, 0.2, -4),
        ("Bright", "lydian", 70, 0.6, 0),
    ],
)
def test_the_four_have_their_characters(
    name: str, mode: str, tempo_bpm: float, intensity: float, level_db: float
) -> None:
    controls, _ = merge_change(Controls(), BUILT_IN[name])
    assert (controls.mode, controls.tempo_bpm, controls.intensity) == (mode, tempo_bpm, intensity)
    assert controls.level_db == level_db


def test_sleep_is_the_darkest_of_the_four_and_deep_darker_still() -> None:
    by_brightness = sorted(BUILT_IN, key=lambda name: float(BUILT_IN[name]["brightness"]))
    assert by_brightness[:2] == ["Deep", "Sleep"]
    assert by_brightness[-1] == "Glass"
    assert BUILT_IN["Sleep"]["layers"]["percussion"] == OFF


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_still_no_pitch_moves_within_20_seconds(seed: int) -> None:
    moves = pitch_moves("Still", seed)
    assert len(moves) > 60, "an hour of chords, each of which lasts a minute at most"
    assert min(later - earlier for earlier, later in pairwise(moves)) >= 20.0


def test_in_focus_pitches_do_move_within_20_seconds() -> None:
    moves = pitch_moves("Focus", seed=1)
    assert min(later - earlier for earlier, later in pairwise(moves)) < 20.0


def pitch_moves(name: str, seed: int) -> list[float]:
    """Seconds at which what is heard moves to other pitches.

    A move begins with a pitch that its layer does not sound already, and takes in what follows within the
    eight seconds over which a chord's voices may enter.
    """
    controls, score = heard(name, seed)
    sounding: dict[tuple[str, int], int] = {}
    moves: list[float] = []
    for note in audible(controls, score):
        if note.unpitched:
            continue
        voice = note.layer, note.pitch_midi
        new = note.onset_frames > sounding.get(voice, -1)
        sounding[voice] = max(sounding.get(voice, 0), note.onset_frames + note.duration_frames)
        onset = note.onset_frames / SAMPLE_RATE_HZ
        if new and (not moves or onset - moves[-1] > VOICES_ENTER_SECONDS):
            moves.append(onset)
    return moves


def test_in_tides_the_drums_are_the_loudest_thing_and_soft_still() -> None:
    controls, score = heard("Tides", seed=1)
    layers = controls.layers
    assert max(layers, key=lambda layer: -99.0 if layers[layer] == OFF else float(layers[layer])) == "percussion"
    hits = [note for note in score.notes if note.layer == "percussion"]
    assert len(hits) > 60, "an hour with drums in it"
    assert all(note.velocity <= 0.5 for note in hits)
    for first, later in zip(hits, hits[12:], strict=False):
        assert later.onset_frames - first.onset_frames >= 60 * SAMPLE_RATE_HZ, "twelve a minute at most"


def test_no_two_are_near_each_other() -> None:
    described = [
        (c.controls["mode"], c.controls["tempo_bpm"], c.controls["intensity"], c.controls["brightness"])
        for c in CHARACTERS.values()
    ]
    assert len(set(described)) == len(described)
