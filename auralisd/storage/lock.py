"""One daemon per state directory: two would write their positions over each other's."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from auralisd.errors import SettingsError

LOCK_FILE_NAME: Final = "auralis.lock"


@contextmanager
def state_held(directory: Path) -> Iterator[None]:
    """Keep ``directory`` for this process; the system lets go of it however the process ends.

    A directory that cannot be written keeps no state, and is not held. Windows has no such locks: nothing is
    held there.

    Raises:
        SettingsError: another process holds it.
    """
    descriptor = None if sys.platform == "win32" else _opened(directory)
    if descriptor is None:
        yield
        return
    try:
        _hold(descriptor, directory)
        yield
    finally:
        os.close(descriptor)


def _opened(directory: Path) -> int | None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(directory / LOCK_FILE_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None


def _hold(descriptor: int, directory: Path) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        who = f"another auralisd (process {holder})" if holder.isdecimal() else "another auralisd"
        raise SettingsError(
            "state_dir",
            str(directory),
            f"a directory that no other daemon uses, and {who} does; stop it, or give "
            "this one its own with --state-dir",
        ) from None
    except OSError:  # a file system without locks
        return
    with contextlib.suppress(OSError):  # a full disk: only the number is missing
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
