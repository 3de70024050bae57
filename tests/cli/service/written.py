"""A systemd that remembers what it was told, and places of a test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from auralisd.cli.service import places as service_places
from auralisd.cli.service.address import Address
from auralisd.cli.service.places import SERVICE, SOCKET, Places
from auralisd.cli.service.units import Wishes
from auralisd.errors import ServiceError
from auralisd.settings import Settings

OPT = ("/opt/auralisd/bin/auralisd", "run")


@dataclass
class RememberingManager:
    """Starts and stops what it is told to, as far as ``state`` shows it."""

    told: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    known_version: int | None = 252
    booted: bool = True
    refuses: str | None = None

    def version(self) -> int | None:
        return self.known_version

    def runs_here(self) -> bool:
        return self.booted

    def state(self, unit: str) -> str:
        return self.states.get(unit, "inactive")

    def tell(self, *words: str) -> None:
        self.told.append(" ".join(words))
        if self.refuses is not None and self.refuses in words:
            raise ServiceError(f"systemctl {' '.join(words)}", "no", "Look into the journal.")
        if words[:2] == ("enable", "--now"):
            self.states |= dict.fromkeys(words[2:], "active")
        elif words[0] in {"disable", "stop"}:
            self.states |= dict.fromkeys((SERVICE, SOCKET), "inactive")


def places_below(root: Path) -> Places:
    etc = root / "etc"
    return Places(
        units=root / "units",
        config_file=etc / "config.toml",
        token_file=etc / "token",
        state=root / "state",
        cache=root / "cache",
    )


def wishes(**changes: object) -> Wishes:
    usual: dict[str, object] = {
        "command": OPT,
        "address": Address(host="127.0.0.1", port=8000),
        "settings": Settings(state_dir=Path("/var/lib/auralisd")),
        "lan": False,
        "port": None,
        "cuda": False,
        "systemd_version": 252,
    }
    return Wishes(**(usual | changes))  # type: ignore[arg-type]


def without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Neither units nor state of this machine decide a test."""
    monkeypatch.setattr(service_places, "UNIT_DIRECTORY", root / "units")
    monkeypatch.setattr(service_places, "STATE_DIRECTORY", root / "state")
    monkeypatch.setattr(service_places, "CACHE_DIRECTORY", root / "cache")
