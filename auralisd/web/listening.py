"""Links to listen: made for whoever may change things, where listening takes one."""

from __future__ import annotations

from typing import Final

from auralisd.errors import UnknownNameError
from auralisd.listening_links import addresses
from auralisd.web.dependencies import WebDependencies
from auralisd.web.operations import Answer, Call, Operation, Operations, json_answer
from auralisd.web.schema.incoming import NewLink
from auralisd.web.schema.outgoing import LinkShown

LISTENING_ERRORS: Final = ("unauthorized", "forbidden", "rate_limited")
"""What those are told who may not listen."""


async def make_link(deps: WebDependencies, call: Call[NewLink]) -> Answer:
    """A link, and all that it opens."""
    station = deps.stations.get(call.path["id"])
    wanted = call.arguments
    grant = deps.admission.grant(station.id, seconds=wanted.expires_seconds, form=wanted.format)
    token = deps.admission.token(grant)
    base = (deps.policy.public_url or f"http://{call.facts.host}").rstrip("/")
    return json_answer(
        {
            "station": grant.station,
            "format": grant.format,
            "token": token,
            "expires_at": None if token is None else grant.expires_at_seconds * 1000,
            "addresses": dict(addresses(base, grant, token, hls=await _has_hls(deps, station.id))),
        }
    )


async def _has_hls(deps: WebDependencies, station_id: str) -> bool:
    try:
        await deps.hls_file(station_id, "index.m3u8")
    except UnknownNameError:
        return False
    return True


OPERATIONS: Final[Operations] = (
    Operation(
        method="POST",
        path="/api/v1/stations/{id}/listening-links",
        name="make_link",
        summary="Make a link to listen",
        tag="Stations",
        handler=make_link,
        arguments=NewLink,
        answer=LinkShown,
        description="For guests, where `listen_access` is `signed`: signed, and good until it expires. Nothing is kept "
        "of it, so it cannot be taken back alone; another listen key ends all links. An endless stream that "
        "has begun goes on past the end of its link; HLS, which asks for each file, ends with it.",
    ),
)
