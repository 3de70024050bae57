"""What root is told: on this machine alone, that another account does; open to others, that it has to be asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from auralisd.errors import SettingsError

if TYPE_CHECKING:
    from auralisd.daemon.passed_sockets import PassedSocket
    from auralisd.settings import Settings


def is_root() -> bool:
    """Whether this process may do everything; never on Windows."""
    return getattr(os, "geteuid", lambda: -1)() == 0


def refuse_root(passed: Sequence[PassedSocket], settings: Settings) -> None:
    """Keep root from answering strangers unless it was told to.

    Raises:
        SettingsError: the process is root, others can connect, and nobody said that this is meant.
    """
    from auralisd.daemon.passed_sockets import only_here

    if is_root() and not settings.allow_root and not only_here(passed, settings):
        raise SettingsError(
            "allow_root",
            False,
            "root would answer whoever can connect; start it as another user (`auralisd install-service` has a "
            "service with an account of its own), or say allow_root = true or AURALISD_ALLOW_ROOT=true, as in a "
            "container",
        )
