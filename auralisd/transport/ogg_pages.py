"""Pages of an Ogg stream numbered anew (RFC 3533, section 6), so that a second encoder can go on where one ended."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_HEAD: Final = struct.Struct("<4sBBqIIIB")
"""Capture pattern, version, type, granule position, serial, sequence number, checksum, number of segments."""

_CHECKSUM_AT: Final = 22
_BITS_REVERSED: Final = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


@dataclass(frozen=True, slots=True, kw_only=True)
class OggPlace:
    """Where an Ogg stream is.

    Attributes:
        serial: of the logical stream.
        granule: granule position of the last page that was handed out.
        next_page: sequence number of the page after it.
    """

    serial: int
    granule: int
    next_page: int


def pages_of(stream: bytes) -> Iterator[bytes]:
    """The pages ``stream`` consists of, whole."""
    at = 0
    while at < len(stream):
        body_at = at + _HEAD.size + stream[at + _HEAD.size - 1]
        end = body_at + sum(stream[at + _HEAD.size : body_at])
        yield stream[at:end]
        at = end


def place_after(stream: bytes, before: OggPlace | None = None) -> OggPlace | None:
    """Where a stream is after the pages in ``stream``; ``before`` if there are none."""
    place = before
    for page in pages_of(stream):
        _, _, _, granule, serial, sequence, _, _ = _HEAD.unpack_from(page)
        place = OggPlace(serial=serial, granule=granule, next_page=sequence + 1)
    return place


def continued(stream: bytes, place: OggPlace) -> tuple[bytes, OggPlace]:
    """The pages of ``stream`` past ``place``, numbered from there on in its serial, and where that leads."""
    pages: list[bytes] = []
    for page in pages_of(stream):
        _, version, kind, granule, _, _, _, segments = _HEAD.unpack_from(page)
        if granule <= place.granule:
            continue
        head = _HEAD.pack(b"OggS", version, kind, granule, place.serial, place.next_page & 0xFFFF_FFFF, 0, segments)
        pages.append(_with_checksum(head + page[_HEAD.size :]))
        place = OggPlace(serial=place.serial, granule=granule, next_page=place.next_page + 1)
    return b"".join(pages), place


def _with_checksum(page: bytes) -> bytes:
    """``page``, its checksum field zero, with the checksum in it.

    Ogg's CRC-32 takes the highest bit first and inverts nothing; zlib's takes the lowest first and inverts
    before and after. So the bits of each byte go in reversed, those of the result come out reversed.
    """
    reflected = zlib.crc32(page.translate(_BITS_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    checksum = int(f"{reflected:032b}"[::-1], 2)
    return page[:_CHECKSUM_AT] + checksum.to_bytes(4, "little") + page[_CHECKSUM_AT + 4 :]
