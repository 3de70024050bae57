"""A progress bar for people; nothing where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Show(Protocol):
    """Moves the bar."""

    def __call__(self, seconds: float, doing: str | None = None, /) -> None:
        """So many seconds are done; ``doing`` says what happens now, where that changes."""
        ...


@contextmanager
def progress_bar(what: str, total_seconds: float, *, quiet: bool = False) -> Iterator[Show]:
    """Show how far along ``total_seconds`` of music we are; yields what takes the seconds done so far.

    Drawn on standard error and only on a terminal, so that pipes and logs stay clean.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _seconds, _doing=None, /: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total_seconds)
        yield lambda seconds, doing=None, /: progress.update(task, completed=seconds, description=doing)


def clock_time(seconds: float) -> str:
    """``1:02:03``, as people write lengths."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
