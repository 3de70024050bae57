"""The daemon: one ``trio.run``, one tree of tasks."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
import trio

from auralisd.daemon.passed_sockets import PassedSocket
from auralisd.daemon.systemd import Notifier
from auralisd.daemon.worker import JobsUnderWay
from auralisd.errors import HandoverError
from auralisd.observability.logs import configure_logs
from auralisd.settings import Settings

log = structlog.get_logger()

EX_SOFTWARE = 70  # of sysexits.h: it failed too often to go on in this process; a service manager starts another


def run_daemon(
    settings: Settings,
    *,
    config_path: Path | None,
    passed: Sequence[PassedSocket] = (),
    heritage: socket.socket | None = None,
) -> int:
    """Play until stopped, on the sockets that were ``passed`` if any were; answers the exit code.

    ``heritage`` is the link to a process that hands over to this one.

    Raises:
        SettingsError: the address or the port cannot be used.
    """
    started_at_seconds = time.monotonic()
    configure_logs(
        level=settings.log_level,
        form=settings.log_format,
        stream=sys.stderr,
        under_journal="JOURNAL_STREAM" in os.environ,
    )
    log.info("starting", config=str(config_path) if config_path else None, state_dir=str(settings.state_dir))
    from auralisd.daemon.supervisor import run_tree  # after the log, so that its slow imports are accounted for

    jobs = JobsUnderWay()
    status = 0
    try:
        if trio.run(run_tree, settings, jobs, Notifier(), started_at_seconds, passed, heritage):
            status = EX_SOFTWARE
    except* HandoverError as errors:
        log.warning("not taken over", reason=str(errors.exceptions[0]))
        status = EX_SOFTWARE
    log.info("stopped")
    if jobs or "torch" in sys.modules:
        _leave_at_once(status)
    return status


def _leave_at_once(status: int) -> None:
    """End the process past a thread that hangs and past the taking down of torch: Python would wait for either."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
