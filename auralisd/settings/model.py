"""The settings themselves: names, defaults, and what each may be.

The description of a field is what ``auralisd config --example`` prints above it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from auralisd.access import is_loopback_name
from auralisd.controls import Controls, merge_change
from auralisd.errors import ControlsError
from auralisd.score import LARGEST_SEED
from auralisd.settings.files import default_state_dir
from auralisd.settings.push import TARGETS_MOST, PushSettings
from auralisd.settings.token import SHORTEST_LISTEN_KEY

ALL_ADDRESSES: Final = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104 - names what is refused without a token
STATION_ID_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,63}$"
ALWAYS_THERE: Final = "main"
"""The station that needs no mention and cannot be removed."""

HLS_FORMATS: Final = ("aac", "opus", "flac")

RELOADABLE: Final = frozenset(
    {
        "public_url",
        "allowed_hosts",
        "allowed_origins",
        "log_level",
        "max_listeners",
        "max_connections",
        "max_connections_per_address",
    }
)
"""What SIGHUP changes while the music plays; everything else waits for a restart."""

type Words = Annotated[tuple[str, ...], NoDecode]
"""Several values: a list in TOML, separated by commas in the environment."""

Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
StationId = Annotated[str, Field(pattern=STATION_ID_PATTERN)]
Title = Annotated[str, Field(min_length=1, max_length=80)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where settings were read, so that they can be read again.

    Attributes:
        flags: what the command line gave.
        environ: the environment then.
        config_file: the file the command line named, or None.
        found_file: the file that was read, or None where there was none.
    """

    flags: Mapping[str, object]
    environ: Mapping[str, str]
    config_file: Path | None
    found_file: Path | None


