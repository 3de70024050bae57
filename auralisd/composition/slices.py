"""Cutting and joining slices of a score, releases left as they are."""

from __future__ import annotations

from collections.abc import Sequence

from auralisd.score import ScoreSlice


def end_to_end(parts: Sequence[ScoreSlice]) -> ScoreSlice:
    """Consecutive slices as one; unlike ``score.joined`` it leaves releases to whoever was handed the notes."""
    return within(parts, parts[0].start_frames, parts[-1].end_frames)


def within(parts: Sequence[ScoreSlice], start_frames: int, until_frames: int) -> ScoreSlice:
    """What begins between two frames, out of consecutive slices."""

    def cut[T](kind: str, frame: str) -> tuple[T, ...]:
        events = (event for piece in parts for event in getattr(piece, kind))
        return tuple(event for event in events if start_frames <= getattr(event, frame) < until_frames)

    return ScoreSlice(
        start_frames=start_frames,
        end_frames=until_frames,
        notes=cut("notes", "onset_frames"),
        releases=cut("releases", "at_frames"),
        chords=cut("chords", "onset_frames"),
        sections=cut("sections", "onset_frames"),
        bars=cut("bars", "onset_frames"),
        controls=cut("controls", "at_frames"),
        reasons=cut("reasons", "position"),
    )
