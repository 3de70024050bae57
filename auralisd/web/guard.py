"""What stands before every handler: Host, and for changes rate, Origin and token."""

from __future__ import annotations

import math
from collections.abc import Callable

from quart import Request

from auralisd.access import AccessPolicy, RequestFacts, household
from auralisd.errors import RequestRefusedError
from auralisd.rate_limit import RateLimit, RateLimits


class Guard:
    """Turns the policy's answers into refusals and counts the changes of each client."""

    def __init__(
        self, policy: AccessPolicy, *, changes_per_second: float, monotonic_seconds: Callable[[], float]
    ) -> None:
        """Nobody has changed anything yet."""
        self._policy = policy
        self._monotonic_seconds = monotonic_seconds
        self._limits = RateLimits(per_second=changes_per_second, burst=changes_per_second)
        self._wrong_tokens = RateLimits(per_second=changes_per_second, burst=changes_per_second)

    def check_host(self, facts: RequestFacts) -> None:
        """Refuse a Host this daemon does not answer for.

        Raises:
            RequestRefusedError: 421.
        """
        refusal = self._policy.host_refusal(facts)
        if refusal is not None:
            raise RequestRefusedError("misdirected", refusal)

    def may_control(self, facts: RequestFacts, client: str) -> bool:
        """Whether this request would be let through to a change.

        The answer tells whether a token is right, so wrong ones are counted wherever it is given.

        Raises:
            RequestRefusedError: 429, after too many wrong tokens; whether this one is right is not looked at.
        """
        if facts.token is None:
            return self._controls(facts)
        bucket = self._wrong_tokens.of(client)
        if not bucket.allows(self._monotonic_seconds()):
            raise _too_many("too many tokens that were wrong; wait a moment", bucket)
        may = self._controls(facts)
        if may:
            bucket.give_back()
        return may

    def check_change(self, facts: RequestFacts, client: str) -> None:
        """Refuse a change that may not be made.

        Tries without a right count too, so that tokens cannot be guessed in a hurry.

        Raises:
            RequestRefusedError: 429, 403 or 401.
        """
        bucket = self._limits.of(client)
        if not bucket.allows(self._monotonic_seconds()):
            raise _too_many("too many changes at once", bucket)
        refusal = self._policy.origin_refusal(facts)
        if refusal is not None:
            raise RequestRefusedError("forbidden", refusal)
        if self.may_control(facts, client):
            return
        if facts.token is not None:
            raise RequestRefusedError("forbidden", "the token is not this server's; `auralisd token` shows it")
        raise RequestRefusedError(
            "unauthorized",
            "changes need the token: Authorization: Bearer TOKEN; `auralisd token` shows it",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _controls(self, facts: RequestFacts) -> bool:
        return self._policy.origin_refusal(facts) is None and self._policy.may_control(facts)


def _too_many(message: str, bucket: RateLimit) -> RequestRefusedError:
    wait_seconds = max(1, math.ceil(bucket.retry_after_seconds()))
    return RequestRefusedError("rate_limited", message, headers={"Retry-After": str(wait_seconds)})


def facts_of(request: Request) -> RequestFacts:
    """The facts as they came over the wire; Quart's own headers have a Host of its making."""
    headers: dict[str, str] = {}
    for name, value in request.scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return RequestFacts.from_headers(headers)


def client_of(request: Request) -> str:
    """Who is asking, for the rate limit."""
    peer = request.scope.get("client")
    return household(peer[0] if peer else None)
