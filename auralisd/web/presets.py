"""Presets: list, keep, forget."""

from __future__ import annotations

from typing import Final

from auralisd.web.dependencies import WebDependencies
from auralisd.web.operations import Answer, Call, Operation, Operations, json_answer
from auralisd.web.schema.incoming import NewPreset
from auralisd.web.schema.outgoing import PresetList, PresetShown


async def list_presets(deps: WebDependencies, _call: Call[None]) -> Answer:
    """All presets."""
    return json_answer({"presets": [preset.as_dict() for preset in await deps.presets.all()]})


async def save_preset(deps: WebDependencies, call: Call[NewPreset]) -> Answer:
    """The preset as it was kept."""
    preset = await deps.presets.save(call.arguments.name, call.arguments.controls.root)
    return json_answer(preset.as_dict(), status=201)


async def delete_preset(deps: WebDependencies, call: Call[None]) -> Answer:
    """One preset fewer."""
    await deps.presets.delete(call.path["name"])
    return Answer(content=b"", status=204, media_type="")


OPERATIONS: Final[Operations] = (
    Operation(
        method="GET",
        path="/api/v1/presets",
        name="list_presets",
        summary="List the presets",
        tag="Presets",
        handler=list_presets,
        answer=PresetList,
    ),
    Operation(
        method="POST",
        path="/api/v1/presets",
        name="save_preset",
        summary="Save a preset",
        tag="Presets",
        handler=save_preset,
        arguments=NewPreset,
        answer=PresetShown,
        status=201,
        errors=("conflict",),
        description="A saved preset of the same name is replaced, whatever the case; a built-in one stays.",
    ),
    Operation(
        method="DELETE",
        path="/api/v1/presets/{name}",
        name="delete_preset",
        summary="Delete a saved preset",
        tag="Presets",
        handler=delete_preset,
        status=204,
        media_type="",
        errors=("conflict",),
    ),
)
