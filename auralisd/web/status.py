"""How the daemon is, for people, programs and supervisors."""

from __future__ import annotations

from typing import Any, Final, Literal

from auralisd.errors import RequestRefusedError
from auralisd.observability.health import verdict
from auralisd.station import StationState
from auralisd.web.control import parameters_of
from auralisd.web.dependencies import WebDependencies
from auralisd.web.operations import Answer, Call, Operation, Operations, json_answer
from auralisd.web.schema.outgoing import DaemonStatus, HealthNow, MetricsNow, Probe, StreamHealth, StreamStatus
from auralisd.web.stations import station_summaries

PROMETHEUS_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_HEARD: Final[frozenset[StationState]] = frozenset({"sounding", "bed"})
_ACCELERATED: Final = ("cuda", "mps")


async def daemon_status(deps: WebDependencies, call: Call[None]) -> Answer:
    """The daemon and its stations at this moment."""
    stations = station_summaries(deps)
    return json_answer(
        {
            "status": _daemon_word(deps, {station["state"] for station in stations}),
            "version": deps.daemon.version,
            "uptime_seconds": round(deps.daemon.uptime_seconds(), 3),
            "default_station": deps.stations.default_id,
            "stations": stations,
            "may_control": call.may_control,
            "outputs": [output.as_dict() for output in deps.daemon.outputs()],
            "device": {"name": deps.daemon.device["name"], "why": deps.daemon.device["why"]},
        }
    )


async def daemon_health(deps: WebDependencies, _call: Call[None]) -> Answer:
    """Each check with a sentence."""
    checks = deps.daemon.checks()
    shown = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]
    return json_answer({"status": verdict(checks), "checks": shown})


async def stream_status(deps: WebDependencies, _call: Call[None]) -> Answer:
    """The default station in brief."""
    station = deps.stations.get(deps.stations.default_id)
    performance = station.performance()
    now = station.now_sounding()
    words = [now.section.words] if now.section else []
    words += [now.chord.name] if now.chord else []
    return json_answer(
        {
            "status": _stream_word(deps, station.summary().state),
            "metrics": {
                "buffer_depth_ms": performance["buffer_depth_ms"],
                "current_phrase": ", ".join(words) or None,
                "synthesis_latency_ms": performance["synthesis_latency_ms"],
                "gpu_accelerated": deps.daemon.device["name"].startswith(_ACCELERATED),
            },
            "parameters": parameters_of(station),
        }
    )


async def stream_health(deps: WebDependencies, _call: Call[None]) -> Answer:
    """Each check by its name."""
    checks = deps.daemon.checks()
    shown = {check.name: {"ok": check.ok, "detail": check.detail} for check in checks}
    return json_answer({"status": verdict(checks), "timestamp": deps.unix_ms(), "checks": shown})


async def metrics_as_json(deps: WebDependencies, _call: Call[None]) -> Answer:
    """Every number by name."""
    return json_answer(deps.metrics.as_dict())


async def metrics_as_text(deps: WebDependencies, _call: Call[None]) -> Answer:
    """Every number as Prometheus reads it."""
    return Answer(content=deps.metrics.exposition(), media_type=PROMETHEUS_TEXT)


async def alive(deps: WebDependencies, _call: Call[None]) -> Answer:
    """Whether it should be left running."""
    word = verdict(deps.daemon.checks())
    if word == "unhealthy":
        raise RequestRefusedError("unavailable", "unhealthy; /api/v1/health says why", headers={"Retry-After": "5"})
    return json_answer({"status": word})


async def ready(deps: WebDependencies, _call: Call[None]) -> Answer:
    """Whether a listener who comes now hears something at once."""
    if deps.daemon.stopping:
        raise RequestRefusedError("unavailable", "stopping", headers={"Retry-After": "5"})
    if not deps.daemon.ready():
        raise RequestRefusedError("unavailable", "warming up", headers={"Retry-After": "2"})
    return json_answer({"status": "ready"})


def _daemon_word(deps: WebDependencies, states: set[Any]) -> Literal["idle", "streaming", "warming_up", "error"]:
    if verdict(deps.daemon.checks()) == "unhealthy":
        return "error"
    if states & _HEARD:
        return "streaming"
    return "warming_up" if "warming_up" in states or not deps.daemon.ready() else "idle"


def _stream_word(deps: WebDependencies, state: StationState) -> Literal["idle", "streaming", "error"]:
    if verdict(deps.daemon.checks()) == "unhealthy":
        return "error"
    return "streaming" if state in _HEARD else "idle"


OPERATIONS: Final[Operations] = (
    Operation(
        method="GET",
        path="/api/v1/status",
        name="daemon_status",
        summary="See how the daemon and its stations are",
        tag="State",
        handler=daemon_status,
        answer=DaemonStatus,
    ),
    Operation(
        method="GET",
        path="/api/v1/health",
        name="daemon_health",
        summary="See what is well and what is not",
        tag="State",
        handler=daemon_health,
        answer=HealthNow,
    ),
    Operation(
        method="GET",
        path="/api/status",
        name="stream_status",
        summary="See how the default station is",
        tag="Default station",
        handler=stream_status,
        answer=StreamStatus,
    ),
    Operation(
        method="GET",
        path="/api/health",
        name="stream_health",
        summary="See what is well and what is not, by name",
        tag="Default station",
        handler=stream_health,
        answer=StreamHealth,
    ),
    Operation(
        method="GET",
        path="/api/metrics",
        name="metrics_as_json",
        summary="Every number as JSON",
        tag="Default station",
        handler=metrics_as_json,
        answer=MetricsNow,
    ),
    Operation(
        method="GET",
        path="/metrics",
        name="metrics_as_text",
        summary="Every number for Prometheus",
        tag="State",
        handler=metrics_as_text,
        media_type=PROMETHEUS_TEXT,
    ),
    Operation(
        method="GET",
        path="/healthz",
        name="alive",
        summary="Whether it should be left running",
        tag="State",
        handler=alive,
        answer=Probe,
        errors=("unavailable",),
    ),
    Operation(
        method="GET",
        path="/readyz",
        name="ready",
        summary="Whether a listener hears something at once",
        tag="State",
        handler=ready,
        answer=Probe,
        errors=("unavailable",),
    ),
)
