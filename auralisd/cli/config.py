"""``auralisd config`` and ``auralisd check-config``: what can be set, and whether it is set well."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auralisd.cli.options import config_option, given, json_option, state_dir_option

if TYPE_CHECKING:
    from auralisd.settings import Settings


@click.command(short_help="Print a configuration file with every key explained.")
@click.option("--example", is_flag=True, help="Print a file with every key, its default and what it does.")
def config(example: bool) -> None:
    """Say where the configuration is looked for, or print an example of it.

    \b
    auralisd config --example > ~/.config/auralisd/config.toml
    """  # noqa: D301
    from auralisd.settings import config_search_path, example_toml

    if example:
        click.echo(example_toml(), nl=False)
        return
    click.echo("The configuration is the first of these files that is there:")
    for path in config_search_path(os.environ):
        click.echo(f"  {path}{'' if path.is_file() else '  (not there)'}")
    click.echo("auralisd config --example prints one with every key explained.")


@click.command("check-config", short_help="Say whether the configuration would be taken.")
@config_option
@state_dir_option
@json_option
def check_config(config_file: Path | None, state_dir: Path | None, as_json: bool) -> None:
    """Read flags, environment and file as `run` would, and say what comes of it.

    Exits with 78 and names the setting where something would be refused. What would be taken, but not as
    it is written (a preset that is none of the house's), is noted.

    \b
    auralisd check-config
    auralisd check-config --config /etc/auralisd/config.toml && sudo systemctl reload auralisd
    """  # noqa: D301
    from auralisd.settings import load_settings
    from auralisd.settings.files import default_state_dir

    settings = load_settings(given(state_dir=state_dir), environ=os.environ, config_file=config_file)
    if as_json:
        click.echo(json.dumps(settings.model_dump(mode="json"), indent=2))
        return
    found = settings.sources.found_file if settings.sources else None
    usual = {"state_dir"} if settings.state_dir == default_state_dir(os.environ) else set()
    shown = settings.model_dump(mode="json", include=settings.model_fields_set - usual)
    what_is_set = "What is not by default:" if shown else "All is by default."
    click.echo(f"{found or 'No configuration file'}: fine. {what_is_set}")
    for name, value in shown.items():
        click.echo(f"  {name} = {value!r}")
    for doubt in _doubts(settings):
        click.echo(f"note: {doubt}", err=True)


def _doubts(settings: Settings) -> Iterator[str]:
    """What the daemon would start with, but not as it is written: such a station begins with the defaults."""
    from auralisd.composition.presets import CHARACTERS
    from auralisd.errors import UnknownNameError

    known = {name.casefold() for name in CHARACTERS}
    presets = {"main": settings.preset} | {station.id: station.preset for station in settings.stations}
    for station_id, preset in presets.items():
        if preset is not None and preset.strip().casefold() not in known:
            unknown = UnknownNameError("preset", preset, tuple(CHARACTERS))
            yield f"station {station_id}: {unknown}; it has to be one that was saved under that name"
