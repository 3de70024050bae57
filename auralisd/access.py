"""Public ears, guarded hands: who may connect, and who may change things.

Pure decisions over the facts of one request; the front door and the web app ask the
same ``AccessPolicy``, so no path has rules of its own.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

KNOWN_ADDRESSES: Final = 4096  # as many as may knock at once
_HOME_SUFFIXES = (".local", ".lan", ".home.arpa", ".localhost")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORT_MAX = 65_535
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_FORWARDING_HEADERS = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What the rules need to know of a request.

    Attributes:
        host: the Host header, or None where there was none.
        origin: the Origin header, or None.
        forwarded: whether any ``Forwarded`` or ``X-Forwarded-*`` header was there.
        token: the bearer token offered, or None.
    """

    host: str | None
    origin: str | None = None
    forwarded: bool = False
    token: str | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> RequestFacts:
        """Read the facts from headers whose names are in lower case."""
        authorization = headers.get("authorization", "")
        scheme, _, credentials = authorization.partition(" ")
        forwarded = any(n in _FORWARDING_HEADERS or n.startswith("x-forwarded-") for n in headers)
        return cls(
            host=headers.get("host"),
            origin=headers.get("origin"),
            forwarded=forwarded,
            token=credentials.strip() or None if scheme.lower() == "bearer" else None,
        )


@dataclass(slots=True, kw_only=True)
class AccessPolicy:
    """The rules of one daemon, shared by all who ask; reading the configuration again changes them in place.

    Attributes:
        token: the secret that opens the controls, or None where there is none.
        bind_is_loopback: the daemon's own TCP socket is bound to a loopback address.
        public_url: where a reverse proxy shows the daemon, or None.
        own_names: this host's own names, in lower case.
        allowed_hosts: further Host values (names, without port), in lower case.
        allowed_origins: further origins, as ``scheme://host[:port]``.
    """

    token: str | None
    bind_is_loopback: bool
    public_url: str | None = None
    own_names: frozenset[str] = frozenset()
    allowed_hosts: frozenset[str] = frozenset()
    allowed_origins: frozenset[str] = frozenset()

    def host_refusal(self, facts: RequestFacts, *, host_required: bool = True) -> str | None:
        """A sentence that names the cure, or None when the Host may be answered (else 421)."""
        if facts.host is None:
            return "the request names no Host" if host_required else None
        name = host_name(facts.host)
        if name is None:
            return "the Host header is not a host"
        if self._host_is_known(name):
            return None
        return f"this server does not answer for {name!r}; add it to allowed_hosts or set public_url"

    def origin_refusal(self, facts: RequestFacts) -> str | None:
        """A sentence that names the cure, or None when the Origin may change things (else 403)."""
        if facts.origin is None:
            return None
        origin = facts.origin.rstrip("/")
        if origin in self.allowed_origins:
            return None
        place = _place(origin)
        if place is not None and self.public_url is not None and place == _place(self.public_url):
            return None
        if place is not None and facts.host is not None and place == _place(f"{place.scheme}://{facts.host}"):
            return None
        return f"pages of {facts.origin!r} may not steer this server; add it to allowed_origins"

    @property
    def token_always_needed(self) -> bool:
        """Whether even this machine's own user needs the token to change things."""
        return not self.bind_is_loopback or self.public_url is not None

    def may_control(self, facts: RequestFacts) -> bool:
        """Whether the request may change things."""
        if facts.token is not None:
            return self.token_matches(facts.token)
        if self.token_always_needed or facts.forwarded or facts.host is None:
            return False
        name = host_name(facts.host)
        return name is not None and is_loopback_name(name)

    def token_matches(self, offered: str) -> bool:
        """Compare in constant time; never true where there is no token."""
        if self.token is None:
            return False
        return hmac.compare_digest(offered.encode("utf-8", "replace"), self.token.encode("utf-8"))

    def _host_is_known(self, name: str) -> bool:
        if is_loopback_name(name) or _is_ip_literal(name) or "." not in name:
            return True
        if name.endswith(_HOME_SUFFIXES) or name in self.own_names or name in self.allowed_hosts:
            return True
        return self.public_url is not None and name == urlsplit(self.public_url).hostname


def host_name(host: str) -> str | None:
    """The name of a Host header in lower case, without port and brackets; None if malformed."""
    return _name_and_port(host)[0]


@lru_cache(maxsize=KNOWN_ADDRESSES)
def household(address: str | None) -> str:
    """Whom ``address`` stands for where clients are counted: of IPv6 the /64 that one home has to itself."""
    if address is None:
        return "local"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def is_loopback_name(name: str) -> bool:
    """Whether ``name`` always means this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_ip_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class _Place(NamedTuple):
    """Where a page comes from: what browsers compare."""

    scheme: str
    name: str
    port: int


def _place(url: str) -> _Place | None:
    """The place of an origin or URL; None for what has none (``null``, ``file://``, nonsense)."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    authority = rest.partition("/")[0]
    name, port = _name_and_port(authority)
    if name is None or scheme not in _DEFAULT_PORTS:
        return None
    return _Place(scheme, name, port or _DEFAULT_PORTS[scheme])


def _name_and_port(authority: str) -> tuple[str | None, int | None]:
    parts = _HOST.fullmatch(authority)
    if parts is None or int(parts["port"] or 0) > _PORT_MAX:
        return None, None
    name = (parts["ipv6"] or parts["name"]).lower().rstrip(".")
    return name or None, int(parts["port"]) if parts["port"] else None
