"""What stations leave behind is given back, some seconds later and once for all who left together."""

import platform
import subprocess
import sys

import pytest
import trio

from auralisd.daemon.spare_memory import SpareMemory
from auralisd.daemon.tasks.memory_task import SETTLED_SECONDS, run_memory
from auralisd.daemon.tasks.station_task import LINGER_SECONDS
from auralisd.daemon.worker import run_inline
from tests.daemon.stations import new_station, new_studio, on_air


@pytest.fixture
async def given_back(nursery):
    spare, times = SpareMemory(), []
    nursery.start_soon(run_memory, spare, lambda: times.append(trio.current_time()), run_inline)
    return spare, times


async def test_what_several_leave_at_once_is_given_back_once(autojump_clock, given_back):
    spare, times = given_back
    began_at = trio.current_time()
    for _ in range(3):
        spare.leave()
        await trio.sleep(0.5)
    await trio.sleep(3600)
    assert len(times) == 2, "the first, and those who left while that was waited for"
    assert times[0] - began_at == pytest.approx(SETTLED_SECONDS)


async def test_nothing_is_given_back_while_nobody_leaves(autojump_clock, given_back):
    await trio.sleep(3600)
    assert given_back[1] == []


async def test_a_station_that_goes_off_the_air_or_is_removed_leaves_its_memory_behind(autojump_clock):
    studio = new_studio()
    station = new_station(studio)
    async with on_air(station, studio):
        await trio.sleep(5)
        with trio.move_on_after(1) as nothing_left:
            await studio.spare_memory.wait_left()
        assert nothing_left.cancelled_caught
    with trio.fail_after(LINGER_SECONDS + 1):
        await studio.spare_memory.wait_left()


LEAVES_HOLES = """
import threading
from auralisd.daemon.spare_memory import give_back

def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

def fill():
    blocks = [bytearray(60_000) for _ in range(4000)]
    last.append(bytearray(60_000))

last = []
thread = threading.Thread(target=fill)
thread.start()
thread.join()
before = resident_mb()
give_back()
print(before - resident_mb())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library sees to this by itself, or not at all")
def test_what_a_thread_has_freed_goes_back_to_the_system():
    finished = subprocess.run([sys.executable, "-c", LEAVES_HOLES], capture_output=True, text=True, check=True)
    assert float(finished.stdout) > 100
