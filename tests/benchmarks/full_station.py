"""A station as full as it gets: 64 analogue voices of three saws, two reverbs, echoes, mastering and dither.

Share of a core on one thread, process CPU time, torch alone and with the compiled kernel in turns:
``python -m tests.benchmarks.full_station [SECONDS]``.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch

from auralisd.controls import Controls
from auralisd.kernel import KernelShelf
from auralisd.synthesis import sounding
from auralisd.synthesis.grid import chunks
from auralisd.synthesis.ramps import ControlRamps
from auralisd.synthesis.renderer import Renderer
from auralisd.synthesis.reverb import Reverb
from auralisd.units import SAMPLE_RATE_HZ
from tests.benchmarks.chain import compiled
from tests.benchmarks.peers import pad_notes

VOICES = 64
RUNS = 5


def share_of_a_core(seconds: int, shelf: KernelShelf) -> float:
    """CPU seconds per second of sound."""
    controls = Controls()
    renderer, second = Renderer(seed=1, shelf=shelf), Reverb(0.9, torch.device("cpu"), shelf)
    arrays, ramps = sounding.as_arrays(pad_notes(VOICES)), ControlRamps(controls)
    with torch.inference_mode():
        started = time.process_time()
        for chunk in chunks(0, seconds * SAMPLE_RATE_HZ):
            at = ramps.at(chunk.points())
            buses = renderer._mixer.mixed(chunk, arrays, at)
            far = second.wet(chunk, buses[2:4], 0.9)
            out = renderer._in_the_room(chunk, buses, at)
            renderer._mastering.mastered(chunk, out[:2] + far, out[2:], at)
        return (time.process_time() - started) / seconds


def main() -> None:
    """Print the medians."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    ways = {"torch alone": KernelShelf(), "kernel": compiled()}
    shares: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(RUNS):
        for way, shelf in ways.items():
            shares[way].append(share_of_a_core(seconds, shelf))
    for way, measured in shares.items():
        share = statistics.median(measured)
        print(f"{VOICES} voices, two reverbs, {way:<11} {share:6.1%} of a core, {1.0 / share:5.1f} x real time")


if __name__ == "__main__":
    main()
