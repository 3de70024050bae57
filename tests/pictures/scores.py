"""Scores to draw: composed afresh, as ``auralisd compose`` would."""

from __future__ import annotations

from auralisd.composition import Composer
from auralisd.composition.presets import BUILT_IN
from auralisd.controls import OFF, Controls, merge_change
from auralisd.score import ControlChange, Note, ScoreSlice, joined
from auralisd.units import SAMPLE_RATE_HZ

SEED = 3


def composed(
    preset: str, start_seconds: int, until_seconds: int, log: tuple[ControlChange, ...] = (), seed: int = SEED
) -> ScoreSlice:
    """The score of a preset in A from one second to another, what sounds at its beginning included."""
    controls, _ = merge_change(Controls(), BUILT_IN[preset])
    composer = Composer(seed=seed, controls=controls, log=log, start_frames=start_seconds * SAMPLE_RATE_HZ)
    held = composer.held()
    return joined([held, composer.advance(until_seconds * SAMPLE_RATE_HZ)])


def heard(piece: ScoreSlice, preset: str) -> list[Note]:
    """The notes of the layers that are on in the preset."""
    layers = BUILT_IN[preset]["layers"]
    return [note for note in piece.notes if layers[note.layer] != OFF]


def seconds_of(note: Note) -> tuple[float, float]:
    """Onset and end."""
    return note.onset_frames / SAMPLE_RATE_HZ, (note.onset_frames + note.duration_frames) / SAMPLE_RATE_HZ
