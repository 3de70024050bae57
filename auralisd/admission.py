"""Who may listen: everybody, or where links are asked for, who has one and who may change things.

Asked when a connection begins, and by nobody afterwards: a stream that has begun goes on past the end of its link.
Front door and web app ask the same ``Admission``, so guesses at either count for both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal

import trio

from auralisd.access import AccessPolicy, RequestFacts
from auralisd.errors import RequestRefusedError
from auralisd.listening_links import DEFAULT_SECONDS, PARAMETER, Grant, LinkKey
from auralisd.rate_limit import RateLimits
from auralisd.wall_clock import unix_seconds

GUESSES_PER_MINUTE: Final = 5

type Reason = Literal["uninvited", "link_expired", "link_forged", "link_elsewhere", "token_wrong", "guessing"]
"""No link; one that ran out; one we did not make; one for something else; a wrong control token; too many of those."""

_CURE: Final = "a link to listen, which `auralisd token --listen` makes where the station runs"
_WORDS: Final[Mapping[Reason, tuple[str, str]]] = {
    "uninvited": ("unauthorized", "this station is for invited listeners; it takes a link"),
    "link_expired": ("forbidden", "this link has run out; ask for a new one"),
    "link_forged": ("forbidden", "this link was not made here, or all links were ended since; ask for a new one"),
    "link_elsewhere": ("forbidden", "this link is for another station or format; ask for one for this"),
    "token_wrong": ("forbidden", "the token is not this server's; `auralisd token` shows it"),
    "guessing": ("rate_limited", "too many links and tokens that were wrong; wait a moment"),
}


class Admission:
    """Decides at the door.

    Attributes:
        guesses: wrong links and tokens, per client.
    """

    def __init__(
        self,
        policy: AccessPolicy,
        *,
        key: LinkKey | None = None,
        refused: Callable[[str], None] = lambda _reason: None,
        unix_seconds: Callable[[], float] = unix_seconds,
        monotonic_seconds: Callable[[], float] = trio.current_time,
    ) -> None:
        """Open the house.

        Args:
            policy: who may change things, and so may listen too.
            key: of the links; None lets everybody listen.
            refused: told the `Reason` of each refusal.
            unix_seconds: the wall clock, for links live in the world's time.
            monotonic_seconds: the clock of the limit on guesses.
        """
        self.guesses = RateLimits(per_second=GUESSES_PER_MINUTE / 60, burst=GUESSES_PER_MINUTE)
        self._policy = policy
        self._key = key
        self._refused = refused
        self._unix_seconds = unix_seconds
        self._monotonic_seconds = monotonic_seconds

    @property
    def is_open(self) -> bool:
        """Whether everybody may listen."""
        return self._key is None

    def may_listen(self, facts: RequestFacts, *, station: str, link: str | None) -> bool:
        """Whether `check` would let this request listen to ``station`` in every form; nothing is counted."""
        return self._key is None or self._controls(facts) or self._problem(link, station, None) is None

    def check(self, facts: RequestFacts, *, client: str, station: str, form: str | None, link: str | None) -> None:
        """Let a request pass that may listen, and no other.

        Args:
            facts: who is asking.
            client: the address it is known by, for the limit on guesses.
            station: what it wants to hear.
            form: one of ``LINK_FORMATS``; None for what only a link for everything opens.
            link: the token of the link it came by, or None.

        Raises:
            RequestRefusedError: 401, 403 or 429.
        """
        if self._key is None or (problem := self._problem(link, station, form)) is None:
            return
        guesses = self.guesses.of(client)
        if facts.token is not None or problem == "link_forged":
            if not guesses.allows(self._monotonic_seconds()):
                problem = "guessing"  # before the token is looked at: whoever guesses is to learn nothing
            elif self._controls(facts):
                guesses.give_back()
                return
            elif facts.token is not None:
                problem = "token_wrong"
        elif self._controls(facts):
            return
        self._refused(problem)
        code, message = _WORDS[problem]
        headers = {}
        if problem == "uninvited":
            headers["WWW-Authenticate"] = "Bearer"
        elif problem == "guessing":
            headers["Retry-After"] = str(max(1, math.ceil(guesses.retry_after_seconds())))
        details = {"field": PARAMETER, "constraint": _CURE}  # never its value
        raise RequestRefusedError(code, message, details=details, headers=headers)

    def grant(self, station: str, *, seconds: float = DEFAULT_SECONDS, form: str | None = None) -> Grant:
        """What a link made now is good for."""
        return Grant(station=station, expires_at_seconds=int(self._unix_seconds() + seconds), format=form)

    def token(self, grant: Grant) -> str | None:
        """The token of a link; None where everybody may listen without."""
        return None if self._key is None else self._key.token(grant)

    def carried(self, link: str | None, *, station: str, form: str) -> str | None:
        """``link`` if it is one, and good for this: then addresses in the answer carry it on."""
        return link if self._key is not None and self._problem(link, station, form) is None else None

    def _controls(self, facts: RequestFacts) -> bool:
        return self._policy.origin_refusal(facts) is None and self._policy.may_control(facts)

    def _problem(self, link: str | None, station: str, form: str | None) -> Reason | None:
        """What is wrong with a link; None of one that is good."""
        if link is None:
            return "uninvited"
        grant = self._key.read(link) if self._key is not None else None
        if grant is None:
            return "link_forged"
        if self._unix_seconds() >= grant.expires_at_seconds:
            return "link_expired"
        return None if grant.covers(station, form) else "link_elsewhere"
