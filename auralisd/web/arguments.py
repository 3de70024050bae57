"""From a request's body or query to one validated value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from quart import Request

from auralisd.errors import RequestRefusedError
from auralisd.web.errors import invalid

MOST_FIELDS: Final = 100
"""Nothing here has as many; of thousands that nobody knows each would cost a complaint of its own."""

type JsonObject = dict[str, Any]


async def body_of(request: Request) -> JsonObject:
    """The body as a JSON object.

    Raises:
        RequestRefusedError: 415 for another type, 400 for what is not UTF-8, not JSON or not an object.
        werkzeug.exceptions.RequestEntityTooLarge, RequestTimeout: the body is too long, or too late.
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise RequestRefusedError("unsupported_media_type", "the body must be application/json in UTF-8")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise RequestRefusedError("unsupported_media_type", "the body must not be compressed")
    return decoded(await request.get_data(cache=False, as_text=False, parse_form_data=False))


def decoded(data: bytes) -> JsonObject:
    """Bytes as a JSON object.

    Raises:
        RequestRefusedError: 400.
    """
    try:
        value = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RequestRefusedError("bad_request", "the body is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise RequestRefusedError("bad_request", "the body is not JSON") from error
    if not isinstance(value, dict):
        raise RequestRefusedError("bad_request", "the body must be a JSON object")
    return value


def validated[Model: BaseModel](model: type[Model], given: Mapping[str, Any]) -> Model:
    """``given`` as a ``model``.

    Raises:
        RequestRefusedError: 422 for the first field that does not fit.
    """
    for name in islice(given, MOST_FIELDS, None):
        raise invalid(name, given[name], f"at most {MOST_FIELDS} fields are looked at")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        match first["type"]:
            case "missing":
                raise invalid(field, None, "it is needed") from error
            case "extra_forbidden":
                known = ", ".join(model.model_fields)
                raise invalid(field, first["input"], f"no such field; there is {known}") from error
            case _:
                raise invalid(field, first["input"], first["msg"]) from error


def query_of(request: Request) -> dict[str, str]:
    """The query's parameters.

    Raises:
        RequestRefusedError: 422 where one is given twice.
    """
    given: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        if name in given:
            raise invalid(name, value, "given twice")
        given[name] = value
    return given
