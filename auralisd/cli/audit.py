"""``auralisd audit``: a score judged by the rules a musician would hold it to."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from auralisd.cli.exit_codes import EXIT_OK, EXIT_RULE_BROKEN
from auralisd.cli.length import FRAMES
from auralisd.cli.numbers import NumberType
from auralisd.cli.options import any_given, json_option, piece_options, wanted
from auralisd.cli.performance import Performance, composed
from auralisd.cli.progress import clock_time, progress_bar
from auralisd.cli.tables import open_table, show, verdict
from auralisd.errors import EventStreamError, SoundFileError
from auralisd.score import joined
from auralisd.units import SAMPLE_RATE_HZ, frames_to_seconds, seconds_to_frames

if TYPE_CHECKING:
    from auralisd.composition.audit import Finding, Reading

DEFAULT_HOURS: Final = 8
MOST_HOURS: Final = 72
_COLD_START_FRAMES: Final = 7 * 3600 * SAMPLE_RATE_HZ
_NO_TERMINAL_COLUMNS: Final = 140


@click.command(short_help="Judge a score by the rules of the music: each with its bound and what was found.")
@click.argument(
    "events",
    required=False,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="[EVENTS.jsonl]",
)
@click.option(
    "--hours",
    type=NumberType(0, MOST_HOURS, least_is_too_little=True),
    metavar="H",
    help=f"Without a file: how long a piece to compose, in hours, {MOST_HOURS} at most ({DEFAULT_HOURS}).",
)
@click.option("--seconds", type=FRAMES, metavar="TIME", help="The same in seconds or as h:mm:ss.")
@piece_options
@json_option
def audit(events: Path | None, hours: float | None, seconds: int | None, as_json: bool, **piece: Any) -> int:
    """Judge EVENTS.jsonl, or a piece composed for it, by every rule of the music.

    \b
    auralisd audit --seed 7 --preset Sleep          eight hours, composed in seconds
    auralisd audit --hours 1 --mode lydian --json   for programs
    auralisd compose --hours 2 --events two.jsonl
    auralisd audit two.jsonl --intensity 0.5        ... with what it was composed with
    auralisd audit - < two.jsonl                    from standard input

    Each rule shows what is asked, what was found, and where in the piece it is worst. A rule that
    needs more than the piece holds (eight hours, a thousand notes of melody) is not judged, and says
    what it needs. An event stream does not tell the controls it began with: give the options it was
    composed with, or the rules that depend on intensity are not judged.

    A piece composed here is also begun a second time, cold, at hour 7 (or at seven eighths), and has
    to be the same from there on.

    Exit status: 0 if no rule is broken, 1 if one is, 64 for a file that is no event stream.
    """  # noqa: D301
    if events is not None:
        if hours is not None or seconds is not None or piece["seed"] is not None:
            raise click.UsageError("a file is judged as it is; --hours, --seconds and --seed compose a new piece")
        reading = _read(events)
        if any_given(piece):
            reading = replace(reading, controls=wanted(piece).controls)
        seed = None
    else:
        if hours is not None and seconds is not None:
            raise click.UsageError("--hours or --seconds, not both")
        frames = seconds if seconds is not None else seconds_to_frames(3600 * (hours or DEFAULT_HOURS))
        if not 0 < frames <= seconds_to_frames(3600 * MOST_HOURS):
            raise click.BadParameter(f"more than nothing, {MOST_HOURS} hours at most", param_hint="--seconds")
        asked = wanted(piece)
        seed = asked.seed
        performance = Performance(seed=seed, controls=asked.controls, begin_frames=0, end_frames=frames)
        reading = _composed(performance, quiet=as_json)
    return _told(reading, seed=seed, as_json=as_json)


def _read(path: Path) -> Reading:
    from auralisd.composition.audit import Reading
    from auralisd.composition.harmony import OPEN_FIFTH, SHAPES
    from auralisd.score_reader import read_events

    qualities = (*SHAPES, OPEN_FIFTH)
    if str(path) == "-":
        piece, name = read_events(sys.stdin, source="standard input", qualities=qualities), "standard input"
    else:
        name = str(path)
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                piece = read_events(lines, source=name, qualities=qualities)
        except OSError as error:
            raise SoundFileError(name, f"cannot be read: {error.strerror or error}") from error
    if not piece.chords:
        raise EventStreamError(name, 1, "an event stream with at least one chord")
    return Reading(piece)


def _composed(performance: Performance, *, quiet: bool) -> Reading:
    """The piece, and its end once more from a cold start."""
    from auralisd.composition.audit import Reading

    end = performance.end_frames
    late = replace(performance, begin_frames=_COLD_START_FRAMES if end > _COLD_START_FRAMES else end * 7 // 8)
    halves = []
    with progress_bar("composing", frames_to_seconds(performance.frames + late.frames), quiet=quiet) as bar:
        done = 0
        for part in (performance, late):
            slices = []
            for piece in composed(part):
                slices.append(piece)
                bar(frames_to_seconds(done + piece.end_frames - part.begin_frames))
            done += part.frames
            halves.append(joined(slices))
    return Reading(halves[0], controls=performance.controls, rejoined=halves[1])


def _told(reading: Reading, *, seed: int | None, as_json: bool) -> int:
    from auralisd.composition.audit import judged

    findings = judged(reading)
    broken = sum(finding.passed is False for finding in findings)
    if as_json:
        click.echo(json.dumps(_as_data(reading, findings, seed=seed)))
    else:
        _show(findings)
        kept = sum(finding.passed is True for finding in findings)
        length = clock_time(frames_to_seconds(reading.frames))
        whose = f"seed {seed}" if seed is not None else "the file"
        rest = len(findings) - kept - broken
        click.echo(f"{length} of {whose}: {kept} rules hold, {broken} broken, {rest} not judged")
    return EXIT_RULE_BROKEN if broken else EXIT_OK


def _as_data(reading: Reading, findings: tuple[Finding, ...], *, seed: int | None) -> dict[str, Any]:
    return {
        "seed": seed,
        "seconds": frames_to_seconds(reading.frames),
        "passed": all(finding.passed is not False for finding in findings),
        "rules": [
            {
                "rule": finding.rule,
                "chapter": finding.chapter,
                "bound": finding.bound,
                "figure": finding.figure,
                "values": list(finding.values),
                "passed": finding.passed,
                "needs": finding.needs,
                "at_seconds": None if finding.at_frames is None else frames_to_seconds(finding.at_frames),
            }
            for finding in findings
        ],
    }


def _show(findings: tuple[Finding, ...]) -> None:
    from rich.text import Text

    table = open_table("rule", "asked", "found", "", "worst at", whole=("rule",))
    chapter = ""
    for finding in findings:
        if finding.chapter != chapter:
            chapter = finding.chapter
            table.add_row(Text(chapter, style="bold"))
        table.add_row(
            Text(f"  {finding.rule}"),
            Text(finding.bound),
            Text(finding.figure) if finding.passed is not None else Text(f"needs {finding.needs}", style="dim"),
            verdict(finding.passed, yes="holds", no="BROKEN"),
            Text("" if finding.at_frames is None else clock_time(frames_to_seconds(finding.at_frames))),
        )
    show(table, columns=_NO_TERMINAL_COLUMNS)
