from auralisd.daemon.bed_stay import LEAST_SECONDS, MOST_SECONDS, PACKETS_IN_HAND, BedStay


def test_the_live_sound_comes_back_when_some_of_it_is_in_hand():
    stay = BedStay()
    stay.begin(10.0)
    assert not stay.may_end(10.0 + LEAST_SECONDS / 2, PACKETS_IN_HAND)
    assert not stay.may_end(10.0 + LEAST_SECONDS, PACKETS_IN_HAND - 1)
    assert stay.may_end(10.0 + LEAST_SECONDS, PACKETS_IN_HAND)


def test_a_live_sound_that_breaks_off_again_waits_longer_up_to_a_bound():
    stay, now, stays = BedStay(), 0.0, []
    for _ in range(6):
        stay.begin(now)
        began = now
        while not stay.may_end(now, PACKETS_IN_HAND):
            now += 0.1
        stays.append(round(now - began))
        stay.end(now)
        now += 1.0
    assert stays == [1, 2, 4, 8, 8, 8]
    assert max(stays) == MOST_SECONDS


def test_a_long_calm_is_trusted_again():
    stay = BedStay()
    stay.begin(0.0)
    stay.end(1.0)
    stay.begin(2.0)
    stay.end(5.0)
    stay.begin(100.0)
    assert stay.may_end(100.0 + LEAST_SECONDS, PACKETS_IN_HAND)
