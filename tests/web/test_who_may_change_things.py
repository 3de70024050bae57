"""Host, Origin, token and rate, at the door of the app."""

from __future__ import annotations

import pytest

from auralisd.access import AccessPolicy
from auralisd.web.app import OPERATIONS

TOKEN = "a-token-of-some-length"
AT_HOME = AccessPolicy(token=TOKEN, bind_is_loopback=True)
ON_THE_NETWORK = AccessPolicy(token=TOKEN, bind_is_loopback=False, allowed_origins=frozenset({"https://desk.example"}))
BEHIND_A_PROXY = AccessPolicy(token=TOKEN, bind_is_loopback=True, public_url="https://music.example")
CONTROLS = "/api/v1/stations/main/controls"
CHANGES = [operation for operation in OPERATIONS if operation.changes_things]


def test_everything_but_looking_is_a_change():
    assert len(CHANGES) == 11
    assert {operation.method for operation in OPERATIONS if not operation.changes_things} == {"GET"}


@pytest.mark.parametrize("operation", CHANGES, ids=lambda operation: operation.name)
async def test_on_the_network_every_change_needs_the_token(open_house, operation):
    house = open_house(ON_THE_NETWORK)
    path = operation.path.replace("{id}", "main").replace("{name}", "x")
    without = await house.ask(operation.method, path, {})
    assert without.status == 401
    assert without.headers["Www-Authenticate"] == "Bearer"
    assert without.error["code"] == "unauthorized"
    wrong = await house.ask(operation.method, path, {}, authorization="Bearer wrong")
    assert wrong.status == 403
    assert wrong.error["code"] == "forbidden"
    right = await house.ask(operation.method, path, {}, authorization=f"bearer {TOKEN}")
    assert right.status not in (401, 403)


@pytest.mark.parametrize("policy", [AT_HOME, ON_THE_NETWORK], ids=["home", "network"])
async def test_looking_is_open_to_all(open_house, policy):
    house = open_house(policy)
    export = await house.deps.exports.finished()
    for operation in OPERATIONS:
        if operation.method == "GET":
            path = operation.path.replace("exports/{id}", f"exports/{export.id}").replace("{id}", "main")
            assert (await house.ask("GET", path)).status == 200, path


@pytest.mark.parametrize(
    ("policy", "headers", "may"),
    [
        (AT_HOME, {}, True),
        (AT_HOME, {"Host": "localhost:8000"}, True),
        (AT_HOME, {"Host": "[::1]:8000"}, True),
        (AT_HOME, {"Host": "192.168.1.5:8000"}, False),
        (AT_HOME, {"x_forwarded_for": "1.2.3.4"}, False),
        (AT_HOME, {"forwarded": "for=1.2.3.4"}, False),
        (AT_HOME, {"authorization": "Bearer wrong"}, False),
        (AT_HOME, {"authorization": "Basic abc"}, True),
        (AT_HOME, {"origin": "http://127.0.0.1:8000"}, True),
        (AT_HOME, {"origin": "http://evil.example"}, False),
        (AT_HOME, {"origin": "null"}, False),
        (AT_HOME, {"origin": "http://127.0.0.1:9000"}, False),
        (ON_THE_NETWORK, {"authorization": f"Bearer {TOKEN}"}, True),
        (ON_THE_NETWORK, {"authorization": f"Bearer {TOKEN}", "origin": "https://desk.example"}, True),
        (ON_THE_NETWORK, {"authorization": f"Bearer {TOKEN}", "origin": "https://other.example"}, False),
        (BEHIND_A_PROXY, {}, False),
        (
            BEHIND_A_PROXY,
            {"Host": "music.example", "authorization": f"Bearer {TOKEN}", "origin": "https://music.example"},
            True,
        ),
    ],
)
async def test_what_a_client_is_told_of_its_rights_is_what_it_has(open_house, policy, headers, may):
    house = open_house(policy)
    told = await house.ask("GET", "/api/v1/status", **headers)
    assert told.json["may_control"] is may
    assert (await house.ask("GET", "/api/v1/stations/main", **headers)).json["may_control"] is may
    changed = await house.ask("PATCH", CONTROLS, {"key": "D"}, **headers)
    assert (changed.status == 200) is may
    assert (house.stations.get("main").controls.key == "D") is may


