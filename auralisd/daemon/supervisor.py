"""The daemon's tree of tasks, in one function."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any, cast

import structlog
import trio

from auralisd.access import AccessPolicy
from auralisd.admission import Admission
from auralisd.daemon.directory import LiveDirectory, live_station
from auralisd.daemon.exports import Exports
from auralisd.daemon.facts import LiveFacts
from auralisd.daemon.handover.estate import PassedStation
from auralisd.daemon.handover.predecessor import Succession
from auralisd.daemon.handover.successor import Successor
from auralisd.daemon.house_presets import house_presets
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.passed_sockets import PassedSocket, only_here
from auralisd.daemon.piece import Piece
from auralisd.daemon.reload import Reloader
from auralisd.daemon.rooms import LiveRooms
from auralisd.daemon.sending import HlsFiles, sending
from auralisd.daemon.spare_memory import give_back
from auralisd.daemon.state_keeper import StateKeeper
from auralisd.daemon.studio import DeviceInUse, Instrument, Studio
from auralisd.daemon.systemd import Notifier
from auralisd.daemon.tasks.fetch_kernel import fetch_kernel
from auralisd.daemon.tasks.import_torch import import_torch, import_torch_or_give_up
from auralisd.daemon.tasks.keeper_task import run_keeper
from auralisd.daemon.tasks.memory_task import run_memory
from auralisd.daemon.tasks.signal_task import run_signals
from auralisd.daemon.tasks.station_task import run_station
from auralisd.daemon.tasks.watchdog import run_watchdog
from auralisd.daemon.worker import JobsUnderWay, open_worker
from auralisd.edge.door_limits import DoorLimits
from auralisd.edge.front_door import serve_front_door
from auralisd.edge.hypercorn_bridge import ASGIApp
from auralisd.edge.sockets import address_words, open_listeners
from auralisd.errors import SettingsError
from auralisd.kernel import KernelShelf
from auralisd.listening_links import LinkKey
from auralisd.observability.metrics import Metrics
from auralisd.observability.slow_steps import SlowSteps, install
from auralisd.settings import Settings
from auralisd.settings.files import kernel_dir
from auralisd.storage.lock import state_held
from auralisd.storage.preset_shelf import SavedPresetShelf
from auralisd.storage.state_file import StateFile
from auralisd.transport.shipped_sound import shipped_bed
from auralisd.transport.volley import open_volley
from auralisd.web.app import create_app
from auralisd.web.dependencies import WebDependencies
from auralisd.web.pages import shipped_client_directory

log = structlog.get_logger()

# A stop takes less than three seconds, whatever listeners do: fading and goodbyes, stragglers, the last save.
FADE_OUT_SECONDS = 1.3
STRAGGLERS_SECONDS = 0.3
LAST_SAVE_SECONDS = 0.3
STATE_TRIES = 100  # a process that handed over ends within seconds
SECONDS_BETWEEN_TRIES = 0.1
THREAD_SWITCH_SECONDS = 0.0005  # with Python's own 5 ms, whoever comes back from torch waits that long for its turn


async def run_tree(
    settings: Settings,
    jobs: JobsUnderWay,
    notifier: Notifier,
    started_at_seconds: float,
    passed: Sequence[PassedSocket] = (),
    heritage: socket.socket | None = None,
) -> bool:
    """Run everything there is, from the first listener to the last goodbye.

    ::

        daemon
        |-- signals            SIGTERM and Ctrl-C stop, SIGHUP reads the configuration again, SIGUSR2 hands over
        |-- front door         one task per connection; audio to the hub, all else to the web app
        |-- import torch       once, beside the loop, while the bed plays
        |-- station ...        one per station, asleep until somebody listens
        |   `-- pieces (composer, renderer), continuity, encoders, pacer
        |-- succession         starts another process when asked to, and parts with everything
        |-- exports            sound files of what was played, by one child process at a time
        |-- push ...           one per Icecast server
        |-- hls ...            one per station that is written as HLS
        |-- keeper             saves positions and the controls log
        |-- memory             gives back what stations leave behind
        `-- watchdog           tells systemd that the music goes on

    ``passed`` are sockets to serve on instead of the configured address. ``heritage`` is the link to a process that
    hands over: torch is imported and the stations play along first then, and the door is opened when everything has
    come over it.

    Returns when the daemon was stopped: the stations fade out, listeners are told, the state is
    saved, and whatever still hangs is cancelled; or when another process goes on. True if it stopped because it
    could not go on.

    Raises:
        SettingsError: the address or the port cannot be used.
        HandoverError: the process that was to hand over goes on by itself.
    """
    sys.setswitchinterval(THREAD_SWITCH_SECONDS)
    metrics = Metrics()
    metrics.count_tasks(lambda: trio.lowlevel.current_statistics().tasks_living)
    slow_steps = SlowSteps(on_pass=metrics.loop_passed, on_slow_step=functools.partial(_slow_step, metrics))
    install(slow_steps)
    listeners = await bound(settings, passed)
    kernel = KernelShelf()
    stopping = trio.Event()
    surrender = Surrender(stopping)
    studio = Studio(
        new_worker=functools.partial(open_worker, jobs),
        new_instrument=functools.partial(new_renderer, shelf=kernel),
        can_render=trio.Event(),
        device=DeviceInUse(),
        kernel=kernel,
        shipped_bed=shipped_bed(),
        metrics=metrics,
        give_up=surrender.give_up,
        volley=open_volley(),
    )
    policy, limits = access_policy(settings, passed), door_limits(settings)
    admission = Admission(policy, key=link_key(settings), refused=metrics.connection_refused)
    kept = kernel_dir(os.environ) if settings.compiled_kernel else None
    heir = Successor(heritage) if heritage is not None else None
    async with trio.open_nursery() as nursery, contextlib.AsyncExitStack() as after_all:
        if heir is not None:
            await import_torch(studio, settings.device, kept)
            await heir.rehearse(
                functools.partial(_station_of, studio),
                lambda one: nursery.start_soon(run_station, one, studio, stopping, name=f"station {one.id}"),
            )
        state = StateFile(settings.state_dir)
        for found in state.notices:
            log.warning("state file", notice=found)
        keeper = StateKeeper(state, open_worker(jobs), metrics)
        presets = SavedPresetShelf(state, built_in=house_presets(), run_in_worker=open_worker(jobs))
        directory = LiveDirectory(
            settings=settings, studio=studio, keeper=keeper, presets=presets, nursery=nursery, stopping=stopping
        )
        if heir is None:
            await directory.open()
        exports = Exports(
            directory=directory,
            keeper=keeper,
            state_dir=settings.state_dir,
            run_in_worker=open_worker(jobs),
            played_on=studio.render_options,
        )
        ways_out = sending(settings, metrics)
        facts = LiveFacts(
            studio=studio,
            stations=lambda: directory.stations,
            stopping=stopping,
            longest_pass_seconds=lambda: slow_steps.longest_pass_seconds,
            storage_problem=lambda: keeper.problem,
            outputs=ways_out.outputs,
        )
        app = create_app(
            WebDependencies(
                stations=directory,
                presets=presets,
                exports=exports,
                daemon=facts,
                policy=policy,
                admission=admission,
                metrics=metrics,
                client_directory=shipped_client_directory(),
                hls_file=HlsFiles(settings, studio.new_worker()).read,
            )
        )
        if heir is not None:
            inherited = await heir.take(functools.partial(_station_of, studio))
            presets.read_again()  # one may have been saved meanwhile
            await heir.wait_for_go()
            slow_steps.forget()  # torch was imported while nobody listened here
            directory.take_over(inherited)
        reloader = Reloader(settings, notifier=notifier, apply=functools.partial(_apply, policy, limits))
        succession = Succession(
            stations=lambda: directory.stations,
            keeper=keeper,
            notifier=notifier,
            listening=to_pass_on(passed, listeners),
            stopping=stopping,
        )
        await nursery.start(run_signals, stopping.set, reloader.reload, succession.ask, name="signals")
        nursery.start_soon(run_watchdog, notifier, lambda: directory.stations, studio.can_render, name="watchdog")
        nursery.start_soon(exports.run, name="exports")
        nursery.start_soon(run_keeper, keeper, lambda: directory.stations, name="keeper")
        nursery.start_soon(run_memory, studio.spare_memory, give_back, open_worker(jobs), name="memory")
        async with trio.open_nursery() as front:
            serve = functools.partial(
                serve_front_door,
                listeners=listeners,
                rooms=LiveRooms(directory),
                app=cast("ASGIApp", app),
                policy=policy,
                admission=admission,
                limits=limits,
                stopping=stopping,
                metrics=metrics,
            )
            succession.door = await front.start(serve, name="front door")
            if heir is not None:
                await heir.go(succession.door)
                slow_steps.forget()
                await heir.predecessor_gone()
                await directory.add_configured()
                nursery.start_soon(hold_state, after_all, settings, name="state held")
            notifier.ready()
            log.info("ready", seconds=round(time.monotonic() - started_at_seconds, 2), **_addresses(listeners))
            if heir is None:
                nursery.start_soon(import_torch_or_give_up, studio, settings.device, kept, name="import torch")
            if settings.compiled_kernel:
                nursery.start_soon(fetch_kernel, studio, kept, name="fetch kernel")
            ways_out.start(nursery, directory, new_worker=studio.new_worker, metrics=metrics, stopping=stopping)
            nursery.start_soon(_end_after, succession, nursery.cancel_scope, name="succession")
            await stopping.wait()
            notifier.stopping()
        with trio.move_on_after(LAST_SAVE_SECONDS):
            for station in directory.stations:
                await keeper.save(station)
        nursery.cancel_scope.cancel()
    if studio.volley is not None:
        studio.volley.close()
    if not jobs:
        state.close()
    return surrender.given_up


def to_pass_on(passed: Sequence[PassedSocket], listeners: Sequence[trio.SocketListener]) -> list[PassedSocket]:
    """The listening sockets as another process may inherit them: descriptors of their own, by their old names."""
    names = [one.name for one in passed] or ["listening"] * len(listeners)
    return [
        PassedSocket(name=name, listening=socket.fromfd(one.socket.fileno(), one.socket.family, one.socket.type))
        for name, one in zip(names, listeners, strict=True)
    ]


async def hold_state(until_the_end: contextlib.AsyncExitStack, settings: Settings) -> None:
    """Hold the state directory, as soon as the process before this one has let go of it."""
    refused: SettingsError | None = None
    for _ in range(STATE_TRIES):
        try:
            until_the_end.enter_context(state_held(settings.state_dir))
        except SettingsError as error:
            refused = error
            await trio.sleep(SECONDS_BETWEEN_TRIES)
        else:
            return
    log.warning("the state directory is not held", error=str(refused))


def _station_of(studio: Studio, passed: PassedStation, piece: Piece) -> LiveStation:
    return live_station(
        studio,
        station_id=passed.id,
        title=passed.title,
        piece=piece,
        preset=passed.preset,
        pinned=passed.pinned,
        epoch=passed.piece.epoch,
        position=passed.next_packet,
    )


async def _end_after(succession: Succession, scope: trio.CancelScope) -> None:
    await succession.run()
    scope.cancel()


class Surrender:
    """Ends the daemon in good order when a part of it failed too often for this process."""

    def __init__(self, stopping: trio.Event) -> None:
        """Nothing is lost yet; ``stopping`` begins the end."""
        self.given_up = False
        self._stopping = stopping

    def give_up(self, what: str, error: Exception) -> None:
        """Say goodbye because ``what`` fails again and again, last with ``error``."""
        log.error("giving up: a fresh process may fare better", failed=what, error=repr(error))
        self.given_up = True
        self._stopping.set()


async def bound(settings: Settings, passed: Sequence[PassedSocket]) -> list[trio.SocketListener]:
    """The listening sockets that were passed, or where there are none, new ones at the configured address.

    Raises:
        SettingsError: it is taken, or not ours to use.
    """
    if passed:
        return [trio.SocketListener(trio.socket.from_stdlib_socket(one.listening)) for one in passed]
    try:
        return await open_listeners(settings.bind_host, settings.port)
    except socket.gaierror as error:
        raise SettingsError("host", settings.host, "no address of this machine; see --host") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            cure = "is taken by another program (perhaps another auralisd); choose another with --port"
        elif error.errno == errno.EACCES:
            cure = "needs more rights than this user has; choose one from 1024 on with --port"
        else:
            cure = f"cannot be used ({error.strerror}); choose another address with --host"
        raise SettingsError("port", settings.port, cure) from error


def access_policy(settings: Settings, passed: Sequence[PassedSocket]) -> AccessPolicy:
    """Who may connect and who may change things, out of the settings and where passed sockets are bound."""
    return AccessPolicy(
        token=settings.token_text,
        bind_is_loopback=only_here(passed, settings),
        public_url=settings.public_url,
        own_names=frozenset({socket.gethostname().lower()}),
        allowed_hosts=frozenset(settings.allowed_hosts),
        allowed_origins=frozenset(settings.allowed_origins),
    )


def link_key(settings: Settings) -> LinkKey | None:
    """The key of links to listen, where listening takes one."""
    if settings.listen_access == "open":
        return None
    assert settings.listen_key_text is not None, "made before the daemon starts"
    return LinkKey(settings.listen_key_text)


def door_limits(settings: Settings) -> DoorLimits:
    """What a connection may cost, out of the settings."""
    return DoorLimits(
        max_listeners=settings.max_listeners,
        max_connections=settings.max_connections,
        max_connections_per_address=settings.max_connections_per_address,
        trusted_proxies=settings.trusted_proxies,
        fade_out_seconds=FADE_OUT_SECONDS,
        farewell_seconds=STRAGGLERS_SECONDS,
    )


def new_renderer(**arguments: Any) -> Instrument:
    """Build the synthesiser; torch is imported by now, and only here is it asked for."""
    from auralisd.synthesis.renderer import Renderer

    return Renderer(**arguments)


def _apply(policy: AccessPolicy, limits: DoorLimits, settings: Settings) -> None:
    policy.public_url = settings.public_url
    policy.allowed_hosts = frozenset(settings.allowed_hosts)
    policy.allowed_origins = frozenset(settings.allowed_origins)
    limits.max_listeners = settings.max_listeners
    limits.max_connections = settings.max_connections
    limits.max_connections_per_address = settings.max_connections_per_address


def _addresses(listeners: list[trio.SocketListener]) -> dict[str, str]:
    return {"listening": ", ".join(address_words(one.socket) for one in listeners)}


def _slow_step(metrics: Metrics, task_name: str, seconds: float) -> None:
    metrics.slow_step()
    log.debug("slow step", task=task_name, seconds=round(seconds, 3))
