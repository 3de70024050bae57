"""What the daemon tells of itself."""

from __future__ import annotations

import pytest

from auralisd.station import OutputStatus
from auralisd.web.schema.outgoing import DaemonStatus


async def test_status_shows_the_daemon_and_its_stations(house):
    reply = await house.ask("GET", "/api/v1/status")
    assert reply.json == {
        "status": "idle",
        "version": "0.1.0",
        "uptime_seconds": 12.346,
        "default_station": "main",
        "stations": [house.stations.get("main").summary().as_dict()],
        "may_control": True,
        "device": {"name": "cpu", "why": "no GPU here"},
        "outputs": [],
    }


async def test_status_shows_where_stations_are_sent(house):
    house.facts.ways_out = (
        OutputStatus(
            kind="icecast",
            name="radio",
            station="main",
            formats=("mp3",),
            state="failing",
            problem="Connection refused",
            seconds=3.5,
        ),
    )
    reply = await house.ask("GET", "/api/v1/status")
    (shown,) = DaemonStatus.model_validate(reply.json).outputs
    assert shown.model_dump() == house.facts.ways_out[0].as_dict()


@pytest.mark.parametrize(
    ("state", "is_ready", "failing", "daemon_word", "stream_word"),
    [
        ("idle", True, (), "idle", "idle"),
        ("sounding", True, (), "streaming", "streaming"),
        ("bed", True, ("renderer",), "streaming", "streaming"),
        ("warming_up", True, (), "warming_up", "idle"),
        ("idle", False, (), "warming_up", "idle"),
        ("sounding", True, ("stations",), "error", "error"),
        ("idle", True, ("storage",), "idle", "idle"),
    ],
)
async def test_one_word_says_how_things_are(house, state, is_ready, failing, daemon_word, stream_word):
    house.stations.get("main").replace_summary(state=state)
    house.facts.is_ready, house.facts.failing = is_ready, failing
    assert (await house.ask("GET", "/api/v1/status")).json["status"] == daemon_word
    assert (await house.ask("GET", "/api/status")).json["status"] == stream_word


@pytest.mark.parametrize(("device", "accelerated"), [("cpu", False), ("none", False), ("cuda:0", True), ("mps", True)])
async def test_the_short_status_is_of_the_default_station(house, device, accelerated):
    house.facts.device = {"name": device, "why": "so"}
    body = (await house.ask("GET", "/api/status")).json
    assert body["metrics"] == {
        "buffer_depth_ms": 400.0,
        "current_phrase": "settling, Em add9",
        "synthesis_latency_ms": 7.5,
        "gpu_accelerated": accelerated,
    }
    assert body["parameters"]["bpm"] == 60.0


@pytest.mark.parametrize(
    ("failing", "word"), [((), "healthy"), (("storage",), "degraded"), (("stations", "storage"), "unhealthy")]
)
async def test_health_names_each_check_in_both_forms(house, failing, word):
    house.facts.failing = failing
    new = (await house.ask("GET", "/api/v1/health")).json
    old = (await house.ask("GET", "/api/health")).json
    assert new["status"] == old["status"] == word
    assert [check["name"] for check in new["checks"]] == list(old["checks"])
    assert {check["name"] for check in new["checks"] if not check["ok"]} == set(failing)
    assert old["checks"]["storage"] == {"ok": "storage" not in failing, "detail": "the storage"}
    assert old["timestamp"] == 1_700_000_000_000


async def test_liveness_fails_only_when_nobody_can_be_served(house):
    house.facts.failing = ("storage",)
    assert (await house.ask("GET", "/healthz")).json == {"status": "degraded"}
    house.facts.failing = ("stations",)
    reply = await house.ask("GET", "/healthz")
    assert reply.status == 503
    assert reply.error["code"] == "unavailable"


async def test_readiness_follows_the_warm_up_and_the_farewell(house):
    assert (await house.ask("GET", "/readyz")).json == {"status": "ready"}
    house.facts.is_ready = False
    assert (await house.ask("GET", "/readyz")).status == 503
    house.facts.is_ready, house.facts.stopping = True, True
    reply = await house.ask("GET", "/readyz")
    assert (reply.status, reply.error["message"]) == (503, "stopping")


async def test_metrics_come_for_prometheus_and_as_json(house):
    house.deps.metrics.underrun()
    text = await house.ask("GET", "/metrics")
    assert text.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"auralisd_underruns_total 1.0" in text.content.splitlines()
    assert (await house.ask("GET", "/api/metrics")).json["auralisd_underruns"] == 1.0


async def test_every_answer_is_counted_by_its_status(house):
    await house.ask("GET", "/healthz")
    await house.ask("GET", "/nowhere")
    assert house.deps.metrics.as_dict()["auralisd_web_requests"] == {"200": 1.0, "404": 1.0}
