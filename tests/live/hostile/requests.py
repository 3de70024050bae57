"""Requests that no client should make: each is sent whole, and answered once."""

from __future__ import annotations

import gzip
import json
import random
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from tests.live.hostile.connection import Hostile, is_refusal, status_of

REPEATED_SECONDS = 0.6
PAUSE_SECONDS = 0.1  # changes are limited to ten a second
_STATUS_LINE = re.compile(rb"HTTP/1\.1 \d\d\d ")


@dataclass(frozen=True, slots=True)
class Request:
    """Bytes, and which statuses are a right answer to them."""

    data: bytes
    statuses: Collection[int]

    def __call__(self, port: int) -> None:
        """Make it over and over; it is answered once each, in the daemon's own form where it is refused."""
        ends_at = time.monotonic() + REPEATED_SECONDS
        while time.monotonic() < ends_at:
            with Hostile(port) as connection:
                connection.send(self.data)
                answer = connection.read_all()
            assert status_of(answer) in self.statuses, answer[:300]
            assert len(_STATUS_LINE.findall(answer)) == 1, "one request, one answer"
            assert b"\r\nconnection: close\r\n" in answer.lower()
            assert self.data.startswith(b"HEAD") or status_of(answer) < 400 or is_refusal(answer), answer[:300]
            time.sleep(PAUSE_SECONDS)


def get(target: str = "/healthz", *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    """A request without a body."""
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def change(body: bytes, *headers: str, path: str = "/api/control", media_type: str = "application/json") -> bytes:
    """A change of the controls with ``body``."""
    lengths = [f"Content-Type: {media_type}", f"Content-Length: {len(body)}"]
    return get(path, *lengths, *headers, method="POST") + body


def chunked(chunks: bytes, *headers: str) -> bytes:
    """A change whose body is ``chunks``, framing included."""
    kind = ["Content-Type: application/json", "Transfer-Encoding: chunked"]
    return get("/api/control", *kind, *headers, method="POST") + chunks


def bare(head: bytes) -> bytes:
    """A request whose head is whatever is given."""
    return head + b"\r\n\r\n"


def _frame(kind: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3) + bytes([kind, 5 if kind == 1 else 0]) + stream.to_bytes(4) + payload


_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0)
_RAPID_RESETS = b"".join(_frame(1, n, b"\x82\x84\x86\x41\x01a") + _frame(3, n, bytes(4)) for n in range(1, 4001, 2))
_TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + random.Random(1).randbytes(189)
_SMUGGLED = b"DELETE /api/v1/stations/main HTTP/1.1\r\nHost: localhost\r\n\r\n"
_NEW_STATION = "/api/v1/stations"
_MANY_FIELDS = json.dumps({f"f{n}": 1 for n in range(5500)}).encode()
_TRAVERSALS = (
    "/client/../../../../etc/passwd",
    "/client/..%2f..%2f..%2fetc%2fpasswd",
    "/client/%2e%2e/%2e%2e/pyproject.toml",
    "/client/..%5c..%5cpyproject.toml",
    "/client//etc/passwd",
    "/client/%252e%252e/pyproject.toml",
    "/docs/%c0%ae%c0%ae/app.py",
    "//etc/passwd",
    "/hls/../../etc/index.m3u8",
    "/stations/%2e%2e/stream.mp3",
    "/stations/..%2fmain/stream.mp3",
    "/api/v1/stations/..%2f..%2fmain",
)
_NULS = ("/%00", "/client/%00", "/client/index.html%00.js", "/stations/main%00/stream.mp3", "/api/v1/stations/%00")

