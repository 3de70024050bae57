"""Endless streams as a player hears them that joins in the middle."""

import io
import wave
from collections.abc import Callable

import av
import numpy as np
import numpy.typing as npt
import pytest

from auralisd.errors import EncoderError, FormatError
from auralisd.transport.codecs import (
    CODECS,
    OPUS_PRE_SKIP_CODED_FRAMES,
    STREAM_RECIPES,
    Coded,
    open_encoder,
    wav_header,
)
from auralisd.units import OPUS_RATE_HZ, PACKET_FRAMES, SAMPLE_RATE_HZ

type Pcm = npt.NDArray[np.int16]
JOINED_AT_CHUNK = 17
CHUNKS = 50
SYNC = {"opus": b"OggS", "mp3": b"\xff\xfb", "flac": b"\xff\xf8", "aac": b"\xff\xf1"}


def encoded(codec: str, programme: Pcm) -> tuple[bytes, list[Coded]]:
    """The header and what each chunk gave; the encoder is not finished, like a stream that goes on."""
    encoder = open_encoder(codec, "Évening")
    chunks = range(0, len(programme), PACKET_FRAMES)
    return encoder.header, [encoder.encode(programme[at : at + PACKET_FRAMES].tobytes()) for at in chunks]


def level_db(samples: npt.NDArray[np.int16]) -> float:
    """RMS level in dB relative to full scale, of the middle: fades of a codec's start and end left out."""
    middle = samples[len(samples) // 8 : -len(samples) // 8].astype(float) / 32768
    return float(10 * np.log10(np.mean(middle**2)))


def pitch_hz(samples: npt.NDArray[np.int16], rate_hz: int) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples)), 1 << 19))
    return float(np.argmax(spectrum)) * rate_hz / (1 << 19)


@pytest.mark.parametrize("codec", CODECS)
def test_a_late_listener_hears_both_channels_at_rate_and_level(
    codec: str, two_tones: Callable[[int], Pcm], decode_with_ffmpeg: Callable[..., Pcm]
) -> None:
    programme = two_tones(CHUNKS * PACKET_FRAMES)
    header, spans = encoded(codec, programme)
    rate_hz = STREAM_RECIPES[codec].rate_hz
    heard = decode_with_ffmpeg(header + b"".join(span.stream for span in spans[JOINED_AT_CHUNK:]), rate_hz=rate_hz)

    expected_seconds = (CHUNKS - JOINED_AT_CHUNK) / 10
    assert len(heard) / rate_hz == pytest.approx(expected_seconds, abs=0.06)
    for channel, hz in ((0, 440), (1, 660)):
        assert pitch_hz(heard[:, channel], rate_hz) == pytest.approx(hz, abs=0.5)
        assert level_db(heard[:, channel]) == pytest.approx(level_db(programme[:, channel]), abs=0.5)


def test_flac_is_the_programme_bit_for_bit_from_wherever_one_joins(
    two_tones: Callable[[int], Pcm], decode_with_ffmpeg: Callable[..., Pcm]
) -> None:
    programme = two_tones(CHUNKS * PACKET_FRAMES)
    header, spans = encoded("flac", programme)
    heard = decode_with_ffmpeg(header + b"".join(span.stream for span in spans[JOINED_AT_CHUNK:]))
    from_frame = JOINED_AT_CHUNK * PACKET_FRAMES
    np.testing.assert_array_equal(heard, programme[from_frame : from_frame + len(heard)])
    # The encoder holds back no more than its one frame of 50 ms.
    assert len(programme) - from_frame - len(heard) <= PACKET_FRAMES // 2


@pytest.mark.parametrize("codec", CODECS)
def test_every_call_hands_out_whole_frames_of_the_container(codec: str, two_tones: Callable[[int], Pcm]) -> None:
    _, spans = encoded(codec, two_tones(20 * PACKET_FRAMES))
    assert {span.stream[: len(SYNC[codec])] for span in spans} == {SYNC[codec]}


def test_each_100_ms_are_five_opus_packets(two_tones: Callable[[int], Pcm]) -> None:
    _, spans = encoded("opus", two_tones(CHUNKS * PACKET_FRAMES))
    # The resampler looks 16 frames ahead, so the first chunk's last packet comes with the next chunk.
    assert [len(span.packets) for span in spans] == [4] + [5] * (CHUNKS - 1)


@pytest.mark.parametrize("first_packet", [0, 57])
def test_an_impulse_is_heard_where_the_count_of_opus_packets_says(first_packet: int) -> None:
    programme = np.zeros((30 * PACKET_FRAMES, 2), dtype="<i2")
    impulse_frame = 22 * PACKET_FRAMES + 1234
    programme[impulse_frame] = 30000
    _, spans = encoded("opus", programme)
    packets = [packet for span in spans for packet in span.packets]

    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate = OPUS_RATE_HZ
    decoder.layout = "stereo"
    frames = [frame for packet in packets[first_packet:] for frame in decoder.decode(av.Packet(packet))]
    heard = np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames])

    since_first_packet = impulse_frame - first_packet * 882
    expected = since_first_packet * OPUS_RATE_HZ / SAMPLE_RATE_HZ + OPUS_PRE_SKIP_CODED_FRAMES
    assert int(np.argmax(np.abs(heard[:, 0].astype(int)))) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("codec", CODECS)
def test_finishing_hands_out_the_rest(
    codec: str, two_tones: Callable[[int], Pcm], decode_with_ffmpeg: Callable[..., Pcm]
) -> None:
    programme = two_tones(10 * PACKET_FRAMES)
    encoder = open_encoder(codec, "")
    whole = encoder.header + encoder.encode(programme.tobytes()).stream + encoder.finish().stream
    assert len(decode_with_ffmpeg(whole)) >= len(programme)


@pytest.mark.parametrize("codec", ["opus", "flac"])
def test_the_header_carries_the_title(codec: str, two_tones: Callable[[int], Pcm]) -> None:
    header, spans = encoded(codec, two_tones(10 * PACKET_FRAMES))
    with av.open(io.BytesIO(header + b"".join(span.stream for span in spans))) as container:
        tags = {name.lower(): value for name, value in (container.metadata | container.streams[0].metadata).items()}
    assert tags["title"] == "Évening"
    assert tags["genre"] == "Ambient"


def test_an_unknown_codec_is_named_with_the_known_ones() -> None:
    with pytest.raises(FormatError, match=r"no format 'vorbis'; there is: opus, mp3, flac, aac"):
        open_encoder("vorbis", "")


def test_what_ffmpeg_refuses_is_an_encoder_error() -> None:
    encoder = open_encoder("mp3", "")
    encoder.finish()
    with pytest.raises(EncoderError, match="libmp3lame"):
        encoder.encode(bytes(4 * PACKET_FRAMES))


def test_the_wav_header_of_a_file_is_read_back_as_it_was_meant() -> None:
    with wave.open(io.BytesIO(wav_header(8) + bytes(8))) as file:
        assert file.getparams()[:4] == (2, 2, 44100, 2)


def test_an_endless_wav_is_played_to_its_last_byte(
    two_tones: Callable[[int], Pcm], decode_with_ffmpeg: Callable[..., Pcm]
) -> None:
    programme = two_tones(PACKET_FRAMES)
    header = wav_header()
    assert header[4:8] == header[40:44] == b"\xff\xff\xff\xff"
    np.testing.assert_array_equal(decode_with_ffmpeg(header + programme.tobytes()), programme)
