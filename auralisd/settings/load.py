"""From flags, environment and file to one ``Settings``, with every refusal by name."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource
from pydantic_settings import SettingsError as SourceError

from auralisd.errors import SettingsError
from auralisd.settings.files import default_state_dir, find_config_file
from auralisd.settings.model import RELOADABLE, Settings, Sources, StationSettings
from auralisd.settings.push import PushSettings, with_passwords
from auralisd.settings.token import find_kept_listen_key, find_kept_token

_PREFIX: Final = "AURALISD_"
_NOT_A_FIELD: Final = frozenset({"AURALISD_CONFIG"})  # names the file, so it cannot be in it
_SECRETS: Final = frozenset({"token", "listen_key", "push"})  # a push target's address may have a password in it
_TABLES: Final[Mapping[str, type[BaseModel]]] = {"stations": StationSettings, "push": PushSettings}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What reading the configuration again brought.

    Attributes:
        settings: the settings from now on.
        changed: the names that differ and hold from now on, sorted.
        needs_restart: the names that differ and keep their old value until a restart, sorted.
    """

    settings: Settings
    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]


def load_settings(
    flags: Mapping[str, object], *, environ: Mapping[str, str], config_file: Path | None = None
) -> Settings:
    """Settings by precedence: flags, then environment, then file, then default.

    Args:
        flags: what the command line gave, by field name; absent where a flag was not given.
        environ: the environment; ``AURALISD_<FIELD>`` each, and what the search for files looks at.
        config_file: the file ``--config`` names; None looks for one at the usual places.

    Raises:
        SettingsError: an unknown key or variable, a missing file, a value out of range, or an
            address open to others without a token.
    """
    path = find_config_file(config_file, environ)
    from_file = {} if path is None else _read_file(path)
    from_environ = _read_environ(environ)
    given = {**from_file, **from_environ, **flags}
    try:
        given.setdefault("state_dir", default_state_dir(environ))
        settings = Settings(**given)
    except ValidationError as error:
        raise _translated(error, flags=flags, from_environ=from_environ, path=path) from None
    if settings.token is None:
        kept = find_kept_token(settings.token_file, settings.state_dir, environ)
        settings = settings if kept is None else with_token(settings, kept)
    if settings.listen_key is None:
        kept = find_kept_listen_key(settings.listen_key_file, settings.state_dir, environ)
        settings = settings if kept is None else with_listen_key(settings, kept)
    _refuse_one_secret_for_two(settings)
    if settings.push:
        settings = settings.model_copy(update={"push": with_passwords(settings.push)})
    _refuse_open_door(settings, flags)
    return settings.read_from(Sources(flags=flags, environ=environ, config_file=config_file, found_file=path))


def reloaded(current: Settings) -> Reloaded:
    """Read again where ``current`` was read, and take what may change while the daemon runs.

    Raises:
        SettingsError: what is there now cannot be taken; ``current`` holds on.
    """
    sources = current.sources
    if sources is None:
        return Reloaded(settings=current, changed=(), needs_restart=())
    fresh = load_settings(sources.flags, environ=sources.environ, config_file=sources.config_file)
    differing = sorted(name for name in Settings.model_fields if getattr(current, name) != getattr(fresh, name))
    changed = tuple(name for name in differing if name in RELOADABLE)
    return Reloaded(
        settings=current.model_copy(update={name: getattr(fresh, name) for name in changed}),
        changed=changed,
        needs_restart=tuple(name for name in differing if name not in RELOADABLE),
    )


def with_token(settings: Settings, token: str) -> Settings:
    """The same settings with ``token`` opening the controls."""
    return settings.model_copy(update={"token": SecretStr(token)})


def with_listen_key(settings: Settings, key: str) -> Settings:
    """The same settings with links signed by ``key``."""
    return settings.model_copy(update={"listen_key": SecretStr(key)})


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = TomlConfigSettingsSource(Settings, path)()
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), None, f"not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), None, "not UTF-8") from error
    except OSError as error:
        raise SettingsError(str(path), None, f"cannot be read: {error.strerror}") from error
    for key in values:
        if key not in Settings.model_fields:
            raise SettingsError(f"{key} in {path}", None, _no_such("setting", key, Settings.model_fields))
    return values


def _read_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {_PREFIX + name.upper() for name in Settings.model_fields} | _NOT_A_FIELD
    for variable in sorted(environ):
        if variable.startswith(_PREFIX) and variable not in known:
            raise SettingsError(variable, None, _no_such("variable", variable, known))
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environ.items() if name in known and value}
    try:
        return source()
    except SourceError as error:
        # The reason it gives is the value itself, which may hold a password.
        name = next((table for table in _TABLES if f'"{table}"' in str(error)), "stations")
        shown = None if name in _SECRETS else environ.get(_PREFIX + name.upper())
        raise SettingsError(_PREFIX + name.upper(), shown, "a JSON list") from None


def _translated(
    error: ValidationError, *, flags: Mapping[str, object], from_environ: Mapping[str, object], path: Path | None
) -> SettingsError:
    """The first complaint, about the setting as its source spells it."""
    complaints = error.errors(include_url=False)
    # A misspelt key is told of before the one that is missing because of it.
    first = next((one for one in complaints if one["type"] == "extra_forbidden"), complaints[0])
    message = first["msg"].removeprefix("Value error, ").replace("Input should be", "has to be", 1)
    if not first["loc"]:
        return SettingsError("settings" if path is None else str(path), None, message)
    name = str(first["loc"][0])
    within = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"][1:])
    if first["type"] == "extra_forbidden":
        known = _TABLES[name].model_fields if within else Settings.model_fields
        message = _no_such("setting", str(first["loc"][-1]), known)
    if name in flags:
        key = f"--{name.replace('_', '-')}"
    elif name in from_environ:
        key = _PREFIX + name.upper() + within
    else:
        key = f"{name}{within} in {path}"
    shown = None if name in _SECRETS or first["type"] in {"extra_forbidden", "missing"} else first["input"]
    if first["type"] == "string_pattern_mismatch":
        message = _in_words(name, str(first["loc"][-1])) or message
    return SettingsError(key, shown, message)


def _in_words(table: str, field: str) -> str:
    """What may be there, out of the description, after its colon: a pattern is nothing for people to read."""
    fields = _TABLES[table].model_fields if table in _TABLES else Settings.model_fields
    description = (fields[field].description if field in fields else None) or ""
    return description.partition(": ")[2] or description


def _no_such(kind: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"no such {kind}; " + (f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(names)}")


def _refuse_one_secret_for_two(settings: Settings) -> None:
    if settings.listen_key is not None and settings.listen_key == settings.token:
        expected = "another secret than the token: whoever has a link can try out on it what it was signed with"
        raise SettingsError("listen_key", None, expected)


def _refuse_open_door(settings: Settings, flags: Mapping[str, object]) -> None:
    if settings.binds_loopback or settings.lan or settings.token is not None:
        return
    raise SettingsError(
        "--host" if "host" in flags else "host",
        settings.host,
        "others could reach this address, but nothing guards the controls; either start with --lan, which makes "
        "a token, or set one yourself (AURALISD_TOKEN, or token_file in the configuration)",
    )
