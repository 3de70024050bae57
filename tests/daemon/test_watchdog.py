import trio

from auralisd.daemon.tasks.watchdog import run_watchdog, silent_stations, status_sentence
from tests.daemon.stations import new_station, new_studio, on_air


class RecordingNotifier:
    """Stands where systemd's socket would be and keeps the times at which it was told that all is well."""

    def __init__(self, watchdog_seconds=10.0):
        self.watchdog_seconds = watchdog_seconds
        self.alive_at = []
        self.sentences = []

    def alive(self):
        self.alive_at.append(trio.current_time())

    def status(self, sentence):
        self.sentences.append(sentence)


async def test_a_station_that_publishes_feeds_the_watchdog_well_within_its_interval(autojump_clock):
    studio, notifier = new_studio(), RecordingNotifier()
    station = new_station(studio)
    async with on_air(station, studio), trio.open_nursery() as nursery:
        nursery.start_soon(run_watchdog, notifier, lambda: [station], studio.can_render)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    gaps = [later - earlier for earlier, later in zip(notifier.alive_at, notifier.alive_at[1:], strict=False)]
    assert max(gaps) <= 5
    assert notifier.sentences[-1] == "1 of 1 stations sounding, 0 listening"


async def test_the_bed_feeds_the_watchdog_too(autojump_clock):
    studio, notifier = new_studio(ready=False), RecordingNotifier()
    station = new_station(studio)
    async with on_air(station, studio), trio.open_nursery() as nursery:
        nursery.start_soon(run_watchdog, notifier, lambda: [station], studio.can_render)
        await trio.sleep(200)
        nursery.cancel_scope.cancel()
    assert station.on_bed
    assert trio.current_time() - notifier.alive_at[-1] < 6


async def test_a_station_on_the_air_that_publishes_nothing_starves_the_watchdog(autojump_clock):
    studio, notifier = new_studio(), RecordingNotifier()
    station = new_station(studio)
    station.on_air = True  # and no task that would publish
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_watchdog, notifier, lambda: [station], studio.can_render)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    assert notifier.alive_at[-1] - began <= 5
    assert "silent: main" in notifier.sentences


async def test_warming_up_excuses_silence_for_90_seconds_and_no_longer(autojump_clock):
    studio, notifier = new_studio(ready=False), RecordingNotifier()
    station = new_station(studio)
    station.on_air = True
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_watchdog, notifier, lambda: [station], studio.can_render)
        await trio.sleep(300)
        nursery.cancel_scope.cancel()
    assert 85 < notifier.alive_at[-1] - began <= 90


async def test_a_station_that_sleeps_owes_nothing(autojump_clock):
    station = new_station(new_studio(), pinned=False)
    await trio.sleep(1000)
    assert silent_stations([station], now=trio.current_time(), patience_seconds=5) == ()
    assert status_sentence([station], warming_up=False, silent=()) == "0 of 1 stations sounding, 0 listening"
