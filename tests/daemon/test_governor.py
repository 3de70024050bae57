"""When something is left out, and when it comes back."""

import pytest

from auralisd.daemon.governor import CLIMB_AFTER_SECONDS, LONGEST_CLIMB_SECONDS, Governor
from auralisd.quality import Quality

PACKET_SECONDS = 0.1


class Machine:
    """A governor and a clock; each step of quality makes packets cheaper by ``saved``."""

    def __init__(self, saved=0.2):
        self.governor = Governor()
        self.now = 100.0
        self.saved = saved
        self.heard = []

    def run(self, seconds, load):
        for _ in range(round(seconds / PACKET_SECONDS)):
            busy = PACKET_SECONDS * load * (1.0 - self.saved) ** self.governor.quality
            self.governor.packet_made(busy, packet_seconds=PACKET_SECONDS, now=self.now)
            self.now += PACKET_SECONDS
            self.heard.append(self.governor.quality)
        return self.governor.quality


def test_a_machine_with_time_to_spare_plays_everything():
    assert Machine().run(600, load=0.7) is Quality.FULL


def test_one_packet_that_stood_still_is_no_reason():
    machine = Machine()
    machine.run(10, load=0.3)
    assert machine.run(0.2, load=30.0) is Quality.FULL
    assert machine.run(10, load=0.3) is Quality.FULL


def test_a_load_near_the_deadline_sheds_until_it_fits_and_no_further():
    machine = Machine()
    assert machine.run(30, load=0.9) is Quality.WITHOUT_TEXTURE
    assert set(machine.heard) == {Quality.FULL, Quality.WITHOUT_TEXTURE}


def test_an_overload_is_answered_within_two_seconds():
    machine = Machine()
    assert machine.run(2, load=1.6) >= Quality.SHORT_ROOM


def test_nothing_is_left_below_few_voices():
    machine = Machine()
    assert machine.run(30, load=4.0) is Quality.FEW_VOICES


def test_all_is_back_within_half_a_minute_of_the_machines_release():
    machine = Machine()
    machine.run(10, load=2.0)
    assert machine.run(30, load=0.3) is Quality.FULL


def test_a_step_taken_back_too_soon_is_tried_less_and_less_often():
    machine = Machine(saved=0.5)  # at full quality just too much, one step down next to nothing
    machine.run(900, load=0.8)
    climbs = sum(later < earlier for earlier, later in zip(machine.heard, machine.heard[1:], strict=False))
    assert 3 <= climbs <= 900 / LONGEST_CLIMB_SECONDS + 6


def test_patience_is_as_before_after_a_calm_time():
    machine = Machine(saved=0.5)
    machine.run(300, load=0.8)
    machine.run(300, load=0.3)
    machine.run(5, load=1.6)
    assert machine.governor.quality > Quality.FULL
    assert machine.run(4 * CLIMB_AFTER_SECONDS + 6, load=0.3) is Quality.FULL


@pytest.mark.parametrize("quality", Quality)
def test_steps_end_at_both_ends(quality):
    assert Quality.FULL <= quality.raised() <= quality <= quality.lowered(2) <= Quality.FEW_VOICES
