"""The description of the API, written from the operations that are its routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from auralisd.web.errors import ERROR_STATUS
from auralisd.web.operations import JSON_TYPE, Operation
from auralisd.web.schema.outgoing import ErrorBody

_REF: Final = "#/components/schemas/{model}"
_PATH_PARAMETERS: Final[Mapping[str, str]] = {"id": "The station's name in URLs.", "name": "The preset's name."}

_ERROR_WORDS: Final[Mapping[str, str]] = {
    "bad_request": "The body is not UTF-8, not JSON or not an object.",
    "unauthorized": "A token is needed, or a link to listen.",
    "forbidden": "The token, the link or the page's origin is not allowed to do this.",
    "not_found": "There is no such station, preset or address.",
    "method_not_allowed": "The address has other methods, see `Allow`.",
    "request_timeout": "The body did not arrive in time.",
    "conflict": "The name is taken, or what it names has to stay.",
    "too_large": "The body is longer than 64 KiB.",
    "unsupported_media_type": "The body is not application/json.",
    "misdirected": "The server does not answer for this Host.",
    "invalid_controls": "A field is unknown or out of range; nothing was changed.",
    "rate_limited": "More than 10 changes a second, or too many wrong links and tokens; see `Retry-After`.",
    "internal": "A fault of the server.",
    "unavailable": "Not now; see `Retry-After`.",
}

_DESCRIPTION: Final = """\
Listening is open to everybody who reaches the server, or where `listen_access = "signed"` to those with a link
(`?listen=TOKEN` in the address) and to those who may change things. Changes need the token that `auralisd token`
shows; on the machine itself, without a proxy, they do not. Every refusal has the same form.
Positions count the station's programme in frames, 44,100 a second; within an epoch they never go back.

Sound is not in this description: `GET /stream.{opus,mp3,flac,aac,wav}` and
`GET /stations/{id}/stream.{format}` play in anything, `/listen.m3u` and `/listen.pls` are playlists, and so is
`/hls/{id}/index.m3u8` where HLS is written.
"""


def openapi_document(operations: Iterable[Operation], *, version: str, token_always_needed: bool) -> dict[str, Any]:
    """The OpenAPI 3.1 document.

    Args:
        operations: the routes.
        version: the program's.
        token_always_needed: False where the machine's own user may change things without.
    """
    rows = tuple(operations)
    security: list[dict[str, list[str]]] = [{"bearer": []}]
    if not token_always_needed:
        security.append({})
    paths: dict[str, dict[str, Any]] = {}
    for operation in rows:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, security)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Auralis",
            "summary": "Endless ambient music, composed and played by this machine.",
            "description": _DESCRIPTION,
            "version": version,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in rows)],
        "paths": paths,
        "components": {
            "schemas": dict(_schemas(rows)),
            "responses": {code: _error_response(code) for code in ERROR_STATUS},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "`auralisd token` shows it."}
            },
        },
    }


def error_codes(operation: Operation) -> tuple[str, ...]:
    """Every refusal the operation can answer with, by status."""
    codes = {"misdirected", "rate_limited", "internal", *operation.errors}
    if "{" in operation.path:
        codes.add("not_found")
    if operation.arguments is not None:
        codes.add("invalid_controls")
    if operation.changes_things:
        codes |= {"unauthorized", "forbidden", "unavailable"}
    if operation.has_body:
        codes |= {"bad_request", "request_timeout", "too_large", "unsupported_media_type"}
    return tuple(sorted(codes, key=ERROR_STATUS.__getitem__))


def _described(operation: Operation, security: list[dict[str, list[str]]]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": security if operation.changes_things else [],
        "responses": {str(operation.status): _success(operation)}
        | {str(ERROR_STATUS[code]): {"$ref": f"#/components/responses/{code}"} for code in error_codes(operation)},
    }
    if operation.description:
        described["description"] = operation.description
    parameters = [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", operation.path)]
    if operation.has_body:
        described["requestBody"] = {"required": True, "content": _content(operation.arguments)}
    elif operation.arguments is not None:
        parameters += _query_parameters(operation.arguments)
    if parameters:
        described["parameters"] = parameters
    return described


def _success(operation: Operation) -> dict[str, Any]:
    response: dict[str, Any] = {"description": operation.summary + "."}
    if operation.answer is not None:
        response["description"] = (operation.answer.__doc__ or operation.summary).strip()
        response["content"] = _content(operation.answer)
    elif operation.media_type:
        response["content"] = {operation.media_type: {"schema": {"type": "string"}}}
    if operation.status == 201 and operation.name == "add_station":
        response["headers"] = {"Location": {"description": "Its address.", "schema": {"type": "string"}}}
    return response


def _content(model: type[BaseModel] | None) -> dict[str, Any]:
    assert model is not None
    return {JSON_TYPE: {"schema": {"$ref": _REF.format(model=model.__name__)}}}


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": _PATH_PARAMETERS[name], "schema": schema}


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    properties = model.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.get("description", ""),
            "schema": {key: value for key, value in schema.items() if key not in ("description", "title")},
        }
        for name, schema in properties.items()
    ]


def _error_response(code: str) -> dict[str, Any]:
    response: dict[str, Any] = {"description": _ERROR_WORDS[code], "content": _content(ErrorBody)}
    headers = {
        "unauthorized": ("WWW-Authenticate", "Bearer"),
        "method_not_allowed": ("Allow", "The methods there are."),
        "rate_limited": ("Retry-After", "Seconds to wait."),
        "unavailable": ("Retry-After", "Seconds to wait."),
    }.get(code)
    if headers is not None:
        name, words = headers
        response["headers"] = {name: {"description": words, "schema": {"type": "string"}}}
    return response


@cache
def _schemas(operations: tuple[Operation, ...]) -> Mapping[str, Any]:
    """The models as JSON schema; pydantic takes 20 ms for it, so once in a process."""
    bodies = {row.arguments for row in operations if row.has_body and row.arguments is not None}
    answers = {row.answer for row in operations if row.answer is not None} | {ErrorBody}
    _, definitions = models_json_schema(
        [
            *((model, "validation") for model in sorted(bodies, key=lambda model: model.__name__)),
            *((model, "serialization") for model in sorted(answers, key=lambda model: model.__name__)),
        ],
        ref_template=_REF,
    )
    return MappingProxyType(dict(sorted(definitions["$defs"].items())))
