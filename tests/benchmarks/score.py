"""Whether the music keeps its word for a working day: every rule, over hours, modes, seeds and presets.

``uv run python -m tests.benchmarks.score [--modes M ...] [--presets P ...] [--seeds N] [--hours H]``. Composes
each piece, begins its last hour a second time from cold, judges it by every rule of ``auralisd audit``, and prints
the worst figure of each rule over all pieces. The first seed of each mode and preset is composed in the daemon's slices
of 100 ms, to see what they cost; the others in longer ones, which gives the same music sooner.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auralisd.cli.progress import clock_time, progress_bar
from auralisd.composition import Composer
from auralisd.composition.audit import RULES, Finding, Reading, judged
from auralisd.composition.presets import BUILT_IN
from auralisd.controls import MODES, Controls, merge_change
from auralisd.score import ScoreSlice, joined
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ, frames_to_seconds
from tests.live.running_daemon import percentile

HOUR_FRAMES = 3600 * SAMPLE_RATE_HZ
LONG_STEP_FRAMES = 10 * SAMPLE_RATE_HZ
SHOWN_EVERY_FRAMES = 60 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One piece: what it is, what became of each rule, and what composing cost."""

    name: str
    findings: tuple[Finding, ...]
    as_daemon: bool
    composing_seconds: float
    slice_p50_ms: float
    slice_p99_ms: float
    longest_slice_ms: float


def main() -> None:
    """Compose, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modes", nargs="*", default=list(MODES), choices=MODES, help="at the default controls (all)")
    parser.add_argument("--presets", nargs="*", default=list(BUILT_IN), choices=list(BUILT_IN), help="three seeds each")
    parser.add_argument("--seeds", type=int, default=10, help="how many for each mode (10)")
    parser.add_argument("--hours", type=float, default=8.0, help="of each piece (8)")
    asked = parser.parse_args()
    pieces = [(mode, seed, Controls(mode=mode)) for mode in asked.modes for seed in range(1, asked.seeds + 1)]
    for preset in asked.presets:
        controls = merge_change(Controls(), BUILT_IN[preset])[0]
        pieces += [(preset, seed, controls) for seed in range(1, min(3, asked.seeds) + 1)]
    frames = round(asked.hours * HOUR_FRAMES)
    results = []
    with progress_bar("composing and judging", frames_to_seconds(frames) * len(pieces)) as show:
        for number, (name, seed, controls) in enumerate(pieces):

            def shown(done_frames: int, number: int = number) -> None:
                show(frames_to_seconds(frames * number + done_frames))

            step = PACKET_FRAMES if seed == 1 else LONG_STEP_FRAMES
            result = judge(f"{name} {seed}", seed, controls, frames, shown, step=step)
            results.append(result)
            for finding in result.findings:
                if finding.passed is False:
                    print(f"BROKEN in {result.name}: {finding.rule}: {finding.figure} ({finding.bound})", flush=True)
    report(results, hours=asked.hours)


def judge(name: str, seed: int, controls: Controls, frames: int, show: Callable[[int], None], *, step: int) -> Judged:
    """Compose a piece as the daemon does, and judge it."""
    slices_ms: list[float] = []
    gc.disable()  # hours of notes are kept here, and walking through them is not what a slice costs the daemon
    began = time.process_time()
    piece = joined(in_slices(Composer(seed=seed, controls=controls), frames, slices_ms, show, step))
    took = time.process_time() - began
    gc.enable()
    late = frames - min(HOUR_FRAMES, frames // 8)
    rejoined = joined([Composer(seed=seed, controls=controls, start_frames=late).advance(frames)])
    findings = judged(Reading(piece, controls=controls, rejoined=rejoined))
    return Judged(
        name=name,
        findings=findings,
        as_daemon=step == PACKET_FRAMES,
        composing_seconds=took,
        slice_p50_ms=percentile(slices_ms, 0.5),
        slice_p99_ms=percentile(slices_ms, 0.99),
        longest_slice_ms=max(slices_ms),
    )


def in_slices(
    composer: Composer, frames: int, slices_ms: list[float], show: Callable[[int], None], step: int
) -> Iterator[ScoreSlice]:
    """The piece, and into ``slices_ms`` the processor time of each slice."""
    while composer.position < frames:
        began = time.process_time()
        part = composer.advance(min(frames, composer.position + step))
        slices_ms.append(1000 * (time.process_time() - began))
        if composer.position % SHOWN_EVERY_FRAMES == 0:
            show(composer.position)
        yield part


def report(results: list[Judged], *, hours: float) -> None:
    """Print the worst of everything."""
    length = clock_time(hours * 3600)
    print(f"{len(results)} pieces of {length}; of each rule the worst figure, and the piece it is in")
    broken = 0
    for rule in RULES:
        of_rule = [(next(f for f in one.findings if f.rule == rule.name), one.name) for one in results]
        measured = [(finding, name) for finding, name in of_rule if finding.passed is not None]
        fails = sum(finding.passed is False for finding, _ in of_rule)
        broken += fails
        if not measured:
            print(f"  {rule.name:<38} not judged: needs {of_rule[0][0].needs}")
            continue
        worst, where = min(measured, key=lambda pair: pair[0].margin)
        verdict = f"BROKEN in {fails}" if fails else f"holds in {len(measured)}"
        print(f"  {rule.name:<38} {verdict:<13} {worst.figure} ({where}); asked: {rule.bound}")
    sliced = [one for one in results if one.as_daemon]
    seconds = [one.composing_seconds for one in sliced]
    print(f"{broken} broken rules in all")
    print(f"composing {length}: {min(seconds):.1f} to {max(seconds):.1f} s of one core")
    print(
        f"a slice of 100 ms, in the worst piece: p50 {max(one.slice_p50_ms for one in sliced):.3f} ms, "
        f"p99 {max(one.slice_p99_ms for one in sliced):.3f} ms, "
        f"longest {max(one.longest_slice_ms for one in sliced):.0f} ms"
    )


if __name__ == "__main__":
    main()
