"""Whose doing it is: what touches a window is the fault's, all else the daemon's."""

from __future__ import annotations

import pytest

from auralisd.soak.plan import FAULTS, KILL
from auralisd.soak.windows import REMEMBERED, Windows

STORM = next(fault for fault in FAULTS if fault.name == "storm")


@pytest.mark.parametrize(
    ("begin", "end", "excused"),
    [
        (0.0, 9.9, False),
        (9.5, 10.0, True),
        (11.0, 12.0, True),
        (19.9, 30.0, True),
        (20.1, 30.0, False),
        (5.0, 30.0, True),
    ],
)
def test_what_touches_a_window_is_excused(begin, end, excused):
    windows = Windows()
    windows.open(STORM, 10.0).ends_at = 20.0
    assert windows.excuse(begin, end) is excused


def test_an_open_window_has_no_end_yet():
    windows = Windows()
    windows.open(STORM, 10.0)
    assert windows.excuse(1e6, 1e6)


def test_only_a_fault_that_ends_the_process_excuses_a_connection_that_ends():
    windows = Windows()
    windows.open(STORM, 0.0).ends_at = 10.0
    windows.open(KILL, 20.0).ends_at = 30.0
    assert not windows.excuse_an_end(5.0, 6.0)
    assert windows.excuse_an_end(25.0, 26.0)


def test_of_any_number_of_windows_the_latest_are_remembered():
    windows = Windows()
    for number in range(1000):
        windows.open(STORM, 10.0 * number).ends_at = 10.0 * number + 1
    assert len(list(windows.overlapping(0.0, 1e9))) == REMEMBERED
    assert windows.excuse(9990.5, 9990.6)
