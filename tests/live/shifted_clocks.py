"""Clocks of another process that jump while it runs: a library of our own between it and the C library."""

from __future__ import annotations

import os
import platform
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")

needs_a_compiler = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or (shutil.which("gcc") is None and not os.environ.get("CI")),
    reason="wants glibc and gcc; on Debian: apt install gcc libc6-dev",
)


@dataclass(slots=True)
class ShiftedClocks:
    """What is added to the clocks of every process that was started with ``environ``, from this moment on."""

    library: Path
    offsets: Path
    time_of_day_seconds: float = 0.0
    monotonic_seconds: float = 0.0

    @property
    def environ(self) -> dict[str, str]:
        """For the process whose clocks are to jump."""
        return {"LD_PRELOAD": str(self.library), "SHIFTED_CLOCKS": str(self.offsets)}

    def jump(self, *, time_of_day_seconds: float = 0.0, monotonic_seconds: float = 0.0) -> None:
        """Move either clock by so much; where the kernel's goes on is where this one goes on too."""
        self.time_of_day_seconds += time_of_day_seconds
        self.monotonic_seconds += monotonic_seconds
        nanoseconds = (round(seconds * 1e9) for seconds in (self.time_of_day_seconds, self.monotonic_seconds))
        with self.offsets.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("=qq", *nanoseconds))


def shifted_clocks(folder: Path) -> ShiftedClocks:
    """Compile the library into ``folder``; the clocks begin as they are."""
    library, offsets = folder / "shifted_clocks.so", folder / "offsets"
    compiler = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]
    subprocess.run(compiler, check=True, capture_output=True, timeout=60)
    offsets.write_bytes(bytes(16))
    return ShiftedClocks(library=library, offsets=offsets)
