"""Who may connect, and who may change things: the table of rules, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralisd.access import AccessPolicy, RequestFacts, host_name, is_loopback_name

TOKEN = "a-token-of-some-length"
LOOPBACK = AccessPolicy(token=None, bind_is_loopback=True)
WITH_TOKEN = AccessPolicy(token=TOKEN, bind_is_loopback=True)
NETWORK = AccessPolicy(token=TOKEN, bind_is_loopback=False, own_names=frozenset({"studio.example.net"}))
PROXIED = AccessPolicy(token=TOKEN, bind_is_loopback=True, public_url="https://music.example/")
LISTED = AccessPolicy(
    token=TOKEN,
    bind_is_loopback=False,
    allowed_hosts=frozenset({"radio.example"}),
    allowed_origins=frozenset({"https://desk.example"}),
)


def facts(host: str | None = "127.0.0.1:8000", **others) -> RequestFacts:
    return RequestFacts(host=host, **others)


@pytest.mark.parametrize(
    ("headers", "forwarded", "token"),
    [
        ({}, False, None),
        ({"authorization": "Bearer abc"}, False, "abc"),
        ({"authorization": "bearer  abc "}, False, "abc"),
        ({"authorization": "Basic abc"}, False, None),
        ({"authorization": "Bearer"}, False, None),
        ({"authorization": "Bearer  "}, False, None),
        ({"authorization": "abc"}, False, None),
        ({"forwarded": ""}, True, None),
        ({"x-forwarded-for": "1.2.3.4"}, True, None),
        ({"x-forwarded-prefix": "/a"}, True, None),
        ({"x-real-ip": "1.2.3.4"}, True, None),
        ({"via": "1.1 proxy"}, False, None),  # of the browser's own side too
    ],
)
def test_facts_are_read_from_headers(headers, forwarded, token):
    read = RequestFacts.from_headers({"host": "here", "origin": "http://here", **headers})
    assert (read.host, read.origin, read.forwarded, read.token) == ("here", "http://here", forwarded, token)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:8000", "localhost"),
        ("example.com.", "example.com"),
        ("[::1]:8000", "::1"),
        ("[::1]", "::1"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("", None),
        (":8000", None),
        ("a/b", None),
        ("a?b", None),
        ("a#b", None),
        ("user@host", None),
        ("host:port", None),
        ("host:99999", None),
        ("[::1", None),
        ("a b", None),
        ("a\tb", None),
        ("localhost\n", None),
        ("lo\ncalhost", None),
        (".", None),
    ],
)
def test_the_name_of_a_host_header(host, name):
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("name", "loopback"),
    [
        ("localhost", True),
        ("player.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("2130706433", False),
    ],
)
def test_which_names_always_mean_this_machine(name, loopback):
    assert is_loopback_name(name) is loopback


@pytest.mark.parametrize(
    ("policy", "host", "answered"),
    [
        (LOOPBACK, "localhost:8000", True),
        (LOOPBACK, "192.168.1.5:8000", True),
        (LOOPBACK, "[fe80::1]:8000", True),
        (LOOPBACK, "studio", True),
        (LOOPBACK, "studio.local", True),
        (LOOPBACK, "studio.LAN:8000", True),
        (LOOPBACK, "studio.home.arpa", True),
        (LOOPBACK, "studio.local.", True),
        (LOOPBACK, "music.example", False),
        (LOOPBACK, "studio.example.net", False),
        (NETWORK, "Studio.Example.net:8000", True),
        (LISTED, "radio.example", True),
        (LISTED, "other.radio.example", False),
        (PROXIED, "music.example", True),
        (PROXIED, "music.example:8443", True),
        (PROXIED, "evilmusic.example", False),
        (LOOPBACK, "evil.example.local.attacker.example", False),
        (LOOPBACK, "user@localhost", False),
    ],
)
def test_which_hosts_are_answered(policy, host, answered):
    refusal = policy.host_refusal(facts(host))
    assert (refusal is None) is answered
    if refusal and "." in host and "@" not in host:
        assert "allowed_hosts" in refusal


def test_a_missing_host_is_answered_only_where_none_is_needed():
    assert LOOPBACK.host_refusal(facts(None)) is not None
    assert LOOPBACK.host_refusal(facts(None), host_required=False) is None


@pytest.mark.parametrize(
    ("policy", "host", "origin", "allowed"),
    [
        (LOOPBACK, "127.0.0.1:8000", None, True),
        (LOOPBACK, "127.0.0.1:8000", "http://127.0.0.1:8000", True),
        (LOOPBACK, "127.0.0.1:8000", "http://127.0.0.1", False),
        (LOOPBACK, "127.0.0.1", "http://127.0.0.1", True),
        (LOOPBACK, "localhost:8000", "http://127.0.0.1:8000", False),
        (LOOPBACK, "LOCALHOST:8000", "http://localhost:8000", True),
        (LOOPBACK, "[::1]:8000", "http://[::1]:8000", True),
        (LOOPBACK, "127.0.0.1:8000", "http://evil.example", False),
        (LOOPBACK, "127.0.0.1:8000", "http://127.0.0.1:8000.evil.example", False),
        (LOOPBACK, "127.0.0.1:8000", "http://127.0.0.1:8000@evil.example", False),
        (LOOPBACK, "127.0.0.1:8000", "null", False),
        (LOOPBACK, "127.0.0.1:8000", "", False),
        (LOOPBACK, "127.0.0.1:8000", "file://", False),
        (LOOPBACK, "127.0.0.1:8000", "http://[", False),
        (LOOPBACK, "music.example", "https://music.example", True),
        (LOOPBACK, "music.example:443", "https://music.example", True),
        (LOOPBACK, None, "http://127.0.0.1:8000", False),
        (LOOPBACK, "", "null", False),
        (LOOPBACK, "", "http://", False),
        (LISTED, "radio.example", "https://desk.example", True),
        (LISTED, "radio.example", "http://desk.example", False),
        (LISTED, "radio.example", "https://desk.example.evil.example", False),
        (PROXIED, "127.0.0.1:8000", "https://music.example", True),
        (PROXIED, "127.0.0.1:8000", "http://music.example", False),
        (PROXIED, "127.0.0.1:8000", "https://music.example:8443", False),
    ],
)
def test_which_pages_may_steer(policy, host, origin, allowed):
    assert (policy.origin_refusal(facts(host, origin=origin)) is None) is allowed


@pytest.mark.parametrize(
    ("policy", "request_facts", "may"),
    [
        (LOOPBACK, facts(), True),
        (LOOPBACK, facts("localhost"), True),
        (LOOPBACK, facts("[::1]:8000"), True),
        (LOOPBACK, facts("192.168.1.5:8000"), False),
        (LOOPBACK, facts("studio.local"), False),
        (LOOPBACK, facts(None), False),
        (LOOPBACK, facts("user@localhost"), False),
        (LOOPBACK, facts(forwarded=True), False),
        (LOOPBACK, facts(token="anything"), False),
        (WITH_TOKEN, facts(), True),
        (WITH_TOKEN, facts(token=TOKEN), True),
        (WITH_TOKEN, facts(token=TOKEN[:-1]), False),
        (WITH_TOKEN, facts("192.168.1.5", token=TOKEN), True),
        (WITH_TOKEN, facts(forwarded=True, token=TOKEN), True),
        (NETWORK, facts(), False),
        (NETWORK, facts(token=TOKEN), True),
        (NETWORK, facts(token="wröng"), False),
        (NETWORK, facts(token="\ud800"), False),
        (PROXIED, facts(), False),
        (PROXIED, facts(token=TOKEN), True),
    ],
)
def test_who_may_change_things(policy, request_facts, may):
    assert policy.may_control(request_facts) is may


def test_without_a_token_no_token_is_right():
    assert not LOOPBACK.token_matches("")
    assert not LOOPBACK.token_matches("None")


@given(host=st.text(max_size=30), origin=st.text(max_size=40), token=st.text(max_size=30))
def test_nothing_that_is_sent_makes_the_rules_fail(host, origin, token):
    request = RequestFacts.from_headers({"host": host, "origin": origin, "authorization": f"Bearer {token}"})
    for policy in (LOOPBACK, NETWORK, PROXIED, LISTED):
        policy.host_refusal(request)
        policy.origin_refusal(request)
        assert (
            policy.may_control(request) is (token.strip() == TOKEN and policy.token is not None) or policy is LOOPBACK
        )


@given(host=st.text(max_size=30))
def test_only_loopback_names_open_the_controls_without_a_token(host):
    if LOOPBACK.may_control(facts(host)):
        name = host_name(host)
        assert name is not None
        assert is_loopback_name(name)


def test_two_malformed_names_are_not_the_same_place():
    request = facts("[", origin="http://[")
    assert LOOPBACK.origin_refusal(request) is not None
