"""``auralisd compose``: the score alone, hours of it in seconds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

import click

from auralisd.cli.length import FRAMES
from auralisd.cli.numbers import NumberType
from auralisd.cli.options import json_option, piece_options, wanted
from auralisd.cli.performance import Performance, composed
from auralisd.cli.progress import clock_time, progress_bar
from auralisd.cli.score_files import check_score_files, write_score
from auralisd.score import ScoreSlice, event_stream_sha256, joined
from auralisd.units import frames_to_seconds, seconds_to_frames

MOST_HOURS: Final = 24 * 365


@click.command(short_help="Write a piece as a score: the event stream, or MIDI. No sound, no torch.")
@click.option(
    "--hours",
    type=NumberType(0, MOST_HOURS, least_is_too_little=True),
    metavar="H",
    help=f"How long, in hours, {MOST_HOURS} at most (1).",
)
@click.option("--seconds", type=FRAMES, metavar="TIME", help="How long, in seconds or as h:mm:ss.")
@click.option("--start", type=FRAMES, metavar="TIME", help="Where in the piece to begin, in seconds or as h:mm:ss (0).")
@piece_options
@click.option(
    "--events",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="OUT.jsonl",
    help="Where the event stream goes, a JSON object a line; - is standard output.",
)
@click.option("--midi", type=click.Path(path_type=Path, dir_okay=False), metavar="OUT.mid", help="Where the notes go.")
@json_option
def compose(
    hours: float | None,
    seconds: int | None,
    start: int | None,
    events: Path | None,
    midi: Path | None,
    as_json: bool,
    **piece: Any,
) -> None:
    """Compose without sounding: what would be played, and the hash by which two pieces are the same.

    \b
    auralisd compose --hours 8 --seed 7 --preset Sleep --events night.jsonl --midi night.mid
    """  # noqa: D301
    if hours is not None and seconds is not None:
        raise click.UsageError("--hours or --seconds, not both")
    frames = seconds if seconds is not None else seconds_to_frames(3600 * (hours or 1))
    if frames <= 0:
        raise click.BadParameter("there has to be something to compose", param_hint="--seconds")
    check_score_files(midi=midi, events=events)
    asked, begin = wanted(piece), start or 0
    performance = Performance(seed=asked.seed, controls=asked.controls, begin_frames=begin, end_frames=begin + frames)
    started = time.perf_counter()
    score = _whole_score(performance, quiet=as_json)
    took_seconds = time.perf_counter() - started
    write_score(lambda: [score], midi=midi, events=events)
    summary = _summary(score, seed=asked.seed, took_seconds=took_seconds)
    # Standard output is the events' where they go there.
    click.echo(json.dumps(summary) if as_json else _in_words(summary), err=str(events) == "-")


def _whole_score(performance: Performance, *, quiet: bool) -> ScoreSlice:
    slices = []
    with progress_bar("composing", frames_to_seconds(performance.frames), quiet=quiet) as show:
        for part in composed(performance):
            slices.append(part)
            show(frames_to_seconds(part.end_frames - performance.begin_frames))
    return joined(slices)


def _summary(score: ScoreSlice, *, seed: int, took_seconds: float) -> dict[str, Any]:
    return {
        "seed": seed,
        "seconds": frames_to_seconds(score.end_frames - score.start_frames),
        "notes": len(score.notes),
        "chords": len(score.chords),
        "sections": len(score.sections),
        "sha256": event_stream_sha256(score),
        "took_seconds": round(took_seconds, 3),
    }


def _in_words(summary: dict[str, Any]) -> str:
    return (
        f"{clock_time(summary['seconds'])} of seed {summary['seed']} in {summary['took_seconds']:.1f} s: "
        f"{summary['sections']} sections, {summary['chords']} chords, {summary['notes']} notes\n"
        f"sha256 {summary['sha256']}"
    )
