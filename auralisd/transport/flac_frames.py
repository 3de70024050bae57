"""FLAC frames numbered anew (RFC 9639, section 9.1), so that a second encoder can go on where one ended."""

from __future__ import annotations

from typing import Final

_CRC8: Final = 0x107  # x^8 + x^2 + x + 1, over the frame's header
_CRC16: Final = 0x18005  # x^16 + x^15 + x^2 + 1, over the whole frame
_NUMBER_AT: Final = 4
_BLOCK_SIZE_BYTES: Final = {6: 1, 7: 2}
_RATE_BYTES: Final = {12: 1, 13: 2, 14: 2}


def renumbered(frame: bytes, number: int) -> bytes:
    """One whole frame of fixed block size as the ``number``-th of its stream.

    Sums are linear: that of the sound within follows from those in the frame, and no byte of it is looked at.
    """
    old_end = _NUMBER_AT + _coded_length(frame[_NUMBER_AT])
    uncommon = _BLOCK_SIZE_BYTES.get(frame[2] >> 4, 0) + _RATE_BYTES.get(frame[2] & 15, 0)
    sound_at = old_end + uncommon + 1
    old_head, sound = frame[:sound_at], frame[sound_at:-2]
    head = frame[:_NUMBER_AT] + coded_number(number) + frame[old_end : sound_at - 1]
    head += bytes([_remainder(head, _CRC8)])
    shift = _power_of_256(len(sound), _CRC16)
    sum_of_sound = int.from_bytes(frame[-2:]) ^ _product(_remainder(old_head, _CRC16), shift, _CRC16)
    whole = _product(_remainder(head, _CRC16), shift, _CRC16) ^ sum_of_sound
    return head + sound + whole.to_bytes(2)


def coded_number(number: int) -> bytes:
    """``number``, below 2**31, in the form UTF-8 gave to characters when it still knew six bytes."""
    if number < 0x80:
        return bytes([number])
    more = next(count for count in range(1, 6) if number < 1 << (5 * count + 6))
    first = 0xFF00 >> (more + 1) & 0xFF | number >> 6 * more
    return bytes([first, *(0x80 | number >> 6 * place & 0x3F for place in range(more - 1, -1, -1))])


def _coded_length(first: int) -> int:
    return 1 if first < 0x80 else 8 - (first ^ 0xFF).bit_length()


def _remainder(data: bytes, polynomial: int) -> int:
    """The CRC of a few bytes: their remainder by ``polynomial``, highest bit first, from zero."""
    degree = polynomial.bit_length() - 1
    rest = 0
    for byte in data:
        rest ^= byte << (degree - 8)
        for _ in range(8):
            rest <<= 1
            if rest >> degree:
                rest ^= polynomial
    return rest


def _product(one: int, other: int, polynomial: int) -> int:
    degree = polynomial.bit_length() - 1
    result = 0
    while other:
        if other & 1:
            result ^= one
        other >>= 1
        one <<= 1
        if one >> degree:
            one ^= polynomial
    return result


def _power_of_256(exponent: int, polynomial: int) -> int:
    """What multiplies a remainder when ``exponent`` bytes come after."""
    result, factor = 1, 0x100
    while exponent:
        if exponent & 1:
            result = _product(result, factor, polynomial)
        factor = _product(factor, factor, polynomial)
        exponent >>= 1
    return result