WRONG_PROTOCOLS = {
    "a TLS hello on the plain port": Request(_TLS_HELLO + b"\r\n\r\n", {400}),
    "an HTTP/2 preface, without asking": Request(_HTTP2, {400}),
    "HTTP/2 streams opened and reset": Request(_HTTP2 + _RAPID_RESETS, {400}),
    "an upgrade to h2c": Request(
        get("/", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk"), {400}
    ),
    "an upgrade to what nobody speaks": Request(get("/", "Upgrade: TLS/1.0, irc/6.9", "Connection: Upgrade"), {400}),
    "an HTTP of another day": Request(bare(b"GET / HTTP/0.9\r\nHost: localhost"), {400}),
    "garbage": Request(bare(random.Random(2).randbytes(8000)), {400}),
    "zeros": Request(bytes(20_000), {400, 431}),
    "line ends and nothing else": Request(b"\r\n" * 9000, {400}),
    "an Icecast source": Request(bare(b"SOURCE /stream.mp3 ICE/1.0\r\nContent-Type: audio/mpeg"), {400}),
}

HEADS = {
    "a header bomb by number": Request(bare(b"GET / HTTP/1.1\r\nHost: localhost" + b"\r\na:" * 4000), {431}),
    "a header bomb by number under one name": Request(
        bare(b"GET / HTTP/1.1\r\nHost: localhost" + b"\r\nCookie:b" * 1400), {431}
    ),
    "a header bomb by size": Request(get("/", "X: " + "x" * 40_000), {431}),
    "one endless line": Request(b"GET /" + b"a" * 1_000_000, {431}),
    "an endless method": Request(b"A" * 100_000, {400, 431}),
    "an endless fold": Request(bare(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a" + b"\r\n b" * 3500), {400, 431}),
    "an address of 15 KiB": Request(get("/" + "a/" * 7500), {404}),
    "an address of percent signs": Request(get("/" + "%" * 8000 + "%zz%f"), {404}),
    "a query of thousands of fields": Request(
        get("/api/v1/stations/main/why?" + "&".join(f"{n}=%41" for n in range(1700))), {422}
    ),
    "a list of entity tags without end": Request(get("/", "If-None-Match: " + "," * 15_000), {200}),
    "a cookie of 15 KiB": Request(get("/healthz", "Cookie: " + 'a="\\;' * 2500), {200}),
    "bytes that are no text": Request(get("/healthz", "User-Agent: \xff\xfe\xe9", "X-\xe9: 1"), {400}),
    "a name with a space before its colon": Request(bare(b"GET / HTTP/1.1\r\nHost : localhost"), {400}),
    "a carriage return within a line": Request(bare(b"GET / HTTP/1.1\r\nHost: localhost\rX: 1"), {400}),
    "bare line feeds": Request(b"GET /healthz HTTP/1.1\nHost: localhost\n\n", {200}),
}

HOSTS = {
    "no Host": Request(bare(b"GET /healthz HTTP/1.1\r\nX: 1"), {421}),
    "two Hosts": Request(bare(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example"), {400}),
    "an empty Host": Request(bare(b"GET /healthz HTTP/1.1\r\nHost:"), {421}),
    "a Host with a path, a user and a port there is none of": Request(
        bare(b"GET /healthz HTTP/1.1\r\nHost: localhost@evil.example:99999/x"), {421}
    ),
    "a Host of 15 KiB": Request(bare(b"GET /stream.wav HTTP/1.1\r\nHost: " + b"a." * 7500), {421}),
    "a target in absolute form": Request(get("http://localhost/healthz"), {200}),
    "a target in absolute form of somebody else": Request(
        bare(b"GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example"), {421}
    ),
    "CONNECT": Request(bare(b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22"), {404, 405}),
    "TRACE": Request(get(method="TRACE"), {405}),
    "OPTIONS of everything": Request(get("*", method="OPTIONS"), {404, 405}),
    "a method nobody knows": Request(get("/healthz", method="FROBNICATE"), {405}),
    "a method in small letters": Request(get("/healthz", method="get"), {200, 405}),
    "a method that would change the sound itself": Request(
        get("/stream.mp3", "Content-Length: 5", method="PUT") + b"hello", {405}
    ),
}

SMUGGLING = {
    "a length and chunks": Request(
        chunked(b"0\r\n\r\n" + _SMUGGLED, f"Content-Length: {5 + len(_SMUGGLED)}"), {400, 422}
    ),
    "two lengths": Request(change(b"{}", "Content-Length: 99") + _SMUGGLED, {400}),
    "the same length twice": Request(change(b"{}", "Content-Length: 2") + _SMUGGLED, {200, 400}),
    "a length with a sign": Request(get("/api/control", "Content-Length: +5", method="POST") + b"hello", {400}),
    "a length of twenty digits": Request(change(b"", f"X: {'9' * 20}").replace(b": 0", b": " + b"9" * 20), {400, 413}),
    "chunks by another name": Request(
        get("/api/control", "Transfer-Encoding: \x0bchunked", method="POST") + b"0\r\n\r\n" + _SMUGGLED, {400}
    ),
    "chunks twice": Request(
        get("/api/control", "Transfer-Encoding: chunked, chunked", method="POST") + b"0\r\n\r\n" + _SMUGGLED, {400}
    ),
    "chunks in HTTP/1.0": Request(
        get("/api/control", "Transfer-Encoding: chunked", method="POST", version="1.0") + b"0\r\n\r\n" + _SMUGGLED,
        {400, 415},
    ),
    "a chunk of no number": Request(chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), {400}),
    "a chunk of fewer than no bytes": Request(chunked(b"-1\r\nhello\r\n0\r\n\r\n"), {400}),
    "a chunk of more bytes than there are": Request(chunked(b"F" * 25 + b"\r\nhello\r\n"), {400, 413}),
    "a chunk that goes on after its end": Request(chunked(b"2\r\n{}x\r\n0\r\n\r\n"), {400}),
    "a chunk extension without end": Request(chunked(b"2;" + b"x" * 100_000), {400, 413, 431}),
    "trailers without end": Request(chunked(b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 20_000), {200, 400, 431}),
    "a request within a GET": Request(get("/healthz", f"Content-Length: {len(_SMUGGLED)}") + _SMUGGLED, {200}),
    "keep-alive, and another request behind": Request(get("/healthz", "Connection: keep-alive") + _SMUGGLED, {200}),
    "keep-alive in HTTP/1.0": Request(get("/healthz", "Connection: Keep-Alive", version="1.0") + _SMUGGLED, {200}),
}

BODIES = {
    "JSON a thousand lists deep": Request(change(b'{"key": ' + b"[" * 1000 + b"]" * 1000 + b"}"), {422}),
    "JSON thirty thousand lists deep": Request(change(b"[" * 30_000 + b"]" * 30_000), {400}),
    "JSON thirty thousand lists deep and no end": Request(change(b'{"a":' * 12_000), {400}),
    "JSON of 64 KiB of fields nobody knows": Request(change(_MANY_FIELDS, path=_NEW_STATION), {422}),
    "JSON of 64 KiB of the same control": Request(change(b"{" + b'"key":1,' * 8000 + b'"key":1}'), {422}),
    "a title of 60 KiB": Request(change(json.dumps({"title": " " * 60_000}).encode(), path=_NEW_STATION), {422}),
    "NaN": Request(change(b'{"intensity": NaN}'), {422}),
    "Infinity": Request(change(b'{"intensity": -Infinity, "layers": {"pad": Infinity}}'), {422}),
    "a number past all numbers": Request(change(b'{"tempo_bpm": 1e999}'), {422}),
    "an integer of 4,000 digits": Request(change(b'{"tempo_bpm": ' + b"9" * 4000 + b"}"), {422}),
    "an integer of 60,000 digits": Request(change(b'{"tempo_bpm": ' + b"9" * 60_000 + b"}"), {400}),
    "half a surrogate pair": Request(change(b'{"\\ud800": "\\udfff", "key": "\\ud800"}'), {422}),
    "JSON that is not UTF-8": Request(change('{"key": "A"}'.encode("utf-16")), {400}),
    "JSON that is a number": Request(change(b"7"), {400}),
    "a body of another type": Request(change(b"<controls/>", media_type="application/xml"), {415}),
    "a type of 15 KiB": Request(change(b"{}", media_type="application/json" + ";" * 15_000), {200, 415}),
    "a form of thousands of parts": Request(
        change(b"--x\r\n\r\na\r\n" * 5000, media_type="multipart/form-data; boundary=x"), {415}
    ),
    "a charset nobody reads": Request(change(b"{}", media_type="application/json; charset=utf-7"), {415}),
    "a gzip bomb": Request(change(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"), {415}),
    "a body of 10 MB": Request(change(b"x" * 10_000_000), {413}),
    "an expectation that nobody can meet": Request(change(b"{}", "Expect: 200-ok"), {200, 400}),
}

RANGES_AND_METHODS = {
    "a thousand ranges of a file": Request(get("/", "Range: bytes=" + ",".join(f"{n}-" for n in range(1000))), {200}),
    "a range that ends before it begins": Request(get("/client/main.js", "Range: bytes=9-1"), {200}),
    "HEAD of an endless stream": Request(get("/stream.wav", method="HEAD"), {200}),
    "HEAD with a body": Request(get("/healthz", "Content-Length: 5", method="HEAD") + b"hello", {200}),
    "HEAD of what is not there": Request(get("/stations/nowhere/stream.mp3", method="HEAD"), {404}),
    "HEAD of a WebSocket": Request(get("/ws/stream", method="HEAD"), {400}),
    "a form of sound there is none of": Request(get("/stream.exe"), {404}),
}


def _each(targets: Collection[str], status: int) -> Callable[[int], None]:
    def attack(port: int) -> None:
        for target in targets:
            with Hostile(port) as connection:
                connection.send(get(target))
                answer = connection.read_all()
            assert status_of(answer) == status, (target, answer[:300])
            assert is_refusal(answer)

    return attack


PATHS = {
    "paths that lead out of the folder": _each(_TRAVERSALS, 404),
    "names with a NUL": _each(_NULS, 404),
}

REQUESTS: dict[str, Callable[[int], None]] = {
    **WRONG_PROTOCOLS,
    **HEADS,
    **HOSTS,
    **SMUGGLING,
    **BODIES,
    **RANGES_AND_METHODS,
    **PATHS,
}
