"""Answers: made by ``as_dict`` of the values themselves; the tests hold each against the model that describes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from auralisd.controls import KEYS, LAYER_RANGE, MODES, RANGES
from auralisd.web.schema.control_words import CONTROL_WORDS


class Described(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _number(control: str) -> Any:
    bounds = RANGES[control]
    return Field(ge=bounds.low, le=bounds.high, description=CONTROL_WORDS[control])


type Level = Annotated[float, Field(ge=LAYER_RANGE.low, le=LAYER_RANGE.high)] | Literal["off"]


class LayersNow(Described):
    """Gain of each layer in dB, or off."""

    drone: Level
    pad: Level
    loops: Level
    melody: Level
    bells: Level
    texture: Level
    percussion: Level


class ControlsNow(Described):
    """All controls of a station."""

    key: str = Field(description=CONTROL_WORDS["key"], json_schema_extra={"enum": list(KEYS)})
    mode: str = Field(description=CONTROL_WORDS["mode"], json_schema_extra={"enum": list(MODES)})
    tempo_bpm: float = _number("tempo_bpm")
    intensity: float = _number("intensity")
    brightness: float = _number("brightness")
    space: float = _number("space")
    warmth: float = _number("warmth")
    melody_complexity: float = _number("melody_complexity")
    chord_variety: float = _number("chord_variety")
    harmonic_density: float = _number("harmonic_density")
    layers: LayersNow
    level_db: float = _number("level_db")
    night: bool = Field(description=CONTROL_WORDS["night"])


class StationNow(Described):
    """A station at this moment."""

    id: str
    title: str
    seed: int
    preset: str | None = Field(description="The one last applied, null once a control differs.")
    state: Literal["warming_up", "idle", "sounding", "bed"]
    pinned: bool
    listeners: int = Field(ge=0)
    epoch: int = Field(ge=0)
    position: int = Field(description="The programme frame that is due now, 44,100 a second.")


class StationInFull(StationNow):
    """A station with its controls and where to hear it."""

    controls: ControlsNow
    may_control: bool = Field(description="Whether the one who asks may change things.")
    streams: dict[str, str] = Field(description="Path of the endless stream by format.")


class StationList(Described):
    """All stations, the default one first."""

    stations: list[StationNow]


class LinkShown(Described):
    """A link to listen; where everybody may listen, the addresses as they are."""

    station: str
    format: Literal["opus", "mp3", "flac", "aac", "wav", "hls"] | None = Field(
        description="The one way to listen that it is good for; null for all."
    )
    token: str | None = Field(description="What `listen` in an address is; null where listening takes none.")
    expires_at: int | None = Field(description="Milliseconds since 1970, UTC; null where listening takes no link.")
    addresses: dict[str, str] = Field(
        description="What it opens: `page`, streams by format, `m3u`, `pls`, and `hls` where that is written."
    )


class AppliedAt(Described):
    """When a control is heard."""

    position: int = Field(description="The first programme frame it is heard in.")
    seconds_from_now: float = Field(ge=0)


class ControlsApplied(Described):
    """The controls after a change, and when each named one is heard."""

    controls: ControlsNow
    applied_at: dict[str, AppliedAt]


class PresetShown(Described):
    """A named subset of the controls."""

    name: str
    built_in: bool
    description: str | None = Field(description="What it is like, in one sentence; null for saved ones.")
    loudness_target_lufs: float | None = Field(
        description="Integrated loudness it is mixed for, over any ten minutes; null for saved ones."
    )
    controls: dict[str, Any]


class ExportShown(Described):
    """A sound file of what a station played, or what becomes one."""

    id: str
    station: str
    format: Literal["wav", "flac", "opus", "mp3", "m4a"]
    from_position: int = Field(description="First programme frame, at 44,100 a second.")
    to_position: int = Field(description="The first programme frame after it.")
    state: Literal["waiting", "rendering", "done", "failed"]
    size_bytes: int | None = Field(description="Of the finished file.")
    why: str | None = Field(description="Why it failed.")
    sound: str | None = Field(description="Where the finished file is.")


class ExportList(Described):
    """The newest first."""

    exports: list[ExportShown]


class PresetList(Described):
    """Built-in presets first, then saved ones by name."""

    presets: list[PresetShown]


class ScoreEvent(BaseModel):
    """An event of the score; its further fields depend on `kind`."""

    model_config = ConfigDict(extra="allow")

    kind: Literal["note", "chord", "section", "bar", "control"]
    committed: bool = Field(description="Whether it has been handed to the synthesiser.")


class ScoreAhead(Described):
    """What sounds and what is planned, sorted by onset."""

    station: str
    position: int = Field(description="The programme frame that is due now.")
    seconds: float
    events: list[ScoreEvent]


class ReasonShown(Described):
    """Why the music changed."""

    position: int
    seconds_ago: float
    text: str
    cause: str


class Reasons(Described):
    """What changed lately and because of what, newest first."""

    station: str
    reasons: list[ReasonShown]


class Device(Described):
    """Where sound is made."""

    name: str
    why: str


class OutputNow(Described):
    """A way out beside listeners' sockets."""

    kind: Literal["icecast", "hls"]
    name: str
    station: str
    formats: list[str]
    state: Literal["waiting", "starting", "on", "failing"] = Field(
        description="waiting for its station, starting, on, or failing and tried again"
    )
    problem: str | None = Field(description="Why it is not on; null where all is well")
    seconds: float = Field(ge=0, description="How long it has been in that state")


class DaemonStatus(Described):
    """The daemon at this moment."""

    status: Literal["idle", "streaming", "warming_up", "error"]
    version: str
    uptime_seconds: float
    default_station: str
    stations: list[StationNow]
    may_control: bool
    device: Device
    outputs: list[OutputNow]


class Check(Described):
    """One thing that is well or not."""

    name: str
    ok: bool
    detail: str


class HealthNow(Described):
    """How the daemon is."""

    status: Literal["healthy", "degraded", "unhealthy"]
    checks: list[Check]


class Probe(Described):
    """What a supervisor wants to know."""

    status: Literal["healthy", "degraded", "ready"]


class Parameters(ControlsNow):
    """All controls, with the tempo under its short name too."""

    bpm: float = _number("tempo_bpm")


class ControlUpdated(Described):
    """A change that was taken."""

    status: Literal["updated"]
    timestamp: int = Field(description="Milliseconds since 1970, UTC.")
    parameters: Parameters


class StreamMetrics(Described):
    """How the default station does."""

    buffer_depth_ms: float
    current_phrase: str | None
    synthesis_latency_ms: float
    gpu_accelerated: bool


class StreamStatus(Described):
    """The default station in brief."""

    status: Literal["idle", "streaming", "error"]
    metrics: StreamMetrics
    parameters: Parameters


class CheckResult(Described):
    """One thing that is well or not."""

    ok: bool
    detail: str


class StreamHealth(Described):
    """How the daemon is, by name of the check."""

    status: Literal["healthy", "degraded", "unhealthy"]
    timestamp: int
    checks: dict[str, CheckResult]


class MetricsNow(RootModel[dict[str, Any]]):
    """Every number by name: a number, numbers by label, or a histogram's count, sum, mean, p50 and p99."""


class ErrorDetails(Described):
    """The field that is to blame, where one is."""

    field: str | None
    value: Any
    constraint: str | None


class ErrorPart(Described):
    """What was refused and why."""

    code: str
    message: str
    timestamp: int = Field(description="Milliseconds since 1970, UTC.")
    details: ErrorDetails


class ErrorBody(Described):
    """Every refusal has this form."""

    error: ErrorPart
