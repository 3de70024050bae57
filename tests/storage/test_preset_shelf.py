"""The shelf: built-in presets beside saved ones."""

from __future__ import annotations

import pytest

from auralisd.errors import ConflictError, ControlsError, StorageError, UnknownNameError
from auralisd.station import Preset
from auralisd.storage import preset_shelf
from auralisd.storage.preset_shelf import SavedPresetShelf
from auralisd.storage.state_file import StateFile

BUILT_IN = (
    Preset(name="Focus", controls={"intensity": 0.4}, built_in=True),
    Preset(name="Sleep", controls={"tempo_bpm": 50.0}, built_in=True),
)


async def run_inline(job):
    return job()


async def run_on_a_full_disk(job):
    raise StorageError("auralis.db", "disk full", "Make room on the disk.")


@pytest.fixture
def state(tmp_path):
    with StateFile(tmp_path) as opened:
        yield opened


def shelf(state, run_in_worker=run_inline, built_in=BUILT_IN):
    return SavedPresetShelf(state, built_in=built_in, run_in_worker=run_in_worker)


async def test_what_another_process_saved_is_there_once_it_is_read_again(state):
    here, there = shelf(state), shelf(state)
    await there.save("night", {"bpm": 45})
    assert [preset.name for preset in await here.all()] == ["Focus", "Sleep"]
    here.read_again()
    assert [preset.name for preset in await here.all()] == ["Focus", "Sleep", "night"]


async def test_saved_presets_follow_the_built_in_ones_and_come_back(state):
    presets = shelf(state)
    await presets.save("night", {"bpm": 45, "layers": {"bells": False}})
    await presets.save("Attic", {"key": "db"})
    for each in (presets, shelf(state)):
        assert [(preset.name, preset.built_in) for preset in await each.all()] == [
            ("Focus", True),
            ("Sleep", True),
            ("Attic", False),
            ("night", False),
        ]
        assert (await each.get("NIGHT ")).controls == {"tempo_bpm": 45.0, "layers": {"bells": "off"}}
        assert (await each.get("attic")).controls == {"key": "C#"}


async def test_a_preset_that_is_not_there_is_named_with_those_that_are(state):
    with pytest.raises(UnknownNameError) as caught:
        await shelf(state).get("Nap")
    assert (caught.value.kind, caught.value.known) == ("preset", ("Focus", "Sleep"))
    with pytest.raises(UnknownNameError):
        await shelf(state).delete("Nap")


async def test_built_in_presets_stay(state):
    presets = shelf(state)
    with pytest.raises(ConflictError):
        await presets.save("fOCUS", {})
    with pytest.raises(ConflictError):
        await presets.delete("focus")
    assert (await presets.get("Focus")).controls == {"intensity": 0.4}


async def test_a_full_shelf_takes_no_more_but_still_replaces(state, monkeypatch):
    monkeypatch.setattr(preset_shelf, "SAVED_PRESETS_MAX", 2)
    presets = shelf(state)
    await presets.save("a", {})
    await presets.save("b", {})
    with pytest.raises(ConflictError, match="delete one first"):
        await presets.save("c", {})
    await presets.save("B", {"key": "D"})
    await presets.delete("a")
    await presets.save("c", {})
    assert [preset.name for preset in await presets.all()][2:] == ["B", "c"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "two\nlines", "nul\0", "\ud800", "tab\tbed"])
async def test_a_name_that_cannot_be_shown_is_refused(state, name):
    with pytest.raises(ControlsError) as caught:
        await shelf(state).save(name, {})
    assert caught.value.field == "name"


async def test_controls_out_of_range_are_refused(state):
    presets = shelf(state)
    with pytest.raises(ControlsError):
        await presets.save("x", {"tempo_bpm": 5})
    assert len(await presets.all()) == 2


async def test_what_the_disk_refuses_is_not_on_the_shelf_and_what_was_there_stays(state):
    await shelf(state).save("Attic", {"key": "D"})
    presets = shelf(state, run_on_a_full_disk)
    with pytest.raises(StorageError):
        await presets.save("Cellar", {})
    with pytest.raises(StorageError):
        await presets.save("Attic", {"key": "E"})
    with pytest.raises(StorageError):
        await presets.delete("Attic")
    assert [(preset.name, dict(preset.controls)) for preset in await presets.all()][2:] == [("Attic", {"key": "D"})]


async def test_a_saved_preset_whose_name_a_release_took_gives_way(state):
    await shelf(state).save("Bright", {"key": "D"})
    presets = shelf(state, built_in=(*BUILT_IN, Preset(name="Bright", controls={"brightness": 0.8}, built_in=True)))
    assert (await presets.get("bright")).built_in
    assert len(await presets.all()) == 3
