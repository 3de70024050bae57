"""What all listeners of a soak heard, and what they missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from auralisd.soak.windows import Windows

SEQUENCES: Final = 1 << 32
WEBSOCKET_PREFIX: Final = "auralis."
"""What forms over WebSocket begin with: the names of subprotocols."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """The head of a packet that somebody got; ``at_seconds`` of trio's clock."""

    at_seconds: float
    sequence: int
    position: int
    epoch: int
    bed: bool


@dataclass(slots=True)
class Share:
    """What was heard, inside or outside the windows of faults.

    Attributes:
        longest_gap_seconds: between two arrivals of sound.
        longest_gap_form: who had it.
        lost: connections that ended unasked.
        missed: packets that were jumped over.
        longest_wait_seconds: from asking to the first sound.
        refused: times nobody was let in.
    """

    longest_gap_seconds: float = 0.0
    longest_gap_form: str = ""
    lost: int = 0
    missed: int = 0
    longest_wait_seconds: float = 0.0
    refused: int = 0


@dataclass(slots=True)
class Hearing:
    """What everybody heard; each listener writes into it through an ``Ear`` of its own.

    Attributes:
        windows: when which fault was on.
        outside: what was heard in normal service.
        inside: what was heard in the windows.
        lost_to_peers: connections that ended while other peers misbehaved.
        players_lost: connections of players over HTTP that ended unasked, whatever the reason.
        joined: how many listeners there were.
        epochs: how many those who stay have heard; a process that was killed is followed by another epoch.
        newest: the newest packet that anybody who stays has got.
        last_of_before: the last packet of the epoch before the present one.
        first_of_epoch: the first packet of the present one.
        first_music_of_epoch: the first that is not the bed.
    """

    windows: Windows
    outside: Share = field(default_factory=Share)
    inside: Share = field(default_factory=Share)
    lost_to_peers: int = 0
    players_lost: int = 0
    joined: int = 0
    epochs: int = 0
    newest: Packet | None = None
    last_of_before: Packet | None = None
    first_of_epoch: Packet | None = None
    first_music_of_epoch: Packet | None = None

    def share(self, begin: float, end: float) -> Share:
        """Whose doing it is, what took from ``begin`` to ``end``."""
        return self.inside if self.windows.excuse(begin, end) else self.outside

    def ended(self, began_at: float, now: float) -> None:
        """A connection over which sound had come was ended at ``now``, by the daemon; heard of last at ``began_at``."""
        self.share(began_at, now).lost += 1
        if self.windows.excuse(began_at, now) and not self.windows.excuse_an_end(began_at, now):
            self.lost_to_peers += 1

    def turned_away(self, asked_at: float, now: float) -> None:
        """Who asked was not let in."""
        self.share(asked_at, now).refused += 1

    def follow(self, packet: Packet) -> None:
        """Note where in the music who stays is."""
        if self.newest is None or packet.epoch != self.newest.epoch:
            self.epochs += 1
            self.last_of_before = self.newest
            self.first_of_epoch, self.first_music_of_epoch = packet, None
        elif packet.position < self.newest.position:
            return  # two listen, and one is a packet behind
        if not packet.bed and self.first_music_of_epoch is None:
            self.first_music_of_epoch = packet
        self.newest = packet


@dataclass(slots=True)
class Ear:
    """One listener's: ``form`` is what it asked for, ``asked_at`` when."""

    hearing: Hearing
    form: str
    asked_at: float
    stays: bool = False
    heard_at: float | None = None
    last: Packet | None = None

    def sound(self, now: float) -> None:
        """Some sound has come."""
        if self.heard_at is None:
            self.hearing.joined += 1
            share = self.hearing.share(self.asked_at, now)
            share.longest_wait_seconds = max(share.longest_wait_seconds, now - self.asked_at)
        else:
            share = self.hearing.share(self.heard_at, now)
            if now - self.heard_at > share.longest_gap_seconds:
                share.longest_gap_seconds, share.longest_gap_form = now - self.heard_at, self.form
        self.heard_at = now

    def packet(self, packet: Packet) -> None:
        """Sound has come in a packet that tells its place."""
        heard_at = self.heard_at
        self.sound(packet.at_seconds)
        if self.last is not None and heard_at is not None and packet.epoch == self.last.epoch:
            missed = (packet.sequence - self.last.sequence - 1) % SEQUENCES
            if missed:
                self.hearing.share(heard_at, packet.at_seconds).missed += min(missed, SEQUENCES // 2)
        self.last = packet
        if self.stays:
            self.hearing.follow(packet)

    def ended(self, now: float) -> None:
        """The daemon ended the connection, or never let it in."""
        if self.heard_at is None:
            self.hearing.turned_away(self.asked_at, now)
        else:
            self.hearing.ended(self.heard_at, now)
            self.hearing.players_lost += not self.form.startswith(WEBSOCKET_PREFIX)
