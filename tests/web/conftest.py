"""A small daemon of the web's own: real controls, real presets, no sound and no clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import trio

from auralisd.access import AccessPolicy
from auralisd.admission import Admission
from auralisd.controls import Controls, merge_change
from auralisd.errors import ConflictError, StorageError, UnknownNameError
from auralisd.observability.health import HealthCheck
from auralisd.observability.metrics import Metrics
from auralisd.score import Reason
from auralisd.station import (
    AppliedChange,
    ChordView,
    Export,
    NowSounding,
    OutputStatus,
    Preset,
    SectionView,
    StationSummary,
)
from auralisd.storage.preset_shelf import SavedPresetShelf
from auralisd.storage.state_file import StateFile
from auralisd.web import WebDependencies, create_app

TOKEN = "a-token-of-some-length"
BUILT_IN = (
    Preset(
        name="Focus",
        controls={"intensity": 0.4},
        built_in=True,
        description="For a page of work.",
        loudness_target_lufs=-18.0,
    ),
    Preset(
        name="Sleep",
        controls={"tempo_bpm": 50.0, "layers": {"bells": "off"}},
        built_in=True,
        description="For the night.",
        loudness_target_lufs=-22.0,
    ),
)
LIVE_POSITION = 441_000


class MemoryStation:
    """A station that is steered for real and plays nothing."""

    def __init__(self, summary: StationSummary, controls: Controls) -> None:
        self._summary = summary
        self.controls = controls
        self.revision = 0
        self.reasons: list[Reason] = []
        self._changed = trio.Event()

    @property
    def id(self) -> str:
        return self._summary.id

    def summary(self) -> StationSummary:
        return self._summary

    def replace_summary(self, **changes: Any) -> None:
        self._summary = replace(self._summary, **changes)
        self.revision += 1
        self._changed.set()
        self._changed = trio.Event()

    async def wait_changed(self, seen_revision: int) -> int:
        while self.revision <= seen_revision:
            await self._changed.wait()
        return self.revision

    def now_sounding(self) -> NowSounding:
        chord = ChordView(
            name="Em add9", tonic="D", mode="dorian", degree=2, quality="add9", position=0, seconds_from_now=-10.0
        )
        return NowSounding(chord=chord, section=SectionView(archetype="settle", words="settling", position=0))

    def change_controls(self, change: Mapping[str, Any], *, cause: str, preset: str | None = None) -> AppliedChange:
        self.controls, named = merge_change(self.controls, change)
        self.replace_summary(preset=preset)
        self.reasons.insert(0, Reason(position=LIVE_POSITION - 100, text=f"changed {sorted(named)}", cause=cause))
        positions = dict.fromkeys(named, LIVE_POSITION + 4410)
        return AppliedChange(controls=self.controls, positions=positions, live_position=LIVE_POSITION)

    def upcoming_score(self, seconds: float) -> list[dict[str, Any]]:
        events = [
            {"kind": "chord", "index": 0, "onset_frames": 0, "committed": True},
            {"kind": "note", "onset_frames": LIVE_POSITION + 44_100, "committed": False},
            {"kind": "bar", "index": 9, "onset_frames": LIVE_POSITION + 60 * 44_100, "committed": False},
        ]
        return [event for event in events if event["onset_frames"] < LIVE_POSITION + seconds * 44_100]

    def why(self, limit: int) -> list[Reason]:
        return self.reasons[:limit]

    def live_position(self) -> int:
        return LIVE_POSITION

    def performance(self) -> dict[str, float]:
        return {"buffer_depth_ms": 400.0, "synthesis_latency_ms": 7.5, "x_real_time": 13.0, "underruns": 0.0}


class MemoryDirectory:
    """Stations in a dictionary."""

    default_id = "main"

    def __init__(self, presets: SavedPresetShelf) -> None:
        self._presets = presets
        self._stations: dict[str, MemoryStation] = {}
        self.put("main", "Auralis", 7, None, Controls(), pinned=False)

    def put(self, id_: str, title: str, seed: int, preset: str | None, controls: Controls, *, pinned: bool) -> Any:
        summary = StationSummary(
            id=id_,
            title=title,
            seed=seed,
            preset=preset,
            state="idle",
            pinned=pinned,
            listeners=0,
            epoch=1,
            position=LIVE_POSITION,
        )
        station = self._stations[id_] = MemoryStation(summary, controls)
        return station

    def ids(self) -> tuple[str, ...]:
        return tuple(self._stations)

    def get(self, station_id: str) -> MemoryStation:
        if station_id not in self._stations:
            raise UnknownNameError("station", station_id, self.ids())
        return self._stations[station_id]

    async def add(
        self,
        *,
        title: str,
        station_id: str | None = None,
        seed: int | None = None,
        preset: str | None = None,
        controls: Mapping[str, Any] | None = None,
        pinned: bool = False,
    ) -> MemoryStation:
        wanted = station_id or f"station-{len(self._stations)}"
        if wanted in self._stations:
            raise ConflictError("station", wanted, "is there already")
        if len(self._stations) >= 50:
            raise ConflictError("station", wanted, "has no room")
        start = Controls()
        if preset is not None:
            start, _ = merge_change(start, (await self._presets.get(preset)).controls)
        start, _ = merge_change(start, controls or {})
        return self.put(wanted, title, 7 if seed is None else seed, preset, start, pinned=pinned)

    async def update(
        self, station_id: str, *, title: str | None = None, pinned: bool | None = None, seed: int | None = None
    ) -> MemoryStation:
        station = self.get(station_id)
        named = {"title": title, "pinned": pinned, "seed": seed}
        station.replace_summary(**{name: value for name, value in named.items() if value is not None})
        if seed is not None:
            station.replace_summary(epoch=station.summary().epoch + 1, position=0)
        return station

    async def remove(self, station_id: str) -> None:
        self.get(station_id)
        if station_id == self.default_id:
            raise ConflictError("station", station_id, "is the default one and stays")
        del self._stations[station_id]


class MemoryExports:
    """Exports that are finished when a test says so."""

    def __init__(self, stations: MemoryDirectory, folder: Path) -> None:
        self._stations = stations
        self._folder = folder
        self._exports: dict[str, Export] = {}

    def all(self) -> tuple[Export, ...]:
        return tuple(reversed(self._exports.values()))

    def get(self, export_id: str) -> Export:
        if export_id not in self._exports:
            raise UnknownNameError("export", export_id, tuple(self._exports))
        return self._exports[export_id]

    def sound_file(self, export_id: str) -> Path:
        if self.get(export_id).state != "done":
            raise ConflictError("export", export_id, "is waiting")
        return self._folder / export_id

    async def begin(self, station_id: str, *, form: str, seconds: float, from_position: int | None) -> Export:
        self._stations.get(station_id)
        if len(self._exports) >= 4:
            raise ConflictError("export", "one more", "has no room")
        frames = round(seconds * 44_100)
        begin = LIVE_POSITION - frames if from_position is None else from_position
        if begin < 0 or begin + frames > LIVE_POSITION:
            raise ConflictError("export", f"{begin}", "is not all there: this piece has played 10 s")
        export = Export(
            id=f"{len(self._exports):012x}",
            station=station_id,
            format=form,
            from_position=begin,
            to_position=begin + frames,
            state="waiting",
        )
        self._exports[export.id] = export
        return export

    async def finished(self) -> Export:
        """One that can be fetched."""
        export = await self.begin("main", form="wav", seconds=1.0, from_position=None)
        self.finish(export.id, b"RIFF")
        return export

    def finish(self, export_id: str, sound: bytes) -> None:
        (self._folder / export_id).write_bytes(sound)
        self._exports[export_id] = replace(self.get(export_id), state="done", size_bytes=len(sound))

    async def remove(self, export_id: str) -> None:
        self.get(export_id)
        del self._exports[export_id]


@dataclass
class MemoryFacts:
    """What a daemon would know of itself."""

    version: str = "0.1.0"
    device: Mapping[str, str] = field(default_factory=lambda: {"name": "cpu", "why": "no GPU here"})
    stopping: bool = False
    is_ready: bool = True
    failing: tuple[str, ...] = ()
    ways_out: tuple[OutputStatus, ...] = ()

    def uptime_seconds(self) -> float:
        return 12.34567

    def ready(self) -> bool:
        return self.is_ready

    def outputs(self) -> tuple[OutputStatus, ...]:
        return self.ways_out

    def checks(self) -> tuple[HealthCheck, ...]:
        names = ("renderer", "loop", "storage", "stations")
        return tuple(HealthCheck(name=name, ok=name not in self.failing, detail=f"the {name}") for name in names)


@dataclass
class House:
    """The app with everything it was given, and a client at its door."""

    deps: WebDependencies
    stations: MemoryDirectory
    facts: MemoryFacts
    state: StateFile
    now_seconds: float = 0.0
    host: str = "127.0.0.1:8000"
    peer: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self.app = create_app(replace(self.deps, monotonic_seconds=lambda: self.now_seconds))

    async def ask(
        self, method: str, path: str, body: Any = None, *, data: bytes | None = None, **headers: str
    ) -> Reply:
        """One request; header names have underscores for dashes."""
        sent = {"Host": self.host} | {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent.setdefault("content-type", "application/json")
        return await self.send(method, path, sent, [data or b""])

    async def send(
        self, method: str, target: str, headers: Mapping[str, str], chunks: Iterable[bytes], *, complete: bool = True
    ) -> Reply:
        """One request as an ASGI server would bring it; the client stays until it is answered."""
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            "client": (self.peer, 5000) if self.peer else None,
            "server": ("127.0.0.1", 8000),
            "extensions": {},
        }
        events = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        events += [{"type": "http.request", "body": b"", "more_body": False}] if complete else []
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if events:
                return events.pop(0)
            return await trio.sleep_forever()

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await self.app(scope, receive, send)
        answered = [(name.decode("latin-1").title(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        assert len(answered) == len(dict(answered)), "a header was sent twice"
        return Reply(sent[0]["status"], dict(answered), b"".join(event.get("body", b"") for event in sent[1:]))


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> dict[str, Any]:
        """The error form, held against its shape."""
        body = self.json
        assert set(body) == {"error"}
        assert set(body["error"]) == {"code", "message", "timestamp", "details"}
        assert set(body["error"]["details"]) == {"field", "value", "constraint"}
        assert self.headers["Content-Type"] == "application/json"
        return body["error"]


async def run_inline[T](job: Callable[[], T]) -> T:
    """A worker that is this very task."""
    return job()


async def run_on_a_full_disk[T](job: Callable[[], T]) -> T:
    """A worker whose disk is full."""
    raise StorageError("/var/lib/auralisd/auralis.db", "database or disk is full", "Make room on the disk.")


AT_HOME = AccessPolicy(token=TOKEN, bind_is_loopback=True)
ON_THE_NETWORK = AccessPolicy(token=TOKEN, bind_is_loopback=False)


@pytest.fixture
def full_disk() -> Any:
    """A worker for a house whose disk is full."""
    return run_on_a_full_disk


@pytest.fixture
def client_directory(tmp_path: Path) -> Path:
    """A page with one file of each kind."""
    directory = tmp_path / "client"
    (directory / "player").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html><title>Auralis</title>")
    for name in (
        "favicon.svg",
        "main.js",
        "player/worklet.mjs",
        "look.css",
        "decoder.wasm",
        "app.webmanifest",
        "a.json",
    ):
        (directory / name).write_text(f"content of {name}")
    (directory / "notes.py").write_text("not for the world")
    (tmp_path / "secret.txt").write_text("beside the page")
    return directory


@pytest.fixture
def open_house(tmp_path: Path, client_directory: Path) -> Any:
    """Builds a house under a policy of the test's choice."""
    states: list[StateFile] = []

    def build(policy: AccessPolicy = AT_HOME, *, run_in_worker: Any = run_inline, **deps: Any) -> House:
        state = StateFile(tmp_path / f"state-{len(states)}")
        states.append(state)
        presets = SavedPresetShelf(state, built_in=BUILT_IN, run_in_worker=run_in_worker)
        stations = MemoryDirectory(presets)
        facts = MemoryFacts()
        given = {
            "stations": stations,
            "presets": presets,
            "exports": MemoryExports(stations, tmp_path),
            "daemon": facts,
            "policy": policy,
            "admission": Admission(policy),
            "metrics": Metrics(),
            "client_directory": client_directory,
            "unix_ms": lambda: 1_700_000_000_000,
            "draw_seed": lambda: 4242,
        }
        return House(deps=WebDependencies(**(given | deps)), stations=stations, facts=facts, state=state)

    yield build
    for state in states:
        state.close()


@pytest.fixture
def house(open_house: Any) -> House:
    """The usual house: loopback, with a token that nobody needs there."""
    return open_house()
