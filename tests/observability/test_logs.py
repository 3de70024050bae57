"""Lines that a person or a program can read, and not too many of them."""

from __future__ import annotations

import io
import json
import logging
import warnings

import pytest
import structlog

from auralisd.observability.logs import RepeatLimit, configure_logs, without_links


@pytest.fixture(autouse=True)
def _logging_as_it_was(log_lines):
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def configured(form="text", level="info", **options) -> io.StringIO:
    stream = io.StringIO()
    configure_logs(level=level, form=form, stream=stream, **options)
    return stream


def test_a_line_shows_time_level_event_and_fields():
    stream = configured()
    structlog.get_logger("auralisd.daemon").info("station on the air", station="main", listeners=3)
    (line,) = lines(stream)
    assert line[4] == line[7] == "-"
    for part in ("[info", "station on the air", "station=main", "listeners=3", "auralisd.daemon"):
        assert part in line
    assert "\x1b" not in line


def test_a_terminal_gets_colours():
    stream = Terminal()
    configure_logs(level="info", form="text", stream=stream)
    structlog.get_logger().info("hello")
    assert "\x1b[" in stream.getvalue()


def test_json_is_one_object_a_line():
    stream = configured("json")
    structlog.get_logger("auralisd.daemon").warning("bed on air", station="main", path=io)
    structlog.get_logger().error("broken", exc_info=ValueError("two\nlines"))
    first, second = (json.loads(line) for line in lines(stream))
    assert (first["event"], first["level"], first["station"], first["logger"]) == (
        "bed on air",
        "warning",
        "main",
        "auralisd.daemon",
    )
    assert first["timestamp"].endswith("Z")
    assert "ValueError: two\nlines" in second["exception"]


def test_libraries_end_in_the_same_lines():
    stream = configured("json")
    logging.getLogger("hypercorn.error").warning("odd request from %s", "somewhere")
    (line,) = lines(stream)
    assert json.loads(line)["event"] == "odd request from somewhere"
    assert json.loads(line)["logger"] == "hypercorn.error"


def test_python_warnings_are_lines_too():
    stream = configured("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old habit", DeprecationWarning, stacklevel=1)
    assert "old habit" in json.loads(lines(stream)[0])["event"]


def test_what_is_less_urgent_than_asked_for_is_not_shown():
    stream = configured(level="warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet too")
    structlog.get_logger().warning("loud")
    assert len(lines(stream)) == 1


def test_configuring_again_replaces_what_was():
    first = configured()
    second = configured()
    structlog.get_logger().info("once")
    assert (len(lines(first)), len(lines(second))) == (0, 1)


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_hidden(form):
    stream = configured(form)
    structlog.get_logger().info("asked", token="s3cret", Authorization="Bearer s3cret", host="here")
    assert "s3cret" not in stream.getvalue()
    assert "here" in stream.getvalue()


@pytest.mark.parametrize("source", ["ours", "library"])
def test_repeats_are_held_back(source):
    stream = configured("json")
    for number in range(1000):
        if source == "ours":
            structlog.get_logger("a").error("disk full", attempt=number)
        else:
            logging.getLogger("a").error("disk full, attempt %s", number)
    assert len(lines(stream)) == 5


def test_the_same_event_of_another_station_is_another_event():
    stream = configured("json")
    for number in range(20):
        structlog.get_logger().warning("bed on air", station=f"station-{number}")
    assert len(lines(stream)) == 20


def test_after_a_while_repeats_come_through_with_their_number():
    now = [0.0]
    stream = configured("json", repeats=RepeatLimit(allowed=2, window_seconds=60, clock=lambda: now[0]))
    for _ in range(10):
        structlog.get_logger().warning("late")
    now[0] = 60.0
    structlog.get_logger().warning("late")
    shown = [json.loads(line) for line in lines(stream)]
    assert len(shown) == 3
    assert shown[2]["repeats_held_back"] == 8
    assert "repeats_held_back" not in shown[0]


def test_events_that_never_repeat_fill_no_memory():
    limit = RepeatLimit()
    for number in range(5000):
        assert limit.held_back_before(number) == 0
    assert len(limit._seen) <= 512


@pytest.mark.parametrize(("level", "urgency"), [("info", 6), ("warning", 4), ("error", 3), ("critical", 2)])
def test_the_journal_gets_the_urgency_and_no_time(level, urgency):
    stream = configured(under_journal=True)
    getattr(structlog.get_logger(), level)("event", station="main")
    (line,) = lines(stream)
    assert line.startswith(f"<{urgency}>event")
    assert "20" not in line.split("event")[0]


def test_every_line_of_a_traceback_carries_its_urgency_in_the_journal():
    stream = configured(under_journal=True)
    try:
        int("x")
    except ValueError:
        structlog.get_logger().exception("broken")
    shown = lines(stream)
    assert len(shown) > 3
    assert all(line.startswith("<3>") for line in shown)


def test_a_line_break_in_a_value_makes_no_second_line():
    stream = configured()
    structlog.get_logger().warning("refused", path="/a\nERROR forged line")
    assert len(lines(stream)) == 1


LINK = "l1.main.-.1764350000.p-6nztvnYGSJr1jFL793wP7NhunGMEPt2dqzmGzfz7c"
ADDRESS = f"http://radio:8000/stations/main/stream.mp3?burst=2&listen={LINK}&x=1"


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("under_journal", [False, True])
def test_no_link_to_listen_is_shown_whoever_logs_it_and_wherever_it_stands(form, under_journal):
    stream = configured(form, level="debug", under_journal=under_journal)
    log = structlog.get_logger("auralisd.edge")
    log.info("asked for", address=ADDRESS, listen=LINK, words=f"brought {LINK}!")
    log.warning("refused", error=repr(ValueError(ADDRESS)), headers={"referer": ADDRESS})
    logging.getLogger("trio-websocket").debug("GET %s HTTP/1.1", f"/ws/stream?listen={LINK}")
    try:
        int(ADDRESS)
    except ValueError:
        log.warning("a connection failed", exc_info=True)
        logging.getLogger("hypercorn").warning("a request failed", exc_info=True)
    shown = stream.getvalue()
    assert LINK not in shown
    assert LINK.rpartition(".")[2] not in shown
    assert shown.count("[hidden]") >= 7
    assert "stream.mp3?burst=2&listen=[hidden]&x=1" in shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/?listen=whatever it was", "/?listen=[hidden] it was"),
        ("/?listen=l1%2Emain%2E&a=b", "/?listen=[hidden]&a=b"),
        ("/?LISTEN=abc", "/?LISTEN=abc"),  # no address of ours
        ("auralisd token --listen --url http://a", "auralisd token --listen --url http://a"),
        ("listeners=3 relisten=x", "listeners=3 relisten=x"),
        ("l1.main", "l1.main"),
    ],
)
def test_what_is_no_link_stays_in_a_line(line, shown):
    assert without_links(line) == shown
