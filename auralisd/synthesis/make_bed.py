"""Makes the sound the package ships for cold starts: half a minute of drone and pad that loops.

``python -m auralisd.synthesis.make_bed auralisd/assets/bed.opus`` writes it as Ogg Opus. The ends are
crossfaded, so that it can be played round and round while the real synthesiser is still being loaded.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from typing import Final

import av
import numpy as np

from auralisd.audio import Samples, pcm16_to_samples
from auralisd.controls import Controls
from auralisd.score import Note, ScoreSlice
from auralisd.synthesis.renderer import Renderer
from auralisd.units import BLOCK_FRAMES, OPUS_RATE_HZ, SAMPLE_RATE_HZ, seconds_to_frames

SEED: Final = 20
LOOP_SECONDS: Final = 30
CROSSFADE_SECONDS: Final = 6
BIT_RATE: Final = 96_000
_LEAD_IN_SECONDS: Final = 20
_CHORDS: Final = ((45, 52, 59, 64, 67), (41, 52, 57, 60, 67))  # A minor add9, F major 7 add9
_CHORD_SECONDS: Final = LOOP_SECONDS // 2


def loop() -> Samples:
    """The loop: float32 ``(2, frames)``; its last frame is followed by its first."""
    whole = _rendered(_LEAD_IN_SECONDS + LOOP_SECONDS + CROSSFADE_SECONDS)[:, seconds_to_frames(_LEAD_IN_SECONDS) :]
    length, overlap = seconds_to_frames(LOOP_SECONDS), seconds_to_frames(CROSSFADE_SECONDS)
    rising = np.sin(np.linspace(0.0, np.pi / 2.0, overlap, dtype=np.float32))
    falling = np.cos(np.linspace(0.0, np.pi / 2.0, overlap, dtype=np.float32))
    looped = whole[:, :length].copy()
    looped[:, :overlap] = whole[:, :overlap] * rising + whole[:, length:] * falling
    return looped


def _rendered(seconds: int) -> Samples:
    controls = Controls(brightness=0.35, space=0.6, warmth=0.6)
    renderer = Renderer(seed=SEED, controls=controls)
    renderer.accept(_piece(seconds))
    blocks = [renderer.render(controls).pcm16 for _ in range(-(-seconds_to_frames(seconds) // BLOCK_FRAMES))]
    return pcm16_to_samples(b"".join(blocks))


def _piece(seconds: int) -> ScoreSlice:
    """Two chords in turn over a drone; chord changes keep clear of the seam."""
    end = seconds_to_frames(seconds)
    notes = [_note("drone", 0, 0, seconds, 33, 0.5), _note("drone", 1, 0, seconds, 40, 0.35)]
    starts = range(0, seconds, _CHORD_SECONDS)
    for index, start in enumerate(starts):
        for voice, pitch in enumerate(_CHORDS[index % len(_CHORDS)]):
            notes.append(_note("pad", 10 * index + voice, start, _CHORD_SECONDS, pitch, 0.45))
    return ScoreSlice(start_frames=0, end_frames=end, notes=tuple(notes))


def _note(layer: str, number: int, start_seconds: int, seconds: int, pitch: int, velocity: float) -> Note:
    return Note(
        note_id=number,
        onset_frames=seconds_to_frames(start_seconds + 0.21 * (number % 10)),
        duration_frames=seconds_to_frames(seconds),
        pitch_midi=pitch,
        velocity=velocity,
        layer=layer,
        role=layer,
    )


def write_opus(path: str, samples: Samples) -> None:
    """Write float32 ``(2, frames)`` at 44.1 kHz to ``path`` as Ogg Opus."""
    with av.open(path, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE_HZ, layout="stereo", bit_rate=BIT_RATE)
        resampler = av.AudioResampler(format="flt", layout="stereo", rate=OPUS_RATE_HZ)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE_HZ, Fraction(1, SAMPLE_RATE_HZ), 0
        for resampled in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))


def main() -> None:
    """Write the bed to the path given on the command line."""
    parser = argparse.ArgumentParser(description="Write the sound that is shipped for cold starts.")
    parser.add_argument("path", help="an .opus file")
    write_opus(parser.parse_args().path, loop())


if __name__ == "__main__":
    main()
