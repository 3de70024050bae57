"""A control group that limits the memory of the processes in it, version 1 or 2."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryGroup:
    """One group; ``memory_group`` makes it."""

    folder: Path
    version: int

    def hold(self, process_id: int) -> None:
        """Put the process into it; what it takes from now on counts."""
        (self.folder / "cgroup.procs").write_text(str(process_id))

    def used_bytes(self) -> int:
        """What all in it have taken since."""
        name = "memory.usage_in_bytes" if self.version == 1 else "memory.current"
        return int((self.folder / name).read_text())

    def allow(self, limit_bytes: int | None) -> None:
        """So much; None for all there is."""
        if self.version == 1:
            (self.folder / "memory.limit_in_bytes").write_text(str(limit_bytes or -1))
        else:
            (self.folder / "memory.max").write_text(str(limit_bytes or "max"))


@contextlib.contextmanager
def memory_group() -> Iterator[MemoryGroup]:
    """A group of our own, gone afterwards; where none may be made, the test is skipped."""
    version = 1 if (_ROOT / "memory").is_dir() else 2
    parent = _ROOT / "memory" if version == 1 else _ROOT
    folder = parent / f"auralisd-memory-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group may be made under {parent}: {error}")
    try:
        if not (folder / ("memory.limit_in_bytes" if version == 1 else "memory.max")).exists():
            pytest.skip(f"control groups under {parent} limit no memory")
        yield MemoryGroup(folder=folder, version=version)
    finally:
        for process_id in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (parent / "cgroup.procs").write_text(process_id)
        folder.rmdir()
