"""How patient the broadcast is with a listener, in seconds; what it counts while it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerLimits:
    """What a listener may cost.

    Attributes:
        backlog_seconds: how far a listener may fall behind before it skips to the live edge.
        history_seconds: how much is held for head starts and for listeners that come back.
        evict_after_seconds: how long a socket of a compressed form may take no byte at all.
        evict_uncompressed_after_seconds: the same for wav, flac and pcm16, which cost ten times as much.
        send_buffer_bytes: what the kernel may hold for one listener; it would hide a stalled one otherwise.
        farewell_seconds: how long a goodbye may take, all listeners together.
    """

    backlog_seconds: float = 4.0
    history_seconds: float = 20.0
    evict_after_seconds: float = 30.0
    evict_uncompressed_after_seconds: float = 10.0
    send_buffer_bytes: int = 65_536
    farewell_seconds: float = 1.0

    @property
    def backlog_packets(self) -> int:
        """``backlog_seconds`` in packets."""
        return packets_in(self.backlog_seconds)

    @property
    def history_packets(self) -> int:
        """``history_seconds`` in packets."""
        return packets_in(self.history_seconds)


def packets_in(seconds: float) -> int:
    """The whole packets that last at least ``seconds``, without being fooled by rounding."""
    return max(0, -(-round(seconds * SAMPLE_RATE_HZ) // PACKET_FRAMES))


class TransportMetrics(Protocol):
    """Where the broadcast counts what happens to its listeners."""

    def listener_joined(self, form: str) -> None:
        """A listener of ``form`` hears the programme from now on."""
        ...

    def listener_left(self, form: str) -> None:
        """A listener of ``form`` is gone, for whatever reason."""
        ...

    def listener_evicted(self, reason: str) -> None:
        """A listener was sent away: ``too_slow`` or ``flood``."""
        ...

    def sent(self, form: str, byte_count: int) -> None:
        """``byte_count`` bytes of ``form`` were handed to the network, all listeners together."""
        ...

    def packets_skipped(self, form: str, count: int = 1) -> None:
        """A slow listener of ``form`` missed ``count`` packets."""
        ...

    def packet_published(self, lateness_seconds: float) -> None:
        """A packet had been written to everybody ``lateness_seconds`` after it was due."""
        ...


class NoMetrics:
    """Counts nothing."""

    def listener_joined(self, form: str) -> None:
        """Let it pass."""

    def listener_left(self, form: str) -> None:
        """Let it pass."""

    def listener_evicted(self, reason: str) -> None:
        """Let it pass."""

    def sent(self, form: str, byte_count: int) -> None:
        """Let it pass."""

    def packets_skipped(self, form: str, count: int = 1) -> None:
        """Let it pass."""

    def packet_published(self, lateness_seconds: float) -> None:
        """Let it pass."""
