"""The command itself: which subcommands there are, and where every error ends."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import click

from auralisd import __version__
from auralisd.cli.audit import audit
from auralisd.cli.compose import compose
from auralisd.cli.config import check_config, config
from auralisd.cli.devices import devices
from auralisd.cli.doctor import doctor
from auralisd.cli.exit_codes import (
    EXIT_BROKEN_PIPE,
    EXIT_CONFIGURATION,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
)
from auralisd.cli.install_service import install_service
from auralisd.cli.patches import patches
from auralisd.cli.render import render
from auralisd.cli.run import run
from auralisd.cli.soak import soak
from auralisd.cli.token import token
from auralisd.errors import (
    AuralisError,
    ControlsError,
    DeviceError,
    EventStreamError,
    FormatError,
    ServiceError,
    SettingsError,
    SoakError,
    SoundFileError,
    StorageError,
    UnknownNameError,
)

_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_EXPLAIN: Final = frozenset({"--help", "-h", "--version"})

_EXIT_CODES: Final[Sequence[tuple[type[AuralisError], int]]] = (
    (ControlsError, EXIT_USAGE),
    (EventStreamError, EXIT_USAGE),
    (FormatError, EXIT_USAGE),
    (SoundFileError, EXIT_USAGE),
    (UnknownNameError, EXIT_USAGE),
    (SettingsError, EXIT_CONFIGURATION),
    (DeviceError, EXIT_CONFIGURATION),
    (StorageError, EXIT_CONFIGURATION),
    (SoakError, EXIT_CONFIGURATION),
    (ServiceError, EXIT_CONFIGURATION),
)


class _ReaderGoneError(Exception):
    """Whoever read our output has left."""


@contextmanager
def _past_click() -> Iterator[None]:
    """Tell past click that a reader has gone: it would make a failure of it."""
    try:
        yield
    except BrokenPipeError as gone:
        raise _ReaderGoneError from gone


class RunByDefault(click.Group):
    """A group whose ``run`` is meant when no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``run`` in front of options that only it can have."""
        if not args or (args[0].startswith("-") and args[0] not in _EXPLAIN):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the options; ``--help`` and ``--version`` are answered here."""
        with _past_click():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _past_click():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order somebody new would want them, not the alphabet's."""
        del ctx
        return list(self.commands)


@click.group(
    cls=RunByDefault,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command, auralisd runs the daemon. Exit status: 0 done, 1 judged and not held "
    "(audit, soak), 64 wrong usage, 78 something is set up wrongly, 70 a fault of the program.",
)
@click.version_option(__version__, message="auralisd %(version)s")
def program() -> None:
    """Endless ambient music, composed, played and streamed by this machine.

    \b
    auralisd                         music at http://127.0.0.1:8000
    auralisd run --lan               ... for every room of the house
    auralisd render night.flac --preset Sleep --seconds 3600
    auralisd patches bells
    auralisd doctor                  what would go wrong here, and its cure
    """  # noqa: D301 - the backspace is click's mark for lines to leave as they are


for _command in (
    run, render, compose, patches, audit, devices, doctor, soak, config, check_config, token, install_service,
):  # fmt: skip
    program.add_command(_command)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the program with ``argv`` (the process's own without it) and exit with its status."""
    sys.exit(exit_status(sys.argv[1:] if argv is None else argv))


def exit_status(argv: Sequence[str]) -> int:
    """Run the program and turn whatever ends it into one line and a status."""
    try:
        status = program.main(args=list(argv), prog_name="auralisd", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("auralisd: interrupted", err=True)
        return EXIT_INTERRUPTED
    except _ReaderGoneError:
        # Whoever read us has gone (`auralisd compose | head`); a second complaint at exit would only confuse.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except AuralisError as error:
        click.echo(f"auralisd: {error}", err=True)
        return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), EXIT_INTERNAL)
    except Exception as error:  # the last boundary
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            click.echo(f"auralisd: {error.filename or 'the output'}: {error.strerror}; make room", err=True)
            return EXIT_CONFIGURATION
        if isinstance(error, ImportError):
            click.echo(f"auralisd: a library cannot be loaded: {error}; uv sync --reinstall brings it anew", err=True)
            return EXIT_CONFIGURATION
        return _own_fault()
    except BaseExceptionGroup:
        return _own_fault()
    return status if isinstance(status, int) else EXIT_OK


def _own_fault() -> int:
    """Show the error being handled whole, for a report."""
    traceback.print_exc()
    click.echo("auralisd: this is a fault of the program, not yours; the lines above say where", err=True)
    return EXIT_INTERNAL
