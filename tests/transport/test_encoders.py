"""The encoder bank: when encoders start and stop, what their listeners get, and what a failure costs."""

from collections.abc import Callable, Iterator
from itertools import count, pairwise

import av
import numpy as np
import numpy.typing as npt
import pytest

from auralisd.errors import EncoderError, FormatError
from auralisd.transport.catching_up import CatchUpTurns
from auralisd.transport.chunk import EncodedChunk
from auralisd.transport.codecs import CODECS, Coded, Encoder, open_encoder
from auralisd.transport.encoders import (
    BACKLOG_CHUNKS,
    FIRST_PAUSE_CHUNKS,
    GRACE_CHUNKS,
    HELD_CHUNKS,
    LONGEST_PAUSE_CHUNKS,
    SOUND_AFTER_CHUNKS,
    EncoderBank,
)
from auralisd.units import OPUS_FRAME_PROGRAMME_FRAMES, PACKET_FRAMES

type Pcm = npt.NDArray[np.int16]
OPUS = frozenset({"opus"})
MP3 = frozenset({"mp3"})
NOBODY: frozenset[str] = frozenset()


class Workshop:
    """Makes encoders that "encode" by passing on the first bytes; breaks those it is told to."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.broken: set[str] = set()

    def open(self, codec: str, title: str) -> "PassingEncoder":
        self.opened.append(codec)
        return PassingEncoder(self, codec, title)


class PassingEncoder:
    def __init__(self, workshop: Workshop, codec: str, title: str) -> None:
        self._workshop = workshop
        self._codec = codec
        self.header = f"{codec}:{title};".encode()

    def encode(self, pcm16: bytes) -> Coded:
        if self._codec in self._workshop.broken:
            raise ZeroDivisionError(self._codec)
        return Coded(pcm16[:4], (b"p",) * 5 if self._codec == "opus" else ())

    def finish(self) -> Coded:
        self._workshop.closed.append(self._codec)
        return Coded(b"rest")


class Programme:
    """Feeds a bank chunk after chunk; chunk n's bytes begin with n."""

    def __init__(self, bank: EncoderBank) -> None:
        self._bank = bank
        self.position = 0

    def play(self, chunks: int, wanted: frozenset[str]) -> list[EncodedChunk]:
        return [self.next(wanted) for _ in range(chunks)]

    def next(self, wanted: frozenset[str], *, last: bool = False) -> EncodedChunk:
        chunk = self._bank.encode(self.position, chunk_bytes(self.position), wanted=wanted, bed=False, last=last)
        self.position += PACKET_FRAMES
        return chunk


