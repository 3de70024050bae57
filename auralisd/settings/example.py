"""The example configuration, made from the settings themselves so that it is always right."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from auralisd.settings.model import RELOADABLE, Settings, StationSettings
from auralisd.settings.push import PushSettings

_WIDTH: Final = 88
_HEADER: Final = """\
# Configuration of auralisd. Every key with its default; to change one, take away the # before it.
# Flags and AURALISD_* variables outrank this file: port is also --port and AURALISD_PORT.
# Keys marked (reload) change while the music plays: kill -HUP, or systemctl reload auralisd.
"""
_STATION_EXAMPLE: Final = {"id": "night", "title": "Night", "seed": 7, "preset": "Sleep", "pinned": False}
_PUSH_EXAMPLE: Final = {
    "url": "http://radio.example.org:8000",
    "mount": "/auralis.mp3",
    "format": "mp3",
    "station": "main",
    "user": "source",
    "password_file": "/etc/auralisd/icecast-password",
    "name": "radio",
    "public": False,
}
_TABLES: Final = frozenset({"stations", "push"})
_UNSET_EXAMPLES: Final = {
    "seed": 7,
    "state_dir": "/var/lib/auralisd",
    "token": "at-least-as-long-as-this-one",
    "token_file": "/etc/auralisd/token",
    "listen_key": "thirty-two-characters-drawn-by-chance",
    "listen_key_file": "/etc/auralisd/listen-key",
    "hls_dir": "/srv/auralisd-hls",
    "public_url": "https://music.example.org",
}


def example_toml() -> str:
    """A TOML file that names every setting, all of them commented out."""
    lines = [_HEADER]
    for name, field in Settings.model_fields.items():
        if name not in _TABLES:
            lines += [*_comment(name, field), f"#{name} = {_toml(_shown_value(name, field))}", ""]
    lines += [
        "# Further stations, each at /stations/ID/stream.opus. One called main changes the one that is always there.",
        "#[[stations]]",
        *_table(StationSettings, _STATION_EXAMPLE),
        "#[stations.controls]  # Controls on top of the preset.",
        "#brightness = 0.3",
        "#layers.bells = -12",
        "#night = true",
        "",
        "# Icecast servers that a station is sent to, one table each.",
        "#[[push]]",
        *_table(PushSettings, _PUSH_EXAMPLE),
    ]
    return "\n".join(lines) + "\n"


def _table(model: type[BaseModel], example: Mapping[str, object]) -> list[str]:
    fields = model.model_fields
    return [f"#{name} = {_toml(value)}  # {fields[name].description}" for name, value in example.items()]


def _comment(name: str, field: FieldInfo) -> list[str]:
    unset = " Not set by default." if name in _UNSET_EXAMPLES else ""
    text = f"{field.description}{unset}{' (reload)' if name in RELOADABLE else ''}"
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _shown_value(name: str, field: FieldInfo) -> object:
    return _UNSET_EXAMPLES[name] if field.default in (None, PydanticUndefined) else field.default


def _toml(value: object) -> str:
    """A number, truth value, string or list of strings as TOML writes it, which is as JSON does."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
