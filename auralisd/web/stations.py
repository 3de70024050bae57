"""Stations: list, add, look, rename, pin, begin anew, remove."""

from __future__ import annotations

from typing import Any, Final

from auralisd.errors import ControlsError
from auralisd.station import Station
from auralisd.transport.forms import HTTP_FORMS
from auralisd.web.dependencies import WebDependencies
from auralisd.web.operations import Answer, Call, Operation, Operations, json_answer
from auralisd.web.schema.incoming import NewStation, StationChange
from auralisd.web.schema.outgoing import StationInFull, StationList


async def list_stations(deps: WebDependencies, _call: Call[None]) -> Answer:
    """All stations."""
    return json_answer({"stations": station_summaries(deps)})


async def add_station(deps: WebDependencies, call: Call[NewStation]) -> Answer:
    """A new station."""
    wanted = call.arguments
    station = await deps.stations.add(
        title=wanted.title.strip(),
        station_id=wanted.id,
        seed=wanted.seed,
        preset=wanted.preset,
        controls=wanted.controls.root if wanted.controls is not None else None,
        pinned=wanted.pinned,
    )
    location = f"/api/v1/stations/{station.id}"
    return json_answer(_in_full(station, call), status=201, headers={"Location": location})


async def get_station(deps: WebDependencies, call: Call[None]) -> Answer:
    """One station."""
    return json_answer(_in_full(deps.stations.get(call.path["id"]), call))


async def change_station(deps: WebDependencies, call: Call[StationChange]) -> Answer:
    """A station under another title, pinned or not, or with a new piece."""
    wanted = call.arguments
    if wanted.reseed and wanted.seed is not None:
        raise ControlsError("reseed", value=True, constraint="not beside a seed of your own")
    station = await deps.stations.update(
        call.path["id"],
        title=wanted.title.strip() if wanted.title is not None else None,
        pinned=wanted.pinned,
        seed=deps.draw_seed() if wanted.reseed else wanted.seed,
    )
    return json_answer(_in_full(station, call))


async def remove_station(deps: WebDependencies, call: Call[None]) -> Answer:
    """One station fewer."""
    await deps.stations.remove(call.path["id"])
    return Answer(content=b"", status=204, media_type="")


def station_summaries(deps: WebDependencies) -> list[dict[str, Any]]:
    """Every station as lists show it, the default one first."""
    return [deps.stations.get(station_id).summary().as_dict() for station_id in deps.stations.ids()]


def _in_full(station: Station, call: Call[Any]) -> dict[str, Any]:
    streams = {name: f"/stations/{station.id}/stream.{name}" for name in HTTP_FORMS}
    return {
        **station.summary().as_dict(),
        "controls": station.controls.as_dict(),
        "may_control": call.may_control,
        "streams": streams,
    }


OPERATIONS: Final[Operations] = (
    Operation(
        method="GET",
        path="/api/v1/stations",
        name="list_stations",
        summary="List the stations",
        tag="Stations",
        handler=list_stations,
        answer=StationList,
    ),
    Operation(
        method="POST",
        path="/api/v1/stations",
        name="add_station",
        summary="Add a station",
        tag="Stations",
        handler=add_station,
        arguments=NewStation,
        answer=StationInFull,
        status=201,
        errors=("not_found", "conflict"),
    ),
    Operation(
        method="GET",
        path="/api/v1/stations/{id}",
        name="get_station",
        summary="Look at a station",
        tag="Stations",
        handler=get_station,
        answer=StationInFull,
    ),
    Operation(
        method="PATCH",
        path="/api/v1/stations/{id}",
        name="change_station",
        summary="Rename, pin or begin a new piece",
        tag="Stations",
        handler=change_station,
        arguments=StationChange,
        answer=StationInFull,
        description="A new piece (`seed` or `reseed`) begins a new epoch; positions go on.",
    ),
    Operation(
        method="DELETE",
        path="/api/v1/stations/{id}",
        name="remove_station",
        summary="Remove a station",
        tag="Stations",
        handler=remove_station,
        status=204,
        media_type="",
        errors=("conflict",),
        description="Its listeners are told goodbye. The default station stays.",
    ),
)
