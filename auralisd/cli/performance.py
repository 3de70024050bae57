"""A piece from one frame to another, played as the daemon would play it but as fast as it goes."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auralisd.controls import Controls
from auralisd.score import ControlChange, ScoreSlice
from auralisd.units import BLOCK_FRAMES, PACKET_FRAMES, SAMPLE_RATE_HZ, floor_to_grid

if TYPE_CHECKING:
    from auralisd.audio import AudioBlock
    from auralisd.kernel import KernelShelf

PRE_ROLL_FRAMES: Final = 120 * SAMPLE_RATE_HZ
"""Rendered and thrown away first. After 50 s long notes and reverb are to the last bit as if the piece had played on,
after 70 s the servo, after 95 s the glue, whose windows they have to pass through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What is to be played.

    Attributes:
        seed: the piece.
        controls: at its frame 0.
        log: what was changed since, sorted.
        begin_frames: first frame wanted.
        end_frames: first frame no longer wanted.
    """

    seed: int
    controls: Controls
    begin_frames: int
    end_frames: int
    log: tuple[ControlChange, ...] = ()

    @property
    def frames(self) -> int:
        """How long it is."""
        return self.end_frames - self.begin_frames


def composed(performance: Performance, *, step_frames: int = 10 * SAMPLE_RATE_HZ) -> Iterator[ScoreSlice]:
    """The score in slices, each ``step_frames`` long; ``score.joined`` makes one of them."""
    from auralisd.composition import Composer

    composer = Composer(
        seed=performance.seed,
        controls=performance.controls,
        log=performance.log,
        start_frames=performance.begin_frames,
    )
    while composer.position < performance.end_frames:
        yield composer.advance(min(performance.end_frames, composer.position + step_frames))


def pre_roll_frames(performance: Performance) -> int:
    """How many frames ``played`` renders before it hands out the first block."""
    return performance.begin_frames - _first_rendered(performance)


def played(performance: Performance, *, device: str, shelf: KernelShelf | None = None) -> Iterator[AudioBlock | None]:
    """The sound in blocks of 100 ms; None for each block of the pre-roll. The last block may reach past the end.

    Raises:
        RenderError: the synthesiser failed.
        DeviceError: there is no such device.
    """
    from auralisd.daemon.control_desk import ControlDesk
    from auralisd.daemon.piece import Piece
    from auralisd.synthesis import Renderer

    desk = ControlDesk(start=performance.controls, log=performance.log)
    piece = Piece(seed=performance.seed, desk=desk)
    begin = _first_rendered(performance)
    piece.go_to(begin)
    settled = desk.sounding_at(begin, desk.controls_at(begin))
    renderer = Renderer(seed=performance.seed, device=device, position=begin, controls=settled, shelf=shelf)
    renderer.accept(piece.still_sounding(begin))
    controls_of = functools.lru_cache(maxsize=1)(lambda passed: desk.controls_at(performance.log[passed - 1].at_frames))
    passed = 0
    for position in itertools.count(begin, BLOCK_FRAMES):
        if position >= performance.end_frames:
            return
        while piece.composed_until < position + PACKET_FRAMES:
            renderer.accept(piece.next_slice())
        while passed < len(performance.log) and performance.log[passed].at_frames <= position:
            passed += 1
        controls = controls_of(passed) if passed else performance.controls
        block = renderer.render(desk.sounding_at(position, controls), BLOCK_FRAMES)
        yield block if block.end > performance.begin_frames else None


def kept_kernel() -> KernelShelf:
    """The kernel the daemon has compiled on this machine, or none: what it plays, a file repeats to the last bit."""
    from auralisd.daemon.tasks.fetch_kernel import take_kept_kernel
    from auralisd.kernel import KernelShelf
    from auralisd.settings.files import kernel_dir

    shelf = KernelShelf()
    directory = kernel_dir(os.environ)
    if directory is not None:
        take_kept_kernel(shelf, directory)
    return shelf


def _first_rendered(performance: Performance) -> int:
    return max(0, floor_to_grid(performance.begin_frames - PRE_ROLL_FRAMES, PACKET_FRAMES))
