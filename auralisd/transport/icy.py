"""ICY metadata: what sounds now, between every 16,000 bytes of MP3 or AAC, as Icecast players ask for it.

One stream of blocks is made for all who asked. A block is 16,000 bytes of sound and
the metadata after them, whole: who joins gets whole blocks, and who is too slow
misses whole blocks, so a player's count of bytes is never wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

METADATA_INTERVAL_BYTES: Final = 16_000
_UNIT_BYTES: Final = 16
_LONGEST_BYTES: Final = 255 * _UNIT_BYTES


class IcyBlocks:
    """Cuts a stream into blocks with metadata.

    Attributes:
        begun: the sound of the next block so far.
    """

    def __init__(self, now_playing: Callable[[], str]) -> None:
        """Ask ``now_playing`` for the title of each block."""
        self._now_playing = now_playing
        self.begun = bytearray()

    def cut(self, pieces: Iterable[bytes]) -> list[bytes]:
        """Take the next pieces of the stream; hand out the blocks that became whole."""
        for piece in pieces:
            self.begun += piece
        blocks: list[bytes] = []
        while len(self.begun) >= METADATA_INTERVAL_BYTES:
            sound = bytes(self.begun[:METADATA_INTERVAL_BYTES])
            del self.begun[:METADATA_INTERVAL_BYTES]
            blocks.append(sound + icy_metadata(self._now_playing()))
        return blocks


def icy_metadata(title: str) -> bytes:
    """``StreamTitle`` as a metadata block: its length in units of 16 bytes, then the text, padded with zeros."""
    room = _LONGEST_BYTES - len(b"StreamTitle='';")
    # A quote followed by a semicolon would end the title early.
    text = title.replace("';", "' ").encode()[:room].decode(errors="ignore")
    field = b"StreamTitle='" + text.encode() + b"';"
    units = -(-len(field) // _UNIT_BYTES)
    return bytes([units]) + field.ljust(units * _UNIT_BYTES, b"\0")
