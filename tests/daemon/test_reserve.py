import pytest

from auralisd.daemon.reserve import (
    CALM_SECONDS,
    LEAST_SECONDS,
    MOST_SECONDS,
    TRUSTED_AFTER_SECONDS,
    USUAL_SECONDS,
    Reserve,
)


def fed(reserve, spare_seconds, *, packets, begin=0.0):
    for index in range(packets):
        reserve.packet_made(spare_seconds, now=begin + 0.1 * index)
    return begin + 0.1 * packets


def test_it_is_short_as_long_as_packets_are_early():
    reserve = Reserve()
    fed(reserve, 0.27, packets=int(10 * TRUSTED_AFTER_SECONDS) - 10)
    assert reserve.seconds == USUAL_SECONDS
    fed(reserve, 0.27, packets=300, begin=TRUSTED_AFTER_SECONDS)
    assert reserve.seconds == LEAST_SECONDS


def test_a_machine_that_keeps_renderers_waiting_now_and_then_is_never_trusted_with_the_least():
    reserve, now = Reserve(), 0.0
    for _ in range(5):
        now = fed(reserve, 0.05, packets=1, begin=now)
        now = fed(reserve, 0.27, packets=int(10 * TRUSTED_AFTER_SECONDS) - 50, begin=now)
        assert reserve.seconds == pytest.approx(USUAL_SECONDS)


def test_with_the_least_a_packet_that_is_ready_late_brings_the_usual_back_at_once():
    reserve = Reserve()
    now = fed(reserve, 0.27, packets=int(10 * TRUSTED_AFTER_SECONDS) + 300)
    assert reserve.seconds == LEAST_SECONDS
    reserve.packet_made(0.09, now=now)
    assert reserve.seconds == pytest.approx(USUAL_SECONDS)


def test_it_grows_before_a_packet_is_missed_and_never_past_its_bound():
    reserve = Reserve()
    reserve.packet_made(0.05, now=0.0)
    assert reserve.seconds == pytest.approx(USUAL_SECONDS + 0.1)
    fed(reserve, -1.0, packets=500, begin=1.0)
    assert reserve.seconds == MOST_SECONDS


def test_it_is_more_than_usual_while_the_bed_stands_in():
    reserve = Reserve()
    now = fed(reserve, 0.27, packets=int(10 * TRUSTED_AFTER_SECONDS) + 300)
    assert reserve.broke_off(now) == pytest.approx(USUAL_SECONDS + 0.1)
    assert reserve.packet_made(0.3, now=now + 0.1) == pytest.approx(USUAL_SECONDS + 0.1)


def test_it_gives_back_a_step_after_each_calm_while():
    reserve = Reserve()
    now = fed(reserve, 0.0, packets=5)
    grown = reserve.seconds
    now = fed(reserve, 0.5, packets=int(10 * CALM_SECONDS) - 10, begin=now)
    assert reserve.seconds == grown
    now = fed(reserve, 0.5, packets=20, begin=now)
    assert reserve.seconds == pytest.approx(grown - 0.1)
    fed(reserve, 0.5, packets=5_000, begin=now)
    assert reserve.seconds == USUAL_SECONDS


def test_it_keeps_what_is_used_now_and_then():
    reserve = Reserve()
    now = fed(reserve, 0.0, packets=5)
    grown = reserve.seconds
    for _ in range(20):
        now = fed(reserve, 0.5, packets=100, begin=now)
        now = fed(reserve, 0.15, packets=1, begin=now)
    assert reserve.seconds == grown
