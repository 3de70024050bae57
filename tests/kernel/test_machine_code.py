"""Machine code is made in a process of its own, and taken only from a file nobody else could have written."""

from __future__ import annotations

import os
import shutil

import pytest

from auralisd.kernel import KernelError, machine_code


@pytest.fixture
def copied(kernel_directory, tmp_path):
    directory = tmp_path / "cache"
    shutil.copytree(kernel_directory, directory)
    return directory


def test_machine_code_that_others_could_have_written_is_refused(copied):
    machine_code.object_file(copied).chmod(0o666)
    with pytest.raises(KernelError, match="can be written by others"):
        machine_code.load(copied)


def test_a_directory_in_which_others_could_write_is_refused(copied):
    copied.chmod(0o777)
    with pytest.raises(KernelError, match="can be written by others"):
        machine_code.load(copied)


def test_a_damaged_file_is_refused(copied):
    file = machine_code.object_file(copied)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(KernelError, match="is damaged"):
        machine_code.load(copied)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(KernelError, match="cannot be written"):
        machine_code.make(tmp_path / "below")
