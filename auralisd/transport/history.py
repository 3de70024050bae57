"""The last seconds of a station, held so that a listener has something to play at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from auralisd.transport.chunk import CodedSpan, EncodedChunk
from auralisd.transport.forms import PCM, Form, framed


@dataclass(slots=True, kw_only=True)
class HeldChunk:
    """A published chunk and what it was framed to, each form once.

    Attributes:
        chunk: what was published; coded spans that came later are filled in.
        epoch: which count of positions it belongs to.
        due_seconds: ``CLOCK_MONOTONIC`` at which its first frame was due.
    """

    chunk: EncodedChunk
    epoch: int
    due_seconds: float
    _framed: dict[str, bytes] = field(default_factory=dict)

    def has(self, source: str) -> bool:
        """Whether it can be framed for a form made of ``source``."""
        return source == PCM or source in self.chunk.coded

    def framed_for(self, form: Form) -> bytes:
        """The bytes every listener of ``form`` gets, made on first use."""
        data = self._framed.get(form.name)
        if data is None:
            data = framed(form, self.chunk, epoch=self.epoch, due_seconds=self.due_seconds)
            self._framed[form.name] = data
        return data

    def framed_since(self, form: Form, position: int) -> bytes:
        """The part of it that is not over at ``position``."""
        return framed(form, self.chunk, epoch=self.epoch, due_seconds=self.due_seconds, since=position)

    def end_for(self, form: Form) -> int:
        """Programme frame at which the next chunk's packets of ``form`` begin."""
        span = self.chunk.coded.get("opus")
        if form.source == "opus" and span is not None and form.packet_codec is not None:
            return span.packets_position + len(span.packets) * form.packet_codec.programme_frames
        return self.chunk.end


class History:
    """The newest chunks without a gap, at most ``packets`` of them."""

    def __init__(self, packets: int) -> None:
        """Start with nothing held."""
        self._held: deque[HeldChunk] = deque(maxlen=max(1, packets))

    @property
    def newest(self) -> HeldChunk | None:
        """The chunk published last, or None."""
        return self._held[-1] if self._held else None

    def add(self, chunk: EncodedChunk, *, epoch: int, due_seconds: float) -> HeldChunk:
        """Hold ``chunk``; what does not lead up to it is forgotten."""
        if self._held and (self._held[-1].chunk.end != chunk.position or self._held[-1].epoch != epoch):
            self._held.clear()
        held = HeldChunk(chunk=chunk, epoch=epoch, due_seconds=due_seconds)
        self._held.append(held)
        return held

    def fill_in(self, codec: str, spans: Iterable[CodedSpan]) -> None:
        """Add what an encoder that has just started made of chunks published before."""
        by_position = {span.position: span for span in spans}
        for held in self._held:
            span = by_position.get(held.chunk.position)
            if span is not None and codec not in held.chunk.coded:
                held.chunk = replace(held.chunk, coded={**held.chunk.coded, codec: span})

    def head_start(self, source: str, packets: int) -> list[HeldChunk]:
        """The newest chunks that ``source`` is there of without a gap, at most ``packets``, oldest first."""
        chunks: list[HeldChunk] = []
        for held in reversed(self._held):
            if len(chunks) >= packets or not held.has(source):
                break
            chunks.append(held)
        chunks.reverse()
        return chunks

    def since(self, form: Form, *, epoch: int, position: int) -> list[HeldChunk] | None:
        """The chunks from ``position`` on, oldest first; None if not all of them are held."""
        assert form.source is not None, "the state form carries no sound"
        chunks = self.head_start(form.source, len(self._held))
        if not chunks or chunks[0].epoch != epoch:
            return None
        if not chunks[0].chunk.position <= position <= chunks[-1].end_for(form):
            return None
        return [held for held in chunks if held.end_for(form) > position]

    def last(self, packets: int) -> list[HeldChunk]:
        """The newest chunks, at most ``packets``, oldest first."""
        return list(self._held)[-packets:]

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()
