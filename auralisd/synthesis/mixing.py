"""From sounding notes to buses: all voices of a chunk at once.

Every strand becomes one row of sound; envelopes, layer gains, places and sends are one gain per strand,
bus and grid point, drawn as straight lines between grid points. The mix is two matrix products:
``G0 @ sound + ramp * ((G1 - G0) @ sound)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from auralisd.kernel.layout import BUSES, HEARD_BUSES
from auralisd.kernel.shelf import KernelShelf
from auralisd.synthesis.analogue import TorchVoices
from auralisd.synthesis.chance import Walks
from auralisd.synthesis.compiled import CompiledVoices, voices_from
from auralisd.synthesis.compiled_mixer import CompiledMixer
from auralisd.synthesis.grid import SEGMENT_FRAMES, SPAN_FRAMES, Chunk, Floats, Integers
from auralisd.synthesis.notes import JOIN_FRAMES, STEAL_FRAMES
from auralisd.synthesis.oscillators import TABLE_ROWS, TableBank
from auralisd.synthesis.ramps import RampedControls
from auralisd.synthesis.sounding import DRIFT_WALK, HIGHEST_EDGE_HZ, SAW_PLACES, SAW_STARTS, SWEEP_WALK, Arrays
from auralisd.synthesis.uploads import Uploads
from auralisd.synthesis.voices import StreamedEnvelopes, StreamedSaws, StreamedSines
from auralisd.units import SAMPLE_RATE_HZ


@dataclass(slots=True)
class VoiceMixer:
    """Renders all sounding notes of a chunk onto the buses."""

    bank: TableBank
    walks: Walks
    device: torch.device
    shelf: KernelShelf = field(default_factory=KernelShelf)

    def __post_init__(self) -> None:
        """Build the torchsynth modules and the ramp inside a segment."""
        self.envelopes = StreamedEnvelopes()
        self.sines = StreamedSines()
        self.saws = StreamedSaws()
        self.analogue = voices_from(self.shelf)
        self.move_to(self.device)

    envelopes: StreamedEnvelopes = None  # type: ignore[assignment]
    sines: StreamedSines = None  # type: ignore[assignment]
    saws: StreamedSaws = None  # type: ignore[assignment]
    analogue: TorchVoices | CompiledVoices = None  # type: ignore[assignment]
    ramp: torch.Tensor = None  # type: ignore[assignment]
    uploads: Uploads = None  # type: ignore[assignment]
    compiled: CompiledMixer | None = None

    def move_to(self, device: torch.device) -> None:
        """Work on ``device`` from now on."""
        self.device, self.compiled = device, None
        self.uploads = Uploads(device)
        self.sines.to(device)
        self.saws.to(device)
        self.ramp = torch.arange(SEGMENT_FRAMES, dtype=torch.float32, device=device) / SEGMENT_FRAMES

    def mixed(self, chunk: Chunk, arrays: Arrays, controls: RampedControls) -> torch.Tensor:
        """The buses of ``chunk``: float32 ``(BUSES, frames)``; on the CPU by the compiled mixer where there is one."""
        if self.compiled is None and self.shelf.kernel is not None and self.device.type == "cpu":
            self.compiled = CompiledMixer(self.shelf.kernel, self.bank, self.walks)
        if self.compiled is not None:
            return self.compiled.mixed(chunk, arrays, controls)
        return self.mixed_in_torch(chunk, arrays, controls)

    def mixed_in_torch(self, chunk: Chunk, arrays: Arrays, controls: RampedControls) -> torch.Tensor:
        """The same without the compiled mixer."""
        points = chunk.points()
        age = (points - arrays.onset[:, None]) / SAMPLE_RATE_HZ
        bright = _leaned(controls.brightness, arrays.brightness[:, None])
        amplitude = self._amplitudes(chunk, arrays, points, age, bright)
        gains = _bus_gains(arrays, amplitude, controls)
        lines, onsets = _lines(chunk, arrays, gains)
        sound = self._sound(chunk, arrays, points, age, bright)
        for segment, strands, frames in onsets:
            sound[segment, :, :frames].index_fill_(0, self.uploads(strands), 0.0)
        product = torch.bmm(self.uploads(lines), sound)
        mixed = torch.empty((BUSES, chunk.segments, SEGMENT_FRAMES), device=self.device)
        torch.addcmul(product[:, :BUSES], product[:, BUSES:], self.ramp, out=mixed.transpose(0, 1))
        return mixed.view(BUSES, chunk.frames)

    def _amplitudes(self, chunk: Chunk, arrays: Arrays, points: Floats, age: Floats, bright: Floats) -> Floats:
        """Amplitude of each strand at each grid point, before layers and places: ``(strands, points)``."""
        shapes = torch.from_numpy(arrays.shapes)
        envelope = self.envelopes.levels(shapes, torch.from_numpy(age.astype(np.float32))).numpy().astype(np.float64)
        if (arrays.joined > chunk.start - JOIN_FRAMES).any():
            envelope *= np.clip((points - arrays.joined[:, None]) / JOIN_FRAMES, 0.0, 1.0)
        if (arrays.cut < chunk.end + STEAL_FRAMES).any():
            envelope *= np.clip((arrays.cut[:, None] - points) / STEAL_FRAMES, 0.0, 1.0)
        column, owner = arrays.column, arrays.owner
        amplitude = envelope[owner] * column["gain"][:, None]
        dark = column["at_dark"][:, None]
        amplitude *= dark + (column["at_bright"][:, None] - dark) * bright[owner]
        amplitude *= 1.0 + column["movement"][:, None] * self._walk_lines(chunk, column["walk"], points)
        decaying = np.flatnonzero(column["decay_rate"])
        if len(decaying):
            elapsed = np.maximum(age[owner[decaying]], 0.0)
            amplitude[decaying] *= np.exp(-column["decay_rate"][decaying, None] * elapsed)
        return np.asarray(amplitude)

    def _walk_lines(self, chunk: Chunk, keys: Integers, points: Floats) -> Floats:
        """The walks ``keys``, read at both ends of the span and straight between: ``(keys, points)``."""
        ends = np.array([chunk.span, chunk.span + 1], dtype=np.float64) * SPAN_FRAMES
        values = self.walks.at(ends[None, :], keys[:, None])
        share = (points - ends[0]) / SPAN_FRAMES
        return np.asarray(values[:, :1] + (values[:, 1:] - values[:, :1]) * share)

    def _sound(self, chunk: Chunk, arrays: Arrays, points: Floats, age: Floats, bright: Floats) -> torch.Tensor:
        """All strands at full level: float32 ``(segments, strands, 63)``, in the order of ``arrays``."""
        parts = []
        if arrays.tables:
            segments = chunk.first_segment + np.arange(chunk.segments)[:, None]
            offset, row = arrays.column["offset"][: arrays.tables], arrays.column["row"][: arrays.tables]
            parts.append(self.bank.read(row + (segments + offset) % TABLE_ROWS))
        if arrays.sines or arrays.saws or arrays.analogue:
            cycles = self._cycles(arrays, points, age)
            parts += self._plain_oscillators(arrays, cycles[: arrays.sines + arrays.saws], bright)
            if arrays.analogue:
                parts.append(self._analogue(chunk, arrays, cycles[arrays.sines + arrays.saws :], points, bright))
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]

    def _plain_oscillators(self, arrays: Arrays, cycles: Floats, bright: Floats) -> list[torch.Tensor]:
        """Sines and saws at ``cycles``, ``(strands, points)``."""
        parts: list[torch.Tensor] = []
        if not len(cycles):
            return parts
        start, step = (cycles[:, :-1] % 1.0).T.astype(np.float32), np.diff(cycles).T.astype(np.float32)
        begun, stepped = (self.uploads(np.ascontiguousarray(values)) for values in (start, step))
        sines = arrays.sines
        if sines:
            parts.append(self.sines.sound(begun[:, :sines], stepped[:, :sines], self.ramp))
        if arrays.saws:
            partials = self.uploads(_saw_partials(arrays, bright))
            parts.append(self.saws.sound(begun[:, sines:], stepped[:, sines:], self.ramp, partials))
        return parts

    def _analogue(self, chunk: Chunk, arrays: Arrays, cycles: Floats, points: Floats, bright: Floats) -> torch.Tensor:
        """The analogue strands, whose middle saw is at ``cycles``; made on the CPU."""
        column = {name: values[-arrays.analogue :] for name, values in arrays.column.items()}
        owner = arrays.owner[-arrays.analogue :]
        ratios = 2.0 ** (column["spread_cents"][:, None] * np.array(SAW_PLACES) / 1200.0)
        saws = cycles[:, None, :] * ratios[:, :, None] + np.array(SAW_STARTS)[:, None]
        octaves = column["opening"][:, None] * (bright[owner] - 0.5)
        octaves += column["sweep"][:, None] * self._walk_lines(chunk, column["walk"] + SWEEP_WALK, points)
        cutoff_hz = column["cutoff_hz"][:, None] * np.exp2(octaves)
        if self.shelf.kernel is not None and not isinstance(self.analogue, CompiledVoices):
            self.analogue = voices_from(self.shelf)
        sound = self.analogue.sound(saws, cutoff_hz, column["q"], arrays.poles)
        # the next chunk is written where this one lies
        return sound if self.device.type == "cpu" else self.uploads(sound.clone())

    def _cycles(self, arrays: Arrays, points: Floats, age: Floats) -> Floats:
        """Phase of each strand that is no table at each grid point, in cycles since its onset: ``(strands, points)``.

        A function of time alone (vibrato, drift and fall are phase modulations in closed form), in float64.
        """
        column = {name: values[arrays.tables :] for name, values in arrays.column.items()}
        owner = arrays.owner[arrays.tables :]
        elapsed = age[owner]
        frequency = column["frequency_hz"][:, None]
        cycles = column["cycles"][:, None] + frequency * elapsed
        drifting = np.flatnonzero(column["drift_cycles"])
        if len(drifting):
            walk = self.walks.at(points[None, :], column["walk"][drifting, None] + DRIFT_WALK)
            cycles[drifting] += column["drift_cycles"][drifting, None] * walk
        falling = np.flatnonzero(column["drop_cycles"])
        if len(falling):
            fallen = np.exp(-np.maximum(elapsed[falling], 0.0) * column["drop_rate"][falling, None])
            cycles[falling] += column["drop_cycles"][falling, None] * (1.0 - fallen)
        rate, cents, delay = arrays.vibrato[:, owner][:, :, None]
        swinging = np.flatnonzero(rate)
        if len(swinging):
            rate, cents, delay, elapsed = rate[swinging], cents[swinging], delay[swinging], elapsed[swinging]
            depth = frequency[swinging] * (2.0 ** (cents / 1200.0) - 1.0) / (2.0 * np.pi * rate)
            cycles[swinging] += depth * np.clip(elapsed / delay, 0.0, 1.0) * np.sin(2.0 * np.pi * rate * elapsed)
        return np.asarray(cycles)


def _leaned(brightness: Floats, lean: Floats) -> Floats:
    """Brightness of each note: the control's, leaning towards the note's own by as much as there is room for.

    At both ends of the control all notes agree, and between them each follows the hand at once: an offset cut
    off at 0 and 1 would leave the first part of a turn without effect. Monotonic for leans up to a quarter.
    """
    return np.asarray(brightness + 4.0 * brightness * (1.0 - brightness) * lean)


def _saw_partials(arrays: Arrays, bright: Floats) -> np.ndarray:
    """Edge of each saw at the start of each segment: float32 ``(segments, saws)``; no edge near Nyquist."""
    saws = slice(arrays.tables + arrays.sines, arrays.tables + arrays.sines + arrays.saws)
    column, owner = arrays.column, arrays.owner[saws]
    wanted = column["partials"][saws, None] * 2.0 ** (2.4 * (bright[owner, :-1] - 0.5))
    allowed = np.maximum(HIGHEST_EDGE_HZ / column["frequency_hz"][saws, None], 0.3)
    return np.ascontiguousarray(np.minimum(wanted, allowed).T.astype(np.float32))


def _bus_gains(arrays: Arrays, amplitude: Floats, controls: RampedControls) -> np.ndarray:
    """Gain of each strand onto each bus: float32 ``(points, buses, strands)``."""
    plain = amplitude.T.astype(np.float32)
    heard = (amplitude * controls.layer_gains[arrays.layer[arrays.owner]]).T.astype(np.float32)
    gains = np.empty((amplitude.shape[1], BUSES, amplitude.shape[0]), dtype=np.float32)
    np.multiply(heard[:, None, :], arrays.onto[:HEARD_BUSES], out=gains[:, :HEARD_BUSES])
    np.multiply(plain[:, None, :], arrays.onto[HEARD_BUSES:], out=gains[:, HEARD_BUSES:])
    return gains


def _lines(chunk: Chunk, arrays: Arrays, gains: np.ndarray) -> tuple[np.ndarray, list[tuple[int, torch.Tensor, int]]]:
    """Gains at the start of each segment and their change within it, and where sound before an onset is cut.

    A note that begins inside a segment gets a line through zero at its very first frame.

    Returns:
        float32 ``(segments, 2 * buses, strands)``, starts before changes; and for each onset inside a segment that
        segment, the strands and how many frames come before it.
    """
    end = gains[1:]
    lines = np.empty((len(end), 2 * BUSES, gains.shape[2]), dtype=np.float32)
    start, change = lines[:, :BUSES], lines[:, BUSES:]
    start[:] = gains[:-1]
    onsets = []
    for index in np.flatnonzero((arrays.onset > chunk.start) & (arrays.onset < chunk.end)):
        segment, frames = divmod(int(arrays.onset[index]) - chunk.start, SEGMENT_FRAMES)
        strands = np.flatnonzero(arrays.owner == index)
        if frames:
            start[segment][:, strands] = end[segment][:, strands] * (-frames / (SEGMENT_FRAMES - frames))
            onsets.append((segment, torch.from_numpy(strands), frames))
    np.subtract(end, start, out=change)
    return lines, onsets