class StationSettings(BaseModel):
    """A station that is there from the start, beside ``main`` (or in its place, under that id)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: StationId = Field(description="The name in URLs: lower-case letters, digits, - and _.")
    title: Title | None = Field(default=None, description="What players show; the id where there is none.")
    seed: Seed | None = Field(default=None, description="The piece that is played; drawn once where there is none.")
    preset: str | None = Field(default=None, description="What a new station begins with.")
    controls: Mapping[str, Any] = Field(default_factory=dict, description="Controls on top of the preset.")
    pinned: bool = Field(default=False, description="Whether it plays on while nobody listens.")

    @field_validator("controls")
    @classmethod
    def _controls_are_in_range(cls, controls: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return merge_change(Controls(), controls)[1]
        except ControlsError as error:
            raise ValueError(str(error)) from error


class Settings(BaseSettings):
    """Everything an operator decides, whole and frozen.

    ``Settings(...)`` takes nothing from the environment or from files; ``load_settings`` does.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AURALISD_", env_ignore_empty=True)

    host: str = Field(
        default="127.0.0.1", description="Address to listen on. Anything but loopback needs a token (or lan = true)."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port, 1 to 65535; 0 takes any free one.")
    lan: bool = Field(
        default=False, description="Listen on all addresses; the token for steering is made at the first start."
    )
    state_dir: Path = Field(
        default_factory=lambda: default_state_dir(os.environ),
        description="Where stations, presets and the token are kept; without it $STATE_DIRECTORY, "
        "then $XDG_STATE_HOME/auralisd.",
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="What renders the sound: auto (cuda, else mps, else cpu), cpu, cuda, cuda:N or mps.",
    )
    compiled_kernel: bool = Field(
        default=True,
        description="Whether voices are played and mixed by code compiled for this processor, where a compiler is "
        "installed (uv sync --extra kernel); false: torch alone.",
    )
    title: Title = Field(
        default="Auralis",
        description="What the station main is called in a fresh state; later the page and the API rename it.",
    )
    seed: Seed | None = Field(
        default=None,
        description=f"The piece main plays in a fresh state, 0 to {LARGEST_SEED}; drawn where it is not set.",
    )
    preset: str | None = Field(
        default="Focus", description="What main begins with in a fresh state: Focus, Meditation, Sleep or Bright."
    )
    default_station: StationId = Field(
        default=ALWAYS_THERE, description="The station that /stream.opus and the page play."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="text for people, json for programs; one event a line."
    )
    token: SecretStr | None = Field(
        default=None, description="The secret that opens the controls from elsewhere. Better kept in token_file."
    )
    token_file: Path | None = Field(default=None, description="A file whose first line is the token.")
    allow_root: bool = Field(
        default=False, description="Whether root may open an address to others, as is usual in a container."
    )
    listen_access: Literal["open", "signed"] = Field(
        default="open",
        description="open: whoever reaches the address may listen. signed: listening takes a link that runs out, which "
        "`auralisd token --listen` makes; whoever may steer may listen too.",
    )
    listen_key: SecretStr | None = Field(
        default=None,
        description="What links are signed with; another one ends all links. Better kept in listen_key_file.",
    )
    listen_key_file: Path | None = Field(
        default=None,
        description="A file whose first line is the listen key; without it the key is made in state_dir when needed.",
    )
    public_url: str | None = Field(
        default=None, description="Where a reverse proxy shows the daemon, such as https://music.example.org."
    )
    allowed_hosts: Words = Field(
        default=(), description="Further names to answer for; addresses and home-network names need no mention."
    )
    allowed_origins: Words = Field(
        default=(),
        description="Pages of other sites that may listen and steer over WebSocket, such as https://panel.example.org.",
    )
    trusted_proxies: Words = Field(
        default=(),
        description="Addresses or networks of reverse proxies: they tell us whom they speak for (X-Forwarded-For), "
        "and their own connections are not counted per address.",
    )
    max_listeners: int = Field(default=2000, ge=1, description="Listeners at a time, over all stations.")
    max_connections: int = Field(default=4096, ge=1, description="Connections at a time, in total.")
    max_connections_per_address: int = Field(
        default=64, ge=1, description="Connections at a time from one address; loopback and proxies are not counted."
    )
    hls: Words = Field(
        default=(),
        description="Stations that are also written as HLS, at /hls/ID/index.m3u8; they play on while nobody listens.",
    )
    hls_formats: Words = Field(default=("aac", "opus"), description="Formats of HLS: aac, opus, flac.")
    hls_dir: Path | None = Field(
        default=None, description="Where HLS is written, a folder for each station; in state_dir where it is not set."
    )
    stations: tuple[StationSettings, ...] = Field(default=(), description="Further stations.")
    push: tuple[PushSettings, ...] = Field(
        default=(), max_length=TARGETS_MOST, description="Icecast servers that stations are sent to."
    )

    _sources: Sources | None = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in; the order of the other sources is ``load_settings``'s to show."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator("allowed_hosts", "allowed_origins", "trusted_proxies", "hls", "hls_formats", mode="before")
    @classmethod
    def _split_at_commas(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("log_level", "log_format", "listen_access", mode="before")
    @classmethod
    def _whatever_the_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not host or any(c in host for c in "/:@* "):
                raise ValueError("names without scheme, port or wildcard, such as music.example.org")
        return tuple(host.lower() for host in hosts)

    @field_validator("allowed_origins")
    @classmethod
    def _origins_are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_origin(origin) for origin in origins)

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_origin(cls, url: str | None) -> str | None:
        return None if url is None else _origin(url)

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(proxy, strict=False)) for proxy in proxies)

    @field_validator("state_dir", "token_file", "listen_key_file", "hls_dir")
    @classmethod
    def _paths_may_begin_at_home(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("hls")
    @classmethod
    def _hls_stations_are_ids(cls, stations: tuple[str, ...]) -> tuple[str, ...]:
        for station in stations:
            if not re.fullmatch(STATION_ID_PATTERN, station):
                raise ValueError("ids of stations, such as main")
        return tuple(dict.fromkeys(stations))

    @field_validator("hls_formats")
    @classmethod
    def _hls_formats_are_known(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if not formats or not set(formats) <= set(HLS_FORMATS):
            raise ValueError(f"one or more of {', '.join(HLS_FORMATS)}")
        return tuple(dict.fromkeys(formats))

    @field_validator("token")
    @classmethod
    def _token_fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        secret = token.get_secret_value() if token else None
        if secret is not None and (not secret or not all("!" <= c <= "~" for c in secret)):
            raise ValueError("printable ASCII without spaces")
        return token

    @field_validator("listen_key")
    @classmethod
    def _listen_key_is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < SHORTEST_LISTEN_KEY:
            raise ValueError(f"{SHORTEST_LISTEN_KEY} characters or more, drawn by chance")
        return key

    @model_validator(mode="after")
    def _stations_fit_together(self) -> Settings:
        ids = [station.id for station in self.stations]
        for station_id in ids:
            if ids.count(station_id) > 1:
                raise ValueError(f"two stations are called {station_id!r}")
        if self.default_station not in {ALWAYS_THERE, *ids}:
            known = ", ".join(sorted({ALWAYS_THERE, *ids}))
            raise ValueError(f"default_station {self.default_station!r} is none of the stations: {known}")
        return self

    @model_validator(mode="after")
    def _push_targets_fit_together(self) -> Settings:
        labels = [target.label for target in self.push]
        mounts = [(target.url, target.mount) for target in self.push]
        if len(set(mounts)) < len(mounts):
            raise ValueError("two push targets are the same mount of the same server")
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if labels.count(label) > 1)
            raise ValueError(f"two push targets are called {twice!r}; give one another name")
        return self

    @property
    def sources(self) -> Sources | None:
        """Where they were read; None for settings that were made by hand."""
        return self._sources

    def read_from(self, sources: Sources) -> Settings:
        """The same settings, remembering where they were read."""
        remembering = self.model_copy()
        remembering._sources = sources
        return remembering

    @property
    def bind_host(self) -> str | None:
        """The address to bind, or None for all of them, IPv4 and IPv6."""
        everywhere = self.host in ALL_ADDRESSES - {"0.0.0.0", "::"}  # noqa: S104 - these two mean one family each
        return None if everywhere or (self.lan and is_loopback_name(self.host)) else self.host

    @property
    def binds_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.bind_host is not None and is_loopback_name(self.bind_host)

    def hls_folder(self, station_id: str) -> Path:
        """Where HLS of a station is written."""
        return (self.hls_dir or self.state_dir / "hls") / station_id

    @property
    def token_text(self) -> str | None:
        """The token itself, for the access policy; never for a log."""
        return None if self.token is None else self.token.get_secret_value()

    @property
    def listen_key_text(self) -> str | None:
        """The key that links are signed with; never for a log."""
        return None if self.listen_key is None else self.listen_key.get_secret_value()


def _origin(url: str) -> str:
    """``scheme://host[:port]`` in lower case.

    Raises:
        ValueError: it is not an http origin, or says more than an origin does.
    """
    parts = urlsplit(url)
    _port = parts.port  # raises ValueError where it is not a port
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("http:// or https:// and a host, such as https://music.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("no path after the host: the daemon answers at the root of a site")
    return f"{parts.scheme}://{parts.netloc.lower()}"
