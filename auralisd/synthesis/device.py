"""Where the sound is computed: cuda, mps or cpu, and why."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from auralisd.errors import DeviceError, RenderError


@dataclass(frozen=True, slots=True)
class ChosenDevice:
    """A device and the sentence that says why it was taken.

    Attributes:
        name: ``cuda``, ``cuda:1``, ``mps`` or ``cpu``, as torch spells it.
        why: one line for the log and for people.
    """

    name: str
    why: str


def available_devices() -> tuple[str, ...]:
    """Kinds of device that work here, best first; ``cpu`` is always the last."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def choose_device(wanted: str = "auto") -> ChosenDevice:
    """The device to render on: ``auto`` takes cuda before mps before cpu.

    Args:
        wanted: ``auto``, ``cpu``, ``mps``, ``cuda`` or ``cuda:N``.

    Raises:
        DeviceError: if a device was asked for by name and is not there.
    """
    available = available_devices()
    if wanted == "auto":
        return ChosenDevice(available[0], _why_automatic(available))
    kind, _, number = wanted.partition(":")
    if kind not in available:
        raise DeviceError(wanted, available)
    if number and (kind != "cuda" or not number.isdigit() or int(number) >= torch.cuda.device_count()):
        raise DeviceError(wanted, available)
    return ChosenDevice(wanted, f"{wanted}, as asked for{_described(kind, int(number or 0))}")


def _why_automatic(available: tuple[str, ...]) -> str:
    best = available[0]
    if best == "cpu":
        missing = "this torch is built without CUDA" if torch.version.cuda is None else "no CUDA device answers"
        return f"cpu: {missing}, and no Apple GPU is there"
    return f"{best}: the fastest of {', '.join(available)}{_described(best, 0)}"


def _described(kind: str, number: int) -> str:
    return f" ({torch.cuda.get_device_name(number)})" if kind == "cuda" else ""


def translated(error: Exception) -> RenderError:
    """The ``RenderError`` a failure of torch becomes, with its cause told apart."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "out of memory" in text.lower():
        return RenderError("out_of_memory", text)
    lowered = text.lower()
    if any(sign in lowered for sign in ("cuda error", "cublas", "cufft", "cudnn", "device-side", "mps backend")):
        return RenderError("device_lost", text)
    return RenderError("failed", text)
