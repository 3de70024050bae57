"""What is done with a plan: shown, written and started, or undone. Each step says what it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from auralisd.cli.service.files import State, difference, ours, refuse_foreign, state_of, take_away, write
from auralisd.cli.service.places import SERVICE, SOCKET, Places
from auralisd.cli.service.systemctl import ServiceManager
from auralisd.cli.service.units import PlannedFile
from auralisd.errors import ServiceError

_WORDS: Final[Mapping[State, str]] = {
    "new": "written",
    "changed": "written anew",
    "as it is": "is so already",
    "yours": "yours, left as it is",
}


def refuse_without(manager: ServiceManager, *, is_root: bool, command: str) -> None:
    """See to it that units can be written here at all.

    Raises:
        ServiceError: they are root's to write, or it is not systemd that runs this machine.
    """
    if not manager.runs_here():
        raise ServiceError(
            "systemd",
            "does not run this machine",
            "Without --write the units are printed; auralisd run starts the daemon by hand.",
        )
    if not is_root:
        raise ServiceError("units", "only root may write them", f"sudo {command}")


def shown(planned: Sequence[PlannedFile], places: Places) -> Iterator[str]:
    """Every file under a heading with its name, then what would change in those that are there.

    Raises:
        ServiceError: one of them is somebody else's.
    """
    refuse_foreign(planned)
    for one in planned:
        if state_of(one) == "yours":
            yield f"#### {one.path}: yours, and left as it is\n"
        else:
            yield f"#### {one.path}: {state_of(one)}\n{one.content}"
    for path in _stale(planned, places):
        yield f"#### {path}: taken away\n"
    for one in planned:
        if state_of(one) == "changed":
            yield f"#### what changes\n{difference(one)}"


def install(planned: Sequence[PlannedFile], places: Places, manager: ServiceManager, *, now: bool) -> Iterator[str]:
    """Write what is new or different, and have systemd read it; ``now`` enables and starts it too.

    Raises:
        ServiceError: a file is somebody else's (nothing is written then), cannot be written, or systemd
            does not start the service.
    """
    refuse_foreign(planned)
    states = {one.path: state_of(one) for one in planned}
    stale = _stale(planned, places)
    for one in planned:
        if states[one.path] == "changed":
            yield difference(one)
        if states[one.path] in {"new", "changed"}:
            write(one)
        yield f"{one.path}: {_WORDS[states[one.path]]}"
    for path in stale:
        take_away(path, places)
        yield f"{path}: taken away"
    units = [one.path for one in planned if not one.once]
    touched = bool(stale) or any(states[path] in {"new", "changed"} for path in units)
    manager.tell("daemon-reload")  # whatever came between the last writing and its reading
    if now:
        yield from _start(manager, touched=touched, socket_touched=states[places.units / SOCKET] in {"new", "changed"})
    elif touched and _is_up(manager):
        yield f"to use what changed: sudo systemctl stop {SOCKET} {SERVICE}; sudo systemctl start {SOCKET} {SERVICE}"
    elif not _is_up(manager):
        yield f"to start it, now and at every boot: sudo systemctl enable --now {SOCKET} {SERVICE}"


def remove(places: Places, manager: ServiceManager) -> Iterator[str]:
    """Stop the service and take away what was written for it, and nothing else.

    Raises:
        ServiceError: systemd does not stop it, or a file cannot be removed.
    """
    written = ours(places)
    units = [path.name for path in written if path.parent == places.units]
    if units:
        # The socket first: whoever connects would start the service again.
        stopped = sorted(units, reverse=True)
        failed = [unit for unit in stopped if manager.state(unit) == "failed"]
        if failed:
            manager.tell("reset-failed", *failed)
        manager.tell("disable", "--now", *stopped)
        yield f"stopped and disabled: {' '.join(stopped)}"
    for path in written:
        take_away(path, places)
        yield f"{path}: taken away"
    if written:
        manager.tell("daemon-reload")
    else:
        yield "nothing here was written by this command"
    left = [path for path in (places.config_file.parent, places.state, places.cache) if path.exists()]
    if left:
        yield f"left as they are (configuration, stations and token, compiled code): {' '.join(map(str, left))}"


def _stale(planned: Sequence[PlannedFile], places: Places) -> tuple[Path, ...]:
    """What was written for other wishes, and is wanted no more."""
    wanted = {one.path for one in planned}
    return tuple(path for path in ours(places) if path not in wanted)


def _start(manager: ServiceManager, *, touched: bool, socket_touched: bool) -> Iterator[str]:
    if touched and _is_up(manager):
        if socket_touched:  # systemd does not open a socket anew beneath a service that has it
            manager.tell("stop", SOCKET, SERVICE)
        else:
            manager.tell("restart", SERVICE)
            yield "started again with what changed; who connected meanwhile has waited"
    manager.tell("enable", "--now", SOCKET, SERVICE)
    yield f"enabled and running: {SOCKET} {SERVICE}"


def _is_up(manager: ServiceManager) -> bool:
    return manager.state(SERVICE) in {"active", "activating", "reloading"}
