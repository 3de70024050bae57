"""What ``auralisd run`` says at the start: where to listen, what was read, how to stop."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from auralisd.settings import Settings

# Documentation networks (RFC 5737, RFC 3849): nothing is sent, the kernel only says which address it would send from.
_NOWHERE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_ONE_FAMILY: Final = {"0.0.0.0": (socket.AF_INET,), "::": (socket.AF_INET6,)}  # noqa: S104 - names, not a bind


def start_lines(settings: Settings, *, new_token: str | None = None) -> list[str]:
    """The lines to show, in order.

    Args:
        settings: what the daemon is started with.
        new_token: the token that was made just now, if one was.
    """
    found = settings.sources.found_file if settings.sources else None
    lines = [
        *_address_lines(settings),
        f"configuration      {found or 'none; auralisd config --example shows what can be set'}",
        f"state directory    {settings.state_dir}",
        f"device             {_device_words(settings.device)}",
    ]
    if new_token is not None and sys.stdout.isatty():
        lines.append(f"token for steering {new_token}  (auralisd token shows it again)")
    elif not settings.binds_loopback:
        lines.append("token for steering auralisd token shows it; listening needs none")
    stop = "Ctrl-C" if sys.stdin is not None and sys.stdin.isatty() else "SIGTERM"
    return [*lines, f"to stop            {stop}"]


def _address_lines(settings: Settings) -> list[str]:
    if settings.port == 0:
        return [f"auralisd plays at  {settings.bind_host or 'all addresses'}, at a free port that the log names"]
    first, *others = base_urls(settings)
    return [
        f"auralisd plays at  {first}",
        *(f"                   {url}" for url in others),
        f"for any player     {first}/stream.opus  (.mp3 .flac .aac .wav, or /listen.m3u)",
    ]


def base_urls(settings: Settings) -> list[str]:
    """Where the page answers, without a slash at the end; the most useful address first."""
    public = [] if settings.public_url is None else [settings.public_url]
    if settings.bind_host is not None and settings.bind_host not in _ONE_FAMILY:
        return [*public, _url(settings.bind_host, settings.port)]
    families = _ONE_FAMILY.get(settings.bind_host or "", (socket.AF_INET, socket.AF_INET6))
    return [*public, *(_url(address, settings.port) for address in local_addresses(families))]


def local_addresses(families: tuple[int, ...] = (socket.AF_INET, socket.AF_INET6)) -> list[str]:
    """This machine's addresses as others on the network would reach it, then loopback."""
    found: dict[str, None] = {}
    for family, nowhere in _NOWHERE:
        if family in families:
            found.update(dict.fromkeys(_address_towards(family, nowhere)))
    with contextlib.suppress(OSError):  # a host without a name in any register still has the addresses above
        for family, _, _, _, address in socket.getaddrinfo(socket.gethostname(), None):
            if family in families:
                found[str(address[0])] = None
    reachable = [a for a in found if not _only_here(a)]
    return [*reachable, "127.0.0.1" if socket.AF_INET in families else "::1"]


def _address_towards(family: int, destination: str) -> list[str]:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((destination, 9))
            return [str(probe.getsockname()[0])]
    except OSError:
        return []  # no route of that family


def _only_here(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _device_words(device: str) -> str:
    return "the best there is (cuda, mps, cpu); the log says which" if device == "auto" else device
