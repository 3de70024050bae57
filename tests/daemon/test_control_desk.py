import pytest

from auralisd.controls import Controls
from auralisd.daemon.control_desk import LOG_ENTRIES_MOST, ControlDesk, split_change
from auralisd.errors import ControlsError
from auralisd.score import ControlChange


def test_the_log_gives_the_controls_of_every_moment_back():
    desk = ControlDesk()
    desk.record({"intensity": 0.2}, at_frames=4410, cause="rest")
    desk.record({"layers": {"bells": "off"}}, at_frames=8820, cause="ws")
    assert desk.controls_at(0) == Controls()
    assert desk.controls_at(4410).intensity == 0.2
    assert desk.controls_at(8820).layers["bells"] == "off"
    assert desk.controls == desk.controls_at(8820)


def test_entries_are_kept_in_the_order_in_which_they_are_heard():
    desk = ControlDesk()
    desk.record({"key": "D"}, at_frames=9000, cause="rest")
    desk.record({"space": 1.0}, at_frames=4410, cause="rest")
    assert [entry.at_frames for entry in desk.log] == [4410, 9000]


def test_a_desk_opened_with_a_log_stands_where_the_log_ends():
    log = [ControlChange(at_frames=10, changed={"key": "D"}, cause="rest")]
    assert ControlDesk(log=log).controls.key == "D"


def test_a_change_that_cannot_be_taken_changes_nothing():
    desk = ControlDesk()
    with pytest.raises(ControlsError):
        desk.preview({"intensity": 0.1, "tempo_bpm": 500})
    assert desk.controls == Controls()
    assert desk.log == []


def test_a_change_is_split_into_what_the_composer_and_what_the_renderer_hears():
    score, sound = split_change({"key": "D", "space": 0.1, "tempo_bpm": 60.0, "layers": {"pad": "off"}})
    assert set(score) == {"key", "tempo_bpm"}
    assert set(sound) == {"space", "layers"}


def test_a_log_that_grows_for_ever_folds_its_beginning_into_the_start():
    desk = ControlDesk()
    for index in range(LOG_ENTRIES_MOST + 1):
        desk.record({"intensity": index % 2 / 2}, at_frames=index * 10, cause="rest")
    assert len(desk.log) < LOG_ENTRIES_MOST
    assert desk.controls_at(10**9) == desk.controls
