"""Socket options of listening and of accepted sockets; each is optional, for each is missing somewhere."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from functools import lru_cache
from typing import Final

import trio

from auralisd.access import KNOWN_ADDRESSES

BACKLOG: Final = 4096

USER_TIMEOUT_SECONDS: Final = 45  # the slowest eviction in code comes first
_KEEP_ALIVE_IDLE_SECONDS: Final = 30
_KEEP_ALIVE_INTERVAL_SECONDS: Final = 10
_KEEP_ALIVE_PROBES: Final = 3


async def open_listeners(host: str | None, port: int) -> list[trio.SocketListener]:
    """Listening TCP sockets for ``host`` (None: every address), with room for everybody who comes at once.

    Raises:
        OSError: the address is taken or is not ours.
    """
    return await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)


def tune_connection(connection: trio.socket.SocketType) -> None:
    """Notice peers that vanish without a word, in half a minute instead of two hours."""
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    _set(connection, socket.SOL_SOCKET, "SO_KEEPALIVE", 1)
    _set(connection, socket.IPPROTO_TCP, "TCP_KEEPIDLE", _KEEP_ALIVE_IDLE_SECONDS)
    _set(connection, socket.IPPROTO_TCP, "TCP_KEEPINTVL", _KEEP_ALIVE_INTERVAL_SECONDS)
    _set(connection, socket.IPPROTO_TCP, "TCP_KEEPCNT", _KEEP_ALIVE_PROBES)
    _set(connection, socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", USER_TIMEOUT_SECONDS * 1000)


def tune_for_audio(connection: trio.socket.SocketType, *, send_buffer_bytes: int) -> None:
    """Keep the kernel from hiding a slow listener behind megabytes of buffer."""
    _set(connection, socket.SOL_SOCKET, "SO_SNDBUF", send_buffer_bytes)
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        _set(connection, socket.IPPROTO_TCP, "TCP_NODELAY", 1)
        _set(connection, socket.IPPROTO_TCP, "TCP_NOTSENT_LOWAT", send_buffer_bytes // 4)


def peer_address(connection: trio.socket.SocketType) -> str | None:
    """The peer's IP address, IPv4 as IPv4 on dual-stack sockets too; None where it has none.

    Raises:
        OSError: the peer is gone already.
    """
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    return _plain(connection.getpeername()[0])


def local_authority(connection: trio.socket.SocketType) -> str:
    """``address:port`` at which the peer reached us, ``localhost`` where there is none."""
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return "localhost"
    host, port, *_ = connection.getsockname()
    return _authority(_plain(host), port)


@lru_cache(maxsize=KNOWN_ADDRESSES)
def _plain(address: str) -> str:
    """The address without its zone, and IPv4 as IPv4 where a dual-stack socket writes it as IPv6."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


def address_words(listening: socket.socket | trio.socket.SocketType) -> str:
    """Where a listening socket is reached, for people: ``address:port``, or ``unix:`` and its path."""
    address = listening.getsockname()
    if listening.family in (socket.AF_INET, socket.AF_INET6):
        return _authority(*address[:2])
    path = address if isinstance(address, str) else "@" + bytes(address[1:]).decode(errors="replace")
    return f"unix:{path}"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _set(connection: trio.socket.SocketType, level: int, option: str, value: int) -> None:
    number = getattr(socket, option, None)
    if number is not None:
        with contextlib.suppress(OSError):  # not on this kind of socket
            connection.setsockopt(level, number, value)
