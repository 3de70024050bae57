"""Whether a program that is not ours hears the notes that the score says: pad and bells, ten minutes.

The listener is basic-pitch's network (Spotify, Apache 2.0), run by onnxruntime alone. Its wheel holds the weights:

    uv pip install --no-deps --target build/basic-pitch basic-pitch
    uv run --with onnxruntime python -m tests.benchmarks.transcription build/basic-pitch

It takes windows of 43,844 samples of mono sound at 22,050 Hz, overlapping by 30 frames of 256 samples, of which 15 at
either end are thrown away, and gives for each frame and each of the 88 keys of a piano how likely a note is.
Likely enough is chosen on one seed, and another seed is judged.

Pad and bells together are what is judged. Recall is told for each of them too, and the bells are transcribed alone:
they ring on pitches whose octaves the pad holds, 10 dB below it, and a network that looks at spectra cannot tell such a
bell from the pad's own partials.

A note counts as sounding while its envelope is within ``SOUNDING_DB`` of its full level, release and decay included,
as the patch has them. Octaves and reverb are not accounted for: they count against the figure.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.signal import resample_poly

from auralisd.cli.performance import Performance, played
from auralisd.composition import Composer
from auralisd.composition.presets import BUILT_IN
from auralisd.controls import LAYERS, OFF, Controls, merge_change
from auralisd.score import Note, joined
from auralisd.synthesis.patches import Patch, patch_for
from auralisd.units import CHANNELS, SAMPLE_RATE_HZ

PRESET = "Focus"
HEARD_LAYERS = ("pad", "bells")
CHOOSING_SEED, JUDGED_SEED = 11, 3
CHOOSING_MINUTES = 5.0
START_SECONDS = 2_250  # both seeds have bells from here on
LEAST_F1 = 0.70
SOUNDING_DB = -20.0

MODEL_RATE_HZ = 22_050
WINDOW_SAMPLES = 43_844
HOP_SAMPLES = 256
OVERLAP_FRAMES = 30
LOWEST_KEY_MIDI, KEYS = 21, 88

Roll = NDArray[np.bool_]
"""``(frames, 88)``: which keys sound."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two rolls agree, frame by frame and key by key."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def agreement(heard: Roll, written: Roll) -> Agreement:
    """Compare what was heard with what was written."""
    both = float((heard & written).sum())
    return Agreement(both / max(1.0, float(heard.sum())), both / max(1.0, float(written.sum())))


def piece(seed: int, minutes: float, layers: tuple[str, ...] = HEARD_LAYERS) -> Performance:
    """Some layers of the preset, every other one off."""
    controls, _ = merge_change(Controls(), BUILT_IN[PRESET])
    off = {layer: OFF for layer in LAYERS if layer not in layers}
    controls, _ = merge_change(controls, {"layers": off})
    begin = START_SECONDS * SAMPLE_RATE_HZ
    end = begin + round(60 * minutes * SAMPLE_RATE_HZ)
    return Performance(seed=seed, controls=controls, begin_frames=begin, end_frames=end)


def sound_of(performance: Performance) -> NDArray[np.float32]:
    """The rendered piece as the network wants it: mono, 22,050 Hz."""
    blocks = [np.frombuffer(block.pcm16, dtype="<i2") for block in played(performance, device="cpu") if block]
    stereo = np.concatenate(blocks).reshape(-1, CHANNELS)[: performance.frames]
    mono = stereo.mean(axis=1) / 32768.0
    return np.asarray(resample_poly(mono, MODEL_RATE_HZ, SAMPLE_RATE_HZ), dtype=np.float32)


