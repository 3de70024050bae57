"""The handles by which the web, the front door and the daemon share a station.

Only Protocols and frozen values: the daemon implements them, everybody else asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from auralisd.controls import Controls
from auralisd.observability.health import HealthCheck as HealthCheck
from auralisd.score import Reason
from auralisd.units import frames_to_seconds

type OutputKind = Literal["icecast", "hls"]
type OutputState = Literal["waiting", "starting", "on", "failing"]
type StationState = Literal["warming_up", "idle", "sounding", "bed"]


type ExportState = Literal["waiting", "rendering", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSummary:
    """A station at one moment, as lists, pages and players show it."""

    id: str
    title: str
    seed: int
    preset: str | None
    state: StationState
    pinned: bool
    listeners: int
    epoch: int
    position: int

    def as_dict(self) -> dict[str, Any]:
        """The summary as JSON shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedChange:
    """The answer to a change of controls.

    Attributes:
        controls: the controls after it.
        positions: for each control named, the first frame it is heard in.
        live_position: the frame that is due now, from which "in 3 s" is counted.
    """

    controls: Controls
    positions: Mapping[str, int]
    live_position: int

    def seconds_from_now(self, control: str) -> float:
        """How long until the change of ``control`` is heard at the source, never negative."""
        return round(max(0.0, frames_to_seconds(self.positions[control] - self.live_position)), 3)

    def as_dict(self) -> dict[str, Any]:
        """The answer as REST gives it."""
        return {
            "controls": self.controls.as_dict(),
            "applied_at": {
                control: {"position": position, "seconds_from_now": self.seconds_from_now(control)}
                for control, position in self.positions.items()
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChordView:
    """A chord as listeners are told of it."""

    name: str
    tonic: str
    mode: str
    degree: int
    quality: str
    position: int
    seconds_from_now: float

    def as_dict(self) -> dict[str, Any]:
        """The chord as JSON shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """A section as listeners are told of it; ``words`` fit "D dorian, settling"."""

    archetype: str
    words: str
    position: int

    def as_dict(self) -> dict[str, Any]:
        """The section as JSON shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class NowSounding:
    """What sounds at the live position and what comes next; all None until the first phrase."""

    chord: ChordView | None = None
    next_chord: ChordView | None = None
    section: SectionView | None = None

    def as_dict(self) -> dict[str, Any]:
        """The three as JSON shows them."""
        return {
            "chord": self.chord.as_dict() if self.chord else None,
            "next_chord": self.next_chord.as_dict() if self.next_chord else None,
            "section": self.section.as_dict() if self.section else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named set of controls; any subset.

    Attributes:
        name: what it is asked for by.
        controls: what it turns.
        built_in: whether it came with the program.
        description: what it is like, in one sentence; None for saved ones.
        loudness_target_lufs: integrated loudness it is mixed for; None for saved ones.
    """

    name: str
    controls: Mapping[str, Any]
    built_in: bool
    description: str | None = None
    loudness_target_lufs: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The preset as JSON shows it."""
        return {
            "name": self.name,
            "built_in": self.built_in,
            "description": self.description,
            "loudness_target_lufs": self.loudness_target_lufs,
            "controls": {k: dict(v) if isinstance(v, Mapping) else v for k, v in self.controls.items()},
        }


LONGEST_EXPORT_SECONDS: Final = 2 * 3600
"""At fifteen times real time eight minutes of a core, and 1.3 GB as wav."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A sound file of what a station played, or what becomes one.

    Attributes:
        id: what it is asked for by.
        station: whose sound.
        format: wav, flac, opus, mp3 or m4a.
        from_position: its first programme frame.
        to_position: the first one after it.
        state: how far it is.
        size_bytes: of the finished file.
        why: it failed.
    """

    id: str
    station: str
    format: str
    from_position: int
    to_position: int
    state: ExportState
    size_bytes: int | None = None
    why: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The export as JSON shows it."""
        done = self.state == "done"
        return {
            "id": self.id,
            "station": self.station,
            "format": self.format,
            "from_position": self.from_position,
            "to_position": self.to_position,
            "state": self.state,
            "size_bytes": self.size_bytes,
            "why": self.why,
            "sound": f"/api/v1/exports/{self.id}/sound" if done else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStatus:
    """A way out beside listeners' sockets, at one moment.

    Attributes:
        kind: what it leads to.
        name: which one.
        station: the station that it carries.
        formats: in which formats.
        state: ``waiting`` for its station, ``starting``, ``on``, or ``failing`` and tried again.
        problem: why it is not on, for a person; None where all is well.
        seconds: how long it has been in that state.
    """

    kind: OutputKind
    name: str
    station: str
    formats: tuple[str, ...]
    state: OutputState
    problem: str | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The output as JSON shows it."""
        return {name: getattr(self, name) for name in self.__slots__} | {"formats": list(self.formats)}


class Station(Protocol):
    """One named programme."""

    @property
    def id(self) -> str:
        """The name in URLs."""
        ...

    @property
    def controls(self) -> Controls:
        """The controls now."""
        ...

    @property
    def revision(self) -> int:
        """Goes up by one whenever controls, chord, section, state, title or listeners change."""
        ...

    async def wait_changed(self, seen_revision: int) -> int:
        """Return the new revision as soon as it is greater than ``seen_revision``."""
        ...

    def summary(self) -> StationSummary:
        """The station at this moment."""
        ...

    def now_sounding(self) -> NowSounding:
        """What is heard at the live position."""
        ...

    def change_controls(self, change: Mapping[str, Any], *, cause: str, preset: str | None = None) -> AppliedChange:
        """Validate and apply a change, whole or not at all.

        Args:
            change: any subset of the controls, as a client sent it.
            cause: ``rest``, ``ws`` or ``preset``.
            preset: the preset it came from, shown in the summary until another change.

        Raises:
            ControlsError: nothing was changed.
        """
        ...

    def upcoming_score(self, seconds: float) -> list[dict[str, Any]]:
        """The events sounding and planned, each with ``committed``, sorted by onset."""
        ...

    def why(self, limit: int) -> list[Reason]:
        """What changed lately and because of what, newest first."""
        ...

    def live_position(self) -> int:
        """The programme frame that is due now."""
        ...

    def performance(self) -> Mapping[str, float]:
        """How the pipeline does just now.

        ``buffer_depth_ms``, ``synthesis_latency_ms``, ``x_real_time``, ``underruns`` and ``quality_steps_shed``.
        """
        ...


class StationDirectory(Protocol):
    """All stations; the only way to add and remove one."""

    @property
    def default_id(self) -> str:
        """The station that ``/stream.*`` plays."""
        ...

    def ids(self) -> tuple[str, ...]:
        """The ids there are, the default one first."""
        ...

    def get(self, station_id: str) -> Station:
        """The station of that id.

        Raises:
            UnknownNameError: there is none.
        """
        ...

    async def add(
        self,
        *,
        title: str,
        station_id: str | None = None,
        seed: int | None = None,
        preset: str | None = None,
        controls: Mapping[str, Any] | None = None,
        pinned: bool = False,
    ) -> Station:
        """Put a new station on the list.

        Raises:
            ConflictError: the id is taken, or there are as many stations as allowed.
            ControlsError, UnknownNameError: a bad control, an unknown preset.
        """
        ...

    async def update(
        self, station_id: str, *, title: str | None = None, pinned: bool | None = None, seed: int | None = None
    ) -> Station:
        """Rename, pin, or begin a new piece (``seed``), which starts a new epoch.

        Raises:
            UnknownNameError: there is no such station.
        """
        ...

    async def remove(self, station_id: str) -> None:
        """Say goodbye to its listeners and forget it.

        Raises:
            UnknownNameError: there is no such station.
            ConflictError: it is the default one.
        """
        ...


class PresetShelf(Protocol):
    """The presets, built in and saved."""

    async def all(self) -> tuple[Preset, ...]:
        """Built-in presets first, then saved ones by name."""
        ...

    async def get(self, name: str) -> Preset:
        """One preset by its name, whatever the case.

        Raises:
            UnknownNameError: there is none.
        """
        ...

    async def save(self, name: str, controls: Mapping[str, Any]) -> Preset:
        """Keep a preset, replacing a saved one of the same name.

        Raises:
            ConflictError: the name is a built-in one's, or the shelf is full.
            ControlsError: a control is out of range.
        """
        ...

    async def delete(self, name: str) -> None:
        """Forget a saved preset.

        Raises:
            UnknownNameError: there is none.
            ConflictError: it is built in.
        """
        ...


class ExportShelf(Protocol):
    """Sound files of what stations played."""

    def all(self) -> tuple[Export, ...]:
        """Every export, the newest first."""
        ...

    def get(self, export_id: str) -> Export:
        """The export of that id.

        Raises:
            UnknownNameError: there is none.
        """
        ...

    def sound_file(self, export_id: str) -> Path:
        """Where the finished sound is.

        Raises:
            UnknownNameError: there is no such export.
            ConflictError: it is not finished.
        """
        ...

    async def begin(self, station_id: str, *, form: str, seconds: float, from_position: int | None) -> Export:
        """Ask for ``seconds`` of what a station played from ``from_position`` on; None: the last ones until now.

        Raises:
            UnknownNameError: there is no such station.
            ControlsError: nobody writes such a file.
            ConflictError: its piece has not played so much, or enough of them are unfinished.
            StorageError: the state cannot be saved.
        """
        ...

    async def remove(self, export_id: str) -> None:
        """Forget an export, and stop it if it is being made.

        Raises:
            UnknownNameError: there is none.
        """
        ...


class DaemonFacts(Protocol):
    """What the daemon knows of itself."""

    @property
    def version(self) -> str:
        """The program's version."""
        ...

    @property
    def device(self) -> Mapping[str, str]:
        """``name`` and ``why`` of the synthesis device; name ``none`` while warming up."""
        ...

    @property
    def stopping(self) -> bool:
        """Whether the daemon has begun to say goodbye."""
        ...

    def uptime_seconds(self) -> float:
        """Seconds since the start."""
        ...

    def outputs(self) -> tuple[OutputStatus, ...]:
        """Where stations go beside their listeners' sockets."""
        ...

    def ready(self) -> bool:
        """Whether somebody who comes now hears something at once; the bed counts."""
        ...

    def checks(self) -> tuple[HealthCheck, ...]:
        """Renderer, loop, storage and stations, one line each."""
        ...
