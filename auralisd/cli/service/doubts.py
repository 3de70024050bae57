"""What a configuration asks for that the service may not do: said before anybody has to wonder."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from auralisd.cli.service.places import Places
from auralisd.settings import Settings


def doubts(settings: Settings, places: Places, *, cuda: bool) -> Iterator[str]:
    """One sentence for each, with what to do about it.

    Args:
        settings: what the daemon would read.
        places: where it would read it.
        cuda: whether it may have NVIDIA devices.
    """
    for name, folder in (("state_dir", settings.state_dir), ("hls_dir", settings.hls_dir)):
        if folder is not None and not folder.is_relative_to(places.state):
            yield (
                f"{name} = {folder}: the service may write to {places.state} alone; leave {name} out, or allow it "
                f"with ReadWritePaths={folder} (systemctl edit auralisd) and an owner that the service runs as"
            )
    secrets = (
        ("token_file", settings.token_file, "token", places.token_file),
        ("listen_key_file", settings.listen_key_file, "key", places.listen_key_file),
    )
    for name, secret, what, handed_over in secrets:
        if secret is not None and not _for_everybody(secret):
            yield (
                f"{name} = {secret}: the account of the service may not read it; put the {what} into {handed_over}, "
                f"which is handed over, and leave {name} out"
            )
    for target in settings.push:
        if target.password_file is not None and not _for_everybody(target.password_file):
            yield (
                f"password_file = {target.password_file}: the account of the service may read what everybody may, and "
                "what a group of yours may that SupplementaryGroups= gives it (systemctl edit auralisd)"
            )
    if settings.device.startswith("cuda") and not cuda:
        yield f"device = {settings.device!r}: the service may not have it without --cuda"


def _for_everybody(path: Path) -> bool:
    ended = path.resolve()
    may_pass = all(folder.stat().st_mode & stat.S_IXOTH for folder in ended.parents)
    return may_pass and bool(ended.stat().st_mode & stat.S_IROTH)
