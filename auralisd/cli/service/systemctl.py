"""Talking to systemd, by way of ``systemctl``."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final, Protocol

from auralisd.errors import ServiceError

BOOTED: Final = Path("/run/systemd/system")
"""There wherever systemd runs the machine, see sd_booted(3)."""

PATIENCE_SECONDS: Final = 120.0  # a start takes as long as TimeoutStartSec= at most


class ServiceManager(Protocol):
    """What is asked of systemd."""

    def version(self) -> int | None:
        """Its version; None where it is not installed."""
        ...

    def runs_here(self) -> bool:
        """Whether it runs this machine."""
        ...

    def state(self, unit: str) -> str:
        """``active``, ``activating``, ``inactive``, ``failed`` and the like."""
        ...

    def tell(self, *words: str) -> None:
        """Run ``systemctl`` with ``words``.

        Raises:
            ServiceError: it did not do it.
        """
        ...


class Systemctl:
    """The systemd of this machine."""

    def version(self) -> int | None:
        """Its version; None where it is not installed."""
        try:
            found = re.match(r"systemd (\d+)", self._run("--version").stdout)
        except OSError:
            return None
        return None if found is None else int(found[1])

    def runs_here(self) -> bool:
        """Whether it runs this machine."""
        return BOOTED.is_dir()

    def state(self, unit: str) -> str:
        """``active``, ``activating``, ``inactive``, ``failed`` and the like."""
        return self._run("is-active", unit).stdout.strip()

    def tell(self, *words: str) -> None:
        """Run ``systemctl`` with ``words``.

        Raises:
            ServiceError: it did not do it.
        """
        command = f"systemctl {' '.join(words)}"
        look = "journalctl -u auralisd -n 30 says more."
        try:
            done = self._run(*words)
        except OSError as error:
            raise ServiceError(command, f"cannot be run ({error.strerror})", "Install systemd.") from error
        except subprocess.TimeoutExpired as error:
            raise ServiceError(command, f"has not come back for {PATIENCE_SECONDS:.0f} s", look) from error
        if done.returncode != 0:
            problem = " ".join(done.stderr.split()) or f"ended with {done.returncode}"
            raise ServiceError(command, problem.rstrip("."), look)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  # nosec B603 B607 - words of our own
            ["systemctl", *words],  # noqa: S607 - wherever the administrator has it
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
            stdin=subprocess.DEVNULL,
        )
