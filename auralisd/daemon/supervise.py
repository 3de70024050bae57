"""Restarting one role when it fails, with growing pauses: one failure, one consequence."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
import trio

log = structlog.get_logger()


class RestartMetrics(Protocol):
    """Where restarts are counted."""

    def role_restarted(self, role: str) -> None:
        """One more restart of ``role``."""
        ...


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between restarts.

    Attributes:
        first_seconds: the pause after a first failure.
        most_seconds: no pause is longer.
        forgiven_after_seconds: a role that ran as long starts again with the first pause.
    """

    first_seconds: float = 0.5
    most_seconds: float = 30.0
    forgiven_after_seconds: float = 60.0

    def after(self, failures: int) -> float:
        """The pause after ``failures`` failures in a row, doubling each time."""
        return min(self.most_seconds, self.first_seconds * 2.0 ** min(failures - 1, 16))


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """When a role's failures are no longer its own business.

    Attributes:
        then: called once, with the last error; the role is not run again.
        failures: so many ...
        within_seconds: ... in so long.
    """

    then: Callable[[Exception], None]
    failures: int = 3
    within_seconds: float = 600.0


async def supervise(
    role: str,
    run: Callable[[], Awaitable[None]],
    *,
    metrics: RestartMetrics,
    backoff: Backoff | None = None,
    failed: Callable[[Exception], None] | None = None,
    escalation: Escalation | None = None,
) -> None:
    """Run ``run`` until it returns; when it raises, tell, pause and run it again.

    Cancellation passes through. ``failed`` hears of each failure before the pause, so that a
    device can be given up or a stand-in put on the air. Where the failures come too thick for ``escalation``, that is
    told and the role ends: whoever is above goes on from there.
    """
    pauses = backoff or Backoff()
    failures = 0
    failed_at: deque[float] = deque(maxlen=escalation.failures if escalation else 1)
    while True:
        started_at = trio.current_time()
        try:
            await run()
        except Exception as error:  # a role's failure is the supervisor's business, whatever it is
            ran_seconds = trio.current_time() - started_at
            failures = 1 if ran_seconds >= pauses.forgiven_after_seconds else failures + 1
            metrics.role_restarted(role)
            pause_seconds = pauses.after(failures)
            log.warning(
                "role failed", role=role, error=repr(error), retry_seconds=pause_seconds, exc_info=failures == 1
            )
            if failed is not None:
                failed(error)
            failed_at.append(trio.current_time())
            if (
                escalation is not None
                and len(failed_at) == escalation.failures
                and failed_at[-1] - failed_at[0] <= escalation.within_seconds
            ):
                escalation.then(error)
                return
            await trio.sleep(pause_seconds)
        else:
            return
