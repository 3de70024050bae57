"""Icecast servers that a station is sent to: each target's settings and its password."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from auralisd.errors import SettingsError
from auralisd.settings.token import read_secret_file

TARGETS_MOST: Final = 16  # each is a connection, a queue and a label of the metrics
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

TargetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}$")]
PushFormat = Literal["mp3", "aac", "opus"]


class PushSettings(BaseModel):
    """One mount of one Icecast server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="The server, http:// or https://, with its port.")
    mount: str = Field(description="The mount that listeners ask it for.", max_length=200)
    format: PushFormat = Field(default="mp3", description="mp3, aac or opus.")
    station: str | None = Field(default=None, description="Which station; the default one where none is named.")
    user: str = Field(default="source", description="Whom the server knows us as.", pattern=r"^[^\x00-\x1f:]{1,64}$")
    password: SecretStr | None = Field(default=None, description="Better kept in password_file.")
    password_file: Path | None = Field(default=None, description="A file whose first line is the password.")
    name: TargetName | None = Field(default=None, description="In status, metrics and log; the mount where none is.")
    public: bool = Field(default=False, description="Whether the server may list it in public directories.")

    @field_validator("url")
    @classmethod
    def _url_is_a_server(cls, url: str) -> str:
        parts = urlsplit(url)
        _port = parts.port  # raises ValueError where it is not a port
        if "@" in parts.netloc:
            raise ValueError("an address without user and password; these have keys of their own")
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("http:// or https:// and a host, such as http://radio.example.org:8000")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("a server alone; what comes after it goes into mount")
        return f"{parts.scheme}://{parts.netloc.lower()}"

    @field_validator("mount")
    @classmethod
    def _mount_is_one_path(cls, mount: str) -> str:
        if not re.fullmatch(r"/[A-Za-z0-9._/~+-]+", mount):
            raise ValueError("a path such as /auralis.mp3")
        return mount

    @field_validator("password_file")
    @classmethod
    def _path_may_begin_at_home(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @model_validator(mode="after")
    def _there_is_one_password(self) -> PushSettings:
        if (self.password is None) == (self.password_file is None):
            raise ValueError("either password or password_file is needed")
        return self

    @property
    def label(self) -> str:
        """What status, metrics and log call it."""
        return self.name or self.mount.strip("/")

    @property
    def host(self) -> str:
        """The server's name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The server's port."""
        parts = urlsplit(self.url)
        return parts.port or DEFAULT_PORTS[parts.scheme]

    @property
    def tls(self) -> bool:
        """Whether the way there is encrypted."""
        return self.url.startswith("https:")


def with_passwords(targets: Iterable[PushSettings]) -> tuple[PushSettings, ...]:
    """The targets with the passwords that are kept in files.

    Raises:
        SettingsError: a file cannot be read or is empty.
    """
    return tuple(_with_password(target) for target in targets)


def _with_password(target: PushSettings) -> PushSettings:
    if target.password_file is None:
        return target
    secret = read_secret_file(target.password_file, key="password_file", what="password")
    if not secret.isprintable():
        raise SettingsError("password_file", str(target.password_file), "printable characters in its first line")
    return target.model_copy(update={"password": SecretStr(secret)})
