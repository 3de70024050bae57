"""From facts to words."""

from __future__ import annotations

import pytest

from auralisd.observability.health import HealthFacts, StationFacts, health_checks, verdict

WELL = HealthFacts(
    device="cpu",
    loop_lag_seconds=0.004,
    stations=(StationFacts(id="main", state="sounding", quiet_seconds=0.1), StationFacts(id="night", state="idle")),
)


def facts(**changes) -> HealthFacts:
    usual = {name: getattr(WELL, name) for name in WELL.__slots__}
    return HealthFacts(**(usual | changes))


def test_a_daemon_that_is_well_says_so_in_four_lines():
    checks = health_checks(WELL)
    assert [(check.name, check.ok, check.detail) for check in checks] == [
        ("renderer", True, "renders on cpu"),
        ("loop", True, "longest pass lately 4 ms"),
        ("storage", True, "the state is saved"),
        ("stations", True, "1 of 2 on the air"),
    ]
    assert verdict(checks) == "healthy"


@pytest.mark.parametrize(
    ("changes", "failed", "detail", "word"),
    [
        ({"device": None}, None, "warming up", "healthy"),
        ({"stations": (StationFacts(id="a", state="bed"),)}, "renderer", "the bed stands in on a", "degraded"),
        ({"loop_lag_seconds": 0.3}, "loop", "longest pass lately 300 ms", "degraded"),
        ({"loop_lag_seconds": 0.5, "device": None}, None, "longest pass lately 500 ms", "healthy"),
        ({"loop_lag_seconds": 1.5, "device": None}, "loop", "longest pass lately 1500 ms", "degraded"),
        ({"storage_problem": "disk full"}, "storage", "disk full", "degraded"),
        (
            {"stations": (StationFacts(id="a", state="sounding", quiet_seconds=2.5),)},
            "stations",
            "no sound comes from a",
            "unhealthy",
        ),
        ({"stations": (StationFacts(id="a", state="sounding"),)}, None, "1 of 1 on the air", "healthy"),
        ({"stations": (StationFacts(id="a", state="idle", quiet_seconds=900),)}, None, "0 of 1 on the air", "healthy"),
        ({"outputs": {"radio": None, "hls:main": None}}, None, "2 are well", "healthy"),
        ({"outputs": {"a": None, "b": "Connection refused"}}, "outputs", "b: Connection refused", "degraded"),
    ],
)
def test_each_fault_is_one_line_and_moves_the_verdict(changes, failed, detail, word):
    checks = health_checks(facts(**changes))
    assert [check.name for check in checks if not check.ok] == ([failed] if failed else [])
    assert detail in [check.detail for check in checks]
    assert verdict(checks) == word


def test_nothing_checked_is_nothing_wrong():
    assert verdict(()) == "healthy"
