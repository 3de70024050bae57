"""What the operator says by signals: stop, read the configuration again, let another process go on."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import structlog
import trio

log = structlog.get_logger()

_STOP = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT") if hasattr(signal, name))
_RELOAD = tuple(getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name))
_HAND_OVER = tuple(getattr(signal, name) for name in ("SIGUSR2",) if hasattr(signal, name))


async def run_signals(
    stop: Callable[[], None],
    reload: Callable[[], Awaitable[None]],
    hand_over: Callable[[], None],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Call ``stop`` on SIGTERM and Ctrl-C, ``reload`` on SIGHUP, ``hand_over`` on SIGUSR2, until cancelled.

    A second Ctrl-C finds Python's own handler only after this task has ended, so an impatient
    operator's second one is simply another ``stop``.
    """
    with trio.open_signal_receiver(*_STOP, *_RELOAD, *_HAND_OVER) as received:
        task_status.started()
        async for number in received:
            if number in _RELOAD:
                await reload()
            elif number in _HAND_OVER:
                hand_over()
            else:
                log.info("stopping", signal=signal.Signals(number).name)
                stop()
