"""Where the configuration is looked for and where the state is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from auralisd.errors import SettingsError

SYSTEM_CONFIG_FILE: Final = Path("/etc/auralisd/config.toml")


def find_config_file(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file to read, or None where there is none.

    Args:
        named: what ``--config`` says; it has to be there.
        environ: ``AURALISD_CONFIG`` stands in for the flag, ``XDG_CONFIG_HOME`` moves the user's own file.

    Raises:
        SettingsError: the file named is not there.
    """
    if named is not None:
        return _existing(named, "--config")
    if environ.get("AURALISD_CONFIG"):
        return _existing(Path(environ["AURALISD_CONFIG"]), "AURALISD_CONFIG")
    return next((path for path in config_search_path(environ) if path.is_file()), None)


def config_search_path(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a configuration file is looked for when none is named, best first."""
    own = _xdg_directory(environ, "XDG_CONFIG_HOME", ".config")
    return (SYSTEM_CONFIG_FILE,) if own is None else (own / "auralisd" / "config.toml", SYSTEM_CONFIG_FILE)


def default_state_dir(environ: Mapping[str, str]) -> Path:
    """The state directory where no setting names one: systemd's, else the user's own.

    Raises:
        SettingsError: there is neither, as for a service account without a home.
    """
    given_by_systemd = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given_by_systemd:
        return Path(given_by_systemd)
    own = _xdg_directory(environ, "XDG_STATE_HOME", ".local/state")
    if own is None:
        raise SettingsError("state_dir", None, "there is no home directory here; name one with --state-dir")
    return own / "auralisd"


def kernel_dir(environ: Mapping[str, str]) -> Path | None:
    """Where compiled code is kept: in systemd's cache directory, else in the user's own, else nowhere."""
    given_by_systemd = environ.get("CACHE_DIRECTORY", "").partition(":")[0]
    if given_by_systemd:
        return Path(given_by_systemd) / "kernel"
    own = _xdg_directory(environ, "XDG_CACHE_HOME", ".cache")
    return None if own is None else own / "auralisd" / "kernel"


def _xdg_directory(environ: Mapping[str, str], variable: str, below_home: str) -> Path | None:
    """The directory of the XDG base directory specification, which ignores relative paths."""
    named = environ.get(variable, "")
    if named and Path(named).is_absolute():
        return Path(named)
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if home:
        return Path(home) / below_home
    try:
        return Path.home() / below_home
    except RuntimeError:
        return None


def _existing(path: Path, key: str) -> Path:
    expanded = path.expanduser().absolute()
    if not expanded.is_file():
        raise SettingsError(key, str(path), "there is no such file")
    return expanded
