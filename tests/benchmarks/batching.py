"""Voices of several stations: a mixer for each, as the daemon has it, beside all their notes in one mixer.

The second is the most that batching could save: it even puts all stations on the same buses, so that nothing has to be
taken apart again. CPU time, in turns; torch alone, and with the compiled kernel, from a directory named or made.

    uv run python -m tests.benchmarks.batching [DIRECTORY]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from auralisd.controls import Controls
from auralisd.kernel import KernelShelf
from auralisd.kernel.machine_code import make
from auralisd.synthesis import sounding
from auralisd.synthesis.chance import Walks
from auralisd.synthesis.compiled import fill
from auralisd.synthesis.grid import chunks
from auralisd.synthesis.mixing import VoiceMixer
from auralisd.synthesis.oscillators import TableBank
from auralisd.synthesis.ramps import ControlRamps
from auralisd.units import BLOCK_FRAMES
from tests.benchmarks.peers import pad_notes

STATIONS = 12
NOTES = (4, 16, 64)
BLOCKS = 10
RUNS = 7


def mixer(shelf: KernelShelf) -> VoiceMixer:
    """A mixer with what is on ``shelf``."""
    place = torch.device("cpu")
    return VoiceMixer(bank=TableBank(1, place), walks=Walks(1), device=place, shelf=shelf)


def cpu_seconds(work: list[tuple[VoiceMixer, sounding.Arrays]]) -> float:
    """CPU time of some blocks of all of ``work``, one after the other as one worker thread takes them."""
    ramps = ControlRamps(Controls())
    with torch.inference_mode():
        started = time.process_time()
        for chunk in chunks(0, BLOCKS * BLOCK_FRAMES):
            for one, arrays in work:
                one.mixed(chunk, arrays, ramps.at(chunk.points()))
        return time.process_time() - started


def compare(name: str, shelf: KernelShelf) -> None:
    """Print milliseconds of a core for 100 ms of all stations, apart and together."""
    for notes in NOTES:
        apart = [(mixer(shelf), sounding.as_arrays(pad_notes(notes))) for _ in range(STATIONS)]
        all_notes = [note for _ in range(STATIONS) for note in pad_notes(notes)]
        together = [(mixer(shelf), sounding.as_arrays(all_notes))]
        spent: dict[str, list[float]] = {"apart": [], "together": []}
        for _ in range(RUNS):
            spent["apart"].append(cpu_seconds(apart))
            spent["together"].append(cpu_seconds(together))
        one, other = (1e3 * statistics.median(seconds) / BLOCKS for seconds in spent.values())
        work = f"{name:<12} {STATIONS} stations of {notes:>2} voices"
        print(f"{work}: apart {one:5.1f} ms a block, together {other:5.1f} ms, {one / other:.2f} x")


def main() -> None:
    """Compare with torch alone, then with the kernel."""
    torch.set_num_threads(1)
    compare("torch alone", KernelShelf())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(sys.argv[1] if len(sys.argv) > 1 else name)
        if len(sys.argv) == 1:
            make(directory)
        shelf = KernelShelf()
        if not fill(shelf, directory):
            sys.exit(shelf.why)
        compare("kernel", shelf)


if __name__ == "__main__":
    main()
