"""From facts about the daemon to a few checks a person can read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

type Health = Literal["healthy", "degraded", "unhealthy"]

LOOP_LAG_LIMIT_SECONDS: Final = 0.25  # past this, listeners with small buffers hear it
LOOP_LAG_LIMIT_WARMING_UP_SECONDS: Final = 1.0  # importing torch holds the loop; sound is sent ahead meanwhile
SILENCE_LIMIT_SECONDS: Final = 2.0  # a station that sounds publishes every 0.1 s

_VITAL: Final = frozenset({"stations"})  # without it nobody hears anything; the others can wait


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One thing that is well or not; ``detail`` says what, for a person."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFacts:
    """What health needs to know of one station.

    Attributes:
        id: the station's name.
        state: ``warming_up``, ``idle``, ``sounding`` or ``bed``.
        quiet_seconds: how long ago it last published, None if it never did.
    """

    id: str
    state: str
    quiet_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFacts:
    """What health needs to know of the daemon.

    Attributes:
        device: the synthesis device, None while warming up.
        loop_lag_seconds: the longest pass of the event loop lately.
        storage_problem: a sentence, None when the state can be saved.
        stations: all of them.
        outputs: what is wrong with each way out beside listeners' sockets; None where nothing is.
    """

    device: str | None
    loop_lag_seconds: float
    stations: tuple[StationFacts, ...]
    storage_problem: str | None = None
    outputs: Mapping[str, str | None] = field(default_factory=dict)


def health_checks(facts: HealthFacts) -> tuple[HealthCheck, ...]:
    """Renderer, loop, storage and stations, one line each; outputs too, where there are any."""
    always = (_renderer(facts), _loop(facts), _storage(facts), _stations(facts))
    return (*always, _outputs(facts)) if facts.outputs else always


def verdict(checks: Iterable[HealthCheck]) -> Health:
    """``unhealthy`` when nobody can be served, ``degraded`` when anything else is wrong."""
    failed = {check.name for check in checks if not check.ok}
    if failed & _VITAL:
        return "unhealthy"
    return "degraded" if failed else "healthy"


def _renderer(facts: HealthFacts) -> HealthCheck:
    on_bed = [station.id for station in facts.stations if station.state == "bed"]
    if on_bed:
        return HealthCheck(name="renderer", ok=False, detail=f"the bed stands in on {', '.join(on_bed)}")
    detail = f"renders on {facts.device}" if facts.device else "warming up"
    return HealthCheck(name="renderer", ok=True, detail=detail)


def _loop(facts: HealthFacts) -> HealthCheck:
    lag_ms = facts.loop_lag_seconds * 1000
    limit_seconds = LOOP_LAG_LIMIT_SECONDS if facts.device else LOOP_LAG_LIMIT_WARMING_UP_SECONDS
    ok = facts.loop_lag_seconds <= limit_seconds
    return HealthCheck(name="loop", ok=ok, detail=f"longest pass lately {lag_ms:.0f} ms")


def _storage(facts: HealthFacts) -> HealthCheck:
    problem = facts.storage_problem
    return HealthCheck(name="storage", ok=problem is None, detail=problem or "the state is saved")


def _outputs(facts: HealthFacts) -> HealthCheck:
    problems = [f"{name}: {problem}" for name, problem in facts.outputs.items() if problem is not None]
    return HealthCheck(name="outputs", ok=not problems, detail="; ".join(problems) or f"{len(facts.outputs)} are well")


def _stations(facts: HealthFacts) -> HealthCheck:
    sounding = [station for station in facts.stations if station.state in ("sounding", "bed")]
    silent = [s.id for s in sounding if s.quiet_seconds is not None and s.quiet_seconds > SILENCE_LIMIT_SECONDS]
    if silent:
        return HealthCheck(name="stations", ok=False, detail=f"no sound comes from {', '.join(silent)}")
    return HealthCheck(name="stations", ok=True, detail=f"{len(sounding)} of {len(facts.stations)} on the air")
