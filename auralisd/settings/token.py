"""The secrets of a daemon, the token that opens the controls and the key of links to listen: whence, and how made."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from auralisd.errors import SettingsError

TOKEN_FILE_NAME: Final = "token"  # noqa: S105 - a file name
LISTEN_KEY_FILE_NAME: Final = "listen-key"
SHORTEST_LISTEN_KEY: Final = 32
"""Whoever has a link can try keys out on it, as fast as he likes and unseen."""

_TOKEN_BYTES: Final = 18  # 144 bits, 24 characters: out of reach of guessing, short enough to type once on a phone
_LISTEN_KEY_BYTES: Final = 32  # as much as the signature has


def create_token(state_dir: Path) -> str:
    """The token kept in ``state_dir``, made now if there is none yet.

    Raises:
        SettingsError: the directory or the file cannot be written or read.
    """
    return _create_secret(state_dir / TOKEN_FILE_NAME, key="token_file", what="token", size_bytes=_TOKEN_BYTES)


def create_listen_key(state_dir: Path) -> str:
    """The key of links to listen kept in ``state_dir``, made now if there is none yet.

    Raises:
        SettingsError: the directory or the file cannot be written or read, or holds a key that is too short.
    """
    path = state_dir / LISTEN_KEY_FILE_NAME
    key = _create_secret(path, key="listen_key_file", what="listen key", size_bytes=_LISTEN_KEY_BYTES)
    return _long_enough(key, path)


def _create_secret(path: Path, *, key: str, what: str, size_bytes: int) -> str:
    state_dir = path.parent
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        # O_EXCL: of two daemons starting at once one makes it and the other reads it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_secret_file(path, key=key, what=what)
    except OSError as error:
        raise SettingsError(
            "state_dir", str(state_dir), f"the {what} cannot be kept there: {error.strerror}"
        ) from error
    secret = secrets.token_urlsafe(size_bytes)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    return secret


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
    path = _kept_file(token_file, TOKEN_FILE_NAME, state_dir, environ)
    return None if path is None else read_token_file(path)


def find_kept_listen_key(listen_key_file: Path | None, state_dir: Path, environ: Mapping[str, str]) -> str | None:
    """The key of links from the file named, systemd's credentials or the state directory, in that order.

    Raises:
        SettingsError: one of these files is there and of no use.
    """
    path = _kept_file(listen_key_file, LISTEN_KEY_FILE_NAME, state_dir, environ)
    if path is None:
        return None
    return _long_enough(read_secret_file(path, key="listen_key_file", what="listen key"), path)


def _kept_file(named: Path | None, name: str, state_dir: Path, environ: Mapping[str, str]) -> Path | None:
    if named is not None:
        return named
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    candidates = [Path(credentials) / name] if credentials else []
    return next((path for path in (*candidates, state_dir / name) if path.is_file()), None)


def _long_enough(key: str, path: Path) -> str:
    if len(key) < SHORTEST_LISTEN_KEY:
        expected = f"its first line has to be the listen key, {SHORTEST_LISTEN_KEY} characters or more"
        raise SettingsError("listen_key_file", str(path), expected)
    return key
