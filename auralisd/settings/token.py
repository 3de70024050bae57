"""The secret that opens the controls: where it comes from and how it is made."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from auralisd.errors import SettingsError

TOKEN_FILE_NAME: Final = "token"  # noqa: S105 - a file name
_TOKEN_BYTES: Final = 18  # 144 bits, 24 characters: out of reach of guessing, short enough to type once on a phone


def create_token(state_dir: Path) -> str:
    """The token kept in ``state_dir``, made now if there is none yet.

    Raises:
        SettingsError: the directory or the file cannot be written or read.
    """
    path = state_dir / TOKEN_FILE_NAME
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        # O_EXCL: of two daemons starting at once one makes it and the other reads it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_token_file(path)
    except OSError as error:
        raise SettingsError("state_dir", str(state_dir), f"the token cannot be kept there: {error.strerror}") from error
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token


def read_token_file(path: Path) -> str:
    """The first line of ``path``.

    Raises:
        SettingsError: it cannot be read or is empty.
    """
    return read_secret_file(path, key="token_file", what="token")


def read_secret_file(path: Path, *, key: str, what: str) -> str:
    """The first line of ``path``, which holds ``what``; a refusal speaks of the setting ``key``.

    Raises:
        SettingsError: it cannot be read or is empty.
    """
    try:
        first_line = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(key, str(path), f"the {what} cannot be read: {reason}") from error
    if not first_line:
        raise SettingsError(key, str(path), f"its first line has to be the {what}, but it is empty")
    return first_line


def find_kept_token(token_file: Path | None, state_dir: Path, environ: Mapping[str, str]) -> str | None:
    """The token from the file named, systemd's credentials or the state directory, in that order.

    Raises:
        SettingsError: one of these files is there and of no use.
    """
    if token_file is not None:
        return read_token_file(token_file)
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    candidates = [Path(credentials) / TOKEN_FILE_NAME] if credentials else []
    for path in (*candidates, state_dir / TOKEN_FILE_NAME):
        if path.is_file():
            return read_token_file(path)
    return None
