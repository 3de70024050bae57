"""The units of a service for this machine, made of those that come with the program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auralisd.cli.service.address import Address
from auralisd.cli.service.places import SERVICE, SOCKET, Places, shipped_systemd_directory
from auralisd.settings import Settings, example_toml

MARK: Final = "# Written by auralisd install-service"
"""How a file begins that may be written over, and taken away."""

SEALED: Final = "10-sealed.conf"
CUDA: Final = "10-cuda.conf"
NOTIFY_RELOAD: Final = "10-notify-reload.conf"
"""Numbers, so that drop-ins of the administrator (override.conf) come later and have the last word."""

NOTIFY_RELOAD_VERSION: Final = 253
"""The first systemd that knows ``Type=notify-reload``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """A file as it is to be.

    Attributes:
        path: where.
        content: what is in it.
        once: whether it belongs to the administrator as soon as it is there.
    """

    path: Path
    content: str
    once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What decides how the units are.

    Attributes:
        command: what starts the program.
        address: where the socket listens.
        settings: what the daemon would read.
        lan: whether a new configuration opens it to the house.
        port: the port that a new configuration names; None for the default.
        cuda: whether it may have NVIDIA devices.
        systemd_version: of this machine; None where it is not known.
    """

    command: tuple[str, ...]
    address: Address
    settings: Settings
    lan: bool
    port: int | None
    cuda: bool
    systemd_version: int | None


def planned_files(wishes: Wishes, places: Places) -> tuple[PlannedFile, ...]:
    """Every file of the service, in the order in which a person would read them."""
    drop_ins = {
        # A daemon that sends to Icecast servers opens connections of its own.
        SEALED: not wishes.settings.push,
        CUDA: wishes.cuda,
        NOTIFY_RELOAD: wishes.systemd_version is not None and wishes.systemd_version >= NOTIFY_RELOAD_VERSION,
    }
    return (
        PlannedFile(path=places.units / SERVICE, content=service_unit(wishes, places)),
        PlannedFile(path=places.units / SOCKET, content=socket_unit(wishes.address)),
        *(
            PlannedFile(path=places.drop_ins / name, content=_marked(_shipped(name.removeprefix("10-"))))
            for name, wanted in drop_ins.items()
            if wanted
        ),
        PlannedFile(path=places.config_file, content=configuration(lan=wishes.lan, port=wishes.port), once=True),
    )


def service_unit(wishes: Wishes, places: Places) -> str:
    """The service, with the program that runs this, and the secrets that are there to be handed over."""
    text = _replaced(
        _shipped(SERVICE), "ExecStart=/opt/auralisd/bin/auralisd run\n", f"ExecStart={' '.join(wishes.command)}\n"
    )
    for secret in (places.token_file, places.listen_key_file):
        mark = "" if secret.exists() else "#"
        handed_over = f"LoadCredential={secret.name}:"
        text = _replaced(text, f"#{handed_over}/etc/auralisd/{secret.name}\n", f"{mark}{handed_over}{secret}\n")
    return _marked(text)


def socket_unit(address: Address) -> str:
    """The socket, with the address; one that the machine may get later is held already."""
    lines = [f"ListenStream={stream}" for stream in address.streams]
    if address.host is not None and not address.only_here:
        lines.append("FreeBind=yes")
    return _marked(_replaced(_shipped(SOCKET), "ListenStream=127.0.0.1:8000\n", "".join(f"{line}\n" for line in lines)))


def configuration(*, lan: bool, port: int | None) -> str:
    """A first configuration: every key explained, and those that were asked for set."""
    text = example_toml()
    if lan:
        text = _replaced(text, "#lan = false\n", "lan = true\n")
    if port is not None:
        text = _replaced(text, "#port = 8000\n", f"port = {port}\n")
    return text


def _shipped(name: str) -> str:
    return (shipped_systemd_directory() / name).read_text(encoding="utf-8")


def _marked(text: str) -> str:
    """``text`` with a mark in place of its first lines, which say how it would be copied by hand."""
    body = re.sub(r"\A(?:#.*\n)+\n", "", text)
    return f"{MARK}, which writes over it; changes of your own go into a drop-in: systemctl edit.\n\n{body}"


def _replaced(text: str, old: str, new: str) -> str:
    """``text`` with ``new`` where ``old`` was, once."""
    before, found, after = text.partition(old)
    if not found or old in after:
        raise ValueError(f"{old!r} is not in the text once")
    return before + new + after
