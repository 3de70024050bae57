"""Signed links: whoever has one may listen to one station until it runs out.

A link is an address with ``?listen=TOKEN``, and the token is ``l1.STATION.FORMAT.EXPIRES.SIGNATURE``: what it is good
for in plain words, ``-`` for any format, seconds since 1970, and HMAC-SHA256 over all of that. Nothing is kept of the
links that are given out; another key ends all of them.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PARAMETER: Final = "listen"
STREAM_FORMATS: Final = ("opus", "mp3", "flac", "aac", "wav")
HLS: Final = "hls"
LINK_FORMATS: Final = (*STREAM_FORMATS, HLS)
"""What a link may be narrowed to; one that is not narrowed is good for WebSockets, the page and exports too."""

DEFAULT_SECONDS: Final = 24 * 3600
LONGEST_SECONDS: Final = 10 * 365 * 24 * 3600

_VERSION: Final = "l1"
_PURPOSE: Final = b"auralisd listening links, version 1"
_ANY: Final = "-"
_TOKEN: Final = re.compile(
    r"(?P<signed>l1\.(?P<station>[a-z0-9][a-z0-9_-]{0,63})\.(?P<format>-|[a-z0-9]{1,16})\.(?P<expires>[1-9][0-9]{0,10}))"
    r"\.(?P<signature>[A-Za-z0-9_-]{43})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a link is good for.

    Attributes:
        station: the station's id.
        expires_at_seconds: since 1970; from then on it is good for nothing.
        format: one of `LINK_FORMATS`, or None for every way to listen.
    """

    station: str
    expires_at_seconds: int
    format: str | None = None

    def covers(self, station: str, form: str | None) -> bool:
        """Whether it is for ``station`` in ``form``; None asks for what no single format stands for."""
        return self.station == station and self.format in (None, form)


class LinkKey:
    """Makes links and knows its own."""

    def __init__(self, secret: str) -> None:
        """Derive the key from ``secret``, which thereby signs nothing else."""
        self._key = hmac.digest(secret.encode(), _PURPOSE, "sha256")

    def __repr__(self) -> str:
        """Without the key."""
        return "LinkKey(...)"

    def token(self, grant: Grant) -> str:
        """The token of a link.

        Raises:
            ValueError: no token says such a thing.
        """
        signed = ".".join((_VERSION, grant.station, grant.format or _ANY, str(grant.expires_at_seconds)))
        token = f"{signed}.{self._signature(signed)}"
        if not _TOKEN.fullmatch(token) or grant.format not in (None, *LINK_FORMATS):
            raise ValueError(f"no link can be good for {grant}")
        return token

    def read(self, token: str) -> Grant | None:
        """What ``token`` is good for, expired or not; None if it was not made with this key."""
        parts = _TOKEN.fullmatch(token)
        # As text: several spellings of base64 stand for the same bytes, and only one is ours.
        if parts is None or not hmac.compare_digest(parts["signature"], self._signature(parts["signed"])):
            return None
        form = None if parts["format"] == _ANY else parts["format"]
        return Grant(station=parts["station"], expires_at_seconds=int(parts["expires"]), format=form)

    def _signature(self, signed: str) -> str:
        digest = hmac.digest(self._key, signed.encode("ascii"), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def addresses(base_url: str, grant: Grant, token: str | None, *, hls: bool) -> Mapping[str, str]:
    """Every address that ``token`` opens, by what it is: the page, streams by format, playlists, HLS.

    Args:
        base_url: where the daemon answers, without a slash at the end.
        grant: what the token says.
        token: goes into each address; None where listening takes none.
        hls: whether the station is written as HLS.
    """
    station = f"{base_url}/stations/{grant.station}"
    streams = [form for form in STREAM_FORMATS if grant.covers(grant.station, form)]
    found: dict[str, str] = {}
    if grant.format is None:
        found["page"] = with_token(f"{base_url}/?station={grant.station}", token)
    found |= {form: with_token(f"{station}/stream.{form}", token) for form in streams}
    if streams:
        narrowed = "" if grant.format is None else f"?format={grant.format}"
        found |= {kind: with_token(f"{station}/listen.{kind}{narrowed}", token) for kind in ("m3u", "pls")}
    if hls and grant.covers(grant.station, HLS):
        found[HLS] = with_token(f"{base_url}/hls/{grant.station}/index.m3u8", token)
    return found


def with_token(address: str, token: str | None) -> str:
    """``address`` with ``token`` at its end; as it is where there is none."""
    if token is None:
        return address
    return f"{address}{'&' if '?' in address else '?'}{PARAMETER}={token}"
