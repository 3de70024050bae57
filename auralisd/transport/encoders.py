"""A station's encoders: each format encoded once, from its first listener to a minute after its last."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from auralisd.audio import PCM16_BYTES_PER_FRAME
from auralisd.errors import EncoderError, FormatError
from auralisd.transport.catching_up import CatchUpTurns
from auralisd.transport.chunk import CodedSpan, EncodedChunk, EncoderStart
from auralisd.transport.codecs import (
    CODECS,
    Encoder,
    EncoderPlace,
    OpenEncoder,
    StreamEncoder,
    open_encoder,
    resumed_encoder,
)
from auralisd.units import OPUS_FRAME_PROGRAMME_FRAMES, PACKET_FRAMES

_SECOND: Final = 10  # chunks of 100 ms
HELD_CHUNKS: Final = 20 * _SECOND
BACKLOG_CHUNKS: Final = 5 * _SECOND  # a player's first burst (4 s) and some room
GRACE_CHUNKS: Final = 60 * _SECOND  # how long an encoder outlives its last listener
FIRST_PAUSE_CHUNKS: Final = 1 * _SECOND  # after a failure; doubles with each one in a row
LONGEST_PAUSE_CHUNKS: Final = 60 * _SECOND
SOUND_AFTER_CHUNKS: Final = 60 * _SECOND  # on the air without a failure: the next pause is the first one again
CATCH_UP_SECONDS: Final = 0.04  # of each 100 ms; leaves the rest to the chunk itself and the renderer
PASSED_CHUNKS: Final = 6 * _SECOND  # of held sound go to a bank that takes over: an encoder's backlog and some room
_WARMING_CHUNKS: Final = 1 * _SECOND  # of them go through an encoder that goes on with another one's stream


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedLine:
    """One codec on the air, for another bank that is to go on with it.

    Attributes:
        codec: its name.
        place: where its stream is.
        packets_position: programme frame of the packet that comes next.
        first_position: programme frame before which nothing of it is handed out.
    """

    codec: str
    place: EncoderPlace
    packets_position: int
    first_position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedBank:
    """A station's encoders between two chunks.

    Attributes:
        position: programme frame of the oldest held chunk.
        pcm16: the held chunks, joined.
        lines: the codecs on the air.
    """

    position: int
    pcm16: bytes
    lines: tuple[PassedLine, ...]


class EncoderBank:
    """Makes every form of a station's programme, chunk by chunk.

    A plain object for a worker thread: one call at a time, from any thread. An
    encoder that somebody newly wants starts five seconds back in the held sound,
    so that its listeners get a whole first burst; on a slow machine it catches
    up over several calls rather than hold up the programme.

    Attributes:
        title: the programme's name, in the tags of encoders started from now on.
        failures: the latest error of each codec that ever failed.
    """

    def __init__(
        self,
        *,
        title: str,
        open_encoder: OpenEncoder = open_encoder,
        turns: CatchUpTurns | None = None,
        clock_seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Start with nothing on the air.

        Args:
            title: the programme's name.
            open_encoder: makes an encoder of a codec, given the title.
            turns: at catching up, where other stations want their own.
            clock_seconds: bounds the time spent on catching up.
        """
        self.title = title
        self.failures: dict[str, EncoderError] = {}
        self._open_encoder = open_encoder
        self._turns = turns or CatchUpTurns(1)
        self._clock_seconds = clock_seconds
        self._held: deque[_Held] = deque(maxlen=HELD_CHUNKS)
        self._lines = {codec: _Line(codec) for codec in CODECS}
        self._chunks_taken = 0

    @property
    def on_air(self) -> frozenset[str]:
        """The codecs whose encoders run and have caught up."""
        return frozenset(codec for codec, line in self._lines.items() if line.on_air)

    def encode(
        self, position: int, pcm16: bytes, *, wanted: frozenset[str], bed: bool, last: bool = False
    ) -> EncodedChunk:
        """The chunk in every form that is on the air.

        A ``position`` that does not follow the last one (a new epoch, or a
        station that slept) drops the held sound; encoders that are wanted go
        on, so that their listeners hear one stream without a seam.

        Args:
            position: programme frame of the first frame, a multiple of ``PACKET_FRAMES``.
            pcm16: interleaved little-endian int16 stereo, ``PACKET_FRAMES`` frames.
            wanted: the codecs that have listeners, some of `CODECS`.
            bed: whether any of it is the stand-in for the renderer.
            last: the programme ends here; every encoder hands out its rest and closes.

        Raises:
            FormatError: a wanted codec does not exist.
            ValueError: the chunk is off the grid or not of its length.
        """
        _check(position, pcm16, wanted)
        if self._held and position != self._held[-1].position + PACKET_FRAMES:
            self._jump(wanted)
        self._held.append(_Held(position, pcm16))
        self._chunks_taken += 1
        outcome = _Outcome()
        for line in self._lines.values():
            if line.codec in wanted:
                line.wanted_at_chunk = self._chunks_taken
            elif not line.on_air or self._chunks_taken - line.wanted_at_chunk > GRACE_CHUNKS:
                line.stop()
            with self._contained(line, outcome):
                if line.on_air:
                    outcome.coded[line.codec] = line.take(self._held[-1])
        self._catch_up(wanted.difference(outcome.failed), outcome)
        if last:
            self._finish(outcome)
        return EncodedChunk(
            position=position,
            pcm16=pcm16,
            bed=bed,
            last=last,
            coded=outcome.coded,
            started=outcome.started,
            failed=tuple(outcome.failed),
        )

    def passed(self) -> PassedBank:
        """All that another bank needs to go on with every stream. No call may be under way."""
        held = list(self._held)[-PASSED_CHUNKS:]
        lines = (line.passed() for line in self._lines.values() if line.on_air)
        return PassedBank(
            position=held[0].position if held else 0,
            pcm16=b"".join(chunk.pcm16 for chunk in held),
            lines=tuple(line for line in lines if line is not None),
        )

    def take_over(self, passed: PassedBank) -> None:
        """Go on with the streams of another bank; nothing was encoded before. Blocking.

        An encoder that cannot is left for its listeners to want anew; a codec that this version does not know is left
        out.
        """
        size = PACKET_FRAMES * PCM16_BYTES_PER_FRAME
        for index in range(len(passed.pcm16) // size):
            pcm16 = passed.pcm16[index * size : (index + 1) * size]
            self._held.append(_Held(passed.position + index * PACKET_FRAMES, pcm16))
        self._chunks_taken = len(self._held)
        warming = passed.pcm16[-_WARMING_CHUNKS * size :]
        for handed in passed.lines:
            line = self._lines.get(handed.codec)
            if line is None:
                continue
            with self._contained(line, _Outcome()):
                encoder = resumed_encoder(handed.codec, self.title, handed.place, warming)
                line.go_on_with(encoder, handed, self._held[-1].position + PACKET_FRAMES, self._chunks_taken)

    def close(self) -> None:
        """Let go of every encoder and of the held sound."""
        for line in self._lines.values():
            line.stop()
        self._held.clear()
        self._turns.give_back(self)

    def _catch_up(self, wanted: frozenset[str], outcome: _Outcome) -> None:
        """Those on the air came first: who is behind gets what time is left."""
        behind = [line for line in self._lines.values() if line.codec in wanted and line.is_behind(self._chunks_taken)]
        if behind and self._turns.taken_by(self):
            until_seconds = self._clock_seconds() + CATCH_UP_SECONDS
            for line in behind:
                with self._contained(line, outcome):
                    self._bring_on_air(line, until_seconds, outcome)
        if not any(line.is_behind(self._chunks_taken) for line in behind):
            self._turns.give_back(self)

    def _bring_on_air(self, line: _Line, until_seconds: float, outcome: _Outcome) -> None:
        if line.encoder is None:
            first = max(0, len(self._held) - 1 - BACKLOG_CHUNKS)
            line.start(self._open_encoder(line.codec, self.title), self._held[first].position)
        if line.next_position < self._held[0].position:
            raise EncoderError(f"{line.codec}: this machine is too slow to encode it in real time")
        behind = (self._held[-1].position - line.next_position) // PACKET_FRAMES
        for taken, held in enumerate(list(self._held)[-behind - 1 :]):
            # Two a call at the least, or it would never catch up.
            if taken >= 2 and self._clock_seconds() >= until_seconds:
                return
            line.backlog.append(line.take(held))
        outcome.coded[line.codec] = line.backlog.pop()
        outcome.started[line.codec] = line.go_on_air(self._chunks_taken)

    def _finish(self, outcome: _Outcome) -> None:
        for line in self._lines.values():
            if line.on_air and line.codec in outcome.coded:
                with self._contained(line, outcome):
                    outcome.coded[line.codec] = line.finish(outcome.coded[line.codec])
            line.stop()

    def _jump(self, wanted: frozenset[str]) -> None:
        self._held.clear()
        for line in self._lines.values():
            if not line.on_air or line.codec not in wanted:
                line.stop()

    @contextlib.contextmanager
    def _contained(self, line: _Line, outcome: _Outcome) -> Iterator[None]:
        """One encoder's failure takes its own format off the air, and nothing else."""
        try:
            yield
        except Exception as error:  # whatever a codec raises, the other formats play on
            self.failures[line.codec] = error if isinstance(error, EncoderError) else EncoderError(repr(error))
            line.fail(self._chunks_taken)
            outcome.failed.append(line.codec)
            outcome.started.pop(line.codec, None)
            outcome.coded.pop(line.codec, None)


@dataclass(frozen=True, slots=True)
class _Held:
    """A chunk of the programme kept for encoders to come."""

    position: int
    pcm16: bytes


@dataclass(slots=True)
class _Outcome:
    """What one call made, while it is being made."""

    coded: dict[str, CodedSpan] = field(default_factory=dict)
    started: dict[str, EncoderStart] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class _Line:
    """One codec's way: off, catching up, on the air, pausing after a failure.

    Attributes:
        codec: its name.
        encoder: the running encoder, None while off.
        on_air: whether the encoder has caught up with the programme.
        backlog: what it made while catching up.
        next_position: the programme frame it takes next.
        wanted_at_chunk: when somebody last wanted it, in chunks the bank has taken.
        retry_at_chunk: it is not started before this.
    """

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.encoder: Encoder | None = None
        self.on_air = False
        self.backlog: list[CodedSpan] = []
        self.next_position = 0
        self.wanted_at_chunk = 0
        self.retry_at_chunk = 0
        self._first_position = 0
        self._packets_position = 0
        self._frames_taken = 0  # by encoders before this one
        self._failures_in_a_row = 0
        self._on_air_since_chunk = 0

    def is_behind(self, now_chunk: int) -> bool:
        """Whether it could come on the air and has not."""
        return not self.on_air and now_chunk >= self.retry_at_chunk

    def start(self, encoder: Encoder, position: int) -> None:
        """Begin at programme frame ``position``, behind the programme."""
        self.encoder = encoder
        if isinstance(encoder, StreamEncoder):
            encoder.count_on_from(self._frames_taken)
        self.backlog = []
        self.next_position = self._first_position = self._packets_position = position

    def take(self, held: _Held) -> CodedSpan:
        """Encode the next chunk."""
        assert self.encoder is not None
        if held.position != self.next_position:
            self._move_to(held.position)
        self.next_position = held.position + PACKET_FRAMES
        coded = self.encoder.encode(held.pcm16)
        return self._span(held.position, coded.stream, coded.packets)

    def go_on_air(self, now_chunk: int) -> EncoderStart:
        """It has caught up: what its listeners need before the present chunk."""
        assert self.encoder is not None
        self.on_air = True
        self._on_air_since_chunk = now_chunk
        start = EncoderStart(header=self.encoder.header, backlog=tuple(self.backlog))
        self.backlog = []
        return start

    def passed(self) -> PassedLine | None:
        """Where it is, for another bank; None of an encoder whose stream cannot be gone on with."""
        if not isinstance(self.encoder, StreamEncoder):
            return None
        return PassedLine(
            codec=self.codec,
            place=self.encoder.place,
            packets_position=self._packets_position,
            first_position=self._first_position,
        )

    def go_on_with(self, encoder: Encoder, passed: PassedLine, position: int, now_chunk: int) -> None:
        """Be on the air as another bank's line was, at programme frame ``position``."""
        self.encoder, self.on_air, self.next_position = encoder, True, position
        self._packets_position, self._first_position = passed.packets_position, passed.first_position
        self.wanted_at_chunk = self._on_air_since_chunk = now_chunk

    def finish(self, span: CodedSpan) -> CodedSpan:
        """``span`` and all that was still inside the encoder, which is closed."""
        assert self.encoder is not None
        encoder, self.encoder = self.encoder, None
        coded = encoder.finish()
        rest = self._span(span.position, coded.stream, coded.packets)
        first = span if span.packets else rest
        return CodedSpan(
            position=span.position,
            stream=span.stream + rest.stream,
            packets=span.packets + rest.packets,
            packets_position=first.packets_position,
        )

    def stop(self) -> None:
        """Close without hearing the rest."""
        encoder, self.encoder = self.encoder, None
        self.on_air = False
        self.backlog = []
        if isinstance(encoder, StreamEncoder):
            self._frames_taken = encoder.place.frames_taken
        if encoder is not None:
            with contextlib.suppress(Exception):  # nobody listens any more
                encoder.finish()

    def fail(self, now_chunk: int) -> None:
        """Close, and stay off for a while that doubles with each failure in a row."""
        if self.on_air and now_chunk - self._on_air_since_chunk >= SOUND_AFTER_CHUNKS:
            self._failures_in_a_row = 0
        self.stop()
        pause_chunks = min(FIRST_PAUSE_CHUNKS << min(self._failures_in_a_row, 10), LONGEST_PAUSE_CHUNKS)
        self.retry_at_chunk = now_chunk + pause_chunks
        self._failures_in_a_row += 1

    def _move_to(self, position: int) -> None:
        """Count on from another place; packets that begin before it belong to what was before."""
        self._packets_position += position - self.next_position
        self._first_position = position

    def _span(self, position: int, stream: bytes, packets: tuple[bytes, ...]) -> CodedSpan:
        begin = self._packets_position
        self._packets_position += len(packets) * OPUS_FRAME_PROGRAMME_FRAMES
        early = min(len(packets), max(0, self._first_position - begin) // OPUS_FRAME_PROGRAMME_FRAMES)
        return CodedSpan(
            position=position,
            stream=stream,
            packets=packets[early:],
            packets_position=begin + early * OPUS_FRAME_PROGRAMME_FRAMES if packets[early:] else 0,
        )


def _check(position: int, pcm16: bytes, wanted: frozenset[str]) -> None:
    if unknown := wanted.difference(CODECS):
        raise FormatError(min(unknown), CODECS)
    if position < 0 or position % PACKET_FRAMES or len(pcm16) != PACKET_FRAMES * PCM16_BYTES_PER_FRAME:
        raise ValueError(
            f"a chunk is {PACKET_FRAMES} frames from a multiple of that, not {len(pcm16)} bytes from frame {position}"
        )
