"""The conversation beside the audio: what a client may say on its WebSocket, and what it is answered."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import structlog
import trio

from auralisd.edge import ws_messages as messages
from auralisd.edge.door_context import DoorContext
from auralisd.edge.rooms import Room
from auralisd.errors import AuralisError, ControlsError
from auralisd.rate_limit import RateLimit

log = structlog.get_logger(__name__)


class Session:
    """One client's side of the conversation.

    Attributes:
        may_control: whether it may change things.
    """

    def __init__(self, context: DoorContext, room: Room, *, client: str, may_control: bool) -> None:
        """Begin for a client known by its address."""
        self.may_control = may_control
        self._context = context
        self._room = room
        self._client = client
        self._controls = RateLimit(per_second=messages.CONTROLS_PER_SECOND, burst=messages.CONTROLS_PER_SECOND)

    def reply_to(self, text: str | bytes) -> dict[str, Any] | None:
        """The answer to one message, or None where none is due. Nothing a client says raises."""
        try:
            message = _parsed(text)
        except ValueError as error:
            return messages.error(None, "bad_request", str(error))
        message_id = message.get("id") if isinstance(message.get("id"), str | int) else None
        try:
            return self._dispatch(message, message_id)
        except ControlsError as error:
            return messages.controls_error(message_id, error)
        except AuralisError as error:
            return messages.error(message_id, "bad_request", str(error))
        except Exception as error:  # a fault of ours must not end the music of the one who met it
            self._context.metrics.connection_error_contained("websocket")
            log.exception("a message could not be answered", error=repr(error))
            return messages.error(message_id, "internal", "something went wrong here; the music goes on")

    def _dispatch(self, message: Mapping[str, Any], message_id: Any) -> dict[str, Any] | None:
        kind = message.get("type")
        if kind == "control":
            return self._control(message, message_id)
        if kind == "authorize":
            return self._authorize(message, message_id)
        if kind == "ping":
            return messages.pong(_number_or_none(message.get("client_time")))
        if kind == "stats":
            underruns = _number_or_none(message.get("underruns"))
            self._context.metrics.client_underruns(max(0, min(1000, int(underruns or 0))))
            return None
        known = "authorize, control, ping, stats"
        return messages.error(message_id, "bad_request", f"no such type of message; there are {known}", {"value": kind})

    def _control(self, message: Mapping[str, Any], message_id: Any) -> dict[str, Any]:
        if not self.may_control:
            return messages.error(
                message_id, "unauthorized", "this connection may only listen; authorize with the token first"
            )
        if not self._controls.allows(trio.current_time()):
            return messages.error(
                message_id,
                "rate_limited",
                f"at most {messages.CONTROLS_PER_SECOND} changes a second",
                {"retry_after_seconds": round(self._controls.retry_after_seconds(), 3)},
            )
        controls = message.get("controls")
        if not isinstance(controls, dict) or not controls:
            details = {"field": "controls", "constraint": "an object with at least one control"}
            return messages.error(message_id, "bad_request", "a control message names the controls to change", details)
        return messages.applied(message_id, self._room.station.change_controls(controls, cause="ws"))

    def _authorize(self, message: Mapping[str, Any], message_id: Any) -> dict[str, Any]:
        tries = self._context.admission.guesses.of(self._client)
        if not tries.allows(trio.current_time()):
            details = {"retry_after_seconds": round(tries.retry_after_seconds(), 1)}
            return messages.error(message_id, "rate_limited", "too many tries; wait a moment", details)
        token = message.get("token")
        if not isinstance(token, str) or not self._context.policy.token_matches(token):
            return messages.error(message_id, "unauthorized", "that is not this server's token")
        tries.give_back()  # a page shows its token on every connection; only guesses are counted
        self.may_control = True
        return messages.authorized(self._fresh_link())

    def _fresh_link(self) -> str | None:
        """A link for the connections that a page opens next: browsers let it show the token on none of them."""
        admission = self._context.admission
        return admission.token(admission.grant(self._room.station.id))


def _parsed(text: str | bytes) -> dict[str, Any]:
    """``text`` as a JSON object; raises ValueError with what is wrong."""
    if isinstance(text, bytes):
        raise ValueError("messages are text frames of JSON")  # noqa: TRY004 (one kind of refusal for all)
    try:
        message = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise ValueError("the message is not JSON") from None
    if not isinstance(message, dict):
        raise ValueError("the message is not a JSON object")  # noqa: TRY004
    return message


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _number_or_none(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer too long for a float
        return None
