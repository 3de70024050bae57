"""Where the socket unit of a service listens."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, replace
from typing import Final, Self

from auralisd.access import is_loopback_name
from auralisd.cli.service.places import Places
from auralisd.errors import ServiceError, SettingsError
from auralisd.settings import Settings, load_settings

_STREAM: Final = re.compile(r"(?m)^ListenStream=(?:(?P<host>.+):)?(?P<port>\d+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A TCP port of this machine.

    Attributes:
        host: its address; None for all there are.
        port: 1 to 65535.
    """

    host: str | None
    port: int

    @classmethod
    def of_unit(cls, text: str) -> Self | None:
        """The first one that a socket unit names, None where it names none."""
        found = _STREAM.search(text)
        if found is None:
            return None
        host = found["host"]
        return cls(host=None if host is None else host.strip("[]"), port=int(found["port"]))

    @property
    def only_here(self) -> bool:
        """Whether only this machine can connect."""
        return self.host is not None and is_loopback_name(self.host)

    @property
    def streams(self) -> tuple[str, ...]:
        """As ``ListenStream=`` has it.

        Raises:
            ServiceError: systemd takes numbers, and the host is a name.
        """
        if self.host is None:
            return (str(self.port),)
        if self.host == "localhost":
            return (f"127.0.0.1:{self.port}", f"[::1]:{self.port}")
        try:
            version = ipaddress.ip_address(self.host).version
        except ValueError:
            raise ServiceError(
                f"host = {self.host!r}", "is a name", "A socket unit wants the address itself."
            ) from None
        return (f"[{self.host}]:{self.port}" if version == 6 else f"{self.host}:{self.port}",)


def service_settings(places: Places) -> Settings:
    """What the daemon would read as a service.

    Raises:
        SettingsError: it would refuse that.
        ServiceError: it is not ours to read.
    """
    try:
        return load_settings({}, environ=places.environ())
    except (SettingsError, PermissionError) as error:
        if os.geteuid() != 0 and isinstance(error if isinstance(error, OSError) else error.__cause__, PermissionError):
            raise ServiceError(
                "the configuration of the service", "is not for you to read", "Put sudo before the command."
            ) from error
        raise


def choose_address(
    settings: Settings, places: Places, *, port: int | None, lan: bool, installed: Address | None
) -> Address:
    """Flags first, then what the configuration names, then what was chosen last time, then the default.

    Args:
        settings: what the daemon would read.
        places: where it would read it.
        port: of ``--port``.
        lan: of ``--lan``.
        installed: what the socket unit names that is there already, if one is.

    Raises:
        ServiceError: a flag contradicts the configuration, nothing guards an address that is open to
            others, or it is none for a service.
    """
    named = settings.model_fields_set
    chosen = installed or Address(host=settings.bind_host, port=settings.port)
    if named & {"host", "lan"}:
        if lan and settings.bind_host is not None:
            line = "lan = false" if "lan" in named and not settings.lan else f"host = {settings.host!r}"
            raise _contradiction("--lan", places, line)
        chosen = replace(chosen, host=settings.bind_host)
    if "port" in named:
        if port not in (None, settings.port):
            raise _contradiction(f"--port {port}", places, f"port = {settings.port}")
        chosen = replace(chosen, port=settings.port)
    chosen = replace(chosen, host=None if lan else chosen.host, port=chosen.port if port is None else port)
    if chosen.port == 0:
        raise ServiceError(f"port = 0 in {places.config_file}", "means any free one", "A service wants one of its own.")
    guarded = settings.token is not None or settings.lan or (lan and not places.config_file.exists())
    if not (chosen.only_here or guarded):
        raise ServiceError(
            "--lan",
            "others could reach it, but nothing guards the controls",
            f"Write lan = true into {places.config_file}, and a token is made at the first start; or put one of your "
            f"own into {places.token_file} (mode 0600).",
        )
    return chosen


def _contradiction(flag: str, places: Places, line: str) -> ServiceError:
    return ServiceError(
        flag,
        f"{places.config_file} says {line}, and is never written over",
        "Change it there, then run this again without the flag.",
    )
