"""The same bytes to many sockets with one call of the kernel: Linux's io_uring, where there is one.

A ``send`` for each listener costs a system call, and the interpreter's lock is given up and taken again each time,
beside threads that want it. Here the sends of a whole batch are written into memory that the kernel shares, and one
call makes them all. Each is told not to wait, so all are over when the call returns and nothing stays under way.
Containers often forbid io_uring, and older kernels lack it: then there is no volley, and everybody is written to in
turn.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MOST_AT_ONCE: Final = 256

_SETUP, _ENTER = 425, 426  # the same on every architecture
_PARAMETER_BYTES: Final = 120
_NEEDED_FEATURES: Final = 1 << 0 | 1 << 1 | 1 << 12  # one mapping, no lost results, and Linux 6.0 or later
_SUBMISSIONS_AT: Final = 0x10000000
_GET_EVENTS: Final = 1
_SEND: Final = 26
_COUNTERS_WRAP_AT: Final = 1 << 32
_SEND_FLAGS: Final = getattr(socket, "MSG_NOSIGNAL", 0) | getattr(socket, "MSG_DONTWAIT", 0)

_SUBMISSION: Final = np.dtype(
    [
        ("opcode", "u1"), ("flags", "u1"), ("ioprio", "u2"), ("descriptor", "i4"), ("offset", "u8"), ("address", "u8"),
        ("size", "u4"), ("send_flags", "u4"), ("number", "u8"), ("rest", "u8", (3,)),
    ]
)  # fmt: skip
_COMPLETION: Final = np.dtype([("number", "u8"), ("result", "i4"), ("flags", "u4")])


class Volley:
    """One ring of the kernel's, for one thread (``struct io_uring_sqe`` and ``io_uring_cqe`` of <linux/io_uring.h>).

    Attributes:
        broken: the kernel has refused it; nothing more is sent this way.
    """

    def __init__(self, most_at_once: int = MOST_AT_ONCE) -> None:
        """Ask the kernel for one with room for ``most_at_once`` sends, a power of two.

        Raises:
            OSError: there is none to be had.
        """
        if sys.platform != "linux":
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        self.broken = False
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.syscall.restype = ctypes.c_long
        parameters = ctypes.create_string_buffer(_PARAMETER_BYTES)
        self._ring = self._call(_SETUP, most_at_once, ctypes.addressof(parameters))
        try:
            self._map(parameters.raw)
        except BaseException:
            os.close(self._ring)
            raise

    def _map(self, parameters: bytes) -> None:
        submissions, completions, _, _, _, features = struct.unpack_from("6I", parameters)
        if features & _NEEDED_FEATURES != _NEEDED_FEATURES:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        _, tail, _, _, _, _, order = struct.unpack_from("7I", parameters, 40)
        done_head, done_tail, _, _, _, results = struct.unpack_from("6I", parameters, 80)
        size = max(order + 4 * submissions, results + _COMPLETION.itemsize * completions)
        self._shared = mmap.mmap(self._ring, size)
        self._requests = mmap.mmap(self._ring, submissions * _SUBMISSION.itemsize, offset=_SUBMISSIONS_AT)
        words = np.frombuffer(self._shared, dtype="u4", count=size // 4)
        self._tail, self._done_head, self._done_tail = (words[at // 4 :][:1] for at in (tail, done_head, done_tail))
        self._order = words[order // 4 :][:submissions]
        self._done = np.frombuffer(self._shared, dtype=_COMPLETION, count=completions, offset=results)
        self._sends = np.frombuffer(self._requests, dtype=_SUBMISSION)
        self._sends["opcode"], self._sends["send_flags"] = _SEND, _SEND_FLAGS
        self._numbers = np.arange(submissions, dtype="u4")
        self._sends["number"] = self._numbers

    def send(self, descriptors: Sequence[int], packet: bytes) -> npt.NDArray[np.int32]:
        """Write ``packet`` to the sockets with these ``descriptors``, as far as each takes it at once.

        Args:
            descriptors: of open sockets, at most ``MOST_AT_ONCE``.
            packet: at least a byte.

        Returns:
            int32 ``(descriptors,)``: the bytes each took, or the error's number below zero.
        """
        count = len(descriptors)
        results = np.full(count, -errno.EAGAIN, dtype=np.int32)
        if self.broken:
            return results
        sends = self._sends[:count]
        sends["descriptor"] = descriptors
        sends["address"] = np.frombuffer(packet, dtype=np.uint8).ctypes.data
        sends["size"] = len(packet)
        tail, numbers = int(self._tail[0]), self._numbers[:count]
        self._order[(tail + numbers) % len(self._order)] = numbers
        self._tail[0] = (tail + count) % _COUNTERS_WRAP_AT
        submitted = collected = 0
        while collected < count:
            try:
                submitted += self._call(_ENTER, self._ring, count - submitted, count - collected, _GET_EVENTS, 0, 0)
            except InterruptedError:
                pass
            except OSError:
                self.close()  # and what was not taken by then never will be
                return results
            collected += self._collect(results)
        return results

    def close(self) -> None:
        """Give the ring back; safe to call again."""
        if not self.broken:
            self.broken = True
            os.close(self._ring)

    def _collect(self, results: npt.NDArray[np.int32]) -> int:
        head = int(self._done_head[0])
        count = (int(self._done_tail[0]) - head) % _COUNTERS_WRAP_AT
        done = self._done[(head + self._numbers[:count]) % len(self._done)]
        results[done["number"]] = done["result"]
        self._done_head[0] = (head + count) % _COUNTERS_WRAP_AT
        return count

    def _call(self, number: int, *arguments: int) -> int:
        given: list[Any] = [ctypes.c_long(one) for one in (number, *arguments)]
        result: int = self._libc.syscall(*given)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result


def open_volley() -> Volley | None:
    """One, or None where the kernel has none to give."""
    try:
        return Volley()
    except (OSError, ValueError):  # of mmap, the latter
        return None
