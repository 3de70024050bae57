"""Tables for people: as wide as the terminal, and wide enough for whole sentences where there is none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text


def open_table(*headings: str, whole: Sequence[str] = ()) -> Table:
    """A table without lines; columns under the headings in ``whole`` are never wrapped."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading in whole)
    return table


def show(*parts: RenderableType, columns: int) -> None:
    """Print ``parts`` on standard output, ``columns`` wide where that is no terminal.

    Raises:
        BrokenPipeError: whoever read it has left; rich by itself would exit with 1, which means "judged, not held".
    """
    from rich.console import Console

    class Honest(Console):
        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError

    console = Honest(width=None if sys.stdout.isatty() else columns)
    for part in parts:
        console.print(part)


def verdict(held: bool | None, *, yes: str, no: str) -> Text:
    """``yes`` in green, ``no`` in red, or that it was not judged."""
    from rich.text import Text

    if held is None:
        return Text("not judged", style="dim")
    return Text(yes, style="green") if held else Text(no, style="bold red")
