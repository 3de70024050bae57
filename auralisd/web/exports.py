"""Exports: ask for a sound file of what was played, look how far it is, fetch it, forget it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from auralisd.web.dependencies import WebDependencies
from auralisd.web.listening import LISTENING_ERRORS
from auralisd.web.operations import Answer, Call, Operation, Operations, json_answer
from auralisd.web.schema.incoming import LinkQuery, NewExport
from auralisd.web.schema.outgoing import ExportList, ExportShown

MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"wav": "audio/wav", "flac": "audio/flac", "opus": "audio/ogg", "mp3": "audio/mpeg", "m4a": "audio/mp4"}
)


async def begin_export(deps: WebDependencies, call: Call[NewExport]) -> Answer:
    """The export as it waits its turn."""
    wanted = call.arguments
    export = await deps.exports.begin(
        call.path["id"], form=wanted.format, seconds=wanted.seconds, from_position=wanted.from_position
    )
    return json_answer(export.as_dict(), status=202, headers={"Location": f"/api/v1/exports/{export.id}"})


async def list_exports(deps: WebDependencies, _call: Call[None]) -> Answer:
    """All exports."""
    return json_answer({"exports": [export.as_dict() for export in deps.exports.all()]})


async def get_export(deps: WebDependencies, call: Call[None]) -> Answer:
    """One export."""
    return json_answer(deps.exports.get(call.path["id"]).as_dict())


async def fetch_sound(deps: WebDependencies, call: Call[LinkQuery]) -> Answer:
    """The finished file, for those who may listen to its station."""
    export = deps.exports.get(call.path["id"])
    link = call.arguments.listen
    deps.admission.check(call.facts, client=call.client, station=export.station, form=None, link=link)
    name = f"{export.station}-{export.from_position}.{export.format}"
    return Answer(
        content=deps.exports.sound_file(export.id),
        media_type=MEDIA_TYPES[export.format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def remove_export(deps: WebDependencies, call: Call[None]) -> Answer:
    """One export fewer."""
    await deps.exports.remove(call.path["id"])
    return Answer(content=b"", status=204, media_type="")


OPERATIONS: Final[Operations] = (
    Operation(
        method="POST",
        path="/api/v1/stations/{id}/exports",
        name="begin_export",
        summary="Make a sound file of what was played",
        tag="Exports",
        handler=begin_export,
        arguments=NewExport,
        answer=ExportShown,
        status=202,
        errors=("not_found", "conflict"),
        description="Rendered anew from seed and controls log by a process of its own, one at a time. Where the stream "
        "was live and in full quality the file is the same, sample by sample. Kept until the daemon stops, "
        "or four newer ones were made.",
    ),
    Operation(
        method="GET",
        path="/api/v1/exports",
        name="list_exports",
        summary="List the exports",
        tag="Exports",
        handler=list_exports,
        answer=ExportList,
    ),
    Operation(
        method="GET",
        path="/api/v1/exports/{id}",
        name="get_export",
        summary="Look at an export",
        tag="Exports",
        handler=get_export,
        answer=ExportShown,
    ),
    Operation(
        method="GET",
        path="/api/v1/exports/{id}/sound",
        name="fetch_sound",
        summary="Fetch the finished file",
        tag="Exports",
        handler=fetch_sound,
        arguments=LinkQuery,
        media_type="application/octet-stream",
        errors=("conflict", *LISTENING_ERRORS),
        description="Where listening takes a link, so does this.",
    ),
    Operation(
        method="DELETE",
        path="/api/v1/exports/{id}",
        name="remove_export",
        summary="Stop or forget an export",
        tag="Exports",
        handler=remove_export,
        status=204,
        media_type="",
    ),
)
