"""A few notes on one patch, to hear and to measure it by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from auralisd.controls import Controls, merge_change
from auralisd.score import Note, ScoreSlice
from auralisd.synthesis.patches import CATALOGUE, Patch, patch_for
from auralisd.synthesis.patches.choice import CHORDS_PER_PATCH
from auralisd.synthesis.renderer import Renderer
from auralisd.units import BLOCK_FRAMES, CHANNELS, seconds_to_frames

AUDITION_SECONDS: Final = 15.0
_SEED: Final = 1
_LAYERS: Final = {"grain": "texture", "swell": "percussion"}

type Phrase = tuple[tuple[float, float, int, float], ...]
"""Onset and duration in seconds, MIDI pitch, velocity."""

PHRASES: Final[dict[str, Phrase]] = {
    "drone": ((0.2, 9.0, 36, 0.6),),
    "pad": ((0.2, 8.0, 52, 0.6), (0.2, 8.0, 59, 0.6), (0.4, 8.0, 67, 0.6)),
    "loops": ((0.2, 2.0, 60, 0.4), (2.0, 2.0, 67, 0.6), (3.8, 2.0, 72, 0.8), (5.6, 2.0, 79, 0.5), (7.4, 3.0, 64, 0.6)),
    "melody": ((0.2, 1.6, 67, 0.4), (2.0, 1.6, 69, 0.6), (3.8, 1.6, 74, 0.8), (5.6, 3.5, 72, 0.6)),
    "bells": ((0.2, 4.0, 72, 0.4), (3.2, 4.0, 79, 0.7), (6.2, 4.0, 84, 0.5)),
    "texture": ((0.2, 10.0, 60, 0.6),),
    "grain": tuple((0.2 + 0.9 * k, 0.5, (60, 72, 67, 79)[k % 4], 0.4 + 0.1 * (k % 5)) for k in range(12)),
    "percussion": ((0.2, 1.0, 33, 0.5), (2.2, 1.0, 33, 0.8), (4.2, 1.0, 36, 0.6), (6.2, 1.0, 31, 0.7)),
    "swell": ((0.2, 4.0, 60, 0.6), (6.0, 4.0, 57, 0.7)),
}


def audition(patch: Patch, phrase: Phrase | None = None, *, brightness: float = 0.5) -> Iterator[bytes]:
    """The patch alone, in the room and mastered, for 15 s: interleaved int16 stereo, 100 ms at a time.

    Raises:
        RenderError: the synthesiser failed.
    """
    kind = next(kind for kind, patches in CATALOGUE.items() if patch in patches)
    layer = _LAYERS.get(kind, kind)
    controls, _ = merge_change(Controls(), {"brightness": brightness})
    chord_index = _chord_with(patch, layer, kind)
    notes = tuple(
        Note(
            note_id=index, onset_frames=seconds_to_frames(onset), duration_frames=seconds_to_frames(seconds),
            pitch_midi=pitch, velocity=velocity, layer=layer, role=kind, chord_index=chord_index,
        )
        for index, (onset, seconds, pitch, velocity) in enumerate(phrase or PHRASES[kind])
    )  # fmt: skip
    renderer = Renderer(seed=_SEED, controls=controls)
    total = seconds_to_frames(AUDITION_SECONDS)
    renderer.accept(ScoreSlice(start_frames=0, end_frames=total, notes=notes))
    for _ in range(0, total, BLOCK_FRAMES):
        yield renderer.render(controls).pcm16


def as_floats(pcm16: bytes) -> npt.NDArray[np.float32]:
    """Interleaved int16 as float32 ``(2, frames)``, full scale 1."""
    samples = np.frombuffer(pcm16, dtype="<i2").reshape(-1, CHANNELS)
    return np.ascontiguousarray(samples.T, dtype=np.float32) / np.float32(32_768.0)


def _chord_with(patch: Patch, layer: str, kind: str) -> int:
    """A chord under which ``patch`` is the one that plays."""
    for chord_index in range(0, CHORDS_PER_PATCH * len(CATALOGUE[kind]), CHORDS_PER_PATCH):
        note = Note(note_id=0, onset_frames=0, duration_frames=1, pitch_midi=60, velocity=0.5, layer=layer, role=kind,
                    chord_index=chord_index)  # fmt: skip
        if patch_for(note, _SEED) == patch:
            return chord_index
    raise ValueError(f"{patch.name} is never chosen")
