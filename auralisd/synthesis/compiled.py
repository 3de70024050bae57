"""The compiled kernel: made once per machine in a process of its own, kept as machine code, loaded in a moment.

``python -m auralisd.synthesis.compiled DIRECTORY`` compiles ``kernel`` with numba (3 to 5 s) and leaves an object
file behind. A daemon loads that with llvmlite alone (0.1 s): numba is never imported where sound is made, since
its import takes 1.5 s, most of it holding the interpreter lock. ctypes lets go of that lock for each call.

Machine code is only taken from a file of our own that nobody else may write, named after all that decides it
(kernel, compiler, processor), and only after it has played a chunk as torch plays it.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from auralisd.synthesis.analogue import SAWS, States, TorchVoices
from auralisd.synthesis.grid import SEGMENT_FRAMES, Floats

LANES: Final = 32
_SLOTS: Final = SAWS * LANES
_SINGLES: Final = (19 + 2 * SEGMENT_FRAMES + 8) * LANES
_DOUBLES: Final = (2 + 2 * SAWS) * LANES
_NAME: Final = "analogue_voices"
_ALIKE: Final = 1e-4  # -80 dB: a wrong result is wrong by far more, a right one by less

type Call = Callable[..., None]


class KernelError(Exception):
    """The compiled kernel cannot be used, and why; torch plays on."""


class CompiledVoices:
    """The voices of ``TorchVoices`` in machine code; one per renderer, since it holds room to work in."""

    def __init__(self, call: Call) -> None:
        """Voices that run ``call``, as ``load`` returns it."""
        self._call = call
        self._room = (
            np.zeros(_SINGLES, dtype=np.float32), np.zeros(_DOUBLES),
            np.zeros(2 * _SLOTS), np.zeros(2 * _SLOTS, dtype=np.int64),
        )  # fmt: skip
        self._returned = np.zeros(2, dtype=np.int64)  # numba's functions write None and no exception there
        self._sound = torch.empty(0)  # kept: fresh memory costs more than the sums

    def sound(self, cycles: Floats, cutoff_hz: Floats, q: Floats, states: States) -> torch.Tensor:
        """A chunk of each voice, as ``TorchVoices.sound``; the interpreter lock is free meanwhile.

        The answer is overwritten by the next call.
        """
        voices, points = cutoff_hz.shape
        cycles, cutoff_hz, q = (np.ascontiguousarray(a, dtype=np.float64) for a in (cycles, cutoff_hz, q))
        moved = np.ascontiguousarray(states)
        size = (points - 1) * SEGMENT_FRAMES * voices
        if size > len(self._sound):
            self._sound = torch.empty(size)
        sound = self._sound[:size].view(points - 1, SEGMENT_FRAMES, voices)
        arrays = (self._returned, self._returned[1:], cycles, cutoff_hz, q, moved)
        places = (*(a.ctypes.data for a in arrays), sound.data_ptr(), voices, points)
        self._call(*places, *(a.ctypes.data for a in self._room))
        if moved is not states:
            states[:] = moved
        return sound.transpose(1, 2)


@dataclass(slots=True)
class KernelShelf:
    """Where renderers find the kernel once it is there; shared by all stations of a daemon.

    Attributes:
        call: the machine code; None while torch plays.
        why: one line for people: what is used and why.
    """

    call: Call | None = None
    why: str = "torch alone: the kernel was not looked for"

    def voices(self) -> TorchVoices | CompiledVoices:
        """Voices for one renderer, the fastest there are just now."""
        return TorchVoices() if self.call is None else CompiledVoices(self.call)

    def fill(self, directory: Path) -> bool:
        """Put the kernel kept in ``directory`` on the shelf, or say why it is not; whether it is there."""
        try:
            self.call = load(directory)
        except KernelError as error:
            self.why = f"torch alone: {error}"
        else:
            self.why = "the compiled kernel, found in the cache"
        return self.call is not None


def can_compile() -> bool:
    """Whether numba is installed, without importing it."""
    return importlib.util.find_spec("numba") is not None


def object_file(directory: Path) -> Path:
    """Where the machine code for this kernel, compiler and processor is kept.

    Raises:
        KernelError: llvmlite is not installed.
    """
    llvm = _llvm()
    source = importlib.util.find_spec("auralisd.synthesis.kernel")
    if source is None or source.origin is None:
        raise KernelError("its source is missing; install auralisd again")
    parts = (Path(source.origin).read_bytes().hex(), *_compilers(), llvm.get_host_cpu_name(),
             llvm.get_host_cpu_features().flatten(), llvm.get_process_triple())  # fmt: skip
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return directory / f"analogue-{digest[:24]}.o"


def make(directory: Path) -> Path:
    """Compile the kernel and keep it; takes some seconds and 300 MB, so it is done in a process of its own.

    Raises:
        KernelError: numba is missing, or the directory cannot be written.
    """
    llvm = _llvm()
    try:
        from auralisd.synthesis import kernel
    except ImportError as error:
        raise KernelError(f"numba is not installed ({error}); uv sync --extra kernel brings it") from error
    module = llvm.parse_assembly(kernel.vector_code())
    machine = _machine(llvm)
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    for function in module.functions:
        if _NAME in function.name and not function.is_declaration:
            function.name = _NAME
        elif not function.is_declaration:
            function.linkage = "internal"
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3)))
    code = machine.emit_object(module)
    path = object_file(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
            file.write(hashlib.sha256(code).digest() + code)
        Path(file.name).replace(path)
        _forget_older(path)
    except OSError as error:
        raise KernelError(f"{directory} cannot be written: {error.strerror}") from error
    return path


def load(directory: Path) -> Call:
    """The kernel kept in ``directory``.

    Raises:
        KernelError: there is none, it is not ours alone to write, or it does not sound as torch does.
    """
    path = object_file(directory)
    llvm = _llvm()
    try:
        for place in (path, directory):
            _owned(place)
        checksum, code = _split(path.read_bytes())
    except FileNotFoundError:
        raise KernelError("the kernel has not been compiled on this machine yet") from None
    except OSError as error:
        raise KernelError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(code).digest() != checksum:
        raise KernelError(f"{path} is damaged; delete it")
    try:
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine(llvm))
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        address = engine.get_function_address(_NAME)
    except RuntimeError as error:
        raise KernelError(f"{path} cannot be loaded: {error}") from error
    pointer, whole = ctypes.c_void_p, ctypes.c_int64
    call: Any = ctypes.CFUNCTYPE(ctypes.c_int32, *[pointer] * 7, whole, whole, *[pointer] * 4)(address)
    call.engine = engine  # the code lives as long as its engine
    if not _sounds_like_torch(call):
        raise KernelError(f"{path} does not sound as torch does; delete it")
    return call  # type: ignore[no-any-return]


def _split(content: bytes) -> tuple[bytes, bytes]:
    size = hashlib.sha256().digest_size
    return content[:size], content[size:]


def _sounds_like_torch(call: Call) -> bool:
    generator = np.random.default_rng(0)
    voices, points = LANES + 3, 6
    steps = generator.uniform(0.05, 3.0, size=(voices, SAWS, 1))
    cycles = generator.uniform(size=(voices, SAWS, 1)) + steps * np.arange(points)
    cutoff_hz = generator.uniform(100.0, 8_000.0, size=(voices, points))
    q = generator.uniform(0.6, 4.0, size=voices)
    states = [np.zeros((2, voices), dtype=np.float32) for _ in range(2)]
    wanted = TorchVoices().sound(cycles, cutoff_hz, q, states[0])
    difference = CompiledVoices(call).sound(cycles, cutoff_hz, q, states[1]) - wanted
    return bool(difference.square().mean().sqrt() < _ALIKE * wanted.square().mean().sqrt())


def _owned(path: Path) -> None:
    """Refuse what another user of the machine could have written."""
    status = path.stat()
    if hasattr(os, "geteuid") and (status.st_uid not in {os.geteuid(), 0} or status.st_mode & 0o022):
        raise KernelError(f"{path} can be written by others; chmod go-w, or delete it")


def _forget_older(path: Path) -> None:
    """Remove what was compiled for another version or processor: one is ever needed."""
    for other in path.parent.glob("analogue-*.o"):
        if other != path:
            other.unlink(missing_ok=True)


def _compilers() -> tuple[str, ...]:
    found = []
    for name in ("numba", "llvmlite"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return tuple(found)


def _llvm() -> Any:
    try:
        import llvmlite.binding as llvm
    except ImportError as error:
        raise KernelError("it is not installed (uv sync --extra kernel)") from error
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _machine(llvm: Any) -> Any:
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, reloc="pic", jit=True
    )


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{make(Path(sys.argv[1]))}\n")
    except KernelError as error:
        sys.exit(str(error))
