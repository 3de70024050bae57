"""One form for every refusal, whatever the fault."""

from __future__ import annotations

import pytest

from auralisd.web.app import OPERATIONS
from auralisd.web.errors import ERROR_STATUS, shown_value

CONTROLS = "/api/v1/stations/main/controls"
PATHS = sorted({operation.path for operation in OPERATIONS})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO")


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api",
        "/api/v1",
        "/api/v2/status",
        "/api/v1/status/",
        "/api/v1/stations/",
        "/api/v1/stations/a/b/c",
        "/client",
        "/client/",
        "/stream.opus",
        "/ws/stream",
        "/static/docs.js",
        "/%00",
    ],
)
async def test_an_address_where_nothing_is_says_so(house, path):
    reply = await house.ask("GET", path)
    assert reply.status == 404
    assert reply.error["code"] == "not_found"


@pytest.mark.parametrize("path", [*PATHS, "/", "/client/main.js", "/docs", "/openapi.json"])
async def test_a_method_that_an_address_has_not_names_those_it_has(house, path):
    known = {operation.method for operation in OPERATIONS if operation.path == path} or {"GET"}
    known |= {"HEAD"} if "GET" in known else set()
    asked = path.replace("{id}", "main").replace("{name}", "x")
    for method in METHODS:
        if method not in known:
            reply = await house.ask(method, asked)
            assert reply.status == 405, method
            assert reply.headers["Allow"] == ", ".join(sorted(known))
            assert reply.error["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_a_body_that_is_not_json_by_its_type_is_refused(house, kind):
    headers = {"Host": house.host} | ({"Content-Type": kind} if kind else {})
    reply = await house.send("PATCH", CONTROLS, headers, [b'{"key": "D"}'])
    assert reply.status == 415
    assert reply.error["code"] == "unsupported_media_type"


async def test_thousands_of_fields_cost_one_complaint(house):
    many = "{" + ", ".join(f'"f{number}": 1' for number in range(5000)) + "}"
    reply = await house.ask("POST", "/api/v1/stations", data=many.encode())
    assert reply.status == 422
    assert reply.error["details"]["field"] == "f100"
    reply = await house.ask("GET", "/api/v1/stations/main/why?" + "&".join(f"f{number}=1" for number in range(1000)))
    assert reply.status == 422


async def test_a_compressed_body_is_refused(house):
    reply = await house.ask("PATCH", CONTROLS, data=b"\x1f\x8b", content_encoding="gzip")
    assert reply.status == 415


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"key": "\xe9"}', "not UTF-8"),
        (b"{", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "not JSON"),
        (b'{"x": ' + b"1" * 5000 + b"}", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"key"', "must be a JSON object"),
        (b"5", "must be a JSON object"),
    ],
    ids=lambda value: value[:12].decode(errors="replace") if isinstance(value, bytes) else "",
)
async def test_a_body_that_is_no_json_object_is_refused(house, raw, said):
    reply = await house.ask("PATCH", CONTROLS, data=raw)
    assert reply.status == 400
    assert reply.error["code"] == "bad_request"
    assert said in reply.error["message"]


async def test_a_nest_of_lists_is_refused_at_every_depth(house):
    for depth in [*range(100, 3000, 37), 20_000]:
        house.now_seconds += 1.0
        reply = await house.ask("PATCH", CONTROLS, data=b'{"key":' + b"[" * depth + b"]" * depth + b"}")
        assert reply.status in (400, 422), depth


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
async def test_a_body_over_64_kib_is_refused(house, announced):
    chunks = [b'{"x": "', *[b"y" * 8192] * 8, b'"}']
    headers = {"Host": house.host, "Content-Type": "application/json"}
    if announced:
        headers["Content-Length"] = str(sum(map(len, chunks)))
    reply = await house.send("PATCH", CONTROLS, headers, chunks)
    assert reply.status == 413
    assert reply.error["code"] == "too_large"


async def test_a_body_of_exactly_64_kib_is_read(house):
    raw = b'{"x": "' + b"y" * (65_536 - 9) + b'"}'
    assert len(raw) == 65_536
    assert (await house.ask("PATCH", CONTROLS, data=raw)).status == 422


async def test_a_body_that_does_not_come_is_not_waited_for(house, autojump_clock):
    headers = {"Host": house.host, "Content-Type": "application/json"}
    reply = await house.send("PATCH", CONTROLS, headers, [b'{"key":'], complete=False)
    assert reply.status == 408
    assert reply.error["code"] == "request_timeout"


@pytest.mark.logs_errors
async def test_a_fault_of_ours_tells_the_client_nothing_and_the_log_everything(house, monkeypatch, log_lines):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail in /etc/passwd")

    monkeypatch.setattr(house.stations.get("main"), "change_controls", broken)
    reply = await house.ask("PATCH", CONTROLS, {"key": "D"})
    assert reply.status == 500
    assert reply.error["code"] == "internal"
    assert b"secret" not in reply.content
    (line,) = [line for line in log_lines if line["log_level"] == "error"]
    assert (line["method"], line["path"]) == ("PATCH", CONTROLS)
    assert "secret detail" in str(line["exc_info"])


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/status", "/nowhere", "/client/main.js", "/docs", "/metrics", "/openapi.json"]
)
async def test_every_answer_carries_the_security_headers_and_no_banner(house, path):
    reply = await house.ask("GET", path)
    policy = dict(part.strip().split(" ", 1) for part in reply.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["style-src"] == "'self'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"  # libopus, and no text turned into code
    assert policy["frame-ancestors"] == "'self'"
    assert not {"'unsafe-eval'", "'unsafe-inline'"} & set(reply.headers["Content-Security-Policy"].split())
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in reply.headers
    assert "Set-Cookie" not in reply.headers
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert reply.headers["Cache-Control"] in ("no-store", "no-cache")


@pytest.mark.parametrize(("host", "sent"), [("127.0.0.1:8000", True), ("localhost", True), ("192.168.1.5:8000", False)])
async def test_the_opener_policy_is_sent_only_where_browsers_take_it(house, host, sent):
    reply = await house.ask("GET", "/", Host=host)
    assert ("Cross-Origin-Opener-Policy" in reply.headers) is sent


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (2**60, str(2**60)),
        pytest.param(10**5000, "a int", id="an integer of 5001 digits"),
        ("x" * 300, "x" * 200 + "…"),
        ([1, 2], "[1, 2]"),
        ("\ud800", "?"),
    ],
)
def test_a_refused_value_is_repeated_short_and_as_json_has_it(value, shown):
    assert shown_value(value) == shown


def test_every_code_has_a_status_of_its_own():
    assert len(set(ERROR_STATUS.values())) == len(ERROR_STATUS)
