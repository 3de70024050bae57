"""How a successor is started, and how it finds what it inherits."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

from auralisd.daemon.passed_sockets import PassedSocket

VARIABLE: Final = "AURALISD_HANDOVER"
_FOR_ONE_PROCESS: Final = frozenset({"WATCHDOG_PID"})
"""Of the environment; without it systemd's watchdog is meant for whoever is the main process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inheritance:
    """What a successor finds when it starts.

    Attributes:
        link: to its predecessor.
        listening: the sockets to serve on.
    """

    link: socket.socket
    listening: tuple[PassedSocket, ...]


def successor_environ(
    environ: Mapping[str, str], link: socket.socket, listening: Sequence[PassedSocket]
) -> dict[str, str]:
    """The environment of a successor that inherits these descriptors."""
    sockets = [[one.listening.fileno(), one.name] for one in listening]
    words = json.dumps({"from": os.getpid(), "link": link.fileno(), "listening": sockets})
    return {name: value for name, value in environ.items() if name not in _FOR_ONE_PROCESS} | {VARIABLE: words}


def successor_command() -> list[str]:
    """This program again, with the options it was started with; what was installed meanwhile is what runs."""
    return [sys.executable, "-m", "auralisd", *sys.argv[1:]]


def take_inheritance(environ: MutableMapping[str, str]) -> Inheritance | None:
    """What a predecessor left to this process; None where there is none. Takes it out of ``environ``."""
    words = environ.pop(VARIABLE, None)
    if words is None:
        return None
    try:
        told = json.loads(words)
        if told["from"] != os.getppid():
            return None  # meant for another process, and none of its descriptors is ours
        link = socket.socket(fileno=int(told["link"]))
        listening = tuple(
            PassedSocket(name=str(name), listening=socket.socket(fileno=int(descriptor)))
            for descriptor, name in told["listening"]
        )
    except (ValueError, KeyError, TypeError, OSError):
        return None
    for one in (link, *(passed.listening for passed in listening)):
        one.set_inheritable(False)
    return Inheritance(link=link, listening=listening)
