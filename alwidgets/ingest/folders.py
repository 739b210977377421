"""Where files are kept that can be made again."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from os import PathLike
from pathlib import Path

from ..errors import PoolError

log = logging.getLogger(__name__)

VARIABLE = "ALWIDGETS_CACHE"


def cache_place(given: str | PathLike[str] | None = None) -> Path:
    """Return the folder for files that can be made again, whether it is there or not.

    Parameters
    ----------
    given : path, optional
        The folder; by default that of the environment variable ``ALWIDGETS_CACHE``, or the
        user's cache folder.
    """
    if given is None:
        given = os.environ.get(VARIABLE) or None
    if given is None:
        import pooch

        given = pooch.os_cache("alwidgets")
    return Path(given).expanduser()


def cache_folder(given: str | PathLike[str] | None = None) -> Path:
    """Return the folder of :func:`cache_place`; it is made if it is not there.

    Raises
    ------
    PoolError
        If it cannot be made or written to.
    """
    folder = cache_place(given)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError as e:
        raise _unusable(folder, e.strerror or str(e)) from e
    if not writable:
        raise _unusable(folder, "no permission")
    return folder


def scratch_folder() -> Path:
    """Return a folder for files without a name: the cache's, or the system's where that is not."""
    try:
        return cache_folder()
    except PoolError as e:
        folder = Path(tempfile.gettempdir())
        log.warning("%s Until then %s is used.", e, folder)
        return folder


def check_room(folder: Path, size: int) -> None:
    """Raise a `PoolError` if a folder has no room for a file of so many bytes.

    A memory-mapped file is given its room as it is written; on a full disk that ends the process.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise PoolError(
            f"The features need {size / 1e9:,.1f} GB in {folder}, which has {free / 1e9:,.1f} GB "
            f"left. Make room, or give another folder (cache=…, or the environment variable "
            f"{VARIABLE})."
        )


def _unusable(folder: Path, why: str) -> PoolError:
    return PoolError(
        f"The cache folder {folder} cannot be written ({why}). Give cache=… another folder, or "
        f"set the environment variable {VARIABLE} to one."
    )
