"""Composes the score, 100 ms at a time, no further ahead than the channel is long."""

from __future__ import annotations

import trio

from auralisd.daemon.piece import Piece
from auralisd.score import ScoreSlice

PHRASES_AHEAD = 3  # 3 x 100 ms wait for the renderer; all that is later can still be changed


async def run_composer(piece: Piece, phrases: trio.MemorySendChannel[ScoreSlice]) -> None:
    """Hand slices to the renderer until it is gone.

    Owns a clone of the sending end for this incarnation. One slice costs a few milliseconds at
    the most, on the loop: a thread of pure Python would take the GIL from the senders for longer.
    """
    with phrases.clone() as sending:
        while True:
            composed = piece.next_slice()
            try:
                await sending.send(composed)
            except trio.BrokenResourceError:
                return
