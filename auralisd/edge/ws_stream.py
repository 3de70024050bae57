"""A listener's socket as the stream trio-websocket talks through, beside the hub that writes to it directly."""

from __future__ import annotations

from typing import Final

import trio

from auralisd.edge.ws_messages import BYTES_PER_MINUTE, FRAMES_PER_SECOND
from auralisd.rate_limit import RateLimit
from auralisd.transport.outlet import Outlet

RECEIVE_BYTES: Final = 512  # a flood of empty frames costs the loop milliseconds at a time, not hundreds
_CLOSE_FRAME: Final = 0x88
_MASKED: Final = 0x80
_LAST_OF_MESSAGE: Final = 0x80
_FIRST_CONTROL_OPCODE: Final = 8


class FrameCounter:
    """Counts the frames that begin in a client's bytes (RFC 6455, section 5.2), fragments and pings included.

    Attributes:
        messages: how many messages have come whole.
    """

    def __init__(self) -> None:
        """Start at a frame's first byte."""
        self.messages = 0
        self._header = bytearray()
        self._payload_left = 0
        self._in_message = False
        self._ends_message = False

    @property
    def between_messages(self) -> bool:
        """Whether no frame is begun, and no message."""
        return not (self._header or self._payload_left or self._in_message)

    def feed(self, data: bytes | bytearray) -> int:
        """How many frames' headers were completed by ``data``."""
        frames = 0
        at = 0
        while at < len(data):
            if self._payload_left:
                skipped = min(self._payload_left, len(data) - at)
                self._payload_left -= skipped
                at += skipped
                self._count_message()
                continue
            self._header.append(data[at])
            at += 1
            if self._header_is_complete():
                self._payload_left = self._payload_length()
                self._note_kind(self._header[0])
                self._header.clear()
                self._count_message()
                frames += 1
        return frames

    def _note_kind(self, first: int) -> None:
        if first & 15 < _FIRST_CONTROL_OPCODE:
            self._ends_message = bool(first & _LAST_OF_MESSAGE)
            self._in_message = True

    def _count_message(self) -> None:
        if self._ends_message and not self._payload_left:
            self.messages += 1
            self._ends_message = self._in_message = False

    def _header_is_complete(self) -> bool:
        if len(self._header) < 2:
            return False
        length = self._header[1] & ~_MASKED
        mask_bytes = 4 if self._header[1] & _MASKED else 0
        return len(self._header) == 2 + {126: 2, 127: 8}.get(length, 0) + mask_bytes

    def _payload_length(self) -> int:
        length = self._header[1] & ~_MASKED
        if length == 126:
            return int.from_bytes(self._header[2:4])
        if length == 127:
            return int.from_bytes(self._header[2:10])
        return length


class WebSocketStream(trio.abc.Stream):
    """What trio-websocket reads and writes; its frames take their turn among the hub's.

    Attributes:
        accepted: set it once the handshake is answered; what comes after the request waits for it.
        flooded: the client sent more frames or bytes than it may; the stream has ended for it.
        close_sent: a close frame has gone out.
    """

    def __init__(
        self, stream: trio.SocketStream, outlet: Outlet, head: bytes, rest: bytes, *, answered: bool = False
    ) -> None:
        """Replay ``head``, then what had come after the original one, then go on with ``stream``.

        ``answered`` says that the client has its answer to the handshake already: another one is not sent.
        """
        self.accepted = trio.Event()
        self.flooded = False
        self.close_sent = False
        self._closed = False
        self._stream = stream
        self._outlet = outlet
        self._head = head
        self._rest = rest
        self._answered = answered
        self._reading = trio.CancelScope()
        self._may_read: trio.Event | None = None  # while it is paused: set when it goes on
        self._paused = False  # nobody reads just now
        self._counter = FrameCounter()
        self._frames = RateLimit(per_second=FRAMES_PER_SECOND, burst=2 * FRAMES_PER_SECOND)
        self._bytes = RateLimit(per_second=BYTES_PER_MINUTE / 60, burst=BYTES_PER_MINUTE)

    def pause(self) -> None:
        """Read nothing more until `go_on`; no byte is lost."""
        if self._may_read is None:
            self._may_read = trio.Event()
            self._reading.cancel()

    def go_on(self) -> None:
        """Read again after `pause`."""
        paused, self._may_read = self._may_read, None
        if paused is not None:
            paused.set()

    def at_rest(self, messages_answered: int) -> bool:
        """Whether nothing is read, all messages came whole and so many are all there were, and none is the last."""
        over = self._closed or self.close_sent or self.flooded
        said_all = self._counter.between_messages and self._counter.messages == messages_answered
        return self._paused and said_all and not over

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send one whole frame (or the handshake) in its turn; after a close frame there is nothing more."""
        if self._answered and not self.accepted.is_set():
            await trio.lowlevel.checkpoint()
            return
        frame = bytes(data)
        if frame and frame[0] == _CLOSE_FRAME:
            self.close_sent = True
            self._outlet.seal()
        await self._outlet.send(frame)

    async def wait_send_all_might_not_block(self) -> None:
        """Sending goes through a channel: there is nothing to wait for."""
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """The client's next bytes, counted against its budget.

        Raises:
            trio.BrokenResourceError: the connection failed, or the budget is spent (see ``flooded``).
        """
        if self._head:
            await trio.lowlevel.checkpoint()
            head, self._head = self._head, b""
            return head
        await self.accepted.wait()
        if self._closed:
            raise trio.ClosedResourceError
        size = min(max_bytes or RECEIVE_BYTES, RECEIVE_BYTES)
        if self._rest:
            await trio.lowlevel.checkpoint()
            data: bytes | bytearray = self._rest[:size]
            self._rest = self._rest[size:]
        else:
            data = await self._received(size)
        self._charge(data)
        return data

    async def _received(self, size: int) -> bytes | bytearray:
        while True:
            if self._may_read is not None:
                self._paused = True
                await self._may_read.wait()
                self._paused = False
                continue
            with trio.CancelScope() as self._reading:
                return await self._stream.receive_some(size)

    async def aclose(self) -> None:
        """No more frames either way; the socket is closed by whoever opened it, when the peer has heard all."""
        self._closed = True
        self._outlet.hush()
        await trio.lowlevel.checkpoint()

    def _charge(self, data: bytes | bytearray) -> None:
        now = trio.current_time()
        frames_allowed = self._frames.allows(now, self._counter.feed(data))
        if not self._bytes.allows(now, len(data)) or not frames_allowed:
            self.flooded = True
            raise trio.BrokenResourceError("the client sends more than it may")
