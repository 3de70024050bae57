"""One event per line: readable by default, JSON on request, repeats held back.

Our own events come through ``structlog.get_logger()``, those of libraries through the
standard library; both end in the same lines. INFO is what an operator wants to see in
a day, WARNING means somebody heard something, ERROR means a human must act.
"""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

type LogFormat = Literal["text", "json"]

REPEATS_PER_WINDOW: Final = 5
WINDOW_SECONDS: Final = 60.0
_REMEMBERED: Final = 512
_SECRETS: Final = frozenset({"token", "authorization", "password", "secret", "listen", "listen_key"})
_LINK: Final = re.compile(
    r"(?<=\blisten=)(?!\[hidden\])[^\s&#'\",;<>)\]}]+"  # of an address, whatever it is
    r"|\bl1\.[a-z0-9_-]{1,64}\.[a-z0-9-]{1,16}\.[0-9]{1,11}\.[A-Za-z0-9_-]+"  # and wherever one stands by itself
)
_JOURNAL_LEVELS: Final[Mapping[str, int]] = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}


class RepeatLimit:
    """Lets the same event through a few times a minute and counts the rest.

    Errors are held back too: a fault that repeats a thousand times a second must not
    fill the disk.
    """

    def __init__(
        self,
        *,
        allowed: int = REPEATS_PER_WINDOW,
        window_seconds: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow ``allowed`` of each event per ``window_seconds``."""
        self._allowed = allowed
        self._window_seconds = window_seconds
        self._clock = clock
        self._seen: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def held_back_before(self, event: Hashable) -> int | None:
        """How many were held back in the window before, or None to hold this one back too."""
        now = self._clock()
        began, count = self._seen.pop(event, (now, 0))
        held_back = 0
        if now - began >= self._window_seconds:
            held_back = max(0, count - self._allowed)
            began, count = now, 0
        self._seen[event] = (began, count + 1)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return held_back if count < self._allowed else None


class _OwnRepeats:
    """The limit as a structlog processor, for our own events."""

    def __init__(self, limit: RepeatLimit) -> None:
        self._limit = limit

    def __call__(self, _logger: WrappedLogger, method_name: str, event_dict: EventDict) -> EventDict:
        about = tuple(str(event_dict.get(name)) for name in ("logger", "event", "station", "role"))
        event = (method_name, about)
        held_back = self._limit.held_back_before(event)
        if held_back is None:
            raise structlog.DropEvent
        return {**event_dict, "repeats_held_back": held_back} if held_back else event_dict


class _LibraryRepeats(logging.Filter):
    """The limit for records of libraries, told apart by their template, not by what fills it."""

    def __init__(self, limit: RepeatLimit) -> None:
        super().__init__()
        self._limit = limit

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, dict):  # ours: structlog has asked already
            return True
        return self._limit.held_back_before((record.name, record.levelname, str(record.msg))) is not None


def hide_secrets(_logger: WrappedLogger, _method_name: str, event_dict: EventDict) -> EventDict:
    """Replace the value of anything that is named like a secret."""
    return {name: "[hidden]" if name.lower() in _SECRETS else value for name, value in event_dict.items()}


def without_links(line: str) -> str:
    """``line`` without the tokens of links to listen: to read a log is not to be invited."""
    return _LINK.sub("[hidden]", line)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """The last stop of every line, ours and those of libraries, tracebacks and all."""

    def format(self, record: logging.LogRecord) -> str:
        return without_links(super().format(record))


def configure_logs(
    *, level: str, form: LogFormat, stream: TextIO, under_journal: bool = False, repeats: RepeatLimit | None = None
) -> None:
    """Send everything that is logged in this process to ``stream``.

    Args:
        level: the least urgent level to show, ``debug`` to ``critical``.
        form: ``text`` for people, ``json`` for programs.
        stream: where to; colours only if it is a terminal.
        under_journal: the stream ends in systemd's journal, which brings its own times
            and wants each line to begin with its urgency.
        repeats: what holds repeated lines back; None for the usual one.
    """
    limit = repeats or RepeatLimit()
    bare = under_journal and form == "text"
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        hide_secrets,
        *([] if bare else [_time_stamper(form)]),
    ]
    handler = logging.StreamHandler(stream)
    handler.addFilter(_LibraryRepeats(limit))
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([_JournalLines()] if bare else _renderers(form, colours=stream.isatty())),
            ],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            _OwnRepeats(limit),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _time_stamper(form: LogFormat) -> Processor:
    if form == "json":
        return structlog.processors.TimeStamper(fmt="iso", utc=True)
    return structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False)


def _renderers(form: LogFormat, *, colours: bool) -> list[Processor]:
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    return [
        structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)
    ]


class _JournalLines:
    """Lines that begin with their urgency, as systemd's journal reads them from a service's output."""

    def __init__(self) -> None:
        (self._render,) = _renderers("text", colours=False)

    def __call__(self, logger: WrappedLogger, method_name: str, event_dict: EventDict) -> str:
        urgency = _JOURNAL_LEVELS.get(str(event_dict.pop("level", "info")), 6)
        text = str(self._render(logger, method_name, event_dict))
        return "\n".join(f"<{urgency}>{line}" for line in text.split("\n"))
