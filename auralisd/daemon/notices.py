"""Sentences for listeners about what happens to the sound, as WebSocket messages."""

from __future__ import annotations

import json
from typing import Literal

from auralisd.transport.packet import websocket_frame

type NoticeCode = Literal["bed_on_air", "live_again", "device_lost", "quality_shed", "quality_full"]

_TEXTS: dict[NoticeCode, tuple[str, str]] = {
    "bed_on_air": ("warning", "The synthesiser is late; the last half minute plays on softly"),
    "live_again": ("info", "The music goes on"),
    "device_lost": ("warning", "The audio device was lost; the music goes on with the processor"),
    "quality_shed": ("warning", "This machine is busy; some of the sound is left out until it has time again"),
    "quality_full": ("info", "All of the sound is back"),
}


def sentence(code: NoticeCode) -> str:
    """What happened, as ``why`` tells it."""
    return _TEXTS[code][1]


def notice(code: NoticeCode) -> bytes:
    """A ``notice`` message, framed, for ``Broadcast.tell``."""
    level, text = _TEXTS[code]
    message = {"type": "notice", "level": level, "code": code, "text": text}
    return websocket_frame(json.dumps(message, separators=(",", ":")).encode(), text=True)
