"""``auralisd install-service``: the daemon as a systemd service of this machine."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from auralisd.cli.exit_codes import EXIT_OK
from auralisd.cli.numbers import WholeNumberType

if TYPE_CHECKING:
    from auralisd.cli.service.address import Address
    from auralisd.cli.service.places import Places
    from auralisd.cli.service.systemctl import ServiceManager
    from auralisd.cli.service.units import PlannedFile
    from auralisd.settings import Settings


@click.command("install-service", short_help="Make the daemon a systemd service of this machine, or undo that.")
@click.option("--write", is_flag=True, help="Write the files (as root). Without it they are printed.")
@click.option("--now", is_flag=True, help="With --write: enable and start the service too.")
@click.option("--remove", is_flag=True, help="Stop the service and take away what --write wrote (as root).")
@click.option(
    "--port",
    type=WholeNumberType(1, 65535),
    metavar="N",
    help="TCP port, 1 to 65535 (8000, or the configured one).",
)
@click.option("--lan", is_flag=True, help="Listen on all addresses; steering from elsewhere takes the token.")
@click.option("--cuda/--no-cuda", default=None, help="Let it have NVIDIA GPUs; without either it stays as it was.")
def install_service(write: bool, now: bool, remove: bool, port: int | None, lan: bool, cuda: bool | None) -> int:
    """Print the systemd units that start this very program, or write them.

    \b
    auralisd install-service                     what would be written
    sudo auralisd install-service --write --now  music at every boot
    sudo auralisd install-service --remove       as it was before

    systemd holds the address, and the service runs under an account of its own that may reach next to nothing; so the
    program has to lie where that account can see it, such as /opt/auralisd. A configuration is written to
    /etc/auralisd/config.toml if there is none. Running it again shows and writes what has changed.
    """  # noqa: D301
    from auralisd.cli.service.carrying_out import install, refuse_without, shown
    from auralisd.cli.service.doubts import doubts
    from auralisd.cli.service.installation import refuse_unstartable, this_installation, why_hidden
    from auralisd.cli.service.places import system_places
    from auralisd.cli.service.recipe import recipe
    from auralisd.cli.service.systemctl import Systemctl
    from auralisd.cli.service.units import CUDA
    from auralisd.errors import ServiceError

    if remove and (write or now or lan or port is not None or cuda is not None):
        raise click.UsageError("--remove goes with no other option")
    if now and not write:
        raise click.UsageError("--now goes with --write")
    places, manager, program = system_places(), Systemctl(), this_installation()
    is_root = os.geteuid() == 0 if hasattr(os, "geteuid") else False
    if remove:
        _undo(places, manager, is_root=is_root, command=shlex.join([*program.command, "install-service", "--remove"]))
        return EXIT_OK
    words = [
        "install-service",
        "--write",
        *(["--now"] if now or not write else []),
        *_words(port=port, lan=lan, cuda=cuda),
    ]
    command = shlex.join([*program.command, *words])
    why = why_hidden(program)
    if why is not None:
        raise ServiceError("the program", why, recipe(words))
    refuse_unstartable(program)
    if write:
        refuse_without(manager, is_root=is_root, command=command)
    planned, address, settings = _plan(
        (*program.command, "run"), places, manager.version(), port=port, lan=lan, cuda=cuda
    )
    for doubt in doubts(settings, places, cuda=any(one.path.name == CUDA for one in planned)):
        click.echo(f"note: {doubt}", err=True)
    for line in install(planned, places, manager, now=now) if write else shown(planned, places):
        click.echo(line)
    if not write:
        click.echo(f"nothing was written; sudo {command} does", err=True)
    elif now:
        _say_where(address, places, guarded_by_new_token=settings.token is None, program=program.command)
    return EXIT_OK


def _undo(places: Places, manager: ServiceManager, *, is_root: bool, command: str) -> None:
    from auralisd.cli.service.carrying_out import refuse_without, remove

    refuse_without(manager, is_root=is_root, command=command)
    for line in remove(places, manager):
        click.echo(line)


def _plan(
    command: tuple[str, ...],
    places: Places,
    systemd_version: int | None,
    *,
    port: int | None,
    lan: bool,
    cuda: bool | None,
) -> tuple[tuple[PlannedFile, ...], Address, Settings]:
    from auralisd.cli.service.address import Address, choose_address, service_settings
    from auralisd.cli.service.files import ours
    from auralisd.cli.service.places import SOCKET
    from auralisd.cli.service.units import CUDA, Wishes, planned_files

    present = ours(places)
    socket = places.units / SOCKET
    settings = service_settings(places)
    address = choose_address(
        settings,
        places,
        port=port,
        lan=lan,
        installed=Address.of_unit(socket.read_text()) if socket in present else None,
    )
    wishes = Wishes(
        command=command,
        address=address,
        settings=settings,
        lan=lan,
        port=port,
        cuda=places.drop_ins / CUDA in present if cuda is None else cuda,
        systemd_version=systemd_version,
    )
    return planned_files(wishes, places), address, settings


def _words(*, port: int | None, lan: bool, cuda: bool | None) -> list[str]:
    """The options again, as they would be typed."""
    words = [] if port is None else ["--port", str(port)]
    words += ["--lan"] if lan else []
    return words if cuda is None else [*words, "--cuda" if cuda else "--no-cuda"]


def _say_where(address: Address, places: Places, *, guarded_by_new_token: bool, program: tuple[str, ...]) -> None:
    from auralisd.cli.banner import local_addresses

    hosts = local_addresses() if address.host is None else [address.host]
    for host in hosts:
        click.echo(f"listen at http://{f'[{host}]' if ':' in host else host}:{address.port}")
    if not address.only_here and guarded_by_new_token:
        show = shlex.join([*program, "token", "--state-dir", str(places.state)])
        click.echo(f"token for steering from elsewhere: sudo {show}")
