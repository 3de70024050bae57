"""Listening sockets that systemd holds for us: whoever connects between two processes waits for the next one.

The protocol is that of sd_listen_fds(3), which other service managers speak too. Closing our descriptor of such a
socket leaves it open: systemd has its own, and the kernel goes on to queue connections.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

from auralisd.access import is_loopback_name
from auralisd.errors import SettingsError
from auralisd.settings import Settings

FIRST_DESCRIPTOR: Final = 3  # SD_LISTEN_FDS_START
MOST_SOCKETS: Final = 64  # a socket unit has a few; each is looked at, and stays open
_VARIABLES: Final = ("LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES")
_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})
_FAMILIES: Final = _INTERNET | {getattr(socket, "AF_UNIX", socket.AF_INET)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedSocket:
    """A stream socket that listens already, and is ours to accept from.

    Attributes:
        name: what systemd calls it: the socket unit, or its ``FileDescriptorName``.
        listening: the socket.
    """

    name: str
    listening: socket.socket

    @property
    def port(self) -> int | None:
        """The TCP port; None for a Unix socket."""
        return int(self.listening.getsockname()[1]) if self.listening.family in _INTERNET else None

    @property
    def host(self) -> str | None:
        """The address it is bound to; None for all of them, IPv4 and IPv6, and for a Unix socket."""
        if self.port is None:
            return None
        host = str(self.listening.getsockname()[0])
        both = host == "::" and not self.listening.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        return None if both else host

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect; not by a Unix socket, behind which is a proxy, and anybody."""
        return self.host is not None and is_loopback_name(self.host)


def take_passed_sockets(
    environ: MutableMapping[str, str], *, first_descriptor: int = FIRST_DESCRIPTOR
) -> tuple[PassedSocket, ...]:
    """The listening sockets that were handed to this process, none where the environment speaks of none.

    Takes the variables out of ``environ``, and keeps the descriptors from children: both are for this process alone.

    Raises:
        SettingsError: they are meant for another process, or one is no stream socket that listens. The
            descriptors are left as they were.
    """
    announced = {name: environ.pop(name) for name in _VARIABLES if name in environ}
    if "LISTEN_FDS" not in announced:
        return ()
    names = _names(announced)
    taken: list[PassedSocket] = []
    try:
        for descriptor, name in enumerate(names, first_descriptor):
            taken.append(PassedSocket(name=name, listening=_listening(descriptor, name)))
    except SettingsError:
        for one in taken:
            one.listening.detach()
        raise
    for one in taken:
        one.listening.set_inheritable(False)
    return tuple(taken)


def only_here(passed: Sequence[PassedSocket], settings: Settings) -> bool:
    """Whether only this machine can connect: to the sockets that were passed, else to the configured address."""
    return all(one.is_loopback for one in passed) if passed else settings.binds_loopback


def refuse_unguarded(passed: Sequence[PassedSocket], settings: Settings) -> None:
    """See to it that nobody steers from elsewhere without a token; what counts is where the sockets are bound.

    Raises:
        SettingsError: others can connect, and there is no token.
    """
    open_to_others = next((one for one in passed if not one.is_loopback), None)
    if open_to_others is not None and settings.token is None:
        raise SettingsError(
            _label(open_to_others.listening.fileno(), open_to_others.name),
            None,
            "others could reach it, but nothing guards the controls; set a token (token_file in the configuration, "
            "or LoadCredential=token:... in the service), or lan = true, which makes one, or let the socket unit "
            "listen on 127.0.0.1",
        )


def _names(announced: MutableMapping[str, str]) -> list[str]:
    """One name for each descriptor, once the variables have been found to be right."""
    count = announced["LISTEN_FDS"]
    if not (count.isascii() and count.isdecimal() and len(count) <= 4 and 0 < int(count) <= MOST_SOCKETS):
        raise SettingsError(
            "LISTEN_FDS",
            count[:20],
            f"not a number of sockets from 1 to {MOST_SOCKETS}; it is for a socket unit to set, so unset it otherwise",
        )
    meant_for = announced.get("LISTEN_PID")
    if meant_for != str(os.getpid()):
        raise SettingsError(
            "LISTEN_PID",
            meant_for,
            f"the sockets are not for this process, {os.getpid()}; let the unit start auralisd itself, without a shell "
            "or uv between (or with exec in the shell), or unset LISTEN_PID and LISTEN_FDS",
        )
    if not announced.get("LISTEN_FDNAMES"):
        return ["unknown"] * int(count)
    names = announced["LISTEN_FDNAMES"].split(":")
    if len(names) != int(count):
        raise SettingsError("LISTEN_FDNAMES", announced["LISTEN_FDNAMES"], f"not {count} names, as LISTEN_FDS says")
    return names


def _listening(descriptor: int, name: str) -> socket.socket:
    """The socket behind ``descriptor``, which it owns from now on."""
    label = _label(descriptor, name)
    try:
        is_socket = stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError as error:
        raise SettingsError(
            label, None, f"cannot be used ({error.strerror}), though LISTEN_FDS counts it; let systemd set LISTEN_FDS"
        ) from error
    if not is_socket:
        raise SettingsError(label, None, "not a socket; the socket unit may have ListenStream= and nothing else")
    passed = socket.socket(fileno=descriptor)
    fault = None
    if passed.type != socket.SOCK_STREAM or passed.family not in _FAMILIES:
        fault = (
            "not a stream socket of TCP or Unix; the socket unit wants ListenStream= with an address or a path, in "
            "place of ListenDatagram= and the like"
        )
    elif not _accepts(passed):
        fault = "does not listen; the socket unit wants Accept=no, or no Accept= at all"
    if fault is not None:
        passed.detach()
        raise SettingsError(label, None, fault)
    return passed


def _accepts(passed: socket.socket) -> bool:
    try:
        return bool(passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return True  # macOS does not tell


def _label(descriptor: int, name: str) -> str:
    return f"socket {name} (descriptor {descriptor})"
