"""``auralisd token``: the secret that lets other devices steer."""

from __future__ import annotations

import os
from pathlib import Path

import click

from auralisd.cli.options import config_option, given, state_dir_option


@click.command(short_help="Show the token that lets other devices steer, made now if there is none.")
@config_option
@state_dir_option
def token(config_file: Path | None, state_dir: Path | None) -> None:
    """Show the token that lets other devices steer, and make it if there is none yet.

    Listening needs no token. Steering from another device does: enter it once on the page, or
    send it as "Authorization: Bearer TOKEN". Where the token comes from a file, a variable or
    systemd's credentials, that one is shown; a running daemon takes a new one at its next start.
    """
    from auralisd.settings import create_token, load_settings

    # An address open to others is what the token is asked for, so it is no reason to refuse here.
    settings = load_settings(given(state_dir=state_dir, lan=True), environ=os.environ, config_file=config_file)
    click.echo(settings.token_text or create_token(settings.state_dir))
