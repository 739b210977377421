"""Where files are kept that can be made again."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from ..errors import PoolError

VARIABLE = "ALWIDGETS_CACHE"


def cache_folder(given: str | PathLike[str] | None = None) -> Path:
    """Return a folder for files that can be made again; it is made if it is not there.

    Parameters
    ----------
    given : path, optional
        The folder; by default that of the environment variable ``ALWIDGETS_CACHE``, or the
        user's cache folder.

    Raises
    ------
    PoolError
        If it cannot be made or written to.
    """
    if given is None:
        given = os.environ.get(VARIABLE) or None
    if given is None:
        import pooch

        given = pooch.os_cache("alwidgets")
    folder = Path(given).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError as e:
        raise _unusable(folder, e.strerror or str(e)) from e
    if not writable:
        raise _unusable(folder, "no permission")
    return folder


def _unusable(folder: Path, why: str) -> PoolError:
    return PoolError(
        f"The cache folder {folder} cannot be written ({why}). Give cache=… another folder, or "
        f"set the environment variable {VARIABLE} to one."
    )
