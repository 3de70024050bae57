"""``auralisd token``: the secret that lets other devices steer, and links that let guests listen."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from auralisd.cli.length import DURATION
from auralisd.cli.options import config_option, given, json_option, state_dir_option
from auralisd.listening_links import DEFAULT_SECONDS, HLS, LINK_FORMATS, Grant, LinkKey, addresses
from auralisd.wall_clock import unix_seconds

if TYPE_CHECKING:
    from auralisd.settings import Settings

_LOOPBACK_NOTE = "this address is good on this machine only; --url http://HOST:PORT says where guests reach it"
_OPEN_NOTE = 'listening is open here and takes no link; listen_access = "signed" changes that'


@click.command(short_help="Show the token that lets other devices steer, made now if there is none; or make a link.")
@click.option("--listen", is_flag=True, help="Make a link to listen instead: for guests, where it takes one.")
@click.option("--station", metavar="ID", help="With --listen: which station; the default one without it.")
@click.option(
    "--format", "form", type=click.Choice(LINK_FORMATS), help="With --listen: good for this one format or way only."
)
@click.option("--expires", type=DURATION, metavar="TIME", help="With --listen: for how long, 30m, 24h or 7d (24h).")
@click.option("--url", metavar="URL", help="With --listen: where guests reach the daemon, as http://host:port.")
@json_option
@config_option
@state_dir_option
def token(
    listen: bool,
    station: str | None,
    form: str | None,
    expires: int | None,
    url: str | None,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    """Show the token that lets other devices steer, and make it if there is none yet.

    Steering from another device takes the token: enter it once on the page, or send it as
    "Authorization: Bearer TOKEN". Where it comes from a file, a variable or systemd's credentials,
    that one is shown; a running daemon takes a new one at its next start.

    Listening takes nothing, unless listen_access is "signed": then it takes a link. --listen makes
    one, in every form a player may want, and tells until when it is good. Another listen key ends all.

    \b
    auralisd token
    auralisd token --listen --expires 7d --url https://music.example.org
    auralisd token --listen --station night --format mp3    one stream and nothing else
    """  # noqa: D301
    if listen:
        _show_link(station, form, DEFAULT_SECONDS if expires is None else expires, url, as_json, config_file, state_dir)
        return
    if as_json or any(value is not None for value in (station, form, expires, url)):
        raise click.UsageError("--station, --format, --expires, --url and --json go with --listen")
    from auralisd.settings import create_token, load_settings

    # An address open to others is what the token is asked for, so it is no reason to refuse here.
    settings = load_settings(given(state_dir=state_dir, lan=True), environ=os.environ, config_file=config_file)
    click.echo(settings.token_text or create_token(settings.state_dir))


def _show_link(
    station: str | None,
    form: str | None,
    seconds: int,
    url: str | None,
    as_json: bool,
    config_file: Path | None,
    state_dir: Path | None,
) -> None:
    from auralisd.settings import load_settings

    settings = load_settings(given(state_dir=state_dir), environ=os.environ, config_file=config_file)
    grant = _grant(settings, station, form, seconds)
    signed = settings.listen_access == "signed"
    made = _key(settings).token(grant) if signed else None
    shown = addresses(_base_url(settings, url), grant, made, hls=grant.station in settings.hls)
    if as_json:
        expires_at = grant.expires_at_seconds * 1000 if signed else None
        link = {"station": grant.station, "format": grant.format, "token": made, "expires_at": expires_at}
        click.echo(json.dumps({**link, "addresses": dict(shown)}, indent=2))
        return
    for name, address in shown.items():
        click.echo(f"{name:<5} {address}")
    if signed:
        until = datetime.fromtimestamp(grant.expires_at_seconds, UTC)
        click.echo(f"good until {until:%Y-%m-%d %H:%M} UTC", err=True)
    else:
        click.echo(f"note: {_OPEN_NOTE}", err=True)


def _grant(settings: Settings, station: str | None, form: str | None, seconds: int) -> Grant:
    from auralisd.settings import STATION_ID_PATTERN

    wanted = station or settings.default_station
    if not re.fullmatch(STATION_ID_PATTERN, wanted):
        raise click.BadParameter(f"{wanted!r}: an id is meant, such as main", param_hint="--station")
    if form == HLS and wanted not in settings.hls:
        raise click.BadParameter(f"{wanted} is not written as HLS; hls = [{wanted!r}] does it", param_hint="--format")
    return Grant(station=wanted, expires_at_seconds=int(unix_seconds() + seconds), format=form)


def _key(settings: Settings) -> LinkKey:
    """The daemon's own key, made now if there is none yet: it takes the same one at its next start."""
    from auralisd.settings import create_listen_key

    return LinkKey(settings.listen_key_text or create_listen_key(settings.state_dir))


def _base_url(settings: Settings, url: str | None) -> str:
    from auralisd.access import is_loopback_name
    from auralisd.cli.banner import base_urls

    if url is not None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise click.BadParameter(f"{url!r}: http://host:port is meant, without a path", param_hint="--url")
        return url.rstrip("/")
    if settings.port == 0 and settings.public_url is None:
        raise click.UsageError("the port is any free one; --url says where guests reach the daemon")
    base = base_urls(settings)[0]
    if is_loopback_name(urlsplit(base).hostname or ""):
        click.echo(f"note: {_LOOPBACK_NOTE}", err=True)
    return base
