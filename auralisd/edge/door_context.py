"""What everything behind the front door shares for the life of the daemon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from auralisd.access import AccessPolicy
from auralisd.admission import Admission
from auralisd.edge.door_limits import DoorLimits, DoorMetrics
from auralisd.edge.headcount import Headcount
from auralisd.edge.rooms import Room, Rooms
from auralisd.edge.travellers import Traveller


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorContext:
    """Handed to each connection; policy and limits change in place when the configuration is read again.

    Attributes:
        rooms: the stations.
        policy: who may connect and who may change things.
        admission: who may listen.
        limits: what a connection may cost.
        metrics: where to count.
        headcount: how many are inside.
        travellers: who can pass to another process while they listen.
        watch: told of each station that has somebody to tell about its state.
    """

    rooms: Rooms
    policy: AccessPolicy
    admission: Admission
    limits: DoorLimits
    metrics: DoorMetrics
    headcount: Headcount
    watch: Callable[[Room], None]
    travellers: dict[Traveller, None] = field(default_factory=dict)
