"""What each step of quality saves: ``python -m tests.benchmarks.quality``. CPU time of the render thread, medians."""

from __future__ import annotations

import statistics
import time

from auralisd.composition import Composer
from auralisd.controls import Controls
from auralisd.quality import Quality
from auralisd.synthesis.renderer import Renderer
from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ, frames_to_seconds

RUNS = 3
SETTLING_SECONDS, MEASURED_SECONDS = 30, 30


def block_seconds(quality: Quality) -> float:
    """CPU seconds of a block of 100 ms, the mean of half a minute of the default station."""
    composer, renderer = Composer(seed=7), Renderer(seed=7)
    renderer.make_do_with(quality)
    spent = []
    for position in range(0, (SETTLING_SECONDS + MEASURED_SECONDS) * SAMPLE_RATE_HZ, BLOCK_FRAMES):
        renderer.accept(composer.advance(position + BLOCK_FRAMES))
        began = time.thread_time()
        renderer.render(Controls(), BLOCK_FRAMES)
        if position >= SETTLING_SECONDS * SAMPLE_RATE_HZ:
            spent.append(time.thread_time() - began)
    return statistics.mean(spent)


def main() -> None:
    """Print a line per step; the steps are measured in turn, so that a machine's moods meet them alike."""
    runs = [{quality: block_seconds(quality) for quality in Quality} for _ in range(RUNS)]
    for quality in Quality:
        took = statistics.median(run[quality] for run in runs)
        share = statistics.median(run[quality] / run[Quality.FULL] for run in runs)
        name = quality.name.lower().replace("_", " ")
        print(f"{name:<16} {frames_to_seconds(BLOCK_FRAMES) / took:5.1f} x real time, {share:4.0%} of full quality")


if __name__ == "__main__":
    main()
