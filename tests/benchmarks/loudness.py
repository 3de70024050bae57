"""Whether each preset is as loud as it says, by a meter that is not ours (pyloudnorm, ITU-R BS.1770-4).

``python -m tests.benchmarks.loudness [--minutes 10] [--start 0] [--seed 7] [NAME ...]``; ten minutes by default,
of every preset. Presets are rendered as ``auralisd render`` does, one after another.
"""

from __future__ import annotations

import argparse

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

from auralisd.cli.performance import Performance, played
from auralisd.composition.presets import CHARACTERS
from auralisd.controls import Controls, merge_change
from auralisd.units import CHANNELS, SAMPLE_RATE_HZ

TOLERANCE_LU = 1.0


def rendered(name: str, *, seed: int, start_seconds: float, seconds: float) -> NDArray[np.float64]:
    """The sound of a preset in key A: float64 ``(frames, 2)``, full scale 1."""
    controls, _ = merge_change(Controls(), CHARACTERS[name].controls)
    begin = round(start_seconds * SAMPLE_RATE_HZ)
    performance = Performance(
        seed=seed, controls=controls, begin_frames=begin, end_frames=begin + round(seconds * SAMPLE_RATE_HZ)
    )
    blocks = [np.frombuffer(block.pcm16, dtype="<i2") for block in played(performance, device="cpu") if block]
    return np.concatenate(blocks).reshape(-1, CHANNELS)[: performance.frames].astype(np.float64) / 32768.0


def main() -> None:
    """Print one line per preset, and at the end how many are on target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(CHARACTERS), metavar="NAME")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--start", type=float, default=0.0, metavar="MINUTES", help="where in the piece to begin")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    print(f"{given.minutes:g} minutes from minute {given.start:g} of seed {given.seed}, integrated, pyloudnorm")
    print(f"{'preset':<11} {'target':>7} {'LUFS':>7} {'off by':>7} {'peak dBFS':>10}")
    on_target = 0
    for name in given.names:
        sound = rendered(name, seed=given.seed, start_seconds=60 * given.start, seconds=60 * given.minutes)
        measured = float(pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(sound))
        off_by = measured - CHARACTERS[name].loudness_lufs
        holds = abs(off_by) <= TOLERANCE_LU
        on_target += holds
        peak_dbfs = 20 * np.log10(np.abs(sound).max())
        print(
            f"{name:<11} {CHARACTERS[name].loudness_lufs:7.1f} {measured:7.2f} {off_by:+7.2f} {peak_dbfs:10.2f}"
            f"{'' if holds else '   off target'}",
            flush=True,
        )
    print(f"{on_target} of {len(given.names)} within {TOLERANCE_LU:g} LU")


if __name__ == "__main__":
    main()
