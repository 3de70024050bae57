"""The way out to one socket: at once where the socket takes it, patiently where it does not.

Everything that goes to a listener passes here as whole frames, so no two writers
ever interleave. The fast path is one non-blocking ``send`` by whoever has the frame;
only what the socket refuses goes into a bounded channel, and a task of the
listener's own sends it. A frame that was begun is finished or the connection ends.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

type Piece = bytes | memoryview

PIECES_AT_ONCE: Final = 256  # the kernel takes 1024 with one call; a head start of 4 s is 41
CONTROL_SLOTS: Final = 16  # pongs and JSON that may wait beside the audio
_SEND_FLAGS: Final = getattr(socket, "MSG_NOSIGNAL", 0) | getattr(socket, "MSG_DONTWAIT", 0)
_NOT_NOW: Final = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)
_NO_LINGER: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedTail:
    """What a socket has yet to take, for another outlet to go on with.

    Attributes:
        first: the rest of a begun frame and what must not be lost, in order.
        waiting: what waits after it; whether each must be sent, or is left out if it takes too long.
    """

    first: tuple[bytes, ...] = ()
    waiting: tuple[tuple[bytes, bool], ...] = ()

    @property
    def size_bytes(self) -> int:
        """All of it."""
        return sum(map(len, self.first)) + sum(len(piece) for piece, _ in self.waiting)


class Outlet:
    """One writer per socket, and what waits for it.

    Attributes:
        scope: the connection runs in it; it is cancelled when nothing more can be sent.
        ended_by: why it was, ``gone``, ``too_slow`` or ``finished``; None while all is well.
        skipped_packets: how many packets this listener did not get.
        descriptor: the socket's, while whoever has a packet may write it at once, and then say with `took` what
            went wrong; -1 while it has to be offered.
    """

    def __init__(
        self,
        stream: trio.SocketStream,
        *,
        backlog_packets: int,
        head_start_packets: int,
        evict_after_seconds: float,
        skipped: Callable[[int], None] = lambda _packets: None,
    ) -> None:
        """Take over the writing side of ``stream``; `run` must be running for it to be complete.

        Args:
            stream: nobody else may write to it or close it from now on.
            backlog_packets: packets that may wait before the listener skips to the live edge.
            head_start_packets: packets that may wait while its head start is still on the way.
            evict_after_seconds: how long the socket may take no byte at all.
            skipped: told of every skip.
        """
        self.scope = trio.CancelScope()
        self.ended_by: str | None = None
        self.skipped_packets = 0
        self._stream = stream
        self._socket = stream.socket
        # The same descriptor seen by a plain socket: Trio's own has no send that does not wait.
        self._direct = socket.socket(
            self._socket.family, self._socket.type, self._socket.proto, fileno=self._socket.fileno()
        )
        self._backlog_packets = backlog_packets
        self._head_start_packets = max(backlog_packets, head_start_packets)
        self._allowance = backlog_packets
        self._evict_after_seconds = evict_after_seconds
        self._skipped = skipped
        self._head_start: deque[bytes] = deque()
        self._channel: trio.MemorySendChannel[tuple[Piece, bool]]
        self._waiting: trio.MemoryReceiveChannel[tuple[Piece, bool]]
        self._channel, self._waiting = trio.open_memory_channel(self._head_start_packets + CONTROL_SLOTS)
        self._behind = False
        self._takes_audio = True
        self._sealed = False
        self._finished = False
        self._closed = False
        self._begun: memoryview = memoryview(b"")  # what is left of the piece that is being sent
        self._sending: trio.CancelScope | None = None
        self._may_write: trio.Event | None = None  # while it is held: set when it goes on
        self.descriptor = self._direct.fileno()

    @property
    def behind(self) -> bool:
        """Whether anything waits for the socket."""
        return self._behind

    def offer(self, packet: bytes) -> None:
        """Send a packet now or when the socket can take it; a listener too far behind skips. Never waits."""
        if not self._takes_audio:
            return
        if self._behind:
            self._enqueue(packet)
            return
        sent = self._write(packet)
        if sent != len(packet):
            self._fall_behind_with(packet, sent)

    def took(self, packet: bytes, result: int) -> None:
        """Go on after somebody wrote ``packet`` to `descriptor`; ``result`` bytes went, or it is an error below 0."""
        if result >= 0 or -result in _NOT_NOW:
            self._fall_behind_with(packet, max(0, result))
        else:
            self._end("gone")

    def preface(self, frame: bytes) -> None:
        """Send ``frame`` together with what `open` is given, or by itself once `run` runs."""
        self._head_start.append(frame)

    def open(self, frames: Iterable[bytes]) -> None:
        """Send what must not be lost, before any packet that is offered later. Never waits."""
        if self._finished:
            return
        pieces = deque(frames)
        if not self._behind:
            pieces.extendleft(reversed(self._head_start))
            self._head_start.clear()
        while pieces and not self._behind and not self._closed:
            together = [pieces.popleft() for _ in range(min(len(pieces), PIECES_AT_ONCE))]
            left = _left_of(together, self._write_together(together))
            if left:
                self._head_start.extend(left)
                self._be_behind()
                self._channel.send_nowait((b"", True))  # wakes the sender
        if pieces and not self._closed:
            self._head_start.extend(pieces)
        if self._head_start:
            self._allowance = self._head_start_packets

    def start_over(self, frames: Iterable[bytes]) -> None:
        """Send ``frames`` in place of every packet that still waits: what waited is of no use any more."""
        self._head_start.clear()
        self._skip_to_live_edge()
        for frame in frames:
            self.push(frame)

    def push(self, frame: bytes) -> bool:
        """Send a frame of ours (JSON, a close) in its turn. Never waits; False if there is no room for it."""
        if self._closed or self._finished or self._sealed:
            return False
        if not self._behind:
            self._write_or_fall_behind(frame)
            return True
        try:
            self._channel.send_nowait((frame, True))
        except (trio.WouldBlock, trio.ClosedResourceError, trio.BrokenResourceError):
            return False
        return True

    async def send(self, frame: bytes) -> None:
        """Send a frame of ours in its turn, waiting for room.

        Raises:
            trio.ClosedResourceError: the outlet is closed.
            trio.BrokenResourceError: the peer is gone.
        """
        if self.ended_by is not None:
            raise trio.BrokenResourceError(self.ended_by)
        if self._closed or self._finished:
            raise trio.ClosedResourceError
        if self._behind:
            await self._channel.send((frame, True))
            return
        self._write_or_fall_behind(frame)
        await trio.lowlevel.checkpoint()

    async def run(self) -> None:
        """Send what the socket would not take at once, until the outlet is finished or closed."""
        try:
            while not self._closed:
                while self._head_start:
                    self._be_behind()
                    await self._send_patiently(self._head_start.popleft())
                try:
                    piece, _essential = self._waiting.receive_nowait()
                except trio.WouldBlock:
                    self._behind = False
                    self._settle()
                    self._allowance = self._backlog_packets
                    piece, _essential = await self._waiting.receive()
                await self._send_patiently(piece)
        except trio.EndOfChannel:
            self._end("finished")
        except (OSError, trio.ClosedResourceError, trio.BrokenResourceError):
            self._end("gone")

    async def hold(self) -> PassedTail:
        """Write nothing until `go_on`; what has not been sent yet. `run` must be running.

        Raises:
            trio.ClosedResourceError: the outlet is closed, or about to be.
        """
        if self._closed or self._finished:
            raise trio.ClosedResourceError
        if self._may_write is None:
            self._may_write = trio.Event()
            self._settle()
        while self._sending is not None:
            self._sending.cancel()
            await trio.lowlevel.checkpoint()
        if self._closed:
            raise trio.ClosedResourceError
        waiting = self._taken_out()
        for piece in waiting:
            self._channel.send_nowait(piece)
        begun = (bytes(self._begun),) if self._begun else ()
        return PassedTail(
            first=(*begun, *(bytes(piece) for piece in self._head_start)),
            waiting=tuple((bytes(piece), essential) for piece, essential in waiting),
        )

    def go_on(self) -> None:
        """Write again after `hold`."""
        held, self._may_write = self._may_write, None
        self._settle()
        if held is not None:
            held.set()

    def carry_on(self, tail: PassedTail) -> None:
        """Send what another outlet of this socket had yet to send, before anything else. Never waits."""
        self._head_start.extend(tail.first)
        for piece in tail.waiting:
            with contextlib.suppress(trio.WouldBlock):
                self._channel.send_nowait(piece)
        if tail.first or tail.waiting:
            self._be_behind()
            self._allowance = self._head_start_packets
            with contextlib.suppress(trio.WouldBlock):
                self._channel.send_nowait((b"", True))  # wakes the sender

    def hush(self) -> None:
        """No more packets; frames of ours still go."""
        self._take_no_audio()

    def seal(self) -> None:
        """Only what `send` is given still goes: nothing may follow a close frame."""
        self._take_no_audio()
        self._sealed = True

    def finish(self) -> None:
        """No more of anything; `run` returns once all that waits is sent."""
        self._take_no_audio()
        self._finished = True
        self._channel.close()

    def abort(self) -> None:
        """End the connection at once and let the kernel forget what it still holds."""
        if not self._closed:
            with contextlib.suppress(OSError):
                self._direct.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._end("gone")
        self.close()

    def close(self) -> None:
        """Let go of the socket; safe to call again."""
        self._take_no_audio()
        if self._closed:
            return
        self._closed = True
        self._head_start.clear()
        self._channel.close()
        self._waiting.close()
        self._direct.detach()
        self._socket.close()

    def _write(self, frame: bytes) -> int:
        """How much of ``frame`` the socket took; all of it where nothing will ever take any more."""
        if self._closed or self._socket.fileno() < 0:
            return len(frame)
        if self._may_write is not None:
            return 0
        try:
            return self._direct.send(frame, _SEND_FLAGS)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self._end("gone")
            return len(frame)

    def _write_together(self, frames: Sequence[bytes]) -> int:
        """As `_write`, several of them with one call; how many bytes of all went."""
        size = sum(map(len, frames))
        if self._closed or self._socket.fileno() < 0:
            return size
        if self._may_write is not None:
            return 0
        try:
            return self._direct.sendmsg(frames, (), _SEND_FLAGS)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self._end("gone")
            return size

    def _write_or_fall_behind(self, frame: bytes) -> None:
        sent = self._write(frame)
        if sent != len(frame):
            self._fall_behind(frame[sent:], essential=True)

    def _be_behind(self) -> None:
        self._behind, self.descriptor = True, -1

    def _take_no_audio(self) -> None:
        self._takes_audio, self.descriptor = False, -1

    def _settle(self) -> None:
        writable = self._takes_audio and not self._behind and self._may_write is None
        self.descriptor = self._direct.fileno() if writable else -1

    def _fall_behind_with(self, packet: bytes, sent: int) -> None:
        self._fall_behind(memoryview(packet)[sent:] if sent else packet, essential=sent > 0)

    def _fall_behind(self, rest: Piece, *, essential: bool) -> None:
        self._be_behind()
        self._channel.send_nowait((rest, essential))

    def _enqueue(self, packet: bytes) -> None:
        if self._waiting.statistics().current_buffer_used >= self._allowance:
            self._skip_to_live_edge()
        try:
            self._channel.send_nowait((packet, False))
        except trio.WouldBlock:
            self._count_skipped(1)

    def _skip_to_live_edge(self) -> None:
        """Drop the packets that wait, each whole; frames of ours and the rest of a begun packet stay."""
        waiting = self._taken_out()
        kept = [(piece, essential) for piece, essential in waiting if essential]
        for one in kept:
            self._channel.send_nowait(one)
        if len(kept) < len(waiting):
            self._count_skipped(len(waiting) - len(kept))

    def _taken_out(self) -> list[tuple[Piece, bool]]:
        taken: list[tuple[Piece, bool]] = []
        with contextlib.suppress(trio.WouldBlock, trio.EndOfChannel):
            while True:
                taken.append(self._waiting.receive_nowait())
        return taken

    def _count_skipped(self, packets: int) -> None:
        self.skipped_packets += packets
        self._skipped(packets)

    async def _send_patiently(self, piece: Piece) -> None:
        self._begun = memoryview(piece)
        while self._begun:
            if self._may_write is not None:
                await self._may_write.wait()
                continue
            with trio.move_on_after(self._evict_after_seconds) as patience, trio.CancelScope() as self._sending:
                sent = await self._socket.send(self._begun)
                self._begun = self._begun[sent:]
            self._sending = None
            if patience.cancelled_caught:
                self._end("too_slow")
                self.abort()
                raise trio.BrokenResourceError("the listener takes nothing")

    def _end(self, why: str) -> None:
        self._take_no_audio()
        if self.ended_by is None:
            self.ended_by = why
        self.scope.cancel()


def _left_of(frames: Sequence[bytes], sent: int) -> list[bytes]:
    """What is left of ``frames`` once the first ``sent`` bytes of all have gone."""
    for index, frame in enumerate(frames):
        if sent < len(frame):
            return [frame[sent:], *frames[index + 1 :]]
        sent -= len(frame)
    return []
