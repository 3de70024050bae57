"""The kernel as machine code: made once per machine, kept in a file, loaded in a moment.

Machine code is only taken from a file of our own that nobody else may write, named after all that decides it
(source, compiler, processor) and with its checksum in front.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import tempfile
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from auralisd.kernel.shelf import Call, Kernel, KernelError

_ARGUMENTS: Final = {
    "analogue_voices": 10, "mixed_strands": 20, "summed_partitions": 4, "echoed_rows": 11, "filtered_rows": 5,
    "gathered_rows": 6, "mastered_rows": 10, "dithered_rows": 4,
}  # fmt: skip
_SOURCES: Final = ("layout", "voices", "desk", "room", "compile")


def can_compile() -> bool:
    """Whether numba is installed, without importing it."""
    return importlib.util.find_spec("numba") is not None


def object_file(directory: Path) -> Path:
    """Where the machine code for this kernel, compiler and processor is kept.

    Raises:
        KernelError: llvmlite is not installed.
    """
    llvm = _llvm()
    try:
        sources = [Path(__file__).with_name(f"{name}.py").read_bytes().hex() for name in _SOURCES]
    except OSError as error:
        raise KernelError(f"its source is missing ({error.filename}); install auralisd again") from error
    parts = (*sources, *_compilers(), llvm.get_host_cpu_name(),
             llvm.get_host_cpu_features().flatten(), llvm.get_process_triple())  # fmt: skip
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return directory / f"kernel-{digest[:24]}.o"


def make(directory: Path) -> Path:
    """Compile the kernel and keep it; takes some seconds and 300 MB, so it is done in a process of its own.

    Raises:
        KernelError: numba is missing, or the directory cannot be written.
    """
    llvm = _llvm()
    try:
        from auralisd.kernel.compile import vector_code
    except ImportError as error:
        raise KernelError(f"numba is not installed ({error}); uv sync --extra kernel brings it") from error
    machine = _machine(llvm)
    module = llvm.parse_assembly("")
    for name, assembly in vector_code().items():
        module.link_in(_exporting(llvm.parse_assembly(assembly), name))
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3)))
    code = machine.emit_object(module)
    path = object_file(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
            file.write(hashlib.sha256(code).digest() + code)
        Path(file.name).replace(path)
        forget_older(path)
    except OSError as error:
        raise KernelError(f"{directory} cannot be written: {error.strerror}") from error
    return path


def load(directory: Path) -> Kernel:
    """The kernel kept in ``directory``.

    Raises:
        KernelError: there is none, it is not ours alone to write, or it is damaged.
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
        calls = {name: _call(engine.get_function_address(name), count) for name, count in _ARGUMENTS.items()}
    except RuntimeError as error:
        raise KernelError(f"{path} cannot be loaded: {error}") from error
    return Kernel(**calls, engine=engine)


def _call(address: int, arguments: int) -> Call:
    """The function at ``address``; numba's functions write None and no exception to the two places before."""
    returned = (ctypes.c_int64 * 2)()
    function = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * (2 + arguments))(address)
    return partial(function, returned, ctypes.byref(returned, 8))


def _exporting(module: Any, name: str) -> Any:
    """``module`` with one function to be seen, ``name``."""
    for function in module.functions:
        if function.is_declaration:
            continue
        if name in function.name:
            function.name = name
        else:
            function.linkage = "internal"
    return module


def _split(content: bytes) -> tuple[bytes, bytes]:
    size = hashlib.sha256().digest_size
    return content[:size], content[size:]


def _owned(path: Path) -> None:
    """Refuse what another user of the machine could have written."""
    status = path.stat()
    if hasattr(os, "geteuid") and (status.st_uid not in {os.geteuid(), 0} or status.st_mode & 0o022):
        raise KernelError(f"{path} can be written by others; chmod go-w, or delete it")


def forget_older(path: Path) -> None:
    """Remove what was compiled for another version or processor: one is ever needed."""
    for other in path.parent.glob("*.o"):
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
