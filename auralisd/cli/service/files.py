"""Files of a service on the disk: how they differ from the plan, written whole or not at all, and taken away."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from auralisd.cli.service.places import SERVICE, SOCKET, Places
from auralisd.cli.service.units import CUDA, MARK, NOTIFY_RELOAD, SEALED, PlannedFile
from auralisd.errors import ServiceError

type State = Literal["new", "as it is", "changed", "yours", "foreign"]


def state_of(planned: PlannedFile) -> State:
    """How it compares with what is there.

    Returns:
        ``yours`` for a file that is the administrator's once it is there, ``foreign`` for a unit that
        somebody else has written: neither is written over.
    """
    present = _content(planned.path)
    if present is None:
        return "new"
    if planned.once:
        return "yours"
    if not present.startswith(MARK):
        return "foreign"
    return "as it is" if present == planned.content else "changed"


def difference(planned: PlannedFile) -> str:
    """What would change in it, as a patch."""
    before = (_content(planned.path) or "").splitlines(keepends=True)
    after = planned.content.splitlines(keepends=True)
    return "".join(
        difflib.unified_diff(before, after, f"{planned.path}", f"{planned.path}", "as it is", "as it will be")
    )


def ours(places: Places) -> tuple[Path, ...]:
    """The units and drop-ins that are there and were written by this command."""
    names = [places.units / SERVICE, places.units / SOCKET]
    names += [places.drop_ins / name for name in (SEALED, CUDA, NOTIFY_RELOAD)]
    return tuple(path for path in names if (_content(path) or "").startswith(MARK))


def refuse_foreign(planned: Iterable[PlannedFile]) -> None:
    """Leave alone what others have written.

    Raises:
        ServiceError: one of the files is there and not ours.
    """
    foreign = [str(one.path) for one in planned if state_of(one) == "foreign"]
    if foreign:
        raise ServiceError(
            ", ".join(foreign),
            "there already, and not written by this command",
            f"Move it away, and what you changed in it into a drop-in: sudo rm {' '.join(foreign)}",
        )


def write(planned: PlannedFile) -> None:
    """Put it in its place, whole.

    Raises:
        ServiceError: it cannot be written.
    """
    path = planned.path
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(planned.content)
                file.flush()
                os.fchmod(descriptor, 0o644)
                os.fsync(descriptor)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


def take_away(path: Path, places: Places) -> None:
    """Remove it, and the folder of drop-ins with the last of them.

    Raises:
        ServiceError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
        if path.parent == places.drop_ins and not any(places.drop_ins.iterdir()):
            places.drop_ins.rmdir()
    except OSError as error:
        raise _unwritable(path, error) from error


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ServiceError(str(path), f"cannot be read ({error.strerror})", "Move it away.") from error


def _unwritable(path: Path, error: OSError) -> ServiceError:
    return ServiceError(str(path), f"cannot be written ({error.strerror})", f"Make {path.parent} writable for root.")
