"""What passes from one process to the next."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import trio

from auralisd.controls import Controls, merge_change
from auralisd.daemon.control_desk import ControlDesk
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.piece import Piece
from auralisd.edge.travellers import PassedListener
from auralisd.score import ControlChange
from auralisd.transport.broadcast import PassedBroadcast
from auralisd.transport.clock import SampleClock
from auralisd.transport.encoders import PassedBank

LEAD_SECONDS: Final = 1.0
"""What listeners have in hand when their packets come from another process."""

PREPARED_SECONDS: Final = 180.0
"""Two minutes of each sounding station are rendered once more: 8 s of work each, or several times as much."""

_NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedPiece:
    """All that the music of a station is made of; two that are equal sound alike.

    Attributes:
        seed: what it is drawn from.
        epoch: which count of positions listeners are told.
        origin: programme frame at which it began.
        start_controls: at its frame 0.
        changes: the log since: frame, what, why.
    """

    seed: int
    epoch: int
    origin: int
    start_controls: dict[str, Any]
    changes: tuple[tuple[int, dict[str, Any], str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedStation:
    """A station at one moment.

    Attributes:
        id: its name in URLs.
        title: for people.
        preset: the one last applied.
        pinned: whether it plays to nobody too.
        piece: what it plays.
        position: a programme frame.
        due_seconds: when that frame is due, in seconds of ``CLOCK_MONOTONIC``, which all processes share.
        lead_seconds: how long before it is due a packet is sent.
        next_packet: programme frame of the first packet that was not made.
        on_air: whether it sounds.
        broadcast: what is held of it; None while it is only told what plays.
        bank: its encoders, the same.
    """

    id: str
    title: str
    preset: str | None
    pinned: bool
    piece: PassedPiece
    position: int
    due_seconds: float
    lead_seconds: float
    next_packet: int
    on_air: bool
    broadcast: PassedBroadcast | None = None
    bank: PassedBank | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What plays, for the successor to play along."""

    stations: tuple[PassedStation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The first packet of each station on the air that is the successor's."""

    positions: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Everything: the stations, and the listeners in the order of their sockets."""

    stations: tuple[PassedStation, ...]
    listeners: tuple[PassedListener, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A parcel that says all there is to say by its kind."""


def passed_station(station: LiveStation, *, whole: bool) -> PassedStation:
    """``station`` now; ``whole`` with all that its listeners and encoders need, while nothing of it moves."""
    position = station.live_position()
    due_seconds = time.monotonic() + station.clock.due_seconds(position) - trio.current_time()
    desk = station.piece.desk
    return PassedStation(
        id=station.id,
        title=station.title,
        preset=station.preset,
        pinned=station.pinned,
        piece=PassedPiece(
            seed=station.piece.seed,
            epoch=station.epoch,
            origin=station.piece_origin,
            start_controls=_plain(desk.start.as_dict()),
            changes=tuple((entry.at_frames, _plain(entry.changed), entry.cause) for entry in desk.log),
        ),
        position=position,
        due_seconds=due_seconds,
        lead_seconds=station.lead_seconds,
        next_packet=station.next_packet,
        on_air=station.on_air,
        broadcast=station.broadcast.passed() if whole else None,
        bank=station.encoders.passed() if whole and station.on_air and station.encoders is not None else None,
    )


def piece_of(passed: PassedPiece) -> Piece:
    """The same piece."""
    start, _ = merge_change(Controls(), passed.start_controls)
    changes = [ControlChange(at_frames=at, changed=changed, cause=cause) for at, changed, cause in passed.changes]
    return Piece(seed=passed.seed, desk=ControlDesk(start=start, log=changes), is_on_disk=True)


def bring_to(station: LiveStation, passed: PassedStation) -> None:
    """Let ``station`` count time as the passed one does."""
    now = trio.current_time()
    station.clock = SampleClock(position=passed.position, at_seconds=now + passed.due_seconds - time.monotonic())
    station.next_packet = passed.next_packet
    station.piece_origin = passed.piece.origin


def rehearse(station: LiveStation, *, lead_seconds: float, pre_roll_frames: int) -> None:
    """Let ``station`` play to nobody from now on."""
    station.rehearsing = True
    station.lead_seconds, station.wanted_lead_seconds = lead_seconds, LEAD_SECONDS
    station.pre_roll_frames = pre_roll_frames
    station.gate.enters_at = _NEVER


def _plain(changed: Any) -> dict[str, Any]:
    return {name: dict(part) if hasattr(part, "items") else part for name, part in changed.items()}
