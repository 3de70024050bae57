"""The handshake of a WebSocket: what is asked for, and the few headers of it that go on to the protocol library."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from auralisd.edge.request_head import RequestHead
from auralisd.errors import RequestRefusedError
from auralisd.transport.forms import V0_FORM, WEBSOCKET_FORMS, Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What a client asked for.

    Attributes:
        form: what it will receive.
        subprotocol: what to answer, None if it offered none.
        head: a request with nothing in it but what the handshake needs: no extensions (so
            nothing is ever compressed), no cookies, no byte that is not ASCII.
    """

    form: Form
    subprotocol: str | None
    head: bytes


def read_handshake(head: RequestHead) -> Handshake:
    """The handshake in a request for a WebSocket.

    Raises:
        RequestRefusedError: it is malformed, or offers only subprotocols nobody here speaks.
    """
    if head.method != "GET" or head.http_version != "1.1":
        raise _refused("a WebSocket begins with a GET of HTTP/1.1")
    if "upgrade" not in {token.strip().lower() for token in head.headers.get("connection", "").split(",")}:
        raise _refused("the Connection header does not say upgrade")
    if head.headers.get("sec-websocket-version", "").strip() != "13":
        raise _refused("only version 13 of the WebSocket protocol is spoken here")
    key = head.headers.get("sec-websocket-key", "").strip()
    if not _is_key(key):
        raise _refused("the Sec-WebSocket-Key is not 16 bytes of base64")
    offered = [name for item in head.headers.get("sec-websocket-protocol", "").split(",") if (name := item.strip())]
    subprotocol = next((name for name in offered if name in WEBSOCKET_FORMS), None)
    if offered and subprotocol is None:
        raise _refused(f"none of the subprotocols offered is known; there are {', '.join(WEBSOCKET_FORMS)}")
    return Handshake(
        form=WEBSOCKET_FORMS[subprotocol] if subprotocol else V0_FORM,
        subprotocol=subprotocol,
        head=_bare_request(head.target, key, subprotocol),
    )


def _refused(message: str) -> RequestRefusedError:
    return RequestRefusedError("bad_request", message, headers={"Sec-WebSocket-Version": "13"})


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key.encode("ascii"), validate=True)) == 16
    except (binascii.Error, UnicodeEncodeError):
        return False


def _bare_request(target: str, key: str, subprotocol: str | None) -> bytes:
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *([f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")