@pytest.mark.parametrize(
    "path", ["/", "/client/main.js", "/api/v1/status", "/metrics", "/docs", "/openapi.json", "/nowhere"]
)
@pytest.mark.parametrize("host", ["music.example", "127.0.0.1.nip.example:8000", "user@127.0.0.1", "a/b", ""])
async def test_no_address_answers_for_a_foreign_host(house, host, path):
    reply = await house.ask("GET", path, Host=host)
    assert reply.status == 421
    assert reply.error["code"] == "misdirected"


async def test_a_foreign_host_is_told_which_setting_would_let_it_in(house):
    reply = await house.ask("GET", "/api/v1/status", Host="music.example")
    assert "allowed_hosts" in reply.error["message"]


async def test_a_request_without_a_host_is_refused(house):
    assert (await house.send("GET", "/api/v1/status", {}, [])).status == 421


async def test_eleven_changes_at_once_are_one_too_many(house):
    for _ in range(10):
        assert (await house.ask("PATCH", CONTROLS, {})).status == 200
    reply = await house.ask("PATCH", CONTROLS, {})
    assert reply.status == 429
    assert reply.headers["Retry-After"] == "1"
    assert reply.error["code"] == "rate_limited"
    assert (await house.ask("GET", CONTROLS.removesuffix("/controls"))).status == 200
    house.now_seconds += 0.1
    assert (await house.ask("PATCH", CONTROLS, {})).status == 200


async def test_each_client_has_its_own_rate_and_a_household_of_ipv6_has_one(house):
    def at(peer: str) -> None:
        house.peer = peer

    statuses = []
    for peer in ["10.0.0.1"] * 11 + ["10.0.0.2"] + ["2001:db8::1"] * 10 + ["2001:db8::2", "2001:db8:0:1::1", ""]:
        at(peer)
        statuses.append((await house.ask("PATCH", CONTROLS, {})).status)
    assert statuses == [200] * 10 + [429] + [200] + [200] * 10 + [429, 200, 200]


async def test_guessing_tokens_is_slowed_down_too(open_house):
    house = open_house(ON_THE_NETWORK)
    for guess in range(10):
        assert (await house.ask("PATCH", CONTROLS, {}, authorization=f"Bearer {guess}")).status == 403
    assert (await house.ask("PATCH", CONTROLS, {}, authorization=f"Bearer {TOKEN}")).status == 429


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/stations/main"])
async def test_guessing_tokens_by_looking_is_slowed_down_too(open_house, path):
    house = open_house(ON_THE_NETWORK)
    for guess in range(5):
        assert (await house.ask("GET", path, authorization=f"Bearer {guess}")).json["may_control"] is False
        assert (await house.ask("PATCH", CONTROLS, {}, authorization=f"Bearer {guess}")).status == 403
    right = {"authorization": f"Bearer {TOKEN}"}
    reply = await house.ask("GET", path, **right)
    assert reply.status == 429
    assert reply.headers["Retry-After"] == "1"
    assert "may_control" not in reply.json
    assert (await house.ask("GET", path)).json["may_control"] is False
    house.now_seconds += 0.1
    for _ in range(20):  # a right one costs nothing
        assert (await house.ask("GET", path, **right)).json["may_control"] is True


async def test_the_token_is_in_no_answer_and_no_log_line(open_house, log_lines):
    house = open_house(ON_THE_NETWORK)
    for offered in (TOKEN, TOKEN[:-1]):
        reply = await house.ask("PATCH", CONTROLS, {"x": TOKEN[:3]}, authorization=f"Bearer {offered}")
        assert TOKEN[:-1].encode() not in reply.content
    assert TOKEN[:-1] not in str(log_lines)
