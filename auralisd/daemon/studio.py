"""What all stations of one daemon share: workers, the device, the bed, the metrics."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import trio

from auralisd.audio import AudioBlock
from auralisd.controls import Controls
from auralisd.daemon.spare_memory import SpareMemory
from auralisd.daemon.worker import RunInWorker
from auralisd.kernel import KernelShelf
from auralisd.observability.metrics import Metrics
from auralisd.quality import Quality
from auralisd.score import ScoreSlice
from auralisd.transport.catching_up import CatchUpTurns
from auralisd.transport.volley import Volley


class Instrument(Protocol):
    """What sounds a score: the synthesiser, or a stand-in for it in tests."""

    def accept(self, piece: ScoreSlice) -> None:
        """Take notes and releases to come; those already begun start at once."""
        ...

    def begin_anew(self, controls: Controls, position: int) -> None:
        """Go on at ``position``, at rest; what was to come is forgotten."""
        ...

    def make_do_with(self, quality: Quality) -> None:
        """Sound more or less of the score from the next block on."""
        ...

    def render(self, controls: Controls, frames: int = ...) -> AudioBlock:
        """The next ``frames`` of sound.

        Raises:
            RenderError: it could not be made.
        """
        ...


@dataclass(slots=True)
class DeviceInUse:
    """Where the sound is made just now, and why there; ``none`` until torch is imported."""

    name: str = "none"
    why: str = "the synthesiser is still being loaded"

    def as_dict(self) -> Mapping[str, str]:
        """Name and reason, as JSON shows them."""
        return {"name": self.name, "why": self.why}


def usable_processors() -> int:
    """How many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """Shared by all stations; handed to each, never looked up.

    Attributes:
        new_worker: opens a worker for one incarnation of one role.
        new_instrument: builds a synthesiser; blocking, for a worker.
        can_render: set once torch is imported and a device chosen.
        device: where the sound is made.
        kernel: the compiled voices and mixing desk, once they are there.
        shipped_bed: interleaved int16 stereo for a station without a sound of its own.
        metrics: where the pipeline counts.
        give_up: ends the daemon in good order because of who failed, and how: a fresh process may fare better.
        render_slots: packets that are made at once. More threads would only wait for the interpreter lock in each
            other's way: two make hardly more packets in a second than one, and one leaves the others a processor.
        encode_slots: packets that are encoded at once. Their own: what goes on the air now must not stand in line
            behind renderers that work ahead, least of all behind those that are late.
        catch_up_turns: encoders newly wanted that work through the last seconds at once, so that the rest stay in time.
        build_slots: instruments that are built at once, so that those who play already go on playing.
        spare_memory: is told that a station has gone off the air.
        volley: writes to many sockets with one call; None where the kernel has none to give.
    """

    new_worker: Callable[[], RunInWorker]
    new_instrument: Callable[..., Instrument]
    can_render: trio.Event
    device: DeviceInUse
    kernel: KernelShelf
    shipped_bed: bytes
    metrics: Metrics
    give_up: Callable[[str, Exception], None]
    render_slots: trio.CapacityLimiter = field(
        default_factory=lambda: trio.CapacityLimiter(max(1, usable_processors() - 1))
    )
    encode_slots: trio.CapacityLimiter = field(
        default_factory=lambda: trio.CapacityLimiter(max(1, usable_processors() // 2))
    )
    catch_up_turns: CatchUpTurns = field(default_factory=lambda: CatchUpTurns(usable_processors()))
    build_slots: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(1))
    spare_memory: SpareMemory = field(default_factory=SpareMemory)
    volley: Volley | None = None

    def render_options(self) -> tuple[str, ...]:
        """Options for ``auralisd render`` with which a file is made as the stations are played just now."""
        device = ("--device", "cpu" if self.device.name == "none" else self.device.name)
        return (*device, "--torch-alone" if self.kernel.kernel is None else "--compiled-kernel")
