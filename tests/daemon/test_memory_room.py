"""What the kernel says of memory, on files such as it writes."""

import pytest

from auralisd.daemon.memory_room import EXPORT_BYTES, KEPT_FREE_BYTES, STATION_BYTES, require, room_bytes
from auralisd.errors import MemoryShortError

MEMINFO = (
    "MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    5000000 kB\nHugePages_Total:       0\n"
)
FAR_MORE = str(2**63 - 4096)


@pytest.fixture
def machine(tmp_path):
    """Writes what the kernel would, and asks."""

    class Machine:
        proc, groups = tmp_path / "proc", tmp_path / "groups"

        def write(self, text, *parts):
            file = tmp_path.joinpath(*parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

        def room(self):
            return room_bytes(self.proc, self.groups)

    machine = Machine()
    machine.write(MEMINFO, "proc", "meminfo")
    return machine


def test_where_nothing_else_limits_it_the_room_is_the_machines(machine):
    assert machine.room() == 5_120_000_000


def test_where_the_system_tells_nothing_nothing_is_said(machine, tmp_path):
    assert room_bytes(tmp_path / "none", tmp_path / "none") is None


def test_the_narrowest_of_all_groups_above_counts_and_what_is_only_cached_is_free(machine):
    machine.write("0::/system.slice/auralisd.service\n", "proc", "self", "cgroup")
    machine.write("max\n", "groups", "system.slice", "auralisd.service", "memory.max")
    machine.write("700000000\n", "groups", "system.slice", "auralisd.service", "memory.current")
    assert machine.room() == 5_120_000_000
    machine.write("1000000000\n", "groups", "system.slice", "memory.max")
    machine.write("900000000\n", "groups", "system.slice", "memory.current")
    machine.write("anon 600000000\ninactive_file 50000000\n", "groups", "system.slice", "memory.stat")
    assert machine.room() == 150_000_000


def test_groups_of_the_first_version_count_too_and_those_of_other_things_do_not(machine):
    machine.write("4:memory:/box\n1:cpu:/elsewhere\n0::/\n", "proc", "self", "cgroup")
    machine.write(FAR_MORE, "groups", "memory", "memory.limit_in_bytes")
    machine.write("1000", "groups", "memory", "memory.usage_in_bytes")
    assert machine.room() == 5_120_000_000
    machine.write("300000000", "groups", "memory", "box", "memory.limit_in_bytes")
    machine.write("250000000", "groups", "memory", "box", "memory.usage_in_bytes")
    machine.write("total_inactive_file 10000000\n", "groups", "memory", "box", "memory.stat")
    assert machine.room() == 60_000_000


@pytest.mark.parametrize("wanted", [STATION_BYTES, EXPORT_BYTES])
def test_what_does_not_fit_is_refused_with_what_has_to_be_free(wanted):
    require("station", wanted, lambda: wanted + KEPT_FREE_BYTES)
    require("station", wanted, lambda: None)
    with pytest.raises(MemoryShortError) as refused:
        require("station", wanted, lambda: wanted + KEPT_FREE_BYTES - 1)
    assert refused.value.wanted_bytes == wanted + KEPT_FREE_BYTES
    assert f"{(wanted + KEPT_FREE_BYTES) / 1e6:.0f} MB have to be free" in str(refused.value)


def test_on_this_machine_it_is_told():
    room = room_bytes()
    assert room is None or 0 < room < 2**50
