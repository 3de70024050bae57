"""The Quart-Trio app: made anew for every daemon and every test, with no state of its own elsewhere."""

from __future__ import annotations

import json
from functools import cache
from typing import Final

import structlog
from quart import Response, request
from quart_trio import QuartTrio

from auralisd.access import AccessPolicy, RequestFacts, host_name, is_loopback_name
from auralisd.web import control, exports, listening, presets, stations, status
from auralisd.web.dependencies import WebDependencies
from auralisd.web.errors import BODY_BYTES_MAX, ERROR_STATUS, error_body, refusal_of
from auralisd.web.guard import Guard, facts_of
from auralisd.web.hls import register_hls
from auralisd.web.openapi import openapi_document
from auralisd.web.operations import Answer, Operations, json_answer, register, response_of
from auralisd.web.pages import register_pages

OPERATIONS: Final[Operations] = (
    *stations.OPERATIONS,
    *control.OPERATIONS,
    *presets.OPERATIONS,
    *listening.OPERATIONS,
    *exports.OPERATIONS,
    *status.OPERATIONS,
)

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; connect-src 'self' ws: wss:; worker-src 'self'; style-src 'self'; "
    "script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

log = structlog.get_logger()


def create_app(deps: WebDependencies) -> QuartTrio:
    """The app that answers everything but sound."""
    app = QuartTrio(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.config["BODY_TIMEOUT"] = deps.body_timeout_seconds
    app.url_map.merge_slashes = False  # an address is one address: no redirects
    guard = Guard(deps.policy, changes_per_second=deps.changes_per_second, monotonic_seconds=deps.monotonic_seconds)

    @app.before_request
    async def refuse_foreign_hosts() -> None:
        guard.check_host(facts_of(request))

    @app.errorhandler(Exception)
    async def answer_error(error: Exception) -> Response:
        return response_of(_error_answer(error, deps))

    @app.after_request
    async def finish(response: Response) -> Response:
        for name, value in _SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if _is_secure(facts_of(request), request.scheme, deps.policy):
            response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        deps.metrics.request_answered(response.status_code)
        return response

    for operation in OPERATIONS:
        register(app, operation, deps=deps, guard=guard)
    _register_description(app, deps)
    register_hls(app, deps)
    register_pages(app, client_directory=deps.client_directory)
    return app


def _register_description(app: QuartTrio, deps: WebDependencies) -> None:
    @cache
    def described(token_always_needed: bool) -> Answer:
        version = deps.daemon.version
        return json_answer(openapi_document(OPERATIONS, version=version, token_always_needed=token_always_needed))

    async def description() -> Response:
        return response_of(described(deps.policy.token_always_needed))  # asked anew: the policy may have changed

    app.add_url_rule("/openapi.json", view_func=description, methods=["GET"], provide_automatic_options=False)


def _error_answer(error: Exception, deps: WebDependencies) -> Answer:
    refusal = refusal_of(error)
    if refusal.code == "internal":
        log.error("a request failed", method=request.method, path=request.path, exc_info=error)
    body = json.dumps(error_body(refusal, unix_ms=deps.unix_ms()), allow_nan=False).encode("ascii")
    return Answer(content=body, status=ERROR_STATUS[refusal.code], headers=refusal.headers)


def _is_secure(facts: RequestFacts, scheme: str, policy: AccessPolicy) -> bool:
    """Whether browsers trust the origin, so that they take the opener policy without complaint."""
    if scheme == "https" or (policy.public_url or "").startswith("https:"):
        return True
    name = host_name(facts.host) if facts.host is not None else None
    return name is not None and is_loopback_name(name)
