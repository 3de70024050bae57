"""Which program a unit would start, and whether a service can reach it."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import auralisd
from auralisd.errors import ServiceError

HIDDEN: Final = {
    **dict.fromkeys((Path("/home"), Path("/root"), Path("/run/user")), "home folders (ProtectHome=)"),
    **dict.fromkeys((Path("/tmp"), Path("/var/tmp")), "temporary files (PrivateTmp=)"),  # noqa: S108  # nosec B108 - names, not files
}
"""What the unit keeps from the service, and what that is called."""

_PLAIN: Final = re.compile(r"[\w./+@=:-]+", re.ASCII)  # nothing that systemd reads as more than itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The program that runs, as a unit would start it.

    Attributes:
        command: its words, the first an absolute path.
        parts: what has to be within its reach: interpreter, environment, library, itself.
    """

    command: tuple[str, ...]
    parts: tuple[Path, ...]


def this_installation() -> Installation:
    """The interpreter that runs this, with the packages it runs."""
    interpreter = Path(sys.executable).absolute()
    script = interpreter.with_name("auralisd")
    torch = importlib.util.find_spec("torch")
    library = [] if torch is None or torch.origin is None else [Path(torch.origin).parent]
    return Installation(
        command=(str(script),) if script.is_file() else (str(interpreter), "-m", "auralisd"),
        parts=(interpreter, Path(sys.prefix), Path(sys.base_prefix), Path(auralisd.__file__).parent, *library),
    )


def why_hidden(installation: Installation) -> str | None:
    """Why the service could not see the program, whoever may read it; None where it can."""
    for part in installation.parts:
        for path in _ways(part):
            for hidden, name in HIDDEN.items():
                if path.is_relative_to(hidden):
                    way = "" if path == part else f", by way of {part}"
                    return f"{path} is where the service cannot see it{way}: {name} are hidden from it"
    return None


def refuse_unstartable(installation: Installation) -> None:
    """See to it that a unit can name the program, and that the service's account may read it.

    Raises:
        ServiceError: a path has odd characters in it, or is not for everybody to read.
    """
    for word in installation.command:
        if not _PLAIN.fullmatch(word):
            raise ServiceError(word, "has characters that mean something to systemd", "Install it to /opt/auralisd.")
    for part in installation.parts:
        shut = _shut(part)
        if shut is not None:
            raise ServiceError(
                str(shut),
                "the service runs under an account of its own, which may not read it",
                f"sudo chmod -R a+rX {shlex.quote(str(shut))}",
            )


def _ways(path: Path) -> Iterator[Path]:
    """``path``, each link on the way from it, and where it ends."""
    seen: set[Path] = set()
    while path not in seen:
        seen.add(path)
        yield path
        yield path.resolve()
        if path.is_symlink():
            path = Path(os.path.normpath(path.parent / path.readlink()))


def _shut(part: Path) -> Path | None:
    """The first folder or file on the way to ``part`` that is not for everybody to read."""
    ended = part.resolve()
    for path in (*reversed(ended.parents), ended):
        mode = path.stat().st_mode
        needed = stat.S_IXOTH if path != ended else stat.S_IXOTH | stat.S_IROTH
        if mode & needed != needed:
            return path
    return None
