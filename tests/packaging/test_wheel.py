"""What the wheel holds: the program, the page, the units and the sound it begins with, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = directory.glob("*.whl")
    return built


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_below(directory: Path) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def test_the_wheel_holds_the_whole_page_inside_the_package(wheel):
    assert {f"auralisd/{name}" for name in files_below(ROOT / "client")} <= names(wheel)
    assert "auralisd/client/index.html" in names(wheel)


def test_the_wheel_holds_the_units_of_systemd_inside_the_package(wheel):
    assert {f"auralisd/{name}" for name in files_below(ROOT / "systemd")} <= names(wheel)
    assert "auralisd/systemd/auralisd.service" in names(wheel)


def test_the_wheel_holds_every_module_and_the_bed(wheel):
    assert files_below(ROOT / "auralisd") <= names(wheel)
    assert any(name.startswith("auralisd/assets/bed.") for name in names(wheel))


def test_the_wheel_puts_nothing_beside_the_package(wheel):
    assert {name.partition("/")[0] for name in names(wheel)} == {
        "auralisd",
        wheel.name[: -len("-py3-none-any.whl")] + ".dist-info",
    }


def test_the_licence_and_the_command_come_along(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "auralisd = auralisd.cli:main" in archive.read(entry_points).decode()
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())


def test_the_unpacked_wheel_answers_from_another_folder(wheel, tmp_path):
    unpacked, elsewhere = tmp_path / "unpacked", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    script = (
        "import auralisd, importlib.resources as r;"
        "from auralisd.cli.service.places import shipped_systemd_directory as units;"
        "print(auralisd.__file__); print((r.files('auralisd') / 'client' / 'index.html').is_file());"
        "print(units() / 'auralisd.service')"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        cwd=elsewhere,
        env={"PYTHONPATH": f"{unpacked}{os.pathsep}{os.pathsep.join(sys.path)}", "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.splitlines()
    assert Path(shown[0]).is_relative_to(unpacked)
    assert shown[1] == "True"
    assert Path(shown[2]).is_file()
    assert Path(shown[2]).is_relative_to(unpacked)
