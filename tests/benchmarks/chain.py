"""How fast one thread makes music: compose, render, master, dither, encode. Process CPU time.

Each preset with torch alone and with the compiled kernel, in turns: ``python -m tests.benchmarks.chain [SECONDS]``.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from auralisd.composition import Composer
from auralisd.composition.presets import BUILT_IN
from auralisd.controls import Controls, merge_change
from auralisd.kernel import KernelShelf
from auralisd.kernel.machine_code import make
from auralisd.synthesis.compiled import fill
from auralisd.synthesis.renderer import Renderer
from auralisd.transport.encoders import EncoderBank
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ, frames_to_seconds
from tests.live.running_daemon import percentile

SEED = 7
WARM_UP_SECONDS = 5


def measure(preset: str, seconds: float, shelf: KernelShelf) -> dict[str, float]:
    """Figures of ``seconds`` of the station as it is by default, after a warm-up."""
    controls, _ = merge_change(Controls(), BUILT_IN[preset])
    composer = Composer(seed=SEED, controls=controls)
    renderer = Renderer(seed=SEED, controls=controls, shelf=shelf)
    bank = EncoderBank(title="benchmark")
    spent = dict.fromkeys(("compose", "render", "encode"), 0.0)
    blocks: list[float] = []
    warm_up = WARM_UP_SECONDS * SAMPLE_RATE_HZ
    last = warm_up + round(seconds * SAMPLE_RATE_HZ)
    for position in range(0, last, PACKET_FRAMES):
        t0 = time.process_time()
        renderer.accept(composer.advance(position + PACKET_FRAMES))
        t1 = time.process_time()
        sound = renderer.render(controls, PACKET_FRAMES).pcm16
        t2 = time.process_time()
        bank.encode(position, sound, wanted=frozenset({"opus"}), bed=False)
        t3 = time.process_time()
        if position >= warm_up:
            for name, took in zip(spent, (t1 - t0, t2 - t1, t3 - t2), strict=True):
                spent[name] += took
            blocks.append(t2 - t1)
    rendered = frames_to_seconds(len(range(warm_up, last, PACKET_FRAMES)) * PACKET_FRAMES)
    return {
        "x_real_time": rendered / sum(spent.values()),
        "p50_ms": 1000 * percentile(blocks, 0.5),
        "p99_ms": 1000 * percentile(blocks, 0.99),
        **{f"{name}_share": took / sum(spent.values()) for name, took in spent.items()},
    }


def compiled() -> KernelShelf:
    """The kernel, compiled for this run."""
    shelf = KernelShelf()
    with tempfile.TemporaryDirectory() as name:
        make(Path(name) / "kernel")
        if not fill(shelf, Path(name) / "kernel"):
            sys.exit(shelf.why)
    return shelf


def main() -> None:
    """Print the medians of three runs per preset and way."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    ways = {"torch alone": KernelShelf(), "kernel": compiled()}
    for shelf in ways.values():
        measure(next(iter(BUILT_IN)), seconds, shelf)  # the first is the slowest: tables, libraries, caches
    for preset in BUILT_IN:
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(3):
            for way, shelf in ways.items():
                runs[way].append(measure(preset, seconds, shelf))
        for way, measured in runs.items():
            medians = {name: statistics.median(run[name] for run in measured) for name in measured[0]}
            print(
                f"{preset:<11} {way:<11} {medians['x_real_time']:5.1f} x real time "
                f"(compose {medians['compose_share']:.0%}, "
                f"render {medians['render_share']:.0%}, opus {medians['encode_share']:.0%}); "
                f"packet of 100 ms: p50 {medians['p50_ms']:.2f} ms, p99 {medians['p99_ms']:.2f} ms CPU"
            )


if __name__ == "__main__":
    main()
