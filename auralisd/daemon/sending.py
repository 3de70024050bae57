"""Every way out of the house beside listeners' sockets, out of the settings."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from auralisd.daemon.outputs import Output, Stations
from auralisd.daemon.supervise import supervise
from auralisd.daemon.tasks.hls_task import run_hls
from auralisd.daemon.tasks.push_task import run_push
from auralisd.daemon.worker import RunInWorker
from auralisd.errors import UnknownNameError
from auralisd.observability.metrics import Metrics
from auralisd.settings import PushSettings, Settings
from auralisd.transport.hls.folder import is_served, renditions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """All outputs of the daemon, and what each needs.

    Attributes:
        pushed: Icecast servers.
        written: HLS folders, with the formats of each.
    """

    pushed: tuple[tuple[PushSettings, Output], ...] = ()
    written: tuple[tuple[Path, tuple[str, ...], Output], ...] = ()

    @property
    def outputs(self) -> tuple[Output, ...]:
        """All of them, as status and health show them."""
        return (*(output for _, output in self.pushed), *(output for _, _, output in self.written))

    def start(
        self,
        nursery: trio.Nursery,
        stations: Stations,
        *,
        new_worker: Callable[[], RunInWorker],
        metrics: Metrics,
        stopping: trio.Event,
    ) -> None:
        """Start a supervised task for each."""

        async def pushed(target: PushSettings, output: Output) -> None:
            chance = random.Random()
            await run_push(target, output, stations, run_in_worker=new_worker(), chance=chance, stopping=stopping)

        async def written(path: Path, formats: tuple[str, ...], output: Output) -> None:
            worker = new_worker()
            await run_hls(path, formats, output, stations, run_in_worker=worker, metrics=metrics, stopping=stopping)

        def supervised(role: str, output: Output, run: Callable[[], Awaitable[None]]) -> None:
            keep = partial(supervise, role, run, metrics=metrics, failed=partial(_failed, output))
            nursery.start_soon(keep, name=f"{role} {output.name}")

        for target, output in self.pushed:
            supervised("push", output, partial(pushed, target, output))
        for path, formats, output in self.written:
            supervised("hls", output, partial(written, path, formats, output))


def sending(settings: Settings, metrics: Metrics) -> Sending:
    """What the settings ask for; nothing goes anywhere yet."""
    names = [target.label for target in settings.push] + [f"hls:{station}" for station in settings.hls]
    metrics.know_outputs(names)
    formats = renditions_of(settings.hls_formats)
    pushed = [(target, _icecast(target, settings, metrics)) for target in settings.push]
    written = [
        (
            settings.hls_folder(station),
            formats,
            Output(kind="hls", name=f"hls:{station}", station_id=station, formats=formats, metrics=metrics),
        )
        for station in settings.hls
    ]
    return Sending(pushed=tuple(pushed), written=tuple(written))


class HlsFiles:
    """The files of the HLS folders, as the web side hands them out."""

    def __init__(self, settings: Settings, run_in_worker: RunInWorker) -> None:
        """Read them in a worker: a disk that hangs holds nobody else up."""
        self._folders = {station: settings.hls_folder(station) for station in settings.hls}
        self._run_in_worker = run_in_worker

    async def read(self, station_id: str, name: str) -> bytes:
        """The file ``name`` of a station.

        Raises:
            UnknownNameError: that station is not written as HLS, or there is no such file (any more).
        """
        if station_id not in self._folders:
            raise UnknownNameError("HLS station", station_id, tuple(self._folders))
        if not is_served(name):
            raise UnknownNameError("HLS file", name, ("index.m3u8",))
        try:
            return await self._run_in_worker((self._folders[station_id] / name).read_bytes)
        except OSError:
            raise UnknownNameError("HLS file", name, ("index.m3u8",)) from None


def _failed(output: Output, error: Exception) -> None:
    output.failing(repr(error), cause="fault")


def _icecast(target: PushSettings, settings: Settings, metrics: Metrics) -> Output:
    return Output(
        kind="icecast",
        name=target.label,
        station_id=target.station or settings.default_station,
        formats=(target.format,),
        metrics=metrics,
    )
