"""What ``auralisd run`` says at the start: where to listen, what was read, how to stop."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from auralisd.daemon.passed_sockets import PassedSocket
    from auralisd.settings import Settings

# Documentation networks (RFC 5737, RFC 3849): nothing is sent, the kernel only says which address it would send from.
_NOWHERE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_ONE_FAMILY: Final = {"0.0.0.0": (socket.AF_INET,), "::": (socket.AF_INET6,)}  # noqa: S104 - names, not a bind


def start_lines(settings: Settings, *, new_token: str | None = None, passed: Sequence[PassedSocket] = ()) -> list[str]:
    """The lines to show, in order.

    Args:
        settings: what the daemon is started with.
        new_token: the token that was made just now, if one was.
        passed: the sockets that are served instead of the configured address, if there are any.
    """
    from auralisd.cli.root import is_root
    from auralisd.daemon.passed_sockets import only_here

    found = settings.sources.found_file if settings.sources else None
    lines = [
        *(_passed_lines(settings, passed) if passed else _address_lines(settings)),
        f"configuration      {found or 'none; auralisd config --example shows what can be set'}",
        f"state directory    {settings.state_dir}",
        f"device             {_device_words(settings.device)}",
    ]
    if new_token is not None and sys.stdout.isatty():
        lines.append(f"token for steering {new_token}  (auralisd token shows it again)")
    elif not only_here(passed, settings):
        needs = "listening needs none" if settings.listen_access == "open" else "listening needs a link"
        lines.append(f"token for steering auralisd token shows it; {needs}")
    if settings.listen_access == "signed":
        lines.append("links to listen    auralisd token --listen makes one")
    if is_root() and not settings.allow_root:
        lines.append("runs as root       no need of that: any other account will do")
    stop = "Ctrl-C" if sys.stdin is not None and sys.stdin.isatty() else "SIGTERM"
    return [*lines, f"to stop            {stop}"]


def _address_lines(settings: Settings) -> list[str]:
    if settings.port == 0:
        return [f"auralisd plays at  {settings.bind_host or 'all addresses'}, at a free port that the log names"]
    return _urls_lines(base_urls(settings))


def _passed_lines(settings: Settings, passed: Sequence[PassedSocket]) -> list[str]:
    from auralisd.edge.sockets import address_words

    public = [] if settings.public_url is None else [settings.public_url]
    urls = dict.fromkeys([*public, *(url for one in passed for url in _passed_urls(one))])
    lines = _urls_lines(list(urls)) if urls else []
    heading = "sockets passed" if urls else "auralisd plays at"
    held = ", ".join(f"{address_words(one.listening)} by {one.name}" for one in passed)
    return [*lines, f"{heading:<18} {held}; host and port of the configuration are not used"]


def _passed_urls(one: PassedSocket) -> list[str]:
    return [] if one.port is None else _urls_at(one.host, one.port)


def _urls_lines(urls: list[str]) -> list[str]:
    first, *others = urls
    return [
        f"auralisd plays at  {first}",
        *(f"                   {url}" for url in others),
        f"for any player     {first}/stream.opus  (.mp3 .flac .aac .wav, or /listen.m3u)",
    ]


def base_urls(settings: Settings) -> list[str]:
    """Where the page answers, without a slash at the end; the most useful address first."""
    public = [] if settings.public_url is None else [settings.public_url]
    return [*public, *_urls_at(settings.bind_host, settings.port)]


def _urls_at(host: str | None, port: int) -> list[str]:
    """The addresses of a socket bound to ``host``; None for all of them."""
    if host is not None and host not in _ONE_FAMILY:
        return [_url(host, port)]
    families = _ONE_FAMILY.get(host or "", (socket.AF_INET, socket.AF_INET6))
    return [_url(address, port) for address in local_addresses(families)]


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
