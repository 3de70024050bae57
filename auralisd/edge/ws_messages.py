"""The JSON beside the audio: each message as ``docs/protocol.md`` has it, framed and ready to send."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from auralisd import __version__
from auralisd.errors import ControlsError
from auralisd.station import AppliedChange, Station
from auralisd.transport.forms import Form
from auralisd.transport.listener import Farewell, Welcome
from auralisd.transport.packet import websocket_frame
from auralisd.units import CHANNELS, PACKET_FRAMES, floor_to_grid

PROTOCOL_VERSION: Final = 1
MAX_MESSAGE_BYTES: Final = 4096
FRAMES_PER_SECOND: Final = 50
BYTES_PER_MINUTE: Final = 65_536
CONTROLS_PER_SECOND: Final = 10


def json_frame(message: Mapping[str, Any]) -> bytes:
    """``message`` as one WebSocket text frame; raises ValueError for a NaN or an infinity."""
    text = json.dumps(message, separators=(",", ":"), allow_nan=False)
    return websocket_frame(text.encode(), text=True)


def hello(
    station: Station, form: Form, welcome: Welcome, *, may_control: bool, may_listen: bool = True
) -> dict[str, Any]:
    """The first message of a connection, and of each new epoch."""
    live_position = welcome.live_position
    sequence = welcome.sequence
    if live_position is None:  # the station sleeps; it will wake about here
        live_position = floor_to_grid(station.live_position(), PACKET_FRAMES)
        sequence = form.packet_codec.sequence_at(live_position) if form.packet_codec is not None else 0
    return {
        "type": "hello",
        "version": PROTOCOL_VERSION,
        "sample_rate": form.sample_rate_hz,
        "channels": CHANNELS,
        "frames_per_packet": form.packet_codec.coded_frames if form.packet_codec is not None else PACKET_FRAMES,
        "epoch": welcome.epoch,
        "sequence": sequence,
        "live_position": live_position,
        "resumed": welcome.resumed,
        "pre_skip": form.pre_skip,
        "station": station.summary().as_dict(),
        "controls": station.controls.as_dict(),
        "limits": {
            "may_control": may_control,
            "may_listen": may_listen,
            "max_message_bytes": MAX_MESSAGE_BYTES,
            "frames_per_second": FRAMES_PER_SECOND,
            "bytes_per_minute": BYTES_PER_MINUTE,
            "controls_per_second": CONTROLS_PER_SECOND,
        },
        "server": {"name": "auralisd", "version": __version__, "monotonic_seconds": time.monotonic()},
    }


def state(station: Station) -> dict[str, Any]:
    """What the station plays now and what comes next."""
    summary = station.summary()
    return {
        "type": "state",
        "controls": station.controls.as_dict(),
        **station.now_sounding().as_dict(),
        "listeners": summary.listeners,
        "station": summary.as_dict(),
    }


def applied(message_id: Any, change: AppliedChange) -> dict[str, Any]:
    """The answer to a control message that was taken."""
    return {
        "type": "applied",
        "id": message_id,
        "positions": dict(change.positions),
        "controls": change.controls.as_dict(),
    }


def authorized(link: str | None) -> dict[str, Any]:
    """The answer to the right token; where listening takes a link, with one."""
    return {"type": "authorized"} | ({} if link is None else {"listen": link})


def error(message_id: Any, code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The answer to a message that was not taken."""
    return {"type": "error", "id": message_id, "code": code, "message": message, "details": dict(details or {})}


def controls_error(message_id: Any, refused: ControlsError) -> dict[str, Any]:
    """The answer to a control message that names something out of range."""
    details = {"field": refused.field, "value": refused.value, "constraint": refused.constraint}
    return error(message_id, "invalid_controls", str(refused), details)


def pong(client_time: Any) -> dict[str, Any]:
    """The answer to a ping; ``server_time`` is of the clock that due times are given in."""
    return {"type": "pong", "client_time": client_time, "server_time": time.monotonic()}


def bye(farewell: Farewell) -> dict[str, Any]:
    """The last message before the connection closes."""
    return {"type": "bye", "reason": farewell.reason, "retry_ms": farewell.retry_ms}
