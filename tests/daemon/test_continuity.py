import numpy as np
import pytest

from auralisd.audio import AudioBlock, pcm16_to_samples, samples_to_pcm16
from auralisd.daemon.continuity import LEAST_OWN_BED_SECONDS, BedLoop, Continuity, crossfade_gains, faded
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ


def tone(position, frames=PACKET_FRAMES, frequency_hz=220.0, gain=0.5):
    wave = gain * np.sin(2 * np.pi * frequency_hz * (position + np.arange(frames)) / SAMPLE_RATE_HZ)
    return np.stack([wave, wave]).astype(np.float32)


def live(position, **kwargs):
    return AudioBlock(position=position, pcm16=samples_to_pcm16(tone(position, **kwargs)))


def shipped_bed(seconds=20):
    return samples_to_pcm16(tone(0, frames=seconds * SAMPLE_RATE_HZ, frequency_hz=110.0, gain=0.25))


def play(continuity, script):
    """One packet for each letter: ``L`` live, ``-`` nothing came. Returns the sound and the blocks."""
    blocks = [
        continuity.next_block(index * PACKET_FRAMES, live(index * PACKET_FRAMES) if letter == "L" else None)
        for index, letter in enumerate(script)
    ]
    return pcm16_to_samples(b"".join(block.pcm16 for block in blocks)), blocks


def largest_step(sound):
    return float(np.abs(np.diff(sound, axis=1)).max())


def test_live_sound_passes_bit_by_bit_once_it_has_begun():
    continuity = Continuity(shipped_bed=shipped_bed())
    _, blocks = play(continuity, "LLL")
    assert blocks[1].pcm16 == live(PACKET_FRAMES).pcm16
    assert not any(block.bed for block in blocks)


def test_the_first_live_packet_fades_in():
    sound, _ = play(Continuity(shipped_bed=shipped_bed()), "L")
    assert np.abs(sound[:, :100]).max() < 0.02
    assert np.abs(sound[:, -200:]).max() > 0.4


def test_without_live_sound_the_shipped_bed_plays_and_says_so():
    sound, blocks = play(Continuity(shipped_bed=shipped_bed()), "-" * 30)
    assert all(block.bed for block in blocks)
    levels = np.sqrt(np.mean(sound[:, PACKET_FRAMES:].reshape(2, 29, -1) ** 2, axis=(0, 2)))
    assert levels.min() > 0.1


@pytest.mark.parametrize("script", ["LLL---LLL", "L-L-L-LL", "---LLL", "L" * 100 + "-" * 400 + "LLL"])
def test_every_change_between_live_sound_and_bed_is_without_a_click(script):
    sound, _ = play(Continuity(shipped_bed=shipped_bed()), script)
    steepest_of_a_tone = 2 * np.pi * 220 / SAMPLE_RATE_HZ * 0.5
    assert largest_step(sound) < 2.5 * steepest_of_a_tone


def test_a_station_that_has_played_long_enough_gets_its_own_sound_as_bed():
    continuity = Continuity(shipped_bed=shipped_bed())
    sound, _ = play(continuity, "L" * (LEAST_OWN_BED_SECONDS * 10) + "-" * 20)
    spectrum = np.abs(np.fft.rfft(sound[0, -10 * PACKET_FRAMES :]))
    strongest_hz = np.argmax(spectrum) * SAMPLE_RATE_HZ / (10 * PACKET_FRAMES)
    assert strongest_hz == pytest.approx(220, abs=2)  # the shipped bed has 110


def test_a_bed_made_of_sound_from_before_and_after_a_bed_has_no_seam_there():
    continuity = Continuity(shipped_bed=shipped_bed())
    packets = [live(index * PACKET_FRAMES, frequency_hz=223.7) for index in range(120)]
    for index, packet in enumerate(packets):
        interrupted = index in {40, 41, 42, 80}
        continuity.next_block(packet.position, None if interrupted else packet)
    blocks = [continuity.next_block((120 + index) * PACKET_FRAMES, None) for index in range(120)]
    sound = pcm16_to_samples(b"".join(block.pcm16 for block in blocks))
    steepest_of_a_tone = 2 * np.pi * 223.7 / SAMPLE_RATE_HZ * 0.5
    assert largest_step(sound) < 1.5 * steepest_of_a_tone


def test_the_bed_follows_the_programme_level_while_it_is_the_shipped_one():
    quiet = Continuity(shipped_bed=shipped_bed())
    quiet.bed_gain = 0.1
    loud_sound, _ = play(Continuity(shipped_bed=shipped_bed()), "-" * 10)
    quiet_sound, _ = play(quiet, "-" * 10)
    assert np.abs(quiet_sound).max() == pytest.approx(np.abs(loud_sound).max() * 0.1, rel=0.05)


def test_a_bed_goes_round_without_a_seam():
    rng = np.random.default_rng(1)
    noise = np.cumsum(rng.standard_normal((2, 10 * SAMPLE_RATE_HZ)), axis=1).astype(np.float32)
    noise /= np.abs(noise).max()
    bed = BedLoop(noise)
    twice = np.concatenate([bed.take(PACKET_FRAMES) for _ in range(150)], axis=1)
    assert largest_step(twice) < 4 * largest_step(noise)


def test_a_crossfade_keeps_the_power():
    fade_in, fade_out = crossfade_gains(1000)
    assert np.allclose(fade_in**2 + fade_out**2, 1, atol=1e-6)


def test_a_fade_out_ends_in_silence():
    out = pcm16_to_samples(faded(samples_to_pcm16(tone(0)), from_gain=1.0, to_gain=0.0))
    assert np.abs(out[:, -5:]).max() < 0.001
    assert np.abs(out[:, :1000]).max() > 0.4
