"""``auralisd soak``: whether this machine keeps the service levels, tried with real listeners and real faults."""

from __future__ import annotations

import json
import secrets
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from auralisd.cli.exit_codes import EXIT_INTERRUPTED, EXIT_OK, EXIT_RULE_BROKEN
from auralisd.cli.numbers import SEED, NumberType
from auralisd.cli.options import DRAWN_SEEDS
from auralisd.cli.progress import clock_time, progress_bar
from auralisd.cli.tables import open_table, show, verdict
from auralisd.errors import SoundFileError
from auralisd.soak.plan import FAULTS

if TYPE_CHECKING:
    from rich.table import Table

    from auralisd.cli.progress import Show
    from auralisd.soak.judging import Level
    from auralisd.soak.report import Report

DEFAULT_MINUTES: Final = 10.0
FEWEST_MINUTES: Final = 0.25
MOST_MINUTES: Final = 24 * 60.0
_NO_TERMINAL_COLUMNS: Final = 120
_FAULT_NAMES: Final = tuple(fault.name for fault in FAULTS)


@click.command(short_help="Run the daemon against itself, and judge this machine by the service levels.")
@click.option(
    "--minutes",
    type=NumberType(FEWEST_MINUTES, MOST_MINUTES),
    default=DEFAULT_MINUTES,
    metavar="N",
    help=f"How long, {FEWEST_MINUTES:g} to {MOST_MINUTES:g} ({DEFAULT_MINUTES:g}); memory is judged from ten on.",
)
@click.option("--no-faults", is_flag=True, help="Normal service alone.")
@click.option(
    "--fault",
    "fault_names",
    multiple=True,
    type=click.Choice(_FAULT_NAMES),
    metavar="NAME",
    help=f"Only this fault; may be repeated. Faults: {', '.join(_FAULT_NAMES)}.",
)
@click.option(
    "--seed",
    type=SEED,
    metavar="N",
    help="Of the music, of the order of the faults, of what listeners do. Drawn and told without it.",
)
@click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps (auto).")
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write everything that was seen to FILE.",
)
@click.option(
    "--log",
    "log_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the daemon's log in FILE.",
)
def soak(
    minutes: float,
    no_faults: bool,
    fault_names: tuple[str, ...],
    seed: int | None,
    device: str | None,
    json_path: Path | None,
    log_path: Path | None,
) -> int:
    """Try for some minutes what a daemon meets in months, and say whether the service levels held.

    A daemon of its own plays on a free port of loopback, with a state folder that is removed
    afterwards; the one that may be running here is left alone. Listeners of every kind stay, others
    come and go, controls are turned, stations made and removed. One fault after the other is
    injected: SIGKILL, a standstill, wrong configurations, listeners that stall, flood and storm.
    What happens in the time of a fault is its doing; everything else counts against the daemon.

    \b
    auralisd soak                               ten minutes
    auralisd soak --minutes 480 --json night.json
    auralisd soak --minutes 1 --fault kill      SIGKILL, and how the music comes back

    Exit status: 0 if all levels were held, 1 if one was not, 130 if Ctrl-C ended it early.
    """  # noqa: D301
    if no_faults and fault_names:
        raise click.UsageError("--no-faults or --fault, not both")
    for path in (json_path, log_path):
        if path is not None:
            _begin_file(path)
    import trio

    from auralisd.soak.run import Wanted
    from auralisd.soak.run import soak as run_soak

    wanted = Wanted(
        seconds=60 * minutes,
        seed=secrets.randbelow(DRAWN_SEEDS) if seed is None else seed,
        faults=() if no_faults else tuple(one for one in FAULTS if not fault_names or one.name in fault_names),
        device=device,
        log_path=log_path,
    )
    click.echo(f"seed {wanted.seed}", err=True)
    with progress_bar("soak", wanted.seconds) as bar:
        report = trio.run(partial(run_soak, wanted, show=bar if sys.stderr.isatty() else _told_in_lines()))
    show_report(report)
    if json_path is not None:
        json_path.write_text(json.dumps(report.as_dict(), indent=2) + "\n", encoding="utf-8")
    if report.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_OK if report.all_held else EXIT_RULE_BROKEN


def _told_in_lines() -> Show:
    """For a log instead of a terminal: a line whenever something else is done."""
    told: list[str | None] = [None]

    def tell(seconds: float, doing: str | None = None, /) -> None:
        if doing != told[-1]:
            told[:] = [doing]
            click.echo(f"{clock_time(seconds)}  {doing}", err=True)

    return tell


def show_report(report: Report) -> None:
    """Print the service levels, and what came of the faults, for people."""
    faults: list[Table | str] = [_faults(report), ""] if report.faults else []
    show(*faults, _levels(report.levels), columns=_NO_TERMINAL_COLUMNS)
    held = sum(level.held is True for level in report.levels)
    broken = sum(level.held is False for level in report.levels)
    rest = len(report.levels) - held - broken
    early = ", interrupted" if report.interrupted else ""
    click.echo(
        f"{clock_time(report.seconds)} of seed {report.seed}{early}, {report.listeners} listeners: "
        f"{held} levels held, {broken} not, {rest} not judged"
    )
    click.echo(
        f"this program itself was late by {1000 * report.own_lag_seconds:.0f} ms at most; "
        f"the load of the machine was up to {report.load:.1f}, and it has {report.processors} processors"
    )
    if report.last_refusal:
        click.echo(f"the last change that was refused: {report.last_refusal}")


def _faults(report: Report) -> Table:
    from rich.text import Text

    table = open_table("fault", "times", "underruns", "what came of it")
    for record in report.faults:
        as_promised = not record.broken
        table.add_row(
            Text(f"{record.fault.name}: {record.fault.words}"),
            Text(str(record.times)),
            Text(f"{record.underruns:.0f}"),
            Text(record.broken or record.last_outcome, style="" if as_promised else "bold red"),
        )
    return table


def _levels(levels: tuple[Level, ...]) -> Table:
    from rich.text import Text

    table = open_table("level", "asked", "measured", "held")
    for level in levels:
        held = verdict(level.held, yes="yes", no="NO")
        table.add_row(Text(level.name), Text(level.asked), Text(level.measured), held)
    return table


def _begin_file(path: Path) -> None:
    """Make the file now: that it cannot be written is better known before than after.

    Raises:
        SoundFileError: it cannot be written.
    """
    try:
        path.write_bytes(b"")
    except OSError as error:
        raise SoundFileError(str(path), f"cannot be written: {error.strerror or error}") from error
