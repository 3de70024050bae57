"""What listeners heard, and whose doing it was."""

from __future__ import annotations

from auralisd.soak.hearing import Ear, Hearing, Packet
from auralisd.soak.plan import FAULTS, KILL
from auralisd.soak.windows import Windows

STORM = next(fault for fault in FAULTS if fault.name == "storm")


def hearing_with(*windows):
    known = Windows()
    for fault, begin, end in windows:
        known.open(fault, begin).ends_at = end
    return Hearing(windows=known)


def packet(at, sequence, *, epoch=1, bed=False):
    return Packet(at_seconds=at, sequence=sequence, position=4410 * sequence, epoch=epoch, bed=bed)


def test_a_gap_in_calm_counts_and_one_that_touches_a_fault_is_its_doing():
    hearing = hearing_with((STORM, 10.0, 12.0))
    ear = Ear(hearing=hearing, form="wav", asked_at=0.0)
    for at in (0.1, 0.2, 0.5, 9.9, 11.0, 11.1):
        ear.sound(at)
    assert hearing.outside.longest_gap_seconds == 9.9 - 0.5
    assert hearing.outside.longest_gap_form == "wav"
    assert hearing.inside.longest_gap_seconds == 11.0 - 9.9
    assert hearing.joined == 1


def test_the_wait_for_the_first_sound_counts_from_asking():
    hearing = hearing_with()
    Ear(hearing=hearing, form="opus", asked_at=5.0).sound(5.75)
    assert hearing.outside.longest_wait_seconds == 0.75
    assert hearing.outside.longest_gap_seconds == 0.0


def test_packets_that_were_jumped_over_are_missed_and_another_epoch_is_none():
    hearing = hearing_with((STORM, 100.0, 200.0))
    ear = Ear(hearing=hearing, form="auralis.v1.pcm16", asked_at=0.0)
    for one in (
        packet(1.0, 2**32 - 1),
        packet(1.1, 0),
        packet(1.2, 3),
        packet(1.3, 900, epoch=2),
        packet(150.0, 902, epoch=2),
    ):
        ear.packet(one)
    assert (hearing.outside.missed, hearing.inside.missed) == (2, 1)


def test_a_connection_that_ends_in_calm_or_to_other_peers_counts_and_one_that_is_killed_does_not():
    hearing = hearing_with((STORM, 10.0, 20.0), (KILL, 30.0, 40.0))
    for heard_at in (5.0, 15.0, 35.0):
        ear = Ear(hearing=hearing, form="mp3", asked_at=heard_at)
        ear.sound(heard_at)
        ear.ended(heard_at + 1)
    assert (hearing.outside.lost, hearing.inside.lost, hearing.lost_to_peers) == (1, 2, 1)


def test_of_those_who_end_players_are_counted_apart():
    hearing = hearing_with((KILL, 0.0, 40.0))
    for form in ("mp3", "auralis.v1.opus", "auralis.v0.json", "wav"):
        ear = Ear(hearing=hearing, form=form, asked_at=1.0)
        ear.sound(2.0)
        ear.ended(3.0)
    assert hearing.players_lost == 2


def test_who_never_heard_a_sound_was_refused():
    hearing = hearing_with((KILL, 30.0, 40.0))
    for asked_at in (5.0, 35.0):
        Ear(hearing=hearing, form="mp3", asked_at=asked_at).ended(asked_at + 1)
    assert (hearing.outside.refused, hearing.inside.refused) == (1, 1)


def test_those_who_stay_tell_where_one_epoch_ended_and_the_next_began():
    hearing = hearing_with()
    stays = Ear(hearing=hearing, form="auralis.v1.pcm16", asked_at=0.0, stays=True)
    passes_by = Ear(hearing=hearing, form="auralis.v1.pcm16", asked_at=0.0)
    first, last, anew, music = (
        packet(1.0, 10),
        packet(1.1, 11),
        packet(9.0, 5, epoch=2, bed=True),
        packet(9.1, 6, epoch=2),
    )
    for one in (first, last, anew, music):
        stays.packet(one)
    passes_by.packet(packet(9.2, 1, epoch=7))
    assert hearing.epochs == 2
    assert hearing.last_of_before is last
    assert hearing.first_of_epoch is anew
    assert hearing.first_music_of_epoch is music
    assert hearing.newest is music


def test_of_two_who_stay_the_one_behind_does_not_turn_time_back():
    hearing = hearing_with()
    ahead, behind = (Ear(hearing=hearing, form="x", asked_at=0.0, stays=True) for _ in range(2))
    ahead.packet(packet(1.0, 10))
    behind.packet(packet(1.0, 9))
    assert hearing.newest == packet(1.0, 10)
