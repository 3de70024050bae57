"""How many are inside: in total, per address, and how many of them listen."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from auralisd.access import KNOWN_ADDRESSES, household
from auralisd.edge.door_limits import DoorLimits


class Headcount:
    """Counts connections and listeners against the limits of the door.

    Attributes:
        limits: what there is room for.
        connections: open connections of all kinds.
        listeners: those that receive sound, of all stations.
        farewells: those who came too late and are being told so.
    """

    def __init__(self, limits: DoorLimits) -> None:
        """Start with nobody inside."""
        self.connections = 0
        self.listeners = 0
        self.farewells = 0
        self.limits = limits
        self._by_address: Counter[str] = Counter()

    def refusal(self, address: str | None) -> str | None:
        """``full`` or ``address_full`` if a connection from ``address`` is one too many, else None."""
        if self.connections >= self.limits.max_connections:
            return "full"
        from_there = self._by_address[household(address)]
        if self._counts_by_address(address) and from_there >= self.limits.max_connections_per_address:
            return "address_full"
        return None

    @property
    def no_room_to_listen(self) -> bool:
        """Whether another listener would be one too many."""
        return self.listeners >= self.limits.max_listeners

    @contextmanager
    def connection(self, address: str | None) -> Iterator[None]:
        """Count one connection while the block runs."""
        key = household(address)
        self.connections += 1
        self._by_address[key] += 1
        try:
            yield
        finally:
            self.connections -= 1
            self._by_address[key] -= 1
            if not self._by_address[key]:
                del self._by_address[key]

    @contextmanager
    def listener(self) -> Iterator[None]:
        """Count one listener while the block runs."""
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    @contextmanager
    def farewell(self) -> Iterator[None]:
        """Count one who is being turned away while the block runs."""
        self.farewells += 1
        try:
            yield
        finally:
            self.farewells -= 1

    def _counts_by_address(self, address: str | None) -> bool:
        """Whether connections from ``address`` are limited: not from this machine, not through a proxy of ours."""
        return address is not None and _is_elsewhere(address) and not self.limits.trusts(address)


@lru_cache(maxsize=KNOWN_ADDRESSES)
def _is_elsewhere(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
