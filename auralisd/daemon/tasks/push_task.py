"""Sends a station to one Icecast server, for as long as both are there."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from ssl import create_default_context

import structlog
import trio

from auralisd.daemon.directory import now_playing
from auralisd.daemon.live_station import LiveStation
from auralisd.daemon.outputs import Output, Stations
from auralisd.daemon.supervise import Backoff
from auralisd.daemon.worker import RunInWorker
from auralisd.errors import PushCause, PushError
from auralisd.settings import PushSettings
from auralisd.transport.basket import Basket
from auralisd.transport.forms import PUSH_FORMS
from auralisd.transport.icecast import (
    TITLED_FORMATS,
    IcecastMount,
    opened_source,
    send_all_within,
    send_title,
    wait_gone,
)
from auralisd.transport.listener import Listener

log = structlog.get_logger()

RECONNECT = Backoff(first_seconds=0.5, most_seconds=4.0)  # a server that is back has its source within 5 s
REFUSED = Backoff(first_seconds=60.0, most_seconds=600.0)  # a password does not get better by trying
SOUND_AFTER_SECONDS = 30.0  # after as long on the air the next pause is the first one again
STALL_PATIENCE_SECONDS = 10.0  # a server that takes nothing for so long is given up
HEAD_START_SECONDS = 4.0  # what the server can give its first listeners at once
TITLE_GAP_SECONDS = 5.0  # between two titles, and before one that was not taken is sent again


async def run_push(
    target: PushSettings,
    output: Output,
    stations: Stations,
    *,
    run_in_worker: RunInWorker,
    chance: random.Random,
    stopping: trio.Event,
) -> None:
    """Be the source of ``target`` until the daemon stops; when it ends before, pause and begin again.

    While it is the source it counts as a listener, so that the station sounds. A server that is away
    for long lets the station sleep.
    """
    mount = mount_of(target)
    if target.tls:
        mount = replace(mount, tls=await run_in_worker(create_default_context))  # reads all certificates there are
    failures = 0
    while not stopping.is_set():
        station = await output.station(stations)
        began_seconds = trio.current_time()
        try:
            await be_source(mount, output, station)
        except PushError as error:
            ran_seconds = trio.current_time() - began_seconds
            failures = 1 if ran_seconds >= SOUND_AFTER_SECONDS else failures + 1
            output.failing(str(error), cause=error.cause, needs_a_person=error.cause == "refused")
            await trio.sleep(pause_seconds(error.cause, failures, chance))
        else:
            failures = 0
            output.off()


def mount_of(target: PushSettings) -> IcecastMount:
    """The mount that the settings describe, not encrypted yet."""
    return IcecastMount(
        host=target.host,
        port=target.port,
        mount=target.mount,
        format=target.format,
        user=target.user,
        password=target.password.get_secret_value() if target.password else "",
        public=target.public,
    )


def pause_seconds(cause: PushCause, failures: int, chance: random.Random) -> float:
    """How long to wait after ``failures`` in a row, drawn from half of the longest to the longest.

    A thousand sources that lost the same server do not come back in the same moment.
    """
    backoff = REFUSED if cause == "refused" else RECONNECT
    return backoff.after(failures) * chance.uniform(0.5, 1.0)


async def be_source(mount: IcecastMount, output: Output, station: LiveStation) -> None:
    """Send ``station`` until it says goodbye.

    Raises:
        PushError: the server does not take it, or takes it no longer.
    """
    form, broadcast = PUSH_FORMS[mount.format], station.broadcast
    async with opened_source(mount, title=station.title) as stream:
        basket = Basket(
            packets=broadcast.limits.backlog_packets, skipped=partial(broadcast.metrics.packets_skipped, form.name)
        )
        listener = Listener(
            form=form,
            outlet=basket,
            head_start_seconds=HEAD_START_SECONDS,
            dismiss=lambda _farewell: basket.finish(),
        )
        output.on()
        ended: list[PushError] = []
        with broadcast.listening(listener):
            async with trio.open_nursery() as nursery:

                async def watch() -> None:
                    ended.append(await wait_gone(stream))
                    basket.abort()

                nursery.start_soon(watch, name=f"{output.name}: end awaited")
                if mount.format in TITLED_FORMATS:
                    nursery.start_soon(_run_titles, mount, station, name=f"{output.name}: titles")
                try:
                    while frames := await basket.take():
                        await send_all_within(stream, b"".join(frames), seconds=STALL_PATIENCE_SECONDS)
                except PushError as error:
                    ended.append(error)
                nursery.cancel_scope.cancel()
        if ended:
            raise ended[0]


async def _run_titles(mount: IcecastMount, station: LiveStation) -> None:
    """Tell the server what sounds, whenever that is something else; a title that it does not take costs no sound."""
    told, revision = "", -1
    while True:
        revision = await station.wait_changed(revision)
        title = now_playing(station)
        if title == told:
            continue
        try:
            await send_title(mount, title)
            told = title
        except PushError as error:  # as long as the first sound has not arrived, there is no such mount
            revision = -1
            log.debug("title not taken", mount=mount.mount, error=str(error))
        await trio.sleep(TITLE_GAP_SECONDS if told else 1.0)
