"""Brings the compiled kernel: from the cache, or compiled in a process of its own while torch plays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import structlog
import trio

from auralisd.daemon.studio import Studio
from auralisd.kernel import KernelShelf
from auralisd.kernel.machine_code import can_compile

log = structlog.get_logger()

SETTLED_SECONDS: Final = 20.0
"""Nothing is compiled before: a start has enough to do."""

COMPILE_PATIENCE_SECONDS: Final = 300.0  # it takes 15 s of a core to itself, at the lowest priority


async def fetch_kernel(studio: Studio, directory: Path | None) -> None:
    """Put the kernel on the studio's shelf, then return; without it torch plays on, and the log says why."""
    await studio.can_render.wait()
    if directory is None:
        studio.kernel.why = "torch alone: there is no directory to keep the kernel in"
        return
    run_in_worker = studio.new_worker()
    began, compiled = trio.current_time(), False
    if not await run_in_worker(take_kept_kernel, studio.kernel, directory) and can_compile():
        await trio.sleep(SETTLED_SECONDS)
        began, compiled = trio.current_time(), True
        problem = await _compile(directory)
        if problem:
            studio.kernel.why = f"torch alone: the kernel could not be compiled: {problem}"
        else:
            await run_in_worker(take_kept_kernel, studio.kernel, directory)
    seconds = round(trio.current_time() - began, 1)
    log.info("voices and mixing desk", kernel=studio.kernel.why, compiled_now=compiled, seconds=seconds)


async def _compile(directory: Path) -> str:
    """Compile into ``directory`` in a child process; what went wrong, or nothing."""
    with trio.move_on_after(COMPILE_PATIENCE_SECONDS):
        try:
            child = await trio.run_process(
                [sys.executable, "-m", "auralisd.kernel", str(directory)],
                stdout=subprocess.DEVNULL,
                capture_stderr=True,
                check=False,
            )
        except OSError as error:
            return str(error)
        if child.returncode == 0:
            return ""
        lines = child.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else f"it ended with {child.returncode}"
    return f"it took longer than {COMPILE_PATIENCE_SECONDS:.0f} s"


def take_kept_kernel(shelf: KernelShelf, directory: Path) -> bool:
    """Put the kernel kept in ``directory`` on the shelf, unless there is one; whether there is one then."""
    if shelf.kernel is not None:
        return True
    from auralisd.synthesis.compiled import fill

    return fill(shelf, directory)
