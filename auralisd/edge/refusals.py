"""Answers in the error form every part of the daemon uses, and the few words of HTTP around them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import trio

from auralisd.errors import FormatError, RequestRefusedError, UnknownNameError
from auralisd.wall_clock import unix_ms

type Headers = Iterable[tuple[str, str]]

_STATUS: Final = {"bad_request": 400, "unauthorized": 401, "forbidden": 403, "rate_limited": 429}
_LINGER_SECONDS = 1.0
_LINGER_BYTES = 65_536


def response_head(status: int, headers: Headers) -> bytes:
    """The head of an answer after which the connection closes.

    Header values are sent as UTF-8; what could end a header early is left out.
    """
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {_one_line(value)}" for name, value in headers]
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode()


def error_body(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The error form: ``code``, ``message``, ``timestamp`` in milliseconds since 1970, ``details`` of the field."""
    nothing = {"field": None, "value": None, "constraint": None}
    return {
        "error": {"code": code, "message": message, "timestamp": unix_ms(), "details": {**nothing, **(details or {})}}
    }


def unknown_name(error: UnknownNameError | FormatError, *, with_body: bool = True) -> bytes:
    """404 for a station or a format there is none of, with those there are."""
    kind = error.kind if isinstance(error, UnknownNameError) else "format"
    details = {"field": kind, "value": error.name, "constraint": f"one of {', '.join(error.known)}"}
    return refusal(404, "not_found", str(error), details={**details, "known": list(error.known)}, with_body=with_body)


def refused(error: RequestRefusedError, *, with_body: bool = True) -> bytes:
    """The answer to a request that is not carried out."""
    return refusal(
        _STATUS[error.code],
        error.code,
        str(error),
        details=error.details,
        headers=error.headers.items(),
        with_body=with_body,
    )


def refusal(
    status: int,
    code: str,
    message: str,
    *,
    details: Mapping[str, Any] | None = None,
    headers: Headers = (),
    with_body: bool = True,
) -> bytes:
    """A whole answer that says no; without its body for HEAD."""
    body = json.dumps(error_body(code, message, details), default=str).encode()
    head = response_head(
        status,
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *headers,
        ],
    )
    return head + body if with_body else head


async def answer(stream: trio.SocketStream, response: bytes) -> None:
    """Send a whole answer and close, so that the peer can read it even if it is still sending."""
    try:
        with trio.move_on_after(_LINGER_SECONDS):
            await stream.send_all(response)
            await linger(stream)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # who does not wait for the answer does not get it
    finally:
        await trio.aclose_forcefully(stream)


async def linger(stream: trio.SocketStream) -> None:
    """Say that nothing more comes, and wait a little until the peer has heard it.

    Closing a socket with unread bytes in it resets the connection, and the reset may
    overtake the answer.
    """
    await stream.send_eof()
    left = _LINGER_BYTES
    with trio.move_on_after(_LINGER_SECONDS):
        while left > 0:
            data = await stream.receive_some(left)
            if not data:
                return
            left -= len(data)


def _one_line(value: str) -> str:
    return "".join(character for character in value if character.isprintable())
