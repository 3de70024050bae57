"""``auralisd devices``: what could render the sound here."""

from __future__ import annotations

import json

import click

from auralisd.cli.options import json_option


@click.command(short_help="List what can render the sound here, and what would be chosen.")
@json_option
def devices(as_json: bool) -> None:
    """List the devices for --device, best first, and say which one `auto` means and why.

    Takes some seconds: torch is loaded to ask.

    \b
    auralisd devices
    auralisd devices --json    for programs: each with whether it is there, and why not
    """  # noqa: D301
    from auralisd.errors import DeviceError
    from auralisd.synthesis.device import choose_device

    chosen = choose_device("auto")
    rows: list[dict[str, object]] = []
    for name in ("cuda", "mps", "cpu"):
        try:
            there = choose_device(name)
        except DeviceError as error:
            rows.append({"name": name, "available": False, "chosen": False, "why": str(error)})
        else:
            rows.append({"name": name, "available": True, "chosen": there.name == chosen.name, "why": there.why})
    if as_json:
        click.echo(json.dumps({"chosen": {"name": chosen.name, "why": chosen.why}, "devices": rows}, indent=2))
        return
    for row in rows:
        mark = "*" if row["chosen"] else " "
        click.echo(f"{mark} {row['name']:<5} {'there' if row['available'] else 'not here':<9} {row['why']}")
    click.echo(f"auto means {chosen.why}")
