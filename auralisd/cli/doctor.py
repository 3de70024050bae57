"""``auralisd doctor``: what would go wrong here, each with its cure."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from auralisd.cli.exit_codes import EXIT_CONFIGURATION, EXIT_OK
from auralisd.cli.options import config_option, given, json_option, state_dir_option

if TYPE_CHECKING:
    from auralisd.cli.examinations import Finding

_MARKS: Final = {"fine": ("ok", "green"), "warning": ("!", "yellow"), "problem": ("x", "red")}


@click.command(short_help="Say what would go wrong here, and what to do about it.")
@config_option
@state_dir_option
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="Look at this port instead of the configured one."
)
@click.option("--device", metavar="NAME", help="Look at this device instead of the configured one.")
@click.option("--quick", is_flag=True, help="Leave out what needs torch: device and speed.")
@json_option
def doctor(
    config_file: Path | None, state_dir: Path | None, port: int | None, device: str | None, quick: bool, as_json: bool
) -> int:
    """Look at configuration, state directory, port, device, speed, codecs and limits of this machine.

    Takes about ten seconds, most of them for loading torch and playing two seconds of music into
    nowhere. Exits with 78 if something would keep the music from playing.
    """
    from auralisd.cli.examinations import examine

    flags = given(state_dir=state_dir, port=port, device=device)
    findings: list[Finding] = []
    for finding in examine(flags, environ=dict(os.environ), config_file=config_file, quick=quick):
        findings.append(finding)
        if not as_json:
            _show(finding)
    if as_json:
        click.echo(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=2))
    problems = [finding for finding in findings if finding.state == "problem"]
    if not as_json:
        click.echo(f"{len(problems)} to mend before music can play" if problems else "music can play here")
    return EXIT_CONFIGURATION if problems else EXIT_OK


def _show(finding: Finding) -> None:
    mark, colour = _MARKS[finding.state]
    click.echo(f"{click.style(f'{mark:>2}', fg=colour)}  {finding.name}: {finding.found}")
    if finding.cure:
        click.echo(f"      {finding.cure}")
