"""Continuity: whatever fails upstream, the next packet of sound is there.

As in a broadcaster's continuity suite, the live sound goes out while it comes; when it does
not, a bed stands in: the last half minute of this station's own sound, looped softly, or a
short bed shipped with the package before there is any. Both changes are crossfades of one
packet. Pure: blocks in, blocks out; the task that feeds it lives in ``continuity_task``.
"""

from __future__ import annotations

import math

import numpy as np

from auralisd.audio import PCM16_BYTES_PER_FRAME, AudioBlock, Samples, pcm16_to_samples, samples_to_pcm16
from auralisd.units import PACKET_FRAMES, SAMPLE_RATE_HZ

HELD_SECONDS = 30  # of own sound, as the bed to come: 5.3 MB
LEAST_OWN_BED_SECONDS = 8  # a shorter loop is heard as one
LOOP_CROSSFADE_SECONDS = 4
BED_GAIN = 0.8  # softer than the programme, so that its return is no drop


class BedLoop:
    """Half a minute of sound that goes round without a seam.

    The last ``LOOP_CROSSFADE_SECONDS`` are faded into the first ones, so a turn of the loop is
    that much shorter than the sound given.
    """

    def __init__(self, sound: Samples) -> None:
        """Lay the loop out.

        Args:
            sound: float32 ``(2, frames)``, at least twice the crossfade long.
        """
        fade = min(LOOP_CROSSFADE_SECONDS * SAMPLE_RATE_HZ, sound.shape[1] // 2)
        fade_in, fade_out = crossfade_gains(fade)
        loop = sound[:, : sound.shape[1] - fade].copy()
        loop[:, :fade] = loop[:, :fade] * fade_in + sound[:, -fade:] * fade_out
        self._loop = loop
        self._at = 0

    def take(self, frames: int) -> Samples:
        """The next ``frames``, float32 ``(2, frames)``."""
        parts, wanted = [], frames
        while wanted:
            part = self._loop[:, self._at : self._at + wanted]
            parts.append(part)
            wanted -= part.shape[1]
            self._at = (self._at + part.shape[1]) % self._loop.shape[1]
        return np.concatenate(parts, axis=1)


class Continuity:
    """Chooses between the live sound and the bed, packet by packet."""

    def __init__(self, *, shipped_bed: bytes) -> None:
        """Begin without a sound of our own.

        Args:
            shipped_bed: interleaved int16 stereo, some tens of seconds.
        """
        self._shipped_bed = shipped_bed
        self._held = bytearray()
        self._bed: BedLoop | None = None
        self._begun = False
        self.bed_gain = 1.0  # follows level_db while the shipped bed plays

    @property
    def on_bed(self) -> bool:
        """Whether the last packet came from the bed."""
        return self._bed is not None

    def next_block(self, position: int, live: AudioBlock | None, *, anew: bool = False) -> AudioBlock:
        """The sound for ``position``: ``live`` if it is there, else the bed, crossfaded on a change.

        ``anew`` says that another instrument plays from here on, one whose sound does not join on to the last packet.
        """
        if live is None:
            return self._from_bed(position)
        if self._bed is None and self._begun:
            block = self._anew(position, live) if anew else AudioBlock(position=position, pcm16=live.pcm16)
            self._hold(block.pcm16)
            return block
        held_on = self._anew(position, live)  # A bed to come has no seam where this one was.
        block = self._back_to_live(position, live)
        self._hold(held_on.pcm16)
        return block

    def _back_to_live(self, position: int, live: AudioBlock) -> AudioBlock:
        fade_in, fade_out = crossfade_gains(PACKET_FRAMES)
        sound = pcm16_to_samples(live.pcm16) * fade_in
        if self._bed is not None:
            sound += self._bed.take(PACKET_FRAMES) * (fade_out * self._gain)
        self._bed = None
        self._begun = True
        return AudioBlock(position=position, pcm16=samples_to_pcm16(sound))

    def _from_bed(self, position: int) -> AudioBlock:
        starting = self._bed is None
        if self._bed is None:
            self._bed = self._new_bed()
        sound = self._bed.take(PACKET_FRAMES) * np.float32(self._gain)
        if starting:
            fade_in, fade_out = crossfade_gains(PACKET_FRAMES)
            sound = sound * fade_in + self._mirrored() * fade_out
        self._begun = True
        return AudioBlock(position=position, pcm16=samples_to_pcm16(sound), bed=True)

    def _anew(self, position: int, live: AudioBlock) -> AudioBlock:
        fade_in, fade_out = crossfade_gains(PACKET_FRAMES)
        sound = pcm16_to_samples(live.pcm16) * fade_in + self._mirrored() * fade_out
        return AudioBlock(position=position, pcm16=samples_to_pcm16(sound))

    def _mirrored(self) -> Samples:
        """The last live packet backwards: what is not there to be faded out goes on without a step."""
        if len(self._held) < PACKET_FRAMES * PCM16_BYTES_PER_FRAME:
            return np.zeros((2, PACKET_FRAMES), dtype=np.float32)
        return pcm16_to_samples(bytes(self._held[-PACKET_FRAMES * PCM16_BYTES_PER_FRAME :]))[:, ::-1]

    @property
    def _gain(self) -> float:
        return BED_GAIN if self._own_sound_is_long_enough() else BED_GAIN * self.bed_gain

    def _own_sound_is_long_enough(self) -> bool:
        return len(self._held) >= LEAST_OWN_BED_SECONDS * SAMPLE_RATE_HZ * PCM16_BYTES_PER_FRAME

    def _new_bed(self) -> BedLoop:
        sound = bytes(self._held) if self._own_sound_is_long_enough() else self._shipped_bed
        return BedLoop(pcm16_to_samples(sound))

    def _hold(self, pcm16: bytes) -> None:
        self._held += pcm16
        excess = len(self._held) - HELD_SECONDS * SAMPLE_RATE_HZ * PCM16_BYTES_PER_FRAME
        if excess > 0:
            del self._held[:excess]


def crossfade_gains(frames: int) -> tuple[Samples, Samples]:
    """Gains of an equal-power crossfade, float32 ``(frames,)`` each: the one coming, the one going."""
    angle = (np.arange(frames, dtype=np.float32) + 0.5) * np.float32(math.pi / 2 / frames)
    return np.sin(angle), np.cos(angle)


def faded(pcm16: bytes, *, from_gain: float, to_gain: float) -> bytes:
    """Interleaved int16 stereo with a linear ramp between two gains laid over it."""
    sound = pcm16_to_samples(pcm16)
    ramp = np.linspace(from_gain, to_gain, sound.shape[1], endpoint=False, dtype=np.float32)
    return samples_to_pcm16(sound * ramp)
