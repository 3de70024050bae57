"""Bodies and queries: validated by these models, controls by ``controls.merge_change``, the one door they have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, RootModel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from auralisd.controls import LAYER_RANGE, LAYERS, MODES, OFF, RANGES
from auralisd.listening_links import DEFAULT_SECONDS, LONGEST_SECONDS
from auralisd.score import LARGEST_SEED
from auralisd.settings import STATION_ID_PATTERN
from auralisd.station import LONGEST_EXPORT_SECONDS
from auralisd.web.schema.control_words import CONTROL_WORDS

_VISIBLE = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
type Title = Annotated[str, Field(min_length=1, max_length=80, pattern=_VISIBLE, description="A name for people.")]
type PresetName = Annotated[str, Field(min_length=1, max_length=40, pattern=_VISIBLE, description="The preset's name.")]
type StationId = Annotated[
    str, Field(pattern=STATION_ID_PATTERN, description="The name in URLs: lower-case letters, digits, - and _.")
]


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 7.0 is the integer 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


type Seed = Annotated[
    int,
    Field(ge=0, le=LARGEST_SEED, description="The same seed and controls give the same music."),
    BeforeValidator(_whole),  # after the bounds, or they are missing from the description
]


class Arguments(BaseModel):
    """A body: exact types, known fields only, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Query(BaseModel):
    """A query: text that is read as what the field wants, known names only."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class ControlsChange(RootModel[dict[str, Any]]):
    """Any subset of the controls; what is not named stays as it is."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of what ``controls.merge_change`` takes, from the tables it works with."""
        return {"title": "ControlsChange", "description": cls.__doc__} | controls_change_schema()


class NewStation(Arguments):
    """A station to add."""

    title: Title
    id: StationId | None = Field(None, description="Made from the title when it is left out.")
    seed: Seed | None = Field(None, description="Drawn when it is left out.")
    preset: PresetName | None = Field(None, description="The preset it begins with.")
    controls: ControlsChange | None = Field(None, description="Controls that differ from the preset's.")
    pinned: bool = Field(default=False, description="Whether it plays on when nobody listens.")


class StationChange(Arguments):
    """What to change of a station; what is left out or null stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["seed", "reseed"],
                "properties": {"seed": {"type": "integer"}, "reseed": {"const": True}},
            }
        }
    )

    title: Title | None = None
    pinned: bool | None = Field(None, description="Whether it plays on when nobody listens.")
    seed: Seed | None = Field(None, description="Begin a new piece with this seed: a new epoch.")
    reseed: bool = Field(default=False, description="Begin a new piece with a drawn seed. Not beside `seed`.")


class PresetChoice(Arguments):
    """A preset to play."""

    name: PresetName


class NewPreset(Arguments):
    """A preset to keep."""

    name: PresetName
    controls: ControlsChange


class NewExport(Arguments):
    """A sound file to make of what a station played."""

    format: Literal["wav", "flac", "opus", "mp3", "m4a"] = Field("flac", description="What kind of file.")
    seconds: float = Field(60.0, ge=1, le=LONGEST_EXPORT_SECONDS, description="How long, in seconds.")
    from_position: Annotated[
        int | None,
        Field(ge=0, description="First programme frame, at 44,100 a second; by default the last `seconds` until now."),
        BeforeValidator(_whole),
    ] = None


class NewLink(Arguments):
    """A link to make: for whom it is, the station says."""

    expires_seconds: float = Field(
        float(DEFAULT_SECONDS), ge=1, le=LONGEST_SECONDS, description="How long it is good for, from now on."
    )
    format: Literal["opus", "mp3", "flac", "aac", "wav", "hls"] | None = Field(
        None, description="One way to listen; by default it is good for all, the page and WebSockets among them."
    )


class LinkQuery(BaseModel):
    """What a signed link adds to an address."""

    model_config = ConfigDict(extra="ignore", frozen=True)  # it is the one thing that is looked at

    listen: str | None = Field(None, description="The token of a link, where listening takes one.")


class ScoreQuery(Query):
    """How far to look ahead."""

    seconds: float = Field(60.0, ge=1, le=120, description="How far to look ahead.")


class WhyQuery(Query):
    """How far to look back."""

    limit: int = Field(20, ge=1, le=200, description="How many reasons at most.")


def controls_change_schema() -> JsonSchemaValue:
    """JSON schema of a change of controls."""
    properties: dict[str, Any] = {
        "key": {"type": "string", "pattern": "^[A-Ga-g][#b♯♭]?$", "description": CONTROL_WORDS["key"]},
        "mode": {"type": "string", "enum": list(MODES), "description": CONTROL_WORDS["mode"]},
        **{name: _range_schema(name) for name in RANGES},
        "bpm": _range_schema("tempo_bpm") | {"description": "Another name of tempo_bpm."},
        "layers": {
            "type": "object",
            "description": "Any subset of the layers.",
            "properties": {layer: _level_schema() for layer in LAYERS},
            "additionalProperties": False,
        },
        "night": {"type": "boolean", "description": CONTROL_WORDS["night"]},
    }
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "not": {"required": ["bpm", "tempo_bpm"]},
        "examples": [{"key": "D", "mode": "dorian", "brightness": 0.7}],
    }


def _range_schema(control: str) -> dict[str, Any]:
    bounds = RANGES[control]
    return {"type": "number", "minimum": bounds.low, "maximum": bounds.high, "description": CONTROL_WORDS[control]}


def _level_schema() -> dict[str, Any]:
    gain = {"type": "number", "minimum": LAYER_RANGE.low, "maximum": LAYER_RANGE.high, "description": "dB"}
    return {"anyOf": [gain, {"enum": [OFF, False, None]}]}
