"""Each score control moves the score, and in the direction its name says."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from auralisd.composition import Composer
from auralisd.controls import Controls
from auralisd.score import ScoreSlice, joined
from auralisd.units import SAMPLE_RATE_HZ

HALF_AN_HOUR = 1800 * SAMPLE_RATE_HZ


@cache
def played(control: str, value: Any) -> ScoreSlice:
    return joined([Composer(seed=12, controls=Controls(**{control: value})).advance(HALF_AN_HOUR)])


def count(piece: ScoreSlice, *layers: str) -> int:
    return sum(1 for note in piece.notes if note.layer in layers)


def test_key_and_mode_name_the_home_the_piece_begins_in() -> None:
    for key in ("C", "F#", "Bb"):
        assert played("key", key).chords[0].tonic == key
    for mode in ("lydian", "phrygian"):
        assert played("mode", mode).chords[0].mode == mode


def test_tempo_moves_the_bars() -> None:
    slow, fast = played("tempo_bpm", 40.0), played("tempo_bpm", 120.0)
    assert len(fast.bars) == pytest.approx(3 * len(slow.bars), abs=3)


@pytest.mark.parametrize("layers", [("melody",), ("bells",), ("loops",), ("texture",), ("percussion",)])
def test_intensity_makes_every_layer_busier(layers: tuple[str, ...]) -> None:
    counts = [count(played("intensity", value), *layers) for value in (0.0, 0.5, 1.0)]
    assert counts == sorted(counts)
    assert counts[0] < 0.8 * counts[2]


def test_intensity_makes_the_pad_louder_and_the_chords_shorter() -> None:
    calm, lively = played("intensity", 0.1), played("intensity", 0.9)
    assert len(calm.chords) < 0.7 * len(lively.chords)
    loudness = [
        sum(note.velocity for note in piece.notes if note.layer == "pad") / count(piece, "pad")
        for piece in (calm, lively)
    ]
    assert loudness[0] < loudness[1] - 0.1


def test_melody_complexity_widens_and_quickens_the_melody() -> None:
    plain, ornate = played("melody_complexity", 0.0), played("melody_complexity", 1.0)
    assert count(plain, "melody") < count(ornate, "melody")
    spans = [
        len({note.pitch_midi for note in piece.notes if note.layer == "melody" and note.role != "neighbour"})
        for piece in (plain, ornate)
    ]
    assert spans[0] < spans[1]
    leaps = []
    for piece in (plain, ornate):
        melody = [note for note in piece.notes if note.layer == "melody"]
        steps = [abs(b.pitch_midi - a.pitch_midi) for a, b in pairwise(melody) if a.phrase == b.phrase]
        leaps.append(sum(steps) / len(steps))
    assert leaps[0] < leaps[1]


def test_chord_variety_spreads_the_degrees_and_enriches_the_shapes() -> None:
    narrow, wide = played("chord_variety", 0.0), played("chord_variety", 1.0)

    def concentration(piece: ScoreSlice) -> float:
        degrees = Counter(chord.degree for chord in piece.chords)
        return sum((number / len(piece.chords)) ** 2 for number in degrees.values())

    def plain_share(piece: ScoreSlice) -> float:
        return sum(chord.quality in ("triad", "add9", "sus2") for chord in piece.chords) / len(piece.chords)

    assert concentration(narrow) > concentration(wide)
    assert plain_share(narrow) > plain_share(wide) + 0.15


def test_harmonic_density_adds_voices() -> None:
    voices = [{len(chord.voicing) for chord in played("harmonic_density", value).chords} for value in (0.0, 0.5, 1.0)]
    assert voices == [{4}, {4, 5}, {5}]


def test_sound_controls_leave_the_score_alone() -> None:
    plain, dark = played("brightness", 0.5), played("brightness", 0.0)
    assert plain == dark
