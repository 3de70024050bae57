"""Each sound by itself: how they are chosen, and that none says what was not asked of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from auralisd.controls import LAYERS, Controls
from auralisd.score import Note
from auralisd.synthesis import sounding
from auralisd.synthesis.audition import as_floats, audition
from auralisd.synthesis.chance import Walks
from auralisd.synthesis.grid import chunks
from auralisd.synthesis.mixing import VoiceMixer
from auralisd.synthesis.oscillators import TableBank
from auralisd.synthesis.patches import CATALOGUE, patch_for
from auralisd.synthesis.patches.choice import CHORDS_PER_PATCH
from auralisd.synthesis.ramps import ControlRamps
from auralisd.synthesis.tones import NoiseTone
from auralisd.units import SAMPLE_RATE_HZ, midi_to_hz

PATCHES = [(kind, patch) for kind, row in CATALOGUE.items() for patch in row]
PITCHED = [patch for kind, patch in PATCHES if kind in {"drone", "pad", "loops", "melody", "bells"}]


def a_note(layer="pad", role="pad", *, pitch_midi=60, velocity=0.6, chord_index=0, seconds=6.0):
    return Note(
        note_id=1, onset_frames=0, duration_frames=int(seconds * SAMPLE_RATE_HZ), pitch_midi=pitch_midi,
        velocity=velocity, layer=layer, role=role, chord_index=chord_index,
    )  # fmt: skip


def buses(patch, note, seconds, seed=1, brightness=0.5):
    """What the patch alone puts on the buses: float32 ``(7, frames)``."""
    with torch.inference_mode():
        bank = TableBank(seed, torch.device("cpu"))
        mixer = VoiceMixer(bank=bank, walks=Walks(seed), device=torch.device("cpu"))
        played = sounding.played_with(patch, note, seed)
        played.place_tables([bank.first_row(key, frozenset(played.tables)) for key in played.tables])
        arrays, ramps = sounding.as_arrays([played]), ControlRamps(Controls(brightness=brightness))
        frames = int(seconds * SAMPLE_RATE_HZ) // 2205 * 2205
        pieces = [mixer.mixed(chunk, arrays, ramps.at(chunk.points())) for chunk in chunks(0, frames)]
        return torch.cat(pieces, dim=1).numpy()


def test_there_are_two_dozen_patches_and_no_two_are_alike():
    assert len(PATCHES) >= 24
    assert len({patch.name for _, patch in PATCHES}) == len(PATCHES)
    assert len({patch.strands for _, patch in PATCHES}) == len(PATCHES)
    assert all(patch.character.endswith(".") for _, patch in PATCHES)


def test_every_layer_has_several_patches():
    assert set(LAYERS) <= set(CATALOGUE)
    assert all(len(row) >= 2 for row in CATALOGUE.values())


def test_a_piece_comes_by_every_patch_of_a_layer_and_stays_some_minutes_with_each():
    played = [patch_for(a_note(chord_index=index), seed=3) for index in range(CHORDS_PER_PATCH * len(CATALOGUE["pad"]))]
    assert set(played) == set(CATALOGUE["pad"])
    changes = [index for index in range(1, len(played)) if played[index] != played[index - 1]]
    assert np.diff(changes).tolist() == [CHORDS_PER_PATCH] * (len(changes) - 1)


def test_the_layers_do_not_all_change_at_once():
    def changing(layer, seed):
        patches = [patch_for(a_note(layer, layer, chord_index=index), seed) for index in range(CHORDS_PER_PATCH + 1)]
        return next(index for index in range(1, len(patches)) if patches[index] != patches[index - 1])

    assert len({changing(layer, seed=5) for layer in LAYERS}) >= 5


def test_pieces_differ_in_the_patches_they_begin_with():
    beginnings = {tuple(patch_for(a_note(layer, layer), seed).name for layer in LAYERS) for seed in range(40)}
    assert len(beginnings) > 30


@pytest.mark.parametrize("patch", PITCHED, ids=lambda patch: patch.name)
def test_nothing_folds_back_below_8_khz_at_midi_96(patch):
    """What is not within 150 cents of a partial lies 60 dB below the tone; the breath some have is left out."""
    pitched = tuple(strand for strand in patch.strands if not isinstance(strand.tone, NoiseTone))
    sound = buses(
        replace(patch, strands=pitched), a_note(pitch_midi=96, velocity=1.0, seconds=4.0), 3.0, brightness=1.0
    )[:2].sum(axis=0)
    heard = sound[SAMPLE_RATE_HZ : 3 * SAMPLE_RATE_HZ]
    spectrum = np.abs(np.fft.rfft(heard * np.blackman(len(heard))))
    hertz = np.arange(len(spectrum)) * SAMPLE_RATE_HZ / len(heard)
    allowed = np.zeros(len(spectrum), dtype=bool)
    for strand in pitched:
        harmonics = 1 if strand.source == "sine" else 10
        base = midi_to_hz(96) * strand.ratio
        for partial in range(1, harmonics + 1):
            allowed |= np.abs(hertz - partial * base) < 0.09 * partial * base
    folded = spectrum[(hertz > 40.0) & (hertz < 8_000.0) & ~allowed]
    assert 20.0 * np.log10(folded.max() / spectrum.max()) < -60.0


@pytest.mark.parametrize("patch", [row[0] for row in CATALOGUE.values()], ids=lambda patch: patch.name)
def test_a_firm_note_is_louder_and_nearer_than_a_soft_one(patch):
    soft, firm = (buses(patch, a_note(pitch_midi=60, velocity=velocity), 3.0) for velocity in (0.3, 0.9))

    def power(sound):
        return float(np.mean(sound.astype(np.float64) ** 2))

    assert power(firm[:2]) > 2.0 * power(soft[:2])
    assert power(firm[2:4]) / power(firm[:2]) < 0.7 * power(soft[2:4]) / power(soft[:2])


@pytest.mark.parametrize("kind", ["drone", "pad", "melody", "bells"])
def test_a_firm_note_is_brighter_than_a_soft_one(kind):
    def centre_hz(velocity):
        sound = buses(CATALOGUE[kind][0], a_note(pitch_midi=60, velocity=velocity), 4.0)[0]
        power = np.abs(np.fft.rfft(sound)) ** 2
        return np.sum(power * np.fft.rfftfreq(len(sound), 1.0 / SAMPLE_RATE_HZ)) / np.sum(power)

    assert centre_hz(1.0) > 1.02 * centre_hz(0.1)


@pytest.mark.parametrize("patch", CATALOGUE["pad"] + CATALOGUE["texture"], ids=lambda patch: patch.name)
def test_pads_and_textures_are_wide_without_falling_apart(patch):
    left, right = buses(patch, a_note(pitch_midi=60, seconds=10.0), 8.0)[:2]
    correlation = np.corrcoef(left, right)[0, 1]
    assert -0.2 < correlation < 0.9


def test_an_audition_is_one_patch_without_clicks_and_without_dc():
    sound = as_floats(b"".join(audition(CATALOGUE["loops"][1])))
    assert sound.shape == (2, 15 * SAMPLE_RATE_HZ)
    assert 0.02 < np.abs(sound).max() < 0.9
    assert np.abs(sound.mean(axis=1)).max() < 1e-3
    assert np.abs(np.diff(sound, axis=1)).max() < 0.1


def test_the_documents_name_every_patch():
    page = (Path(__file__).parents[2] / "docs" / "sound.md").read_text(encoding="utf-8")
    for _, patch in PATCHES:
        assert f"**{patch.name}** | {patch.character}" in page
