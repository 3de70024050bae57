from __future__ import annotations

import pytest
import torch

from auralisd.errors import DeviceError
from auralisd.synthesis import choose_device
from auralisd.synthesis.device import translated


@pytest.fixture(name="machine")
def machine_fixture(monkeypatch):
    """A machine with the GPUs named."""

    def machine(*kinds, cuda_devices=2):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in kinds)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda_devices if "cuda" in kinds else 0)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"Imaginary {index}")
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in kinds)

    return machine


@pytest.mark.parametrize(
    ("kinds", "best"), [(("cuda", "mps"), "cuda"), (("cuda",), "cuda"), (("mps",), "mps"), ((), "cpu")]
)
def test_cuda_is_taken_before_mps_before_cpu_and_the_reason_is_said(machine, kinds, best):
    machine(*kinds)
    chosen = choose_device()
    assert chosen.name == best
    assert chosen.why.startswith(best)
    assert len(chosen.why) > 20


def test_a_device_is_taken_by_name_and_number(machine):
    machine("cuda")
    assert choose_device("cuda:1").name == "cuda:1"
    assert "Imaginary 1" in choose_device("cuda:1").why
    assert choose_device("cpu").name == "cpu"


@pytest.mark.parametrize("wanted", ["mps", "cuda:2", "cuda:x", "tpu", "cpu:1", ""])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(machine, wanted):
    machine("cuda")
    with pytest.raises(DeviceError) as caught:
        choose_device(wanted)
    assert caught.value.available == ("cuda", "cpu")


def test_running_out_of_memory_is_told_from_a_lost_device():
    assert translated(MemoryError()).cause == "out_of_memory"
    assert translated(RuntimeError("MPS backend out of memory")).cause == "out_of_memory"
    assert translated(RuntimeError("cuFFT error: CUFFT_INTERNAL_ERROR")).cause == "device_lost"
    assert translated(RuntimeError("size mismatch")).cause == "failed"
