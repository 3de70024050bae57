"""What a connection may cost before anything is known of it, and what the door counts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Protocol

from auralisd.transport.limits import NoMetrics, TransportMetrics


@dataclass(slots=True, kw_only=True)
class DoorLimits:
    """How many may come in, and how long and loud they may knock; a reload changes them in place.

    Attributes:
        max_listeners: listeners of all stations together.
        max_connections: connections of all kinds.
        max_connections_per_address: connections from one address; loopback and trusted proxies are not counted.
        trusted_proxies: addresses or networks whose ``X-Forwarded-For`` is believed.
        head_seconds: how long a request's head may take to arrive.
        head_bytes: how long it may be.
        retry_after_seconds: what those are told for whom there is no room.
        fade_out_seconds: how long the stations may take to say goodbye by themselves once the door closes.
        farewell_seconds: how long it may take after that.
    """

    max_listeners: int = 2000
    max_connections: int = 4096
    max_connections_per_address: int = 64
    trusted_proxies: tuple[str, ...] = ()
    head_seconds: float = 5.0
    head_bytes: int = 16_384
    retry_after_seconds: int = 10
    fade_out_seconds: float = 1.0
    farewell_seconds: float = 1.0

    def trusts(self, address: str | None) -> bool:
        """Whether ``address`` is a proxy of ours."""
        if address is None or not self.trusted_proxies:
            return False
        try:
            client = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(client in ipaddress.ip_network(network, strict=False) for network in self.trusted_proxies)


class DoorMetrics(TransportMetrics, Protocol):
    """Where the front door counts what comes in."""

    def connection_opened(self) -> None:
        """One more connection is open."""
        ...

    def connection_closed(self) -> None:
        """One connection fewer is open."""
        ...

    def connection_refused(self, reason: str) -> None:
        """A connection was turned away: ``bad_request``, ``timeout``, ``too_large``, ``full``, ``address_full``, ..."""
        ...

    def connection_error_contained(self, where: str) -> None:
        """A fault ended one connection and nothing else: in ``request``, ``websocket`` or ``accept``."""
        ...

    def client_underruns(self, count: int) -> None:
        """A player reported ``count`` gaps since it last did."""
        ...


class NoDoorMetrics(NoMetrics):
    """Counts nothing."""

    def connection_opened(self) -> None:
        """Let it pass."""

    def connection_closed(self) -> None:
        """Let it pass."""

    def connection_refused(self, reason: str) -> None:
        """Let it pass."""

    def connection_error_contained(self, where: str) -> None:
        """Let it pass."""

    def client_underruns(self, count: int) -> None:
        """Let it pass."""
