"""The one form in which every refusal leaves the web side, and which fault becomes which."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, RequestTimeout

from auralisd.errors import (
    ConflictError,
    ControlsError,
    MemoryShortError,
    RequestRefusedError,
    StorageError,
    UnknownNameError,
)

ERROR_STATUS: Final[Mapping[str, int]] = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "conflict": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "misdirected": 421,
    "invalid_controls": 422,
    "rate_limited": 429,
    "internal": 500,
    "unavailable": 503,
}
"""Every code there is and its status."""

BODY_BYTES_MAX: Final = 64 * 1024
_SHOWN_CHARACTERS_MAX: Final = 200
_WHOLE_IN_JSON: Final = 2**53


def refusal_of(error: Exception) -> RequestRefusedError:
    """What the client is told of ``error``; of anything unforeseen, nothing but that it happened."""
    match error:
        case RequestRefusedError():
            return error
        case ControlsError(field=field, value=value, constraint=constraint):
            return invalid(field, value, constraint)
        case UnknownNameError(kind=kind, name=name, known=known):
            wanted = f"one of {', '.join(known)}" if known else f"there is no {kind}"
            return RequestRefusedError("not_found", str(error), details=_details(kind, name, wanted))
        case ConflictError(kind=kind, name=name):
            return RequestRefusedError("conflict", str(error), details=_details(kind, name, None))
        case MemoryShortError():
            return RequestRefusedError("unavailable", str(error), headers={"Retry-After": "60"})
        case StorageError():
            message = "the state cannot be saved just now; the server's log says why"
            return RequestRefusedError("unavailable", message, headers={"Retry-After": "5"})
        case HTTPException():
            return _refusal_of_http(error)
        case _:
            return RequestRefusedError("internal", "something went wrong here; the server's log says what")


def invalid(field: str, value: Any, constraint: str) -> RequestRefusedError:
    """A value that was understood and cannot be taken."""
    shown = shown_value(value)
    message = f"{field} cannot be {shown!r}: {constraint}"
    return RequestRefusedError("invalid_controls", message, details=_details(field, shown, constraint))


def error_body(refusal: RequestRefusedError, *, unix_ms: int) -> dict[str, Any]:
    """The error form."""
    return {
        "error": {
            "code": refusal.code,
            "message": str(refusal),
            "timestamp": unix_ms,
            "details": _details(None, None, None) | refusal.details,
        }
    }


def shown_value(value: Any) -> Any:
    """``value`` as an answer may repeat it: short, and a value that JSON has."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= _WHOLE_IN_JSON:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    text = value if isinstance(value, str) else _written(value)
    if len(text) > _SHOWN_CHARACTERS_MAX:
        text = text[:_SHOWN_CHARACTERS_MAX] + "…"
    return text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is no character


def _written(value: Any) -> str:
    try:
        return str(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, a nest of thousands of lists
        return f"a {type(value).__name__}"


def _details(field: str | None, value: Any, constraint: str | None) -> dict[str, Any]:
    return {"field": field, "value": shown_value(value), "constraint": constraint}


def _refusal_of_http(error: HTTPException) -> RequestRefusedError:
    match error:
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            message = f"this address answers {allowed or 'no method'} only"
            return RequestRefusedError("method_not_allowed", message, headers={"Allow": allowed})
        case RequestEntityTooLarge():
            return RequestRefusedError("too_large", f"a body may have {BODY_BYTES_MAX} bytes at most")
        case RequestTimeout():
            return RequestRefusedError("request_timeout", "the body did not arrive in time")
        case HTTPException(code=404):
            return RequestRefusedError("not_found", "there is nothing at this address; /docs lists what there is")
        case _:
            return RequestRefusedError("bad_request", "the request cannot be understood")