def chunk_bytes(position: int) -> bytes:
    return (position // PACKET_FRAMES).to_bytes(4, "little") + bytes(4 * PACKET_FRAMES - 4)


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture
def bank(workshop: Workshop) -> EncoderBank:
    return EncoderBank(title="T", open_encoder=workshop.open, clock_seconds=lambda: 0.0)


@pytest.fixture
def programme(bank: EncoderBank) -> Programme:
    return Programme(bank)


def test_stations_whose_encoders_catch_up_wait_for_a_turn(workshop: Workshop) -> None:
    turns, seconds = CatchUpTurns(1), count()
    banks = [
        EncoderBank(title="T", open_encoder=workshop.open, turns=turns, clock_seconds=lambda: float(next(seconds)))
        for _ in range(2)
    ]
    programmes = [Programme(bank) for bank in banks]
    for programme in programmes:
        programme.play(60, NOBODY)
    opened, started = [], []
    for _ in range(2 * 60):
        for index, programme in enumerate(programmes):
            if programme.next(MP3).started:
                started.append(index)
        opened.append(len(workshop.opened))
    assert started == [0, 1]
    assert opened[0] == 1
    assert opened.index(2) > BACKLOG_CHUNKS // 2


def test_the_turn_of_an_encoder_that_is_gone_is_free_again() -> None:
    turns = CatchUpTurns(1)
    gone = EncoderBank(title="T", turns=turns)
    assert turns.taken_by(gone)
    assert not turns.taken_by(waiting := Workshop())
    del gone
    assert turns.taken_by(waiting)


def test_nothing_is_encoded_while_nobody_listens(programme: Programme, workshop: Workshop) -> None:
    chunk = programme.play(20, NOBODY)[-1]
    assert workshop.opened == []
    assert (chunk.coded, chunk.started, chunk.failed) == ({}, {}, ())
    assert chunk.pcm16 == chunk_bytes(chunk.position)


def test_one_encoder_serves_a_format_from_its_first_chunk_on(programme: Programme, workshop: Workshop) -> None:
    chunks = programme.play(30, MP3)
    assert workshop.opened == ["mp3"]
    assert [list(chunk.started) for chunk in chunks] == [["mp3"]] + [[]] * 29
    assert all(chunk.coded["mp3"].stream == chunk.pcm16[:4] for chunk in chunks)
    assert all(chunk.coded["mp3"].position == chunk.position for chunk in chunks)


def test_a_new_format_starts_with_five_seconds_of_what_was_held(programme: Programme) -> None:
    programme.play(80, NOBODY)
    chunk = programme.next(OPUS)
    start = chunk.started["opus"]
    assert start.header == b"opus:T;"
    assert [span.position for span in start.backlog] == [n * PACKET_FRAMES for n in range(80 - BACKLOG_CHUNKS, 80)]
    assert [span.stream for span in start.backlog] == [chunk_bytes(span.position)[:4] for span in start.backlog]
    assert chunk.coded["opus"].position == chunk.position
    assert start.backlog[0].packets_position == start.backlog[0].position


def test_on_a_slow_machine_a_new_format_catches_up_over_several_chunks(workshop: Workshop) -> None:
    seconds = iter(range(10_000))
    programme = Programme(
        EncoderBank(title="T", open_encoder=workshop.open, clock_seconds=lambda: float(next(seconds)))
    )
    programme.play(10, NOBODY)
    chunks: list[EncodedChunk] = []
    while not (chunks and chunks[-1].started):
        chunks.append(programme.next(MP3))
    # Ten chunks behind, two done a call, one more to do each call.
    assert len(chunks) == 10
    assert all("mp3" not in chunk.coded for chunk in chunks[:-1])
    assert [span.position // PACKET_FRAMES for span in chunks[-1].started["mp3"].backlog] == list(range(19))
    assert programme.next(MP3).coded["mp3"].position == 20 * PACKET_FRAMES


def test_a_format_that_loses_interest_while_catching_up_starts_afresh_next_time(workshop: Workshop) -> None:
    seconds = iter(range(10_000))
    programme = Programme(
        EncoderBank(title="T", open_encoder=workshop.open, clock_seconds=lambda: float(next(seconds)))
    )
    programme.play(10, NOBODY)
    programme.next(MP3)
    assert programme.next(NOBODY).coded == {}
    assert workshop.closed == ["mp3"]
    programme.play(HELD_CHUNKS, NOBODY)
    assert programme.next(MP3).failed == ()
    assert workshop.opened == ["mp3", "mp3"]


def test_an_encoder_outlives_its_last_listener_by_a_minute(programme: Programme, workshop: Workshop) -> None:
    programme.next(OPUS)
    assert all("opus" in chunk.coded for chunk in programme.play(GRACE_CHUNKS, NOBODY))
    assert programme.next(NOBODY).coded == {}
    assert workshop.closed == ["opus"]


def test_a_failing_encoder_costs_its_own_format_only(
    programme: Programme, workshop: Workshop, bank: EncoderBank
) -> None:
    programme.next(OPUS | MP3)
    workshop.broken = {"opus"}
    chunk = programme.next(OPUS | MP3)
    assert chunk.failed == ("opus",)
    assert list(chunk.coded) == ["mp3"]
    assert isinstance(bank.failures["opus"], EncoderError)
    assert workshop.closed == ["opus"]
    assert bank.on_air == MP3


def test_an_encoder_of_flac_that_failed_is_followed_by_one_whose_frames_are_numbered_on(
    two_tones: Callable[[int], Pcm], decode_with_ffmpeg: Callable[..., Pcm]
) -> None:
    def fails_at_chunk_120(codec: str, title: str) -> Encoder:
        encoder = open_encoder(codec, title)
        if not opened:
            sound = encoder.encode
            encoder.encode = lambda pcm16: sound(pcm16) if len(chunks) < 120 else Coded(bytes(1 // 0))  # type: ignore[method-assign]
        opened.append(encoder)
        return encoder

    opened: list[Encoder] = []
    chunks: list[EncodedChunk] = []
    bank = EncoderBank(title="T", open_encoder=fails_at_chunk_120)
    sound = two_tones(180 * PACKET_FRAMES)
    for position in range(0, len(sound), PACKET_FRAMES):
        pcm16 = sound[position : position + PACKET_FRAMES].tobytes()
        chunks.append(bank.encode(position, pcm16, wanted=frozenset({"flac"}), bed=False))
    spans = [chunk.coded["flac"] for chunk in chunks if chunk.coded]
    assert len(opened) == 2
    assert 150 <= len(spans) < 180
    numbers = [flac_number(span.stream) for span in spans]
    assert numbers == sorted(set(numbers)), "a player has heard lower numbers already"
    header = chunks[0].started["flac"].header
    heard = decode_with_ffmpeg(header + b"".join(span.stream for span in spans))
    expected = np.concatenate([sound[span.position : span.position + PACKET_FRAMES] for span in spans])
    held_back = len(expected) - len(heard)
    assert 0 <= held_back <= PACKET_FRAMES, "each encoder holds back no more than one frame of 50 ms"
    np.testing.assert_array_equal(heard[: 119 * PACKET_FRAMES], expected[: 119 * PACKET_FRAMES])
    np.testing.assert_array_equal(heard[-20 * PACKET_FRAMES :], sound[-20 * PACKET_FRAMES :])


def flac_number(frames: bytes) -> int:
    """The number of the first of them: coded as UTF-8 is, which Python's own decoder reads up to a million."""
    assert frames[:2] == b"\xff\xf8"
    length = 1 if frames[4] < 0x80 else 8 - (frames[4] ^ 0xFF).bit_length()
    return ord(frames[4 : 4 + length].decode())


def test_an_encoder_that_cannot_even_be_opened_is_reported_too() -> None:
    def refuse(codec: str, title: str) -> PassingEncoder:
        raise EncoderError(f"{codec}: not in this build of FFmpeg")

    programme = Programme(EncoderBank(title="T", open_encoder=refuse))
    chunk = programme.next(MP3)
    assert chunk.failed == ("mp3",)
    assert chunk.started == {}


def test_a_failed_format_is_tried_again_after_pauses_that_double(programme: Programme, workshop: Workshop) -> None:
    workshop.broken = {"mp3"}
    failed_at = [n for n, chunk in enumerate(programme.play(3000, MP3)) if chunk.failed]
    pauses = [later - earlier for earlier, later in pairwise(failed_at)]
    assert pauses[:4] == [FIRST_PAUSE_CHUNKS * factor for factor in (1, 2, 4, 8)]
    assert set(pauses[7:]) == {LONGEST_PAUSE_CHUNKS}

    workshop.broken = set()
    back = [chunk for chunk in programme.play(LONGEST_PAUSE_CHUNKS, MP3) if chunk.started]
    assert len(back) == 1
    assert len(back[0].started["mp3"].backlog) == BACKLOG_CHUNKS


def test_a_minute_on_the_air_forgives_earlier_failures(programme: Programme, workshop: Workshop) -> None:
    def fail_once_then_count_pause() -> int:
        workshop.broken = {"mp3"}
        assert programme.next(MP3).failed == ("mp3",)
        workshop.broken = set()
        return next(n for n in range(1, 1000) if programme.next(MP3).started)

    programme.next(MP3)
    assert fail_once_then_count_pause() == FIRST_PAUSE_CHUNKS
    assert fail_once_then_count_pause() == 2 * FIRST_PAUSE_CHUNKS
    programme.play(SOUND_AFTER_CHUNKS, MP3)
    assert fail_once_then_count_pause() == FIRST_PAUSE_CHUNKS


def test_the_last_chunk_brings_the_rest_of_every_encoder(programme: Programme, bank: EncoderBank) -> None:
    programme.next(OPUS | MP3)
    chunk = programme.next(OPUS | MP3, last=True)
    assert chunk.last
    assert all(span.stream == chunk.pcm16[:4] + b"rest" for span in chunk.coded.values())
    assert bank.on_air == NOBODY


def test_a_new_epoch_goes_on_in_the_same_encoder_without_history(programme: Programme, workshop: Workshop) -> None:
    programme.play(30, OPUS)
    programme.next(OPUS | MP3)
    programme.play(3, OPUS)  # mp3 has no listeners any more
    programme.position = 0
    chunk = programme.next(OPUS)
    assert (list(chunk.coded), chunk.started) == (["opus"], {})
    assert workshop.closed == ["mp3"]
    assert [span.position for span in programme.next(OPUS | MP3).started["mp3"].backlog] == [0]


def test_closing_lets_go_of_every_encoder(programme: Programme, bank: EncoderBank, workshop: Workshop) -> None:
    programme.next(frozenset(CODECS))
    bank.close()
    assert sorted(workshop.closed) == sorted(CODECS)


def test_a_new_title_is_in_the_header_of_the_next_encoder(programme: Programme, bank: EncoderBank) -> None:
    bank.title = "Renamed"
    assert programme.next(MP3).started["mp3"].header == b"mp3:Renamed;"


@pytest.mark.parametrize(("position", "length"), [(2205, 17640), (-4410, 17640), (0, 17636)])
def test_a_chunk_off_the_grid_is_refused(bank: EncoderBank, position: int, length: int) -> None:
    with pytest.raises(ValueError, match="a chunk is 4410 frames"):
        bank.encode(position, bytes(length), wanted=NOBODY, bed=False)


def test_a_codec_that_does_not_exist_is_refused(programme: Programme) -> None:
    with pytest.raises(FormatError):
        programme.next(frozenset({"wav"}))


def opus_packets_of(chunks: list[EncodedChunk]) -> Iterator[tuple[int, bytes]]:
    """Each Opus packet with the programme frame it begins at."""
    for chunk in chunks:
        spans = [*chunk.started["opus"].backlog] if "opus" in chunk.started else []
        for span in [*spans, chunk.coded["opus"]]:
            for index, packet in enumerate(span.packets):
                yield span.packets_position + index * OPUS_FRAME_PROGRAMME_FRAMES, packet


def test_opus_packets_follow_each_other_every_20_ms_from_the_backlog_to_the_end() -> None:
    programme = Programme(EncoderBank(title="T"))
    programme.play(20, NOBODY)
    chunks = programme.play(20, OPUS)
    live = chunks[[bool(chunk.started) for chunk in chunks].index(True) :]
    positions = [position for position, _ in opus_packets_of([*live, programme.next(OPUS, last=True)])]
    # One packet beyond the end holds what libopus looked ahead.
    assert positions == list(range(0, 41 * PACKET_FRAMES + 882, 882))
    assert {len(chunk.coded["opus"].packets) for chunk in live} == {5}


@pytest.mark.parametrize("new_position", [0, 100 * PACKET_FRAMES])
def test_after_a_jump_opus_packets_still_say_where_they_begin(new_position: int) -> None:
    bank = EncoderBank(title="T")
    for n in range(10):
        bank.encode(n * PACKET_FRAMES, bytes(4 * PACKET_FRAMES), wanted=OPUS, bed=False)
    impulse_frame = new_position + 5 * PACKET_FRAMES + 999
    chunks = []
    for position in range(new_position, new_position + 10 * PACKET_FRAMES, PACKET_FRAMES):
        pcm = np.zeros((PACKET_FRAMES, 2), dtype="<i2")
        if position <= impulse_frame < position + PACKET_FRAMES:
            pcm[impulse_frame - position] = 30000
        chunks.append(bank.encode(position, pcm.tobytes(), wanted=OPUS, bed=False))
    packets = list(opus_packets_of(chunks))
    assert packets[0][0] == new_position

    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate = 48_000
    decoder.layout = "stereo"
    heard = np.concatenate([f.to_ndarray()[0, ::2] for _, packet in packets for f in decoder.decode(av.Packet(packet))])
    peak = int(np.argmax(np.abs(heard.astype(int))))
    assert peak == pytest.approx((impulse_frame - new_position) * 160 / 147 + 312, abs=1)


def test_who_joins_in_the_middle_hears_every_real_format(
    two_tones: Callable[[int], Pcm], decode_with_ffmpeg: Callable[..., Pcm]
) -> None:
    sound = two_tones(30 * PACKET_FRAMES)
    bank = EncoderBank(title="T", clock_seconds=lambda: 0.0)
    streams: dict[str, bytes] = {}
    for position in range(0, len(sound), PACKET_FRAMES):
        wanted = NOBODY if position < 12 * PACKET_FRAMES else frozenset(CODECS)
        pcm16 = sound[position : position + PACKET_FRAMES].tobytes()
        chunk = bank.encode(position, pcm16, wanted=wanted, bed=False)
        assert chunk.failed == ()
        for codec, start in chunk.started.items():
            streams[codec] = start.header + b"".join(span.stream for span in start.backlog)
        for codec, span in chunk.coded.items():
            streams[codec] += span.stream
    assert set(streams) == set(CODECS)
    for encoded in streams.values():
        assert len(decode_with_ffmpeg(encoded)) == pytest.approx(len(sound), abs=0.06 * 44_100)
