"""Steering a station, and looking at what it plays and why."""

from __future__ import annotations

from typing import Any, Final

from auralisd.station import Station
from auralisd.units import frames_to_seconds
from auralisd.web.dependencies import WebDependencies
from auralisd.web.operations import Answer, Call, Operation, Operations, json_answer
from auralisd.web.schema.incoming import ControlsChange, PresetChoice, ScoreQuery, WhyQuery
from auralisd.web.schema.outgoing import ControlsApplied, ControlUpdated, Reasons, ScoreAhead


async def change_controls(deps: WebDependencies, call: Call[ControlsChange]) -> Answer:
    """The controls after the change, and when each named one is heard."""
    applied = deps.stations.get(call.path["id"]).change_controls(call.arguments.root, cause="rest")
    return json_answer(applied.as_dict())


async def apply_preset(deps: WebDependencies, call: Call[PresetChoice]) -> Answer:
    """The controls after the preset, and when each of them is heard."""
    station = deps.stations.get(call.path["id"])
    preset = await deps.presets.get(call.arguments.name)
    applied = station.change_controls(preset.controls, cause="preset", preset=preset.name)
    return json_answer(applied.as_dict())


async def look_ahead(deps: WebDependencies, call: Call[ScoreQuery]) -> Answer:
    """What sounds and what is planned."""
    station = deps.stations.get(call.path["id"])
    seconds = call.arguments.seconds
    return json_answer(
        {
            "station": station.id,
            "position": station.live_position(),
            "seconds": seconds,
            "events": station.upcoming_score(seconds),
        }
    )


async def tell_why(deps: WebDependencies, call: Call[WhyQuery]) -> Answer:
    """What changed lately and because of what."""
    station = deps.stations.get(call.path["id"])
    live = station.live_position()
    reasons = [
        {
            "position": reason.position,
            "seconds_ago": round(frames_to_seconds(live - reason.position), 3),
            "text": reason.text,
            "cause": reason.cause,
        }
        for reason in station.why(call.arguments.limit)
    ]
    return json_answer({"station": station.id, "reasons": reasons})


async def change_default_controls(deps: WebDependencies, call: Call[ControlsChange]) -> Answer:
    """The default station's controls after the change."""
    station = deps.stations.get(deps.stations.default_id)
    station.change_controls(call.arguments.root, cause="rest")
    return json_answer({"status": "updated", "timestamp": deps.unix_ms(), "parameters": parameters_of(station)})


def parameters_of(station: Station) -> dict[str, Any]:
    """The controls, with the tempo under its short name too."""
    controls = station.controls
    return controls.as_dict() | {"bpm": controls.tempo_bpm}


_HEARD = (
    "Any subset of the controls; all of it is taken or nothing. Brightness, space, warmth, layers and level are "
    "heard with the next block, key and mode within 5 s, tempo and intensity at once, the others with the next phrase."
)

OPERATIONS: Final[Operations] = (
    Operation(
        method="PATCH",
        path="/api/v1/stations/{id}/controls",
        name="change_controls",
        summary="Turn controls of a station",
        tag="Steering",
        handler=change_controls,
        arguments=ControlsChange,
        answer=ControlsApplied,
        description=_HEARD,
    ),
    Operation(
        method="POST",
        path="/api/v1/stations/{id}/preset",
        name="apply_preset",
        summary="Play a preset",
        tag="Steering",
        handler=apply_preset,
        arguments=PresetChoice,
        answer=ControlsApplied,
    ),
    Operation(
        method="GET",
        path="/api/v1/stations/{id}/score",
        name="look_ahead",
        summary="See what sounds and what is planned",
        tag="Steering",
        handler=look_ahead,
        arguments=ScoreQuery,
        answer=ScoreAhead,
        description="Chords, sections, bars and notes; what is not `committed` yet may change with the controls.",
    ),
    Operation(
        method="GET",
        path="/api/v1/stations/{id}/why",
        name="tell_why",
        summary="See why the music changed",
        tag="Steering",
        handler=tell_why,
        arguments=WhyQuery,
        answer=Reasons,
    ),
    Operation(
        method="POST",
        path="/api/control",
        name="change_default_controls",
        summary="Turn controls of the default station",
        tag="Default station",
        handler=change_default_controls,
        arguments=ControlsChange,
        answer=ControlUpdated,
        description=_HEARD,
    ),
)
