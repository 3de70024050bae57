"""What ``why`` tells a listener: each audible change with its cause, in words."""

import re

import trio

from auralisd.composition import Composer
from auralisd.composition.reasons import BREATH
from auralisd.controls import Controls
from auralisd.daemon.piece import REASONS_KEPT
from auralisd.errors import RenderError
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ
from tests.daemon.stations import ToneInstrument, new_station, new_studio, on_air

HOUR = 3600 * SAMPLE_RATE_HZ


def texts(station):
    return [reason.text for reason in station.why(REASONS_KEPT)]


async def test_what_one_did_to_the_sound_is_told_when_it_is_heard_and_not_before(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        station.change_controls({"brightness": 0.8, "layers": {"bells": "off", "drone": -6}}, cause="rest")
        told = "you chose a brighter sound, 0.80, a softer drone, -6 dB and no bells"
        assert told not in texts(station)
        await trio.sleep(1)
        assert texts(station)[0] == told
        station.change_controls({"layers": {"bells": 0}, "space": 0.1, "warmth": 0.9, "level_db": -12}, cause="ws")
        await trio.sleep(1)
        words = "you chose the bells again, a closer room, 0.10, a warmer tone, 0.90 and a softer level, -12 dB"
        assert texts(station)[0] == words


async def test_what_became_no_different_is_not_told(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        before = texts(station)
        station.change_controls({"brightness": 0.5, "layers": {"pad": 0.0}, "key": "A"}, cause="rest")
        await trio.sleep(2)
        assert [text for text in texts(station) if text not in before and "no voice" not in text] == []


async def test_a_preset_is_told_by_its_name_and_by_what_it_brings(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        station.change_controls({"mode": "phrygian", "brightness": 0.1}, cause="preset", preset="Sleep")
        await trio.sleep(2)
    told = texts(station)
    assert "you chose the preset Sleep" in told
    assert "the preset brings a darker sound, 0.10" in told
    assert any(text.startswith("the preset brings A phrygian: ") for text in told)


async def test_a_new_piece_is_told_and_what_was_before_it_is_not_forgotten(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        station.change_controls({"brightness": 0.8}, cause="rest")
        await trio.sleep(2)
        station.begin_piece(77)
        await trio.sleep(3)
        reasons = station.why(REASONS_KEPT)
    assert "a new piece begins, number 77" in texts(station)
    assert "you chose a brighter sound, 0.80" in texts(station)
    positions = [reason.position for reason in reasons]
    assert positions == sorted(positions, reverse=True)


async def test_the_bed_and_the_return_of_the_music_are_told(autojump_clock):
    stumbled = []

    class Stumbling(ToneInstrument):
        def render(self, controls, frames=2205):
            if len(stumbled) < 2 and self.position > 60 * PACKET_FRAMES:
                stumbled.append(self.position)
                raise RenderError("failed", "for the test")
            return super().render(controls, frames)

    studio = new_studio(Stumbling)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(20)
    told = [text for text in texts(station)[::-1] if "music goes on" in text or "half minute" in text]
    assert told == ["The synthesiser is late; the last half minute plays on softly", "The music goes on"]


async def test_a_breath_is_told_when_the_pad_leaves_and_when_it_returns(autojump_clock):
    controls = Controls(intensity=0.1)
    told = [
        one.position for one in Composer(seed=1, controls=controls).advance(HOUR // 4).reasons if one.cause == BREATH
    ]
    studio = new_studio()
    station = new_station(studio, controls=controls, position=told[0] - 2 * SAMPLE_RATE_HZ)
    async with on_air(station, studio):
        await trio.sleep((told[1] - told[0]) / SAMPLE_RATE_HZ + 4)
    told = [text for text in texts(station)[::-1] if text.startswith("the pad")]
    assert told[:2] == ["the pad rests, the drone is alone for a while", "the pad comes back"]


async def test_somebody_who_comes_later_learns_which_section_plays(autojump_clock):
    studio = new_studio()
    station = new_station(studio, position=200 * SAMPLE_RATE_HZ)
    async with on_air(station, studio):
        await trio.sleep(2)
        assert any(text.startswith("section Emerge began in A aeolian") for text in texts(station))


async def test_the_list_is_bounded_and_its_sentences_are_calm(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(2)
        for step in range(300):
            station.change_controls({"brightness": step % 2, "level_db": -(step % 30)}, cause="rest")
        await trio.sleep(3)
    assert len(texts(station)) <= 2 * REASONS_KEPT
    assert len(station.why(5)) == 5
    for text in texts(station):
        assert re.fullmatch(r"[\w #:,;.-]+", text), text
        assert not text.endswith(".")


async def test_the_night_dims_what_the_synthesiser_is_told_and_is_told_itself(autojump_clock):
    brightness = {}

    class Watching(ToneInstrument):
        def render(self, controls, frames=2205):
            brightness[self.position] = controls.brightness
            return super().render(controls, frames)

    studio = new_studio(Watching)
    station = new_station(studio, controls=Controls(brightness=0.8))
    async with on_air(station, studio):
        await trio.sleep(5)
        applied = station.change_controls({"night": True}, cause="rest")
        await trio.sleep(120)
        assert "you chose the night: over an hour it grows darker and sparser" in texts(station)
        station.change_controls({"night": False}, cause="rest")
        await trio.sleep(10)
    begun = applied.positions["night"]
    assert all(value == 0.8 for position, value in brightness.items() if position < begun)
    later = max(position for position in brightness if position <= begun + HOUR // 30)
    assert abs(brightness[later] - 0.8 * (1 - 0.3 / 30)) < 0.0005
    assert brightness[max(brightness)] == 0.8


async def test_the_night_is_as_deep_after_a_restart_as_if_it_had_played_on(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    desk = station.piece.desk
    desk.record({"night": True}, at_frames=HOUR, cause="rest")
    desk.record({"brightness": 1.0}, at_frames=HOUR + 5, cause="rest")
    assert desk.sounding_at(HOUR // 2).brightness == 1.0
    assert abs(desk.sounding_at(HOUR + HOUR // 2).brightness - 0.85) < 0.001
    assert desk.sounding_at(7 * HOUR, desk.controls_at(HOUR)).brightness == 0.35
