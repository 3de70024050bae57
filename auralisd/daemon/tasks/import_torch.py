"""Imports torch beside the loop, while the bed plays and the page is served."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import structlog
import trio

from auralisd.composition import Composer
from auralisd.controls import Controls
from auralisd.daemon.studio import Instrument, Studio
from auralisd.daemon.tasks.fetch_kernel import take_kept_kernel
from auralisd.errors import DeviceError
from auralisd.units import PACKET_FRAMES

log = structlog.get_logger()

REHEARSAL_PATIENCE_SECONDS = 60.0  # a device that takes as long for a tenth of a second hangs


async def import_torch_or_give_up(studio: Studio, wanted_device: str, kernel_directory: Path | None = None) -> None:
    """As `import_torch`; where torch cannot be loaded the daemon ends in good order.

    Else the bed would sound for ever. Where it was for lack of descriptors or memory, a fresh process may fare better.
    """
    try:
        await import_torch(studio, wanted_device, kernel_directory)
    except Exception as error:  # a broken installation raises whatever it likes
        log.warning("torch cannot be loaded", cure="auralisd doctor; uv sync --reinstall-package torch brings it anew")
        studio.give_up("loading torch", error)


async def import_torch(studio: Studio, wanted_device: str, kernel_directory: Path | None = None) -> None:
    """Make rendering possible, then return; the import takes seconds and stalls the loop in between.

    A kernel that is kept in ``kernel_directory`` is taken before the first block, a matter of 0.1 s: so all blocks
    of this run are made alike, and an export of them is the same to the last bit.

    A device that is not there, or cannot play, is a reason to play on the CPU and to say so, not to fall silent.
    """
    started = time.monotonic()
    run_in_worker = studio.new_worker()
    name, why = await run_in_worker(_choose, wanted_device)
    if kernel_directory is not None:
        await run_in_worker(take_kept_kernel, studio.kernel, kernel_directory)
    try:
        with trio.fail_after(REHEARSAL_PATIENCE_SECONDS):
            await run_in_worker(_rehearse, studio.new_instrument, name)
    except Exception as error:  # a device may lack an operation, a type or its driver, each with an error of its own
        log.warning("the synthesiser could not be tried out", device=name, error=repr(error))
        if name != "cpu":  # else the renderer's own supervision will meet it too, and decide
            name, why = "cpu", f"cpu: {name} could not play: {error!r}"
    gc.freeze()  # what was imported stays; to look through it for garbage holds all threads up for 0.2 s each time
    studio.device.name, studio.device.why = name, why
    log.info("synthesiser ready", device=name, why=why, seconds=round(time.monotonic() - started, 2))
    studio.can_render.set()


def _rehearse(new_instrument: Callable[..., Instrument], device: str) -> None:
    """Play a tenth of a second to nobody: the first listener does not wait for tables and first torch calls."""
    controls = Controls()
    instrument = new_instrument(seed=0, device=device, position=0, controls=controls)
    instrument.accept(Composer(seed=0, controls=controls).advance(PACKET_FRAMES))
    instrument.render(controls, PACKET_FRAMES)


def _choose(wanted_device: str) -> tuple[str, str]:
    from auralisd.synthesis.device import choose_device

    try:
        chosen = choose_device(wanted_device)
    except (DeviceError, RuntimeError) as error:  # not there, or there and not answering
        chosen = choose_device("cpu")
        return chosen.name, str(error)
    return chosen.name, chosen.why
