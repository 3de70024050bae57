"""The peers' pad voice, theirs and ours in one run: three detuned saws, resonant two-pole low-pass with a moving
cutoff, ADSR, pan. Process CPU time, not real time: SuperCollider's scsynth and Csound render to files ahead of time.

Each engine renders a short and a long piece; the difference of their CPU times is the sound's alone. Ours is the
mixer of the daemon as it is: five buses of mix and two for the loudness servo, in blocks of 100 ms.

    apt-get install supercollider-server csound
    uv run python -m tests.benchmarks.peers
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from auralisd.controls import Controls
from auralisd.kernel import KernelShelf
from auralisd.kernel.machine_code import make
from auralisd.score import Note
from auralisd.synthesis import sounding
from auralisd.synthesis.chance import Walks
from auralisd.synthesis.compiled import fill
from auralisd.synthesis.grid import chunks
from auralisd.synthesis.mixing import VoiceMixer
from auralisd.synthesis.oscillators import TableBank
from auralisd.synthesis.patches import Envelope, Patch, Strand
from auralisd.synthesis.ramps import ControlRamps
from auralisd.units import SAMPLE_RATE_HZ, midi_to_hz

VOICES = (64, 256)
SHORT_SECONDS, LONG_SECONDS = 2, 22
RUNS = 3
DETUNE = tuple(2.0 ** (cents / 1200.0) for cents in (-7.0, 0.0, 7.3))

PAD_VOICE = Patch(
    name="Pad voice",
    character="What the peers are asked to play.",
    envelope=Envelope(attack_seconds=(0.5, 0.5), decay_seconds=1.0, sustain=0.7, release_seconds=2.0),
    strands=(Strand(source="analogue", spread_cents=7.0, cutoff_ratio=5.0, sweep_octaves=1.0, q=2.0),),
    gain_db=-40.0,
    scatter=0.8,
)


def pitches_midi(voices: int) -> list[float]:
    """Pitches over four octaves, none twice."""
    return [36.0 + 48.0 * (voice + 0.5) / voices for voice in range(voices)]


def synth_definition() -> bytes:
    """The voice for scsynth: its binary format, version 2, written out (https://doc.sccode.org/Reference/
    Synth-Definition-File-Format.html)."""
    constants: list[float] = []
    ugens: list[bytes] = []

    def constant(value: float) -> tuple[int, int]:
        if value not in constants:
            constants.append(value)
        return -1, constants.index(value)

    def ugen(name: str, rate: int, inputs: list[tuple[int, int]], outputs: int, special: int = 0) -> tuple[int, int]:
        body = struct.pack(">B", len(name)) + name.encode() + struct.pack(">biih", rate, len(inputs), outputs, special)
        body += b"".join(struct.pack(">ii", *source) for source in inputs) + bytes([rate]) * outputs
        ugens.append(body)
        return len(ugens) - 1, 0

    audio, control = 2, 1
    parameters = ugen("Control", control, [], 3)[0]
    freq, pan, phase = ((parameters, index) for index in range(3))
    saws = []
    for ratio in DETUNE:
        hertz = ugen("BinaryOpUGen", control, [freq, constant(ratio)], 1, special=2)
        saws.append(ugen("Saw", audio, [hertz], 1))
    both = ugen("BinaryOpUGen", audio, saws[:2], 1, special=0)
    mixed = ugen("BinaryOpUGen", audio, [both, saws[2]], 1, special=0)
    swing = ugen("SinOsc", control, [constant(0.2), phase], 1)
    opening = ugen("MulAdd", control, [swing, constant(2.0), constant(5.0)], 1)
    cutoff = ugen("BinaryOpUGen", control, [freq, opening], 1, special=2)
    filtered = ugen("RLPF", audio, [mixed, cutoff, constant(0.5)], 1)
    stages = [1.0, 0.5, 1, 0, 0.7, 1.0, 1, 0, 0.0, 2.0, 1, 0]
    envelope = ugen(
        "EnvGen", control, [constant(v) for v in (1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 3.0, 2.0, -99.0, *stages)], 1
    )
    quiet = ugen("BinaryOpUGen", control, [envelope, constant(0.01)], 1, special=2)
    shaped = ugen("BinaryOpUGen", audio, [filtered, quiet], 1, special=2)
    placed = ugen("Pan2", audio, [shaped, pan, constant(1.0)], 2)[0]
    ugen("Out", audio, [constant(0.0), (placed, 0), (placed, 1)], 0)

    def name(text: str) -> bytes:
        return struct.pack(">B", len(text)) + text.encode()

    return (
        b"SCgf" + struct.pack(">ih", 2, 1) + name("pad")
        + struct.pack(">i", len(constants)) + b"".join(struct.pack(">f", value) for value in constants)
        + struct.pack(">i3f", 3, 440.0, 0.0, 0.0) + struct.pack(">i", 3)
        + b"".join(name(text) + struct.pack(">i", index) for index, text in enumerate(("freq", "pan", "phase")))
        + struct.pack(">i", len(ugens)) + b"".join(ugens) + struct.pack(">h", 0)
    )  # fmt: skip


def osc_text(text: str) -> bytes:
    """A string as OSC pads it."""
    raw = text.encode() + b"\0"
    return raw + b"\0" * (-len(raw) % 4)


def osc_bundle(seconds: float, address: str, *arguments: object) -> bytes:
    """A bundle of one message, with its length in front."""
    tags, body = ",", b""
    for value in arguments:
        if isinstance(value, bytes):
            tags, body = tags + "b", body + struct.pack(">i", len(value)) + value + b"\0" * (-len(value) % 4)
        elif isinstance(value, int):
            tags, body = tags + "i", body + struct.pack(">i", value)
        elif isinstance(value, float):
            tags, body = tags + "f", body + struct.pack(">f", value)
        else:
            tags, body = tags + "s", body + osc_text(str(value))
    message = osc_text(address) + osc_text(tags) + body
    bundle = b"#bundle\0" + struct.pack(">Q", int(seconds * 2**32)) + struct.pack(">i", len(message)) + message
    return struct.pack(">i", len(bundle)) + bundle


def child_cpu_seconds(command: list[str], directory: Path) -> float:
    """CPU time of a program that is expected to succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=False, cwd=directory, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout.decode()[-800:]}{done.stderr.decode()[-800:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def scsynth_cpu_seconds(voices: int, seconds: int, directory: Path) -> float:
    """SuperCollider's server, rendering to a file."""
    score = osc_bundle(0.0, "/d_recv", synth_definition())
    for index, pitch in enumerate(pitches_midi(voices)):
        place, phase = 1.6 * index / voices - 0.8, 6.28 * index / voices
        arguments = ("pad", 1000 + index, 1, 0, "freq", midi_to_hz(pitch), "pan", place, "phase", phase)
        score += osc_bundle(0.0, "/s_new", *arguments)
    score += osc_bundle(float(seconds), "/c_set", 0, 0.0)
    (directory / "score.osc").write_bytes(score)
    command = ["scsynth", "-N", "score.osc", "_", "sc.wav", str(SAMPLE_RATE_HZ), "WAV", "int16", "-o", "2", "-i", "0"]
    return child_cpu_seconds(command, directory)


def csound_cpu_seconds(voices: int, seconds: int, directory: Path) -> float:
    """Csound, rendering to a file."""
    lines = [
        f"i1 0 {seconds} {midi_to_hz(pitch):.4f} {0.1 + 0.8 * index / voices:.4f} {index / voices:.4f}"
        for index, pitch in enumerate(pitches_midi(voices))
    ]
    saws = " + ".join(f"vco2(1, p4 * {ratio:.6f})" for ratio in DETUNE)
    (directory / "pad.csd").write_text(
        "<CsoundSynthesizer>\n<CsOptions>\n-W -s -d -m0 -o cs.wav\n</CsOptions>\n<CsInstruments>\n"
        f"sr = {SAMPLE_RATE_HZ}\nksmps = 64\nnchnls = 2\n0dbfs = 1\n"
        "gisine ftgen 1, 0, 4096, 10, 1\n"
        f"instr 1\naenv linsegr 0, 0.5, 1, 1, 0.7, 2, 0\nasaw = {saws}\n"
        "kswing oscili 2, 0.2, 1, p6\n"
        "afilt bqrez asaw, p4 * (5 + kswing), 2\n"
        "al, ar pan2 afilt * aenv * 0.002, p5\nouts al, ar\nendin\n</CsInstruments>\n<CsScore>\n"
        + "\n".join(lines)
        + "\n</CsScore>\n</CsoundSynthesizer>\n"
    )
    return child_cpu_seconds(["csound", "pad.csd"], directory)


def pad_notes(voices: int) -> list[sounding.SoundingNote]:
    """As many notes of the pad voice that sound throughout."""
    return [
        sounding.played_with(
            PAD_VOICE,
            Note(
                note_id=index, layer="pad", role="pad", onset_frames=0, duration_frames=3600 * SAMPLE_RATE_HZ,
                pitch_midi=int(pitch), cents=int(100 * (pitch % 1)), velocity=0.7,
            ),
            seed=1,
        )
        for index, pitch in enumerate(pitches_midi(voices))
    ]  # fmt: skip


def our_cpu_seconds(voices: int, seconds: int, shelf: KernelShelf) -> float:
    """The daemon's mixer with as many notes that sound throughout, made into 16-bit sound."""
    place = torch.device("cpu")
    mixer = VoiceMixer(bank=TableBank(1, place), walks=Walks(1), device=place, shelf=shelf)
    arrays = sounding.as_arrays(pad_notes(voices))
    ramps = ControlRamps(Controls())
    with torch.inference_mode():
        started = time.process_time()
        for chunk in chunks(0, seconds * SAMPLE_RATE_HZ):
            buses = mixer.mixed(chunk, arrays, ramps.at(chunk.points()))
            (buses[:2] * 32_767.0).round().to(torch.int16).numpy().tobytes()
        return time.process_time() - started


def voices_per_core(voices: int, cpu_seconds: list[tuple[float, float]]) -> float:
    """Voices one core can sound in real time, the median of some runs of (short, long)."""
    spent = statistics.median(long - short for short, long in cpu_seconds)
    return voices * (LONG_SECONDS - SHORT_SECONDS) / spent


def main() -> None:
    """Print voices per core of each engine, and ours as multiples of scsynth's."""
    for program, package in (("scsynth", "supercollider-server"), ("csound", "csound")):
        if shutil.which(program) is None:
            sys.exit(f"{program} is missing: apt-get install {package}")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        kernel = KernelShelf()
        make(directory / "kernel")
        if not fill(kernel, directory / "kernel"):
            sys.exit(kernel.why)
        engines = {
            "scsynth": lambda voices, seconds: scsynth_cpu_seconds(voices, seconds, directory),
            "csound": lambda voices, seconds: csound_cpu_seconds(voices, seconds, directory),
            "ours, torch alone": lambda voices, seconds: our_cpu_seconds(voices, seconds, KernelShelf()),
            "ours, kernel": lambda voices, seconds: our_cpu_seconds(voices, seconds, kernel),
        }
        for voices in VOICES:
            spent: dict[str, list[tuple[float, float]]] = {engine: [] for engine in engines}
            for _ in range(RUNS):
                for engine, cpu_seconds in engines.items():
                    spent[engine].append((cpu_seconds(voices, SHORT_SECONDS), cpu_seconds(voices, LONG_SECONDS)))
            reference = voices_per_core(voices, spent["scsynth"])
            for engine, runs in spent.items():
                figure = voices_per_core(voices, runs)
                print(
                    f"{voices:>3} voices  {engine:<18} {figure:7.0f} voices a core  {figure / reference:5.2f} x scsynth"
                )


if __name__ == "__main__":
    main()
