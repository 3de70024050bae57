"""``auralisd run``: the daemon, in the foreground."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auralisd.cli.exit_codes import EXIT_OK
from auralisd.cli.options import config_option, given, state_dir_option

if TYPE_CHECKING:
    from auralisd.daemon.handover.links import Inheritance
    from auralisd.settings import Settings


@click.command(short_help="Play: compose, render and stream until stopped.")
@click.option("--host", metavar="ADDRESS", help="Address to listen on (127.0.0.1). Others than loopback need a token.")
@click.option("--port", type=int, metavar="N", help="TCP port, 1 to 65535 (8000); 0 takes any free one.")
@click.option(
    "--lan", is_flag=True, default=None, help="Listen on all addresses; makes the token for steering from elsewhere."
)
@config_option
@state_dir_option
@click.option("--device", metavar="NAME", help="What renders: auto (cuda, else mps, else cpu), cpu, cuda, cuda:N, mps.")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error (info).")
def run(
    host: str | None,
    port: int | None,
    lan: bool | None,
    config_file: Path | None,
    state_dir: Path | None,
    device: str | None,
    log_level: str | None,
) -> int:
    """Play endless music at http://127.0.0.1:8000 until Ctrl-C or SIGTERM.

    Every option can also come from the environment (AURALISD_PORT=9000) or from the configuration
    file (port = 9000); `auralisd config --example` shows all there are. SIGHUP reads the file again;
    SIGUSR2 lets another process go on, which no listener hears.

    \b
    auralisd                                for this machine
    auralisd run --lan                      for every room of the house
    auralisd run --port 9000 --device cpu
    AURALISD_LOG_LEVEL=debug auralisd run

    Exit status: 0 stopped, 78 something is set up wrongly (one line says what), 70 a fault of the
    program, for a service manager to start it again.
    """  # noqa: D301
    with _stopped_at_once():
        from auralisd.daemon.handover.links import take_inheritance
        from auralisd.settings import create_listen_key, create_token, load_settings, with_listen_key, with_token

        inheritance = take_inheritance(os.environ)
        flags = given(host=host, port=port, lan=lan, state_dir=state_dir, device=device, log_level=log_level)
        settings = load_settings(flags, environ=dict(os.environ), config_file=config_file)
        new_token = None
        if settings.lan and settings.token is None:
            new_token = create_token(settings.state_dir)
            settings = with_token(settings, new_token)
        if settings.listen_access == "signed" and settings.listen_key is None:
            settings = with_listen_key(settings, create_listen_key(settings.state_dir))
        return _play(settings, new_token=new_token, inheritance=inheritance)


@contextmanager
def _stopped_at_once() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the process until the daemon itself listens for them: nobody hears us yet.

    Not by an exception, which is lost where Python cannot raise one: in a destructor, in a callback.
    """
    before = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(_number: int, _frame: object) -> None:
    os._exit(EXIT_OK)


def _play(settings: Settings, *, new_token: str | None, inheritance: Inheritance | None) -> int:
    from auralisd.cli.banner import start_lines
    from auralisd.cli.examinations import port
    from auralisd.cli.root import refuse_root
    from auralisd.daemon import run_daemon
    from auralisd.daemon.passed_sockets import refuse_unguarded, take_passed_sockets
    from auralisd.errors import SettingsError
    from auralisd.storage.lock import state_held

    passed = inheritance.listening if inheritance is not None else take_passed_sockets(os.environ)
    refuse_unguarded(passed, settings)
    refuse_root(passed, settings)
    looked_at = None if passed else port(settings)
    if looked_at is not None and looked_at.cure is not None:  # before addresses are promised that would not answer
        raise SettingsError("port", settings.port, f"{looked_at.found}; {looked_at.cure}")
    found_file = settings.sources.found_file if settings.sources else None
    if inheritance is not None:  # the state is held by the process before this one until it ends
        return run_daemon(settings, config_path=found_file, passed=passed, heritage=inheritance.link)
    with state_held(settings.state_dir):
        for line in start_lines(settings, new_token=new_token, passed=passed):
            click.echo(line)
        return run_daemon(settings, config_path=found_file, passed=passed)
