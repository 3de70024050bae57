"""SIGHUP: the configuration is read again, and what can change while the music plays does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import structlog

from auralisd.daemon.systemd import Notifier
from auralisd.errors import SettingsError
from auralisd.settings import Settings, reloaded

log = structlog.get_logger()


class Reloader:
    """Holds the settings that count now."""

    def __init__(self, settings: Settings, *, notifier: Notifier, apply: Callable[[Settings], None]) -> None:
        """Begin with ``settings``; ``apply`` puts new ones into effect."""
        self.settings = settings
        self._notifier = notifier
        self._apply = apply

    async def reload(self) -> None:
        """Take the new configuration, or keep the old one when the new one is wrong, and say which."""
        self._notifier.reloading(time.monotonic_ns() // 1000)
        try:
            fresh = reloaded(self.settings)
        except SettingsError as error:
            log.error("the configuration was not reloaded; the old one holds", error=str(error))  # noqa: TRY400
        else:
            self.settings = fresh.settings
            logging.getLogger().setLevel(fresh.settings.log_level.upper())
            self._apply(fresh.settings)
            log.info("configuration reloaded", changed=fresh.changed, needs_restart=fresh.needs_restart)
        self._notifier.ready()
