"""The pipeline of one station, in virtual time, with a synthesiser that can be made to fail."""

from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import trio

from auralisd.audio import pcm16_to_samples
from auralisd.daemon.piece import Piece
from auralisd.daemon.reserve import USUAL_SECONDS
from auralisd.daemon.tasks.encoder_task import encode_packet
from auralisd.daemon.tasks.renderer_task import render_packet
from auralisd.daemon.worker import run_inline
from auralisd.errors import ControlsError, RenderError
from auralisd.quality import Quality
from auralisd.transport.forms import WEBSOCKET_FORMS
from auralisd.transport.listener import Listener
from auralisd.transport.packet import unpack_header
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ
from tests.daemon.stations import ToneInstrument, new_station, new_studio, on_air


def sound_of(chunks):
    return pcm16_to_samples(b"".join(chunk.pcm16 for chunk in chunks))


def restarts(studio, role):
    return studio.metrics.registry.get_sample_value("auralisd_restarts_total", {"role": role}) or 0


async def test_packets_are_published_when_they_are_due_and_none_is_left_out(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(10)
    times = [at for at, _, _ in station.broadcast.published]
    positions = [chunk.position for chunk in station.broadcast.chunks]
    assert len(times) > 90
    assert {later - earlier for earlier, later in pairwise(positions)} == {PACKET_FRAMES}
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([0.1] * (len(times) - 1))


async def test_ten_minutes_do_not_drift_by_a_sample(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(600)
    at, _, last = station.broadcast.published[-1]
    first_at, _, first = station.broadcast.published[0]
    assert at - first_at == pytest.approx((last.position - first.position) / SAMPLE_RATE_HZ, abs=1e-6)


async def test_nothing_is_rendered_while_nobody_listens(autojump_clock):
    built = []

    def instrument(**arguments):
        built.append(arguments)
        return ToneInstrument(**arguments)

    studio = new_studio(instrument)
    station = new_station(studio, pinned=False)
    async with on_air(station, studio):
        await trio.sleep(600)
        assert station.broadcast.published == []
        assert built == []
        assert station.state == "idle"


async def test_the_score_goes_on_while_a_station_sleeps(autojump_clock):
    studio = new_studio()
    station = new_station(studio, pinned=False)
    async with on_air(station, studio):
        await trio.sleep(600)
        station.pin(True)
        await trio.sleep(5)
    assert station.broadcast.chunks[0].position == pytest.approx(600 * SAMPLE_RATE_HZ, abs=SAMPLE_RATE_HZ)


async def test_a_station_that_nobody_wants_any_more_goes_off_the_air_after_a_while(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        station.pin(False)
        await trio.sleep(10)
        assert station.on_air
        await trio.sleep(30)
        assert not station.on_air
        count = len(station.broadcast.published)
        await trio.sleep(60)
        assert len(station.broadcast.published) == count


async def test_the_bed_plays_until_the_synthesiser_is_there_and_then_crossfades(autojump_clock):
    studio = new_studio(ready=False)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        assert station.state == "warming_up"
        assert all(chunk.bed for chunk in station.broadcast.chunks)
        studio.can_render.set()
        await trio.sleep(5)
        assert station.state == "sounding"
    assert not station.broadcast.chunks[-1].bed
    sound = sound_of(station.broadcast.chunks)
    assert np.abs(np.diff(sound, axis=1)).max() < 0.03  # the tone's own steepest step is 0.0094
    assert station.underruns == 0


async def test_packets_are_sent_a_second_ahead_while_torch_is_imported(autojump_clock):
    studio = new_studio(ready=False)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(3)
        at, _, chunk = station.broadcast.published[-1]
        assert station.clock.due_seconds(chunk.position) - at == pytest.approx(1.0, abs=0.02)
        studio.can_render.set()
        await trio.sleep(20)
        at, _, chunk = station.broadcast.published[-1]
        assert station.clock.due_seconds(chunk.position) - at == pytest.approx(0.0, abs=0.02)


class FailingInstrument(ToneInstrument):
    """Raises twice from its twentieth packet on, and then no more."""

    failures = 0

    def render(self, controls, frames=2205):
        if self.position > 20 * PACKET_FRAMES and FailingInstrument.failures < 2:
            FailingInstrument.failures += 1
            raise RenderError("failed", "of the test")
        return super().render(controls, frames)


async def test_a_renderer_that_raises_is_replaced_and_no_packet_is_missing(autojump_clock):
    FailingInstrument.failures = 0
    studio = new_studio(FailingInstrument)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(20)
    chunks = station.broadcast.chunks
    assert {later.position - earlier.position for earlier, later in pairwise(chunks)} == {PACKET_FRAMES}
    assert any(chunk.bed for chunk in chunks)
    assert not chunks[-1].bed
    assert restarts(studio, "renderer") == 2
    assert np.abs(np.diff(sound_of(chunks), axis=1)).max() < 0.03
    loudest = np.sqrt(np.mean(sound_of(chunks).reshape(2, len(chunks), -1) ** 2, axis=(0, 2)))
    assert loudest[5:].min() > 0.03  # never silence


async def test_a_renderer_that_fails_three_times_in_ten_minutes_ends_the_daemon_while_the_bed_plays(autojump_clock):
    class Broken(ToneInstrument):
        def render(self, controls, frames=2205):
            raise RenderError("failed", "of the test")

    given_up = []
    studio = new_studio(Broken, give_up=lambda *what: given_up.append(what))
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(20)
    ((what, error),) = given_up
    assert what == "the renderer of main"
    assert isinstance(error, RenderError)
    assert restarts(studio, "renderer") == 3
    assert len(station.broadcast.chunks) > 190
    assert all(chunk.bed for chunk in station.broadcast.chunks)


async def test_a_renderer_that_is_back_in_time_is_faded_into_without_a_bed(autojump_clock):
    class StumblingOnce(ToneInstrument):
        stumbled = False

        def render(self, controls, frames=2205):
            if self.position == 20 * PACKET_FRAMES and not StumblingOnce.stumbled:
                StumblingOnce.stumbled = True
                raise RenderError("failed", "of the test")
            block = super().render(controls, frames)
            return replace(block, pcm16=bytes(len(block.pcm16))) if StumblingOnce.stumbled else block

    studio = new_studio(StumblingOnce)
    station = new_station(studio)
    station.reserve.seconds = 1.0
    async with on_air(station, studio):
        await trio.sleep(5)
    chunks = station.broadcast.chunks
    assert StumblingOnce.stumbled
    assert not any(chunk.bed for chunk in chunks)
    assert np.abs(np.diff(sound_of(chunks), axis=1)).max() < 0.03  # from a tone to silence in a packet's fade


async def test_a_machine_that_stands_still_now_and_then_is_met_with_a_longer_reserve(autojump_clock):
    pauses = {"every": 0, "seconds": 0.0, "count": 0}

    async def halting_worker(job, *args):
        if job is render_packet:
            pauses["count"] += 1
            if pauses["every"] and pauses["count"] % pauses["every"] == 0:
                await trio.sleep(pauses["seconds"])
        await trio.lowlevel.checkpoint()
        return job(*args)

    studio = new_studio(new_worker=lambda: halting_worker)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(20)
        assert station.reserve.seconds == USUAL_SECONDS
        pauses.update(every=10, seconds=0.26)
        await trio.sleep(30)
        assert station.reserve.seconds > USUAL_SECONDS
        pauses.update(seconds=0.33)  # once more than the usual reserve could ride over
        await trio.sleep(10)
        assert station.underruns == 0
        pauses.update(every=0)
        await trio.sleep(200)
        assert station.reserve.seconds == USUAL_SECONDS


async def test_a_starved_machine_hears_long_calm_beds_and_not_a_stutter(autojump_clock):
    slow = {"seconds": 0.0}

    async def starved_worker(job, *args):
        if job is render_packet:
            await trio.sleep(slow["seconds"])
        await trio.lowlevel.checkpoint()
        return job(*args)

    studio = new_studio(new_worker=lambda: starved_worker)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(20)
        slow["seconds"] = 0.11
        await trio.sleep(120)
        beds = [chunk.bed for chunk in station.broadcast.chunks]
        assert sum(now != before for before, now in pairwise(beds)) < 30
        slow["seconds"] = 0.01
        await trio.sleep(30)
        assert not station.on_bed
        assert station.governor.quality is Quality.FULL


async def test_an_instrument_that_is_built_too_late_leaves_out_what_is_late_and_is_not_built_again(autojump_clock):
    built = []

    async def busy_worker(job, *args):
        if job is render_packet:
            await trio.sleep(0.09)  # what was missed would be caught up with in more than a minute
        elif isinstance(job, partial):
            built.append(trio.current_time())
            await trio.sleep(8.0)
        await trio.lowlevel.checkpoint()
        return job(*args)

    studio = new_studio(new_worker=lambda: busy_worker)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(30)
        assert station.state == "sounding"
    chunks = station.broadcast.chunks
    assert len(built) == 1
    assert {later.position - earlier.position for earlier, later in pairwise(chunks)} == {PACKET_FRAMES}
    assert sum(chunk.bed for chunk in chunks) < 130
    assert restarts(studio, "renderer") == 0


async def test_live_sound_that_is_there_goes_on_the_air_however_late_the_encoders_are(autojump_clock):
    slow = {"packets": 0}

    async def worker(job, *args):
        if job is encode_packet and slow["packets"]:
            slow["packets"] -= 1
            await trio.sleep(0.2)
        await trio.lowlevel.checkpoint()
        return job(*args)

    studio = new_studio(new_worker=lambda: worker)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(10)
        before = len(station.broadcast.chunks)
        slow["packets"] = 8  # 0.8 s late in the end
        await trio.sleep(10)
    assert slow["packets"] == 0
    assert not any(chunk.bed for chunk in station.broadcast.chunks[before:])


async def test_no_more_packets_are_made_at_once_than_there_are_slots_and_a_hung_one_gives_its_slot_back(autojump_clock):
    under_way, most, hung = [], [], []

    async def watched_worker(job, *args):
        if job is not render_packet:
            await trio.lowlevel.checkpoint()
            return job(*args)
        under_way.append(job)
        most.append(len(under_way))
        try:
            if not hung and args[0].position > 20 * PACKET_FRAMES:
                hung.append(job)
                await trio.sleep_forever()
            await trio.sleep(0.015)
        finally:
            under_way.pop()
        return job(*args)

    studio = new_studio(new_worker=lambda: watched_worker)
    studio.render_slots.total_tokens = 1
    stations = [new_station(studio, seed=seed) for seed in range(4)]
    async with AsyncExitStack() as stack:
        for station in stations:
            await stack.enter_async_context(on_air(station, studio))
        await trio.sleep(30)
        assert [station.state for station in stations] == ["sounding"] * 4
    assert hung
    assert max(most) == 1
    assert restarts(studio, "encoder") == 0  # while the only slot hung, the bed was encoded without one
    for station in stations:
        assert {later.position - earlier.position for earlier, later in pairwise(station.broadcast.chunks)} == {
            PACKET_FRAMES
        }


async def test_a_composer_that_raises_is_started_again_where_it_was_and_no_packet_is_missing(
    autojump_clock, monkeypatch
):
    compose, calls = Piece.next_slice, []

    def raises_once(piece):
        calls.append(piece)
        if len(calls) == 50:
            raise RuntimeError("no chord fits")
        return compose(piece)

    monkeypatch.setattr(Piece, "next_slice", raises_once)
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(30)
    chunks = station.broadcast.chunks
    assert {later.position - earlier.position for earlier, later in pairwise(chunks)} == {PACKET_FRAMES}
    assert not chunks[-1].bed
    assert restarts(studio, "composer") == 1
    assert restarts(studio, "renderer") == 0


async def test_a_renderer_that_hangs_is_abandoned_and_replaced(autojump_clock):
    hung = []

    async def worker_that_hangs_once(job, *args):
        if job is render_packet and not hung and args[0].position > 20 * PACKET_FRAMES:
            hung.append(args)
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        return job(*args)

    studio = new_studio(new_worker=lambda: worker_that_hangs_once)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(30)
    chunks = station.broadcast.chunks
    assert hung
    assert {later.position - earlier.position for earlier, later in pairwise(chunks)} == {PACKET_FRAMES}
    assert not chunks[-1].bed
    assert restarts(studio, "renderer") == 1


async def test_a_machine_that_is_too_slow_is_asked_for_less_before_anybody_hears_a_gap(autojump_clock):
    speed = {"packet_seconds": 0.02}

    async def slow_worker(job, *args):
        if job is render_packet:
            await trio.sleep(speed["packet_seconds"] * (1.0 - 0.15 * args[3]))
        await trio.lowlevel.checkpoint()
        return job(*args)

    studio = new_studio(new_worker=lambda: slow_worker)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(20)
        assert station.governor.quality is Quality.FULL
        speed["packet_seconds"] = 0.095
        await trio.sleep(20)
        shed = station.governor.quality
        assert shed > Quality.FULL
        assert studio.metrics.registry.get_sample_value("auralisd_quality_steps_shed") == shed
        assert station.performance()["quality_steps_shed"] == shed
        reasons = [reason for reason in station.why(20) if reason.cause == "governor"]
        assert reasons
        assert "the texture rests" in reasons[-1].text
        speed["packet_seconds"] = 0.02
        await trio.sleep(40)
        assert station.governor.quality is Quality.FULL
        assert "again" in station.why(1)[0].text or "come back" in station.why(1)[0].text
    assert station.underruns == 0
    assert studio.metrics.registry.get_sample_value("auralisd_quality_steps_shed") == 0


@pytest.mark.parametrize(
    "failure",
    [
        RenderError("device_lost", "the GPU fell off the bus"),
        RenderError("failed", "NotImplementedError: fell off the bus, for this operation is not there"),
        TypeError("the framework fell off the bus at float64"),
    ],
)
async def test_a_device_that_fails_in_whatever_way_moves_the_station_to_the_cpu(autojump_clock, failure):
    devices = []

    class OnDevice(ToneInstrument):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            devices.append(self.device)

        def render(self, controls, frames=2205):
            if self.device == "cuda" and self.position > 20 * PACKET_FRAMES:
                raise failure
            return super().render(controls, frames)

    studio = new_studio(OnDevice, device="cuda")
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(10)
    assert devices == ["cuda", "cpu"]
    assert studio.device.name == "cpu"
    assert "fell off the bus" in studio.device.why
    assert not station.broadcast.chunks[-1].bed


async def test_a_device_that_hangs_is_left_for_the_cpu_too(autojump_clock):
    async def worker(job, *args):
        if args and getattr(args[0], "device", None) == "cuda" and args[0].position > 20 * PACKET_FRAMES:
            await trio.sleep_forever()
        return await run_inline(job, *args)

    studio = new_studio(device="cuda", new_worker=lambda: worker)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(20)
    assert studio.device.name == "cpu"
    assert not station.broadcast.chunks[-1].bed


async def test_a_sound_that_is_not_finite_is_not_blamed_on_the_device(autojump_clock):
    class Broken(ToneInstrument):
        def render(self, controls, frames=2205):
            raise RenderError("not_finite", "of the test")

    studio = new_studio(Broken, device="cuda")
    async with on_air(new_station(studio), studio):
        await trio.sleep(5)
    assert studio.device.name == "cuda"


async def test_an_instrument_built_again_is_told_what_sounds_already(autojump_clock):
    FailingInstrument.failures = 0
    built = []

    def instrument(**arguments):
        built.append(FailingInstrument(**arguments))
        return built[-1]

    studio = new_studio(instrument)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(10)
    assert len(built) == 3
    first_given = built[-1].accepted[0]
    assert first_given.notes
    assert all(note.onset_frames + note.duration_frames > first_given.start_frames for note in first_given.notes)


async def test_a_hung_encoder_costs_a_gap_in_its_formats_and_nothing_else(autojump_clock):
    hung = []

    async def worker_that_hangs_once(job, *args):
        if job.__name__ == "encode_packet" and not hung and args[1].position > 20 * PACKET_FRAMES:
            hung.append(args)
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        return job(*args)

    studio = new_studio(new_worker=lambda: worker_that_hangs_once)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(10)
    chunks = station.broadcast.chunks
    assert hung
    assert {later.position - earlier.position for earlier, later in pairwise(chunks)} == {PACKET_FRAMES}
    assert restarts(studio, "encoder") == 1


async def test_stopping_fades_out_within_half_a_second_and_marks_the_last_packet(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio) as stopping:
        await trio.sleep(5)
        stopped_at = trio.current_time()
        stopping.set()
        await trio.sleep(3)
        assert not station.on_air
    at, _, last = station.broadcast.published[-1]
    assert at - stopped_at < 0.9
    assert last.last
    assert np.abs(sound_of([last])[:, -10:]).max() < 0.005


async def test_a_reseed_begins_a_new_epoch_without_a_gap_in_the_programme(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        station.begin_piece(99)
        await trio.sleep(5)
    chunks = station.broadcast.chunks
    assert {later.position - earlier.position for earlier, later in pairwise(chunks)} == {PACKET_FRAMES}
    assert {epoch for _, epoch, _ in station.broadcast.published} == {1, 2}
    assert station.summary().seed == 99
    assert station.underruns == 0
    assert not chunks[-1].bed


class HeardInOrder:
    """An outlet that keeps greetings and packets in the order they came."""

    ended_by = None

    def __init__(self):
        self.frames = []

    def open(self, frames):
        self.frames += frames

    def start_over(self, frames):
        self.frames += frames

    def push(self, news):
        pass

    def offer(self, packet):
        self.frames.append(unpack_header(packet[4:]))  # behind the WebSocket's own header


def a_web_listener():
    return Listener(
        form=WEBSOCKET_FORMS["auralis.v1.pcm16"],
        outlet=HeardInOrder(),
        head_start_seconds=0.0,
        dismiss=lambda _farewell: None,
        greet=lambda welcome: welcome,
    )


async def test_the_hello_of_an_epoch_comes_before_its_packets_and_names_the_first(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    listener = a_web_listener()
    async with on_air(station, studio):
        await trio.sleep(5)
        with station.broadcast.listening(listener):
            await trio.sleep(1)
            station.begin_piece(99)
            await trio.sleep(1)
    epochs = [frame.epoch for frame in listener.outlet.frames]
    assert epochs == sorted(epochs)
    welcome, first = listener.outlet.frames[epochs.index(2) : epochs.index(2) + 2]
    assert (welcome.epoch, welcome.live_position, welcome.sequence) == (2, first.position, first.sequence)


async def test_a_station_asleep_tells_its_epoch_and_a_new_one(autojump_clock):
    station = new_station(new_studio(), pinned=False)
    listener = a_web_listener()
    with station.broadcast.listening(listener):
        station.begin_piece(99)
    assert [welcome.epoch for welcome in listener.outlet.frames] == [1, 2]


async def test_a_change_of_sound_is_heard_from_the_next_packet_to_be_rendered(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        applied = station.change_controls({"brightness": 0.9, "level_db": -6}, cause="rest")
        assert set(applied.positions) == {"brightness", "level_db"}
        assert 0 < applied.seconds_from_now("brightness") < 0.5
        assert station.piece.desk.controls_at(applied.positions["brightness"]).brightness == 0.9


async def test_a_change_while_the_bed_plays_is_not_said_to_be_heard_already(autojump_clock):
    studio = new_studio(ready=False)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        applied = station.change_controls({"brightness": 0.9, "key": "D"}, cause="rest")
        assert all(position >= station.next_packet for position in applied.positions.values())
        assert min(entry.at_frames for entry in station.piece.desk.log) >= station.next_packet
        studio.can_render.set()
        await trio.sleep(5)
        assert station.now_sounding().chord.tonic == "D"


async def test_a_change_right_after_a_reseed_belongs_to_the_new_piece(autojump_clock):
    studio = new_studio(ready=False)
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        station.begin_piece(99)
        applied = station.change_controls({"brightness": 0.9, "tempo_bpm": 50}, cause="rest")
        assert all(position >= station.piece_origin for position in applied.positions.values())
        assert all(entry.at_frames >= 0 for entry in station.piece.desk.log)


async def test_a_change_of_key_is_heard_within_5_seconds(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        applied = station.change_controls({"key": "D", "mode": "lydian"}, cause="rest")
        assert 0 < applied.seconds_from_now("key") < 4.5
        await trio.sleep(6)
        sounding = station.now_sounding()
        assert (sounding.chord.tonic, sounding.chord.mode) == ("D", "lydian")
        assert any("D lydian" in reason.text for reason in station.why(20))


async def test_no_more_than_a_second_of_score_is_out_of_reach_of_a_change(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(2)
        for _ in range(200):
            await trio.sleep(0.037)
            handed_out = station.piece.composed_until + station.piece_origin - station.live_position()
            assert 0 < handed_out <= SAMPLE_RATE_HZ


async def test_a_bad_change_changes_nothing(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    before = station.controls
    with pytest.raises(ControlsError):
        station.change_controls({"key": "H"}, cause="rest")
    assert station.controls is before
    assert station.piece.desk.log == []


async def test_a_standstill_of_the_whole_process_holds_the_music_back(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        autojump_clock.jump(30)
        await trio.sleep(5)
    positions = [chunk.position for chunk in station.broadcast.chunks]
    assert {later - earlier for earlier, later in pairwise(positions)} == {PACKET_FRAMES}
    assert len(positions) == pytest.approx(97, abs=4)  # ten seconds of music, not forty


async def test_a_standstill_in_the_middle_of_a_packet_is_not_held_against_the_renderer_or_its_device(autojump_clock):
    rendering = trio.Event()

    async def slow_worker(job, *args):
        if job is render_packet and trio.current_time() > 5.0:
            rendering.set()
            await trio.sleep(0.05)
        await trio.lowlevel.checkpoint()
        return job(*args)

    given_up = []
    studio = new_studio(device="cuda", new_worker=lambda: slow_worker, give_up=given_up.append)
    station = new_station(studio)
    async with on_air(station, studio):
        for _ in range(4):  # one more than end the process where renderers fail
            await trio.sleep(10)
            rendering = trio.Event()
            await rendering.wait()
            autojump_clock.jump(30)
        await trio.sleep(10)
        assert station.state == "sounding"
        assert not station.on_bed
    assert {later.position - earlier.position for earlier, later in pairwise(station.broadcast.chunks)} == {
        PACKET_FRAMES
    }
    assert restarts(studio, "renderer") == 0
    assert studio.device.name == "cuda"
    assert given_up == []


async def test_the_score_to_come_is_told_with_what_is_committed(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        rows = station.upcoming_score(60)
    assert {row["committed"] for row in rows} == {True, False}
    onsets = [row.get("onset_frames", row.get("at_frames")) for row in rows]
    assert onsets == sorted(onsets)
    assert {"chord", "note", "section"} <= {row["kind"] for row in rows}
