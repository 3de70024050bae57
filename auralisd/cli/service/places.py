"""Where a service has its files, and the environment in which it looks for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auralisd.settings import files

SERVICE: Final = "auralisd.service"
SOCKET: Final = "auralisd.socket"
UNIT_DIRECTORY: Final = Path("/etc/systemd/system")
STATE_DIRECTORY: Final = Path("/var/lib/auralisd")
CACHE_DIRECTORY: Final = Path("/var/cache/auralisd")

_PACKAGE_DIRECTORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files of one service.

    Attributes:
        units: where the administrator's units are.
        config_file: what the daemon reads.
        token_file: what it gets as a credential, if it is there.
        state: what it keeps, and all that it may write.
        cache: what it could make again.
    """

    units: Path
    config_file: Path
    token_file: Path
    state: Path
    cache: Path

    @property
    def listen_key_file(self) -> Path:
        """What it gets as the other credential, if it is there."""
        return self.token_file.with_name("listen-key")

    @property
    def drop_ins(self) -> Path:
        """The folder of what is added to the service."""
        return self.units / f"{SERVICE}.d"

    def environ(self) -> dict[str, str]:
        """The environment of the service, as far as settings are looked for in it."""
        return {
            "HOME": str(self.cache),
            "STATE_DIRECTORY": str(self.state),
            "CREDENTIALS_DIRECTORY": str(self.token_file.parent),
        }


def system_places() -> Places:
    """The places of this machine."""
    config_file = files.SYSTEM_CONFIG_FILE
    return Places(
        units=UNIT_DIRECTORY,
        config_file=config_file,
        token_file=config_file.parent / "token",
        state=STATE_DIRECTORY,
        cache=CACHE_DIRECTORY,
    )


def shipped_systemd_directory() -> Path:
    """The units that come along: in the installed package, else beside it in a checkout."""
    installed = _PACKAGE_DIRECTORY / "systemd"
    return installed if installed.is_dir() else _PACKAGE_DIRECTORY.parent / "systemd"
