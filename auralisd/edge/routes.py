"""Which requests the front door answers itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_STATION: Final = r"(?:/stations/(?P<station>[^/]+))?"
_STREAM: Final = re.compile(_STATION + r"/stream\.(?P<form>[A-Za-z0-9]+)")
_PLAYLIST: Final = re.compile(_STATION + r"/listen\.(?P<kind>m3u|pls)")
_WEBSOCKET: Final = re.compile(r"/ws" + _STATION + r"/stream")


@dataclass(frozen=True, slots=True)
class StreamRoute:
    """An endless stream; ``station`` None is the default one."""

    station: str | None
    form: str


@dataclass(frozen=True, slots=True)
class PlaylistRoute:
    """A playlist of ``kind`` ``m3u`` or ``pls``."""

    station: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class WebSocketRoute:
    """A WebSocket with sound, state and controls."""

    station: str | None


type Route = StreamRoute | PlaylistRoute | WebSocketRoute


def route_of(path: str) -> Route | None:
    """What ``path`` asks the front door for; None for the web app."""
    if match := _STREAM.fullmatch(path):
        return StreamRoute(match["station"], match["form"].lower())
    if match := _PLAYLIST.fullmatch(path):
        return PlaylistRoute(match["station"], match["kind"])
    if match := _WEBSOCKET.fullmatch(path):
        return WebSocketRoute(match["station"])
    return None
