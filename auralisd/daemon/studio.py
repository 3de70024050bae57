"""What all stations of one daemon share: workers, the device, the bed, the metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import trio

from auralisd.audio import AudioBlock
from auralisd.controls import Controls
from auralisd.daemon.worker import RunInWorker
from auralisd.kernel import KernelShelf
from auralisd.observability.metrics import Metrics
from auralisd.quality import Quality
from auralisd.score import ScoreSlice


class Instrument(Protocol):
    """What sounds a score: the synthesiser, or a stand-in for it in tests."""

    def accept(self, piece: ScoreSlice) -> None:
        """Take notes and releases to come; those already begun start at once."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """Shared by all stations; handed to each, never looked up.

    Attributes:
        new_worker: opens a worker for one incarnation of one role.
        new_instrument: builds a synthesiser; blocking, for a worker.
        can_render: set once torch is imported and a device chosen.
        device: where the sound is made.
        kernel: the compiled voices, once they are there.
        shipped_bed: interleaved int16 stereo for a station without a sound of its own.
        metrics: where the pipeline counts.
        give_up: ends the daemon in good order because of who failed, and how: a fresh process may fare better.
    """

    new_worker: Callable[[], RunInWorker]
    new_instrument: Callable[..., Instrument]
    can_render: trio.Event
    device: DeviceInUse
    kernel: KernelShelf
    shipped_bed: bytes
    metrics: Metrics
    give_up: Callable[[str, Exception], None]
