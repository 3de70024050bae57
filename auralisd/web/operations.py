"""An operation of the API: one row that is both the route and its description.

The app registers its routes from these rows and ``/openapi.json`` is written from the
same ones, so that the description cannot lag behind.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from pydantic import BaseModel
from quart import Quart, Response, request
from quart_trio.wrappers.response import TrioFileBody, TrioResponse

from auralisd.access import RequestFacts
from auralisd.web.arguments import body_of, query_of, validated
from auralisd.web.dependencies import WebDependencies
from auralisd.web.guard import Guard, client_of, facts_of

JSON_TYPE: Final = "application/json"
FILE_READ_BYTES: Final = 262_144  # a read goes through a thread; at 256 KiB that costs less than the sending


@dataclass(frozen=True, slots=True, kw_only=True)
class Call[Arguments]:
    """One request, as a handler sees it.

    Attributes:
        path: the variable parts of the path, decoded.
        arguments: the validated body or query; None where the operation has none.
        facts: who is asking.
        client: the address it is known by, for limits.
        may_control: whether the same client may change things.
    """

    path: Mapping[str, str]
    arguments: Arguments
    facts: RequestFacts
    client: str
    may_control: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler gives back: ``content``, or a file that is sent as it is."""

    content: bytes | Path
    status: int = 200
    media_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """``value`` as JSON; NaN is a fault here, not an answer."""
    content = json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")
    return Answer(content=content, status=status, headers=headers or {})


class Handler(Protocol):
    """Carries out an operation; refuses by raising."""

    def __call__(self, deps: WebDependencies, call: Call[Any], /) -> Awaitable[Answer]:
        """Answer one call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        method: ``GET``, ``POST``, ``PATCH`` or ``DELETE``; all but GET are changes.
        path: as OpenAPI writes it, ``/api/v1/stations/{id}``.
        name: unique, for programs that are generated from the description.
        summary: one line.
        tag: the chapter it belongs to.
        handler: what carries it out.
        arguments: the model of the body, of a GET the query.
        answer: the model of the JSON it gives back, None where that is not JSON.
        status: of success.
        media_type: of success; empty where there is no content.
        errors: codes of refusals that are its own, beside those that its shape implies.
        description: more than fits in a line.
    """

    method: str
    path: str
    name: str
    summary: str
    tag: str
    handler: Handler
    arguments: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    media_type: str = JSON_TYPE
    errors: tuple[str, ...] = ()
    description: str = ""

    @property
    def changes_things(self) -> bool:
        """Whether rights and rate are asked for."""
        return self.method != "GET"

    @property
    def has_body(self) -> bool:
        """Whether it reads a body."""
        return self.changes_things and self.arguments is not None


def register(app: Quart, operation: Operation, *, deps: WebDependencies, guard: Guard) -> None:
    """Make ``operation`` a route of ``app``."""

    async def view(**path: str) -> Response:
        facts, client = facts_of(request), client_of(request)
        if operation.changes_things:
            guard.check_change(facts, client)
        may_control = operation.changes_things or guard.may_control(facts, client)
        call = Call(
            path=path,
            arguments=await _arguments(operation),
            facts=facts,
            client=client,
            may_control=may_control,
        )
        return response_of(await operation.handler(deps, call))

    app.add_url_rule(
        operation.path.replace("{name}", "<path:name>").replace("{", "<").replace("}", ">"),
        endpoint=operation.name,
        view_func=view,
        methods=[operation.method],
        provide_automatic_options=False,
    )


def response_of(answer: Answer) -> Response:
    """The answer as Quart sends it; what an API says is never kept."""
    if isinstance(answer.content, Path):
        body = TrioFileBody(answer.content, buffer_size=FILE_READ_BYTES)
        response: Response = TrioResponse(body, status=answer.status, content_type=answer.media_type)
        response.content_length = body.size
    else:
        response = Response(answer.content, status=answer.status, content_type=answer.media_type or None)
    if not answer.media_type:
        del response.headers["Content-Type"]
        del response.headers["Content-Length"]
    response.headers["Cache-Control"] = "no-store"
    response.headers.extend(answer.headers)
    return response


async def _arguments(operation: Operation) -> BaseModel | None:
    if operation.arguments is None:
        return None
    given: Mapping[str, Any] = await body_of(request) if operation.has_body else query_of(request)
    return validated(operation.arguments, given)


type Operations = tuple[Operation, ...]