def likelihoods(model: Path, sound: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Seconds of each frame, and how likely each key sounds in it: ``(frames,)`` and ``(frames, 88)``."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    margin = OVERLAP_FRAMES // 2
    padded = np.concatenate((np.zeros(margin * HOP_SAMPLES, dtype=np.float32), sound))
    times, rows = [], []
    for start in range(0, len(padded), WINDOW_SAMPLES - OVERLAP_FRAMES * HOP_SAMPLES):
        window = padded[start : start + WINDOW_SAMPLES]
        window = np.pad(window, (0, WINDOW_SAMPLES - len(window)))
        notes = session.run(["StatefulPartitionedCall:1"], {name: window[None, :, None]})[0][0]
        kept = np.arange(margin, len(notes) - margin)
        times.append((start + (kept - margin) * HOP_SAMPLES) / MODEL_RATE_HZ)
        rows.append(notes[kept])
    seconds = np.concatenate(times)
    inside = seconds < len(sound) / MODEL_RATE_HZ
    return seconds[inside], np.concatenate(rows)[inside]


def written_roll(
    performance: Performance, seconds: NDArray[np.float64], layers: tuple[str, ...] = HEARD_LAYERS
) -> Roll:
    """Which keys the score has sounding in ``layers`` at each of ``seconds``."""
    before = performance.begin_frames - 120 * SAMPLE_RATE_HZ
    composer = Composer(seed=performance.seed, controls=performance.controls, start_frames=before)
    score = joined([composer.held(), composer.advance(performance.end_frames)])
    roll = np.zeros((len(seconds), KEYS), dtype=bool)
    for note in score.notes:
        if note.layer in layers:
            begin, end = sounding_seconds(note, patch_for(note, performance.seed))
            offset = performance.begin_frames / SAMPLE_RATE_HZ
            within = (seconds >= begin - offset) & (seconds < end - offset)
            roll[within, note.pitch_midi - LOWEST_KEY_MIDI] = True
    return roll


def sounding_seconds(note: Note, patch: Patch) -> tuple[float, float]:
    """From when to when the note's envelope is within ``SOUNDING_DB`` of its full level."""
    envelope = patch.envelope
    share = 10.0 ** (SOUNDING_DB / 20.0)
    attack = sum(envelope.attack_seconds) / 2 * share ** (1 / envelope.curve)
    release = envelope.release_seconds * (1 - share ** (1 / envelope.curve))
    onset = note.onset_frames / SAMPLE_RATE_HZ
    end = onset + note.duration_frames / SAMPLE_RATE_HZ + release
    slowest = max(strand.decay_seconds for strand in patch.strands)
    if all(strand.decay_seconds for strand in patch.strands):
        end = min(end, onset + slowest * -SOUNDING_DB / 60)
    return onset + attack, end


def main() -> None:
    """Choose the threshold on one seed and print how another one fares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the wheel of basic-pitch was unpacked")
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    model = given.folder / "basic_pitch/saved_models/icassp_2022/nmp.onnx"
    print(f"{PRESET}, {' and '.join(HEARD_LAYERS)} alone, {given.minutes:g} minutes from {START_SECONDS / 60:g} min")
    threshold = 0.0
    for seed in (CHOOSING_SEED, JUDGED_SEED):
        performance = piece(seed, CHOOSING_MINUTES if seed == CHOOSING_SEED else given.minutes)
        seconds, likely = likelihoods(model, sound_of(performance))
        written = written_roll(performance, seconds)
        if seed == CHOOSING_SEED:
            steps = [round(0.05 + 0.01 * step, 2) for step in range(60)]
            threshold = max(steps, key=lambda step: agreement(likely >= step, written).f1)
        found = agreement(likely >= threshold, written)
        role = "chosen on" if seed == CHOOSING_SEED else "judged on"
        print(
            f"seed {seed:<3} threshold {threshold:.2f} {role} it: precision {found.precision:.3f}, "
            f"recall {found.recall:.3f}, F1 {found.f1:.3f}",
            flush=True,
        )
    for layer in HEARD_LAYERS:
        share = agreement(likely >= threshold, written_roll(performance, seconds, (layer,))).recall
        print(f"         of the {layer} {share:.3f} is heard among both")
    performance = piece(JUDGED_SEED, given.minutes, ("bells",))
    seconds, likely = likelihoods(model, sound_of(performance))
    alone = agreement(likely >= threshold, written_roll(performance, seconds, ("bells",)))
    print(f"         bells alone: precision {alone.precision:.3f}, recall {alone.recall:.3f}, F1 {alone.f1:.3f}")
    print(f"pad and bells {'at least' if found.f1 >= LEAST_F1 else 'BELOW'} {LEAST_F1:g}")


if __name__ == "__main__":
    main()
