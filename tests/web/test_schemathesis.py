"""Schemathesis over the whole description: what it says is valid is taken, what it says is not is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
import schemathesis
import trio
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from auralisd.access import AccessPolicy
from auralisd.web.app import OPERATIONS
from auralisd.web.openapi import openapi_document

TOKEN = "a-token-of-some-length"
ON_THE_NETWORK = AccessPolicy(token=TOKEN, bind_is_loopback=False)
DOCUMENT = openapi_document(OPERATIONS, version="0.1.0", token_always_needed=True)
for item in DOCUMENT["paths"].values():
    for described in item.values():
        described["security"] = []  # the tests bring the token themselves, or leave it out
DESCRIBED = [result.ok() for result in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
NO_SECOND_REQUEST = {"use_after_free", "ensure_resource_availability", "ignored_auth", "object_level_authorization"}
load_all_checks()
CHECKED = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NO_SECOND_REQUEST]
FUZZED = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)
TAKES_SOMETHING = [each for each in DESCRIBED if each.body or each.query]


def asked(house: Any, case: Any, token: str | None) -> tuple[Any, requests.PreparedRequest]:
    """Bring a generated case to the app as it would come over the wire."""
    given_kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1:8000")
    known = {
        name: given_kwargs[name]
        for name in ("method", "url", "headers", "json", "data", "params")
        if name in given_kwargs
    }
    request = requests.Request(**known).prepare()
    headers = {name.lower(): value for name, value in request.headers.items()} | {"host": "127.0.0.1:8000"}
    headers.pop("authorization", None)
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    reply = trio.run(lambda: house.send(request.method, request.path_url, headers, [body]))
    return reply, request


def checked(case: Any, reply: Any, request: requests.PreparedRequest) -> None:
    """Let schemathesis judge the answer."""
    response = schemathesis.Response(
        status_code=reply.status,
        headers={name.lower(): [value] for name, value in reply.headers.items()},
        content=reply.content,
        request=request,
        elapsed=timedelta(0).total_seconds(),
        verify=False,
    )
    case.validate_response(response, checks=CHECKED)


@pytest.fixture
def network_house(open_house):
    """A house on the network whose clients are never too fast."""
    return open_house(ON_THE_NETWORK, changes_per_second=1e9)


@pytest.mark.parametrize("operation", DESCRIBED, ids=lambda operation: operation.label)
def test_what_is_described_as_valid_is_answered_as_described(network_house, operation):
    @FUZZED
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def fuzz(case: Any) -> None:
        checked(case, *asked(network_house, case, TOKEN))

    fuzz()


@pytest.mark.parametrize("operation", TAKES_SOMETHING, ids=lambda operation: operation.label)
def test_what_is_described_as_invalid_is_refused_as_described(network_house, operation):
    @FUZZED
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def fuzz(case: Any) -> None:
        checked(case, *asked(network_house, case, TOKEN))

    fuzz()


@pytest.mark.parametrize("operation", DESCRIBED, ids=lambda operation: operation.label)
def test_without_the_token_nothing_that_is_described_changes_anything(network_house, operation):
    before = [network_house.stations.get(each).summary() for each in network_house.stations.ids()]

    @FUZZED
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def fuzz(case: Any) -> None:
        reply, _ = asked(network_house, case, None)
        assert reply.status < 500
        assert (reply.status == 401) is (operation.method.upper() != "GET")

    fuzz()
    assert [network_house.stations.get(each).summary() for each in network_house.stations.ids()] == before
