"""The description is true: of the routes, of what they take, of what they answer."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st

from auralisd.access import AccessPolicy
from auralisd.controls import KEYS, LAYERS, MODES, RANGES, Controls, merge_change
from auralisd.errors import ControlsError
from auralisd.station import ChordView, StationSummary
from auralisd.web.app import OPERATIONS
from auralisd.web.errors import ERROR_STATUS
from auralisd.web.openapi import error_codes, openapi_document
from auralisd.web.schema import outgoing
from auralisd.web.schema.incoming import controls_change_schema

TOKEN = "a-token-of-some-length"
AT_HOME = AccessPolicy(token=TOKEN, bind_is_loopback=True)
ON_THE_NETWORK = AccessPolicy(token=TOKEN, bind_is_loopback=False)
DOCUMENT = openapi_document(OPERATIONS, version="0.1.0", token_always_needed=True)


def validator(model: type[Any]) -> jsonschema_rs.Validator:
    """A validator of one component."""
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    return jsonschema_rs.Draft202012Validator({**reference, "components": DOCUMENT["components"]})


def test_the_description_is_openapi_3_1():
    loaded = schemathesis.openapi.from_dict(DOCUMENT)
    assert loaded.specification.name == "Open API 3.1.0"
    loaded.validate()


def test_every_route_is_described_and_every_description_is_a_route(house):
    described = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    files = {"page", "client_file", "favicon", "favicon_ico", "documentation", "documentation_file", "hls_file"}
    routed = {
        (method, rule.rule.replace("<path:name>", "{name}").replace("<", "{").replace(">", "}"))
        for rule in house.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD"}
        if rule.endpoint not in {*files, "description"}
    }
    assert described == routed
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


async def test_the_description_is_served_as_it_is(house):
    reply = await house.ask("GET", "/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json == json.loads(
        json.dumps(openapi_document(OPERATIONS, version="0.1.0", token_always_needed=False))
    )


@pytest.mark.parametrize(("policy", "free"), [(AT_HOME, True), (ON_THE_NETWORK, False)], ids=["home", "network"])
async def test_changes_are_described_as_needing_the_token_just_where_they_do(open_house, policy, free):
    paths = (await open_house(policy).ask("GET", "/openapi.json")).json["paths"]
    assert paths["/api/v1/stations"]["get"]["security"] == []
    assert ({} in paths["/api/v1/stations"]["post"]["security"]) is free


async def test_the_description_follows_a_policy_that_changes(open_house):
    policy = AccessPolicy(token=TOKEN, bind_is_loopback=True)
    house = open_house(policy)
    for public_url, free in ((None, True), ("https://music.example.org", False)):
        policy.public_url = public_url
        paths = (await house.ask("GET", "/openapi.json")).json["paths"]
        assert ({} in paths["/api/v1/stations"]["post"]["security"]) is free


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_refusal_an_operation_has_is_described(operation):
    described = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
    assert {str(ERROR_STATUS[code]) for code in error_codes(operation)} | {str(operation.status)} == set(described)


def test_the_models_have_the_fields_of_the_values_they_describe():
    def names(value: Any) -> set[str]:
        return {field.name for field in dataclasses.fields(value)}

    assert set(outgoing.StationNow.model_fields) == names(StationSummary)
    assert set(outgoing.ControlsNow.model_fields) == names(Controls)
    assert set(outgoing.LayersNow.model_fields) == set(LAYERS)
    assert set(ChordView.__slots__) == names(ChordView)


_levels = st.one_of(st.floats(-70, 10), st.sampled_from(["off", None, False, True, "on", 0]))
_values = st.one_of(st.floats(-70, 130), st.integers(0, 130), st.text(max_size=3), st.none(), st.booleans())
_changes = st.dictionaries(
    st.sampled_from([*RANGES, "bpm", "key", "mode", "layers", "volume"]),
    st.one_of(
        _values, st.sampled_from([*KEYS, *MODES, "a", "b♭"]), st.dictionaries(st.sampled_from([*LAYERS, "x"]), _levels)
    ),
    max_size=3,
)


@settings(max_examples=400, deadline=None)
@given(change=_changes)
def test_the_schema_of_a_change_says_what_the_controls_take(change):
    try:
        merge_change(Controls(), change)
        taken = True
    except ControlsError:
        taken = False
    document = {"type": "object", **controls_change_schema()}
    assert jsonschema_rs.Draft202012Validator(document).is_valid(change) is taken


async def test_every_answer_has_the_shape_that_is_described(house):
    bodies: dict[str, Any] = {
        "add_station": {"title": "Night", "id": "night", "preset": "Sleep"},
        "change_station": {"reseed": True},
        "change_controls": {"key": "D", "layers": {"bells": "off"}},
        "apply_preset": {"name": "Focus"},
        "save_preset": {"name": "Attic", "controls": {"bpm": 50}},
        "change_default_controls": {"bpm": 70},
        "begin_export": {"seconds": 1},
        "make_link": {"format": "mp3"},
    }
    export = await house.deps.exports.finished()
    order = {"DELETE": 1}
    for operation in sorted(OPERATIONS, key=lambda row: order.get(row.method, 0)):
        house.now_seconds += 1.0  # no change is one too many
        path = operation.path.replace("exports/{id}", f"exports/{export.id}")
        path = path.replace("{id}", "night" if operation.method == "DELETE" else "main")
        reply = await house.ask(operation.method, path.replace("{name}", "Attic"), bodies.get(operation.name))
        assert reply.status == operation.status, (operation.name, reply.content)
        if operation.answer is not None:
            validator(operation.answer).validate(reply.json)


async def test_every_refusal_has_the_shape_that_is_described(house):
    for method, path, body in (
        ("GET", "/nowhere", None),
        ("PUT", "/api/v1/stations", None),
        ("PATCH", "/api/v1/stations/main/controls", {"key": float("nan")}),
    ):
        reply = await house.ask(method, path, body)
        validator(outgoing.ErrorBody).validate(reply.json)
        assert reply.status == ERROR_STATUS[reply.error["code"]]
