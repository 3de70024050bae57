"""How the daemon is set up: one frozen value, built once out of flags, environment and file."""

from auralisd.settings.example import example_toml
from auralisd.settings.files import config_search_path, find_config_file
from auralisd.settings.load import Reloaded, load_settings, reloaded, with_listen_key, with_token
from auralisd.settings.model import ALWAYS_THERE, RELOADABLE, STATION_ID_PATTERN, Settings, StationSettings
from auralisd.settings.push import PushFormat, PushSettings
from auralisd.settings.token import TOKEN_FILE_NAME, create_listen_key, create_token, read_token_file

__all__ = [
    "ALWAYS_THERE",
    "RELOADABLE",
    "STATION_ID_PATTERN",
    "TOKEN_FILE_NAME",
    "PushFormat",
    "PushSettings",
    "Reloaded",
    "Settings",
    "StationSettings",
    "config_search_path",
    "create_listen_key",
    "create_token",
    "example_toml",
    "find_config_file",
    "load_settings",
    "read_token_file",
    "reloaded",
    "with_listen_key",
    "with_token",
]
