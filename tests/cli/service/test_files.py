"""What is on the disk is compared, replaced whole, and taken away only where it was written by us."""

from __future__ import annotations

import os
import stat

import pytest

from auralisd.cli.service.files import difference, ours, refuse_foreign, state_of, take_away, write
from auralisd.cli.service.places import SERVICE
from auralisd.cli.service.units import MARK, SEALED, PlannedFile
from auralisd.errors import ServiceError
from tests.cli.service.written import places_below


@pytest.fixture
def places(tmp_path):
    return places_below(tmp_path)


def unit(places, words="one") -> PlannedFile:
    return PlannedFile(path=places.units / SERVICE, content=f"{MARK}\n{words}\n")


def test_a_file_is_new_then_as_it_is_then_changed(places):
    assert state_of(unit(places)) == "new"
    write(unit(places))
    assert state_of(unit(places)) == "as it is"
    assert state_of(unit(places, "two")) == "changed"


def test_a_written_file_is_for_everybody_to_read_and_leaves_nothing_beside_it(places):
    before = os.umask(0o077)
    try:
        write(unit(places))
    finally:
        os.umask(before)
    assert [path.name for path in places.units.iterdir()] == [SERVICE]
    assert stat.S_IMODE((places.units / SERVICE).stat().st_mode) == 0o644


def test_a_file_that_cannot_be_put_in_its_place_leaves_the_old_one_and_nothing_else(places, monkeypatch):
    write(unit(places))

    def no_room(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(ServiceError, match="No space left"):
        write(unit(places, "two"))
    assert [path.name for path in places.units.iterdir()] == [SERVICE]
    assert (places.units / SERVICE).read_text() == unit(places).content


def test_what_would_change_is_shown_as_a_patch(places):
    write(unit(places))
    patch = difference(unit(places, "two"))
    assert "-one\n" in patch
    assert "+two\n" in patch


def test_a_configuration_that_is_there_is_left_to_its_owner(places):
    once = PlannedFile(path=places.config_file, content="port = 1\n", once=True)
    assert state_of(once) == "new"
    write(PlannedFile(path=places.config_file, content="port = 2\n"))
    assert state_of(once) == "yours"


def test_a_unit_that_somebody_else_wrote_is_refused_by_name(places):
    write(PlannedFile(path=places.units / SERVICE, content="[Unit]\n"))
    assert state_of(unit(places)) == "foreign"
    with pytest.raises(ServiceError, match=rf"rm {places.units / SERVICE}"):
        refuse_foreign([unit(places)])
    assert ours(places) == ()


def test_the_folder_of_drop_ins_goes_with_the_last_of_ours(places):
    drop_in = PlannedFile(path=places.drop_ins / SEALED, content=f"{MARK}\n")
    write(drop_in)
    write(PlannedFile(path=places.drop_ins / "override.conf", content="[Service]\n"))
    assert ours(places) == (drop_in.path,)
    take_away(drop_in.path, places)
    assert [path.name for path in places.drop_ins.iterdir()] == ["override.conf"]
    (places.drop_ins / "override.conf").unlink()
    write(drop_in)
    take_away(drop_in.path, places)
    assert not places.drop_ins.exists()


def test_what_is_in_the_way_is_named(places):
    places.units.parent.mkdir(exist_ok=True)
    places.units.write_text("a file where the folder should be")
    with pytest.raises(ServiceError, match=str(places.units)):
        write(unit(places))
