"""How much memory this process may still take: of the machine, and of the control groups it is in.

Who asks for more than there is gets it from the kernel all the same, and is killed for it later, with all listeners.
So what is large, and can wait, is refused while it does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from auralisd.errors import MemoryShortError

STATION_BYTES: Final = 60_000_000
"""That a station takes while it sounds."""

EXPORT_BYTES: Final = 600_000_000
"""That the process takes which renders a sound file; torch alone takes 530 MB."""

KEPT_FREE_BYTES: Final = 100_000_000
"""For listeners, for the system, and for what stations take that are there already."""

type Room = Callable[[], int | None]

_FILES: Final = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Of the limit, of what is used, and in memory.stat of what is given up when asked; version 2, and 1."""


def require(kind: str, wanted_bytes: int, room: Room) -> None:
    """See to it that ``wanted_bytes`` can be taken; where the system does not tell, they can.

    Raises:
        MemoryShortError: they cannot.
    """
    there = room()
    if there is not None and there < wanted_bytes + KEPT_FREE_BYTES:
        raise MemoryShortError(kind, wanted_bytes=wanted_bytes + KEPT_FREE_BYTES, room_bytes=max(0, there))


def room_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that may still be taken; None where the system tells nothing of it.

    Some files of the kernel, read in less than a millisecond.
    """
    return min((*_of_the_machine(proc / "meminfo"), *_of_the_groups(proc / "self/cgroup", groups)), default=None)


def _of_the_machine(file: Path) -> Iterator[int]:
    available = _numbers(file).get("MemAvailable:")
    if available is not None:
        yield 1024 * available


def _of_the_groups(file: Path, groups: Path) -> Iterator[int]:
    for line in _text(file).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = groups / "memory" if controllers else groups
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            yield from _of_a_group(folder)
            if folder == root:
                break


def _of_a_group(folder: Path) -> Iterator[int]:
    for limit_name, used_name, spare_name in _FILES:
        limit, used = _text(folder / limit_name).strip(), _text(folder / used_name).strip()
        if limit.isdecimal() and used.isdecimal():
            yield int(limit) - int(used) + _numbers(folder / "memory.stat").get(spare_name, 0)


def _numbers(file: Path) -> dict[str, int]:
    """Lines of a name and a number, as the kernel writes them."""
    words = (line.split() for line in _text(file).splitlines())
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdecimal()}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
