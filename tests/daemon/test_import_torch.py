"""What is made of a device that cannot do what it promised, before anybody listens."""

import gc

import pytest
import trio

from auralisd.daemon.tasks import import_torch as task
from auralisd.daemon.worker import run_inline
from auralisd.errors import DeviceError, RenderError
from auralisd.synthesis import device as devices
from tests.daemon.stations import ToneInstrument, new_studio


@pytest.fixture(autouse=True)
def unfrozen():
    yield
    gc.unfreeze()


def an_instrument_of(failing_device, error):
    """An instrument that raises where it is built on ``failing_device``."""

    class Instrument(ToneInstrument):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            if self.device == failing_device:
                raise error

    return Instrument


@pytest.fixture
def choose_cuda(monkeypatch):
    def choose(wanted):
        name = "cuda" if wanted == "auto" else wanted
        return devices.ChosenDevice(name, f"{name}, for the test")

    monkeypatch.setattr(devices, "choose_device", choose)


async def test_a_device_that_can_play_is_taken(autojump_clock, choose_cuda):
    studio = new_studio(ready=False, device="none")
    await task.import_torch(studio, "auto")
    assert (studio.device.name, studio.device.why) == ("cuda", "cuda, for the test")
    assert studio.can_render.is_set()


async def test_the_collector_looks_no_more_through_what_was_imported(autojump_clock, choose_cuda):
    await task.import_torch(new_studio(ready=False, device="none"), "auto")
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 1_000


@pytest.mark.parametrize(
    "error", [RenderError("failed", "no such operation"), TypeError("no such operation in float64"), OSError("no such")]
)
async def test_a_device_that_cannot_play_is_left_for_the_cpu(autojump_clock, choose_cuda, error):
    studio = new_studio(an_instrument_of("cuda", error), ready=False, device="none")
    await task.import_torch(studio, "auto")
    assert studio.device.name == "cpu"
    assert "cuda could not play" in studio.device.why
    assert "no such" in studio.device.why
    assert studio.can_render.is_set()


async def test_a_device_that_hangs_is_not_waited_for(autojump_clock, choose_cuda):
    async def worker(job, *args):
        if args[-1:] == ("cuda",):
            await trio.sleep_forever()
        return await run_inline(job, *args)

    studio = new_studio(ready=False, device="none", new_worker=lambda: worker)
    await task.import_torch(studio, "auto")
    assert studio.device.name == "cpu"
    assert studio.can_render.is_set()


@pytest.mark.parametrize("error", [DeviceError("cuda:9", ("cpu",)), RuntimeError("the driver is too old")])
async def test_a_device_that_is_not_there_is_a_reason_to_play_on_the_cpu(autojump_clock, monkeypatch, error):
    def choose(wanted):
        if wanted != "cpu":
            raise error
        return devices.ChosenDevice("cpu", "cpu, for the test")

    monkeypatch.setattr(devices, "choose_device", choose)
    studio = new_studio(ready=False, device="none")
    await task.import_torch(studio, "cuda:9")
    assert (studio.device.name, studio.device.why) == ("cpu", str(error))


async def test_a_cpu_that_fails_at_first_is_left_to_the_supervision_of_each_station(autojump_clock):
    studio = new_studio(an_instrument_of("cpu", RenderError("failed", "of the test")), ready=False, device="none")
    await task.import_torch(studio, "cpu")
    assert studio.device.name == "cpu"
    assert studio.can_render.is_set()
