"""What a block asks of a GPU, tried without one.

torch's ``meta`` device stands in for it: its tensors have shapes and types but no numbers, so whatever would wait for
one fails, as would a copy back that this file does not count.
"""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from auralisd.controls import Controls
from auralisd.score import Note, ScoreSlice
from auralisd.synthesis.renderer import Renderer
from auralisd.synthesis.sounding import played_with
from auralisd.synthesis.uploads import Uploads
from auralisd.units import BLOCK_FRAMES, SAMPLE_RATE_HZ
from tests.benchmarks.peers import PAD_VOICE

COPIES = ("_to_copy", "copy_")
WAITING = ("_local_scalar_dense", "nonzero", "equal", "is_nonzero", "masked_select", "_unique2")


class Watch(TorchDispatchMode):
    """Counts what goes to the stand-in and comes from it, and refuses float64 there, as MPS does."""

    def __init__(self) -> None:
        super().__init__()
        self.back = self.waited = self.there = 0
        self.wide: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        with self:  # what is made of others, such as ``Tensor.to``, is looked at in its parts
            parts = function.decompose(*args, **kwargs)
        if parts is not NotImplemented:
            return parts
        name = function.overloadpacket.__name__
        given = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)]
        on_device = [value for value in given if value.is_meta]
        if name in WAITING and on_device:
            self.waited += 1
        if name == "_to_copy" and on_device and torch.device(kwargs.get("device") or "meta").type == "cpu":
            self.back += 1
            return torch.zeros(given[0].shape, dtype=given[0].dtype)
        if name in COPIES and any(not value.is_meta and value.dim() for value in given):
            to_device = torch.device(kwargs.get("device") or "cpu").type == "meta" if name == "_to_copy" else on_device
            if to_device:
                self.there += 1
                waits = not (kwargs.get("non_blocking") or (name == "copy_" and len(args) > 2 and args[2]))
                self.waited += waits
        answer = function(*args, **kwargs)
        for value in answer if isinstance(answer, tuple | list) else (answer,):
            if isinstance(value, torch.Tensor) and value.is_meta and value.dtype in {torch.float64, torch.complex128}:
                self.wide.append(name)
        return answer


@pytest.fixture
def everything(whole_piece):
    """Every layer, with analogue voices, and notes that begin inside a segment."""
    return whole_piece(4.0)


def test_a_block_waits_for_the_device_once_and_that_is_its_copy_back(everything):
    renderer = Renderer(seed=5, device="meta")
    renderer.accept(everything)
    with Watch() as watch:
        for block in range(30):
            renderer.render(Controls(space=0.9 if block > 5 else 0.3))
    assert watch.there > 100
    assert watch.waited == 0
    assert watch.back == 30


def test_nothing_on_the_device_is_in_float64_which_mps_does_not_have(everything):
    renderer = Renderer(seed=5, device="meta")
    renderer.accept(everything)
    with Watch() as watch:
        for _ in range(20):
            renderer.render(Controls())
    assert watch.wide == []


def test_analogue_voices_come_to_the_device_without_waiting(monkeypatch):
    note = Note(note_id=1, layer="pad", role="pad", onset_frames=100, duration_frames=SAMPLE_RATE_HZ, pitch_midi=60,
                velocity=0.7)  # fmt: skip
    monkeypatch.setattr("auralisd.synthesis.notes.prepared", lambda note, seed, **_: played_with(PAD_VOICE, note, seed))
    renderer = Renderer(seed=5, device="meta")
    renderer.accept(ScoreSlice(start_frames=0, end_frames=BLOCK_FRAMES, notes=(note,)))
    with Watch() as watch:
        for _ in range(4):
            renderer.render(Controls())
    assert renderer.statistics().sounding_strands == 1
    assert (watch.waited, watch.back, watch.wide) == (0, 4, [])


@pytest.mark.parametrize(
    "wait",
    [
        lambda place: torch.zeros(3, device=place).sum().item(),
        lambda place: torch.ones(3).to(place),
        lambda place: torch.zeros(3, device=place).copy_(torch.ones(3)),
    ],
)
def test_the_watch_sees_what_waits(wait):
    with Watch() as watch, contextlib.suppress(RuntimeError):  # there is no number to be had
        wait(torch.device("meta"))
    assert watch.waited == 1


def test_the_watch_sees_float64_and_copies_back():
    with Watch() as watch:
        torch.zeros(3, dtype=torch.float64, device="meta").cpu()
    assert watch.wide
    assert watch.back == 1


def test_what_is_sent_is_kept_until_it_has_been_read():
    uploads = Uploads(torch.device("meta"))
    sources = [torch.zeros(3) for _ in range(40)]
    for source in sources:
        uploads(source)
    assert len(uploads._held) == 32
    assert uploads._held[-1] is sources[-1]


def test_a_renderer_multiplies_in_whole_float32_and_never_in_tf32():
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        Renderer(seed=1)
        assert torch.get_float32_matmul_precision() == "highest"
    finally:
        torch.set_float32_matmul_precision(before)
