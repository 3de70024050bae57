"""Conversions between frames, seconds, beats, decibels and pitch.

A *frame* is one sample of each channel. The programme always runs at
``SAMPLE_RATE_HZ``; every position in the project counts its frames.
"""

from __future__ import annotations

import math

SAMPLE_RATE_HZ = 44_100
CHANNELS = 2
BLOCK_FRAMES = 4_410  # 100 ms: what the renderer makes at a time
PACKET_FRAMES = 4_410  # 100 ms: what the hub sends at a time
OPUS_RATE_HZ = 48_000
OPUS_FRAME_PROGRAMME_FRAMES = 882  # one 20 ms Opus frame, in programme frames
OPUS_FRAME_CODED_FRAMES = 960  # the same frame at Opus' own rate
SILENCE_DB = -120.0


def seconds_to_frames(seconds: float) -> int:
    """Whole frames nearest to ``seconds``; halves round up, as on every machine."""
    return math.floor(seconds * SAMPLE_RATE_HZ + 0.5)


def frames_to_seconds(frames: int) -> float:
    """Seconds that ``frames`` programme frames last."""
    return frames / SAMPLE_RATE_HZ


def floor_to_grid(frames: int, grid_frames: int) -> int:
    """The last multiple of ``grid_frames`` at or before ``frames``."""
    return frames - frames % grid_frames


def ceil_to_grid(frames: int, grid_frames: int) -> int:
    """The first multiple of ``grid_frames`` at or after ``frames``."""
    return -(-frames // grid_frames) * grid_frames


def beat_frames(tempo_bpm: float) -> float:
    """Frames of one beat at ``tempo_bpm``."""
    return SAMPLE_RATE_HZ * 60.0 / tempo_bpm


def db_to_gain(level_db: float) -> float:
    """Linear amplitude of ``level_db``; at or below ``SILENCE_DB`` it is 0."""
    return 0.0 if level_db <= SILENCE_DB else 10.0 ** (level_db / 20.0)


def midi_to_hz(pitch_midi: float) -> float:
    """Frequency of a MIDI pitch in equal temperament, A4 (69) = 440 Hz."""
    return 440.0 * math.pow(2.0, (pitch_midi - 69.0) / 12.0)
