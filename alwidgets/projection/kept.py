"""Finished layouts kept on disk, so that nothing is laid out twice."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import zipfile
import zlib
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .jobs import Coords, Figures
from .linear import chunks
from .quality import Moved, Quality

log = logging.getLogger(__name__)

#: Of what a layout is made from and of the file; another one makes every layout anew.
FORMAT = 1


#: What zip, numpy and JSON say to a damaged file.
DAMAGED = (
    OSError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class Kept(NamedTuple):
    """A layout and what was measured of it."""

    coords: Coords
    figures: Figures


class LayoutCache:
    """Layouts in files of their own, by a hash of the features and of all they depend on besides.

    A file that cannot be read is none: the layout is made anew and the file rewritten. A folder
    that cannot be written to is none, either: one warning is logged. No pickle is read.

    Parameters
    ----------
    where : path, optional
        The folder; ``layouts`` in that of the environment variable ``ALWIDGETS_CACHE`` or in the
        user's cache folder by default.
    """

    def __init__(self, where: str | PathLike[str] | None = None) -> None:
        self._where = None if where is None else Path(where)
        self._warned = False

    @property
    def folder(self) -> Path:
        """Where the files are; it may not be there yet."""
        from ..ingest.folders import cache_place  # the process of the layouts needs none of it

        return self._where or cache_place() / "layouts"

    def has(self, shape: tuple[int, ...]) -> bool:
        """Whether there is a layout of features of this shape: only then a hash is worth it."""
        try:
            return any(self.folder.glob(f"{_shown(shape)}-*.npz"))
        except OSError:
            return False

    def path(self, features: NDArray[Any], **about: Any) -> Path:
        """The file for the layout of these features.

        Parameters
        ----------
        features : ndarray, shape (n, d)
            Read in chunks.
        **about
            All that the layout depends on besides, as JSON can hold it.
        """
        about |= {"format": FORMAT, "umap": _umap(), "shape": list(features.shape)}
        digest = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16)
        for chunk in chunks(features):
            digest.update(chunk.astype("<f4", copy=False).data)
        return self.folder / f"{_shown(features.shape)}-{digest.hexdigest()}.npz"

    def read(self, path: Path, n: int) -> Kept | None:
        """Return the layout of n items in a file, or None where there is none that can be read."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                coords = np.array(file["coords"], dtype=np.float32)
                trust = np.array(file["trust"], dtype=np.float32)
                about = json.loads(str(file["about"]))
                found, moved = about["quality"], about["moved"]
                figures = Figures(
                    float(about["span"]),
                    None if found is None else Quality(*found),
                    None if moved is None else Moved(*moved),
                    trust if len(trust) else None,
                )
        except FileNotFoundError:
            return None
        except DAMAGED as error:
            log.warning("The layout in %s cannot be read (%s): it is made anew.", path, error)
            return None
        fits = coords.shape == (n, 2) and len(trust) in (0, n) and np.isfinite(coords).all()
        return Kept(coords, figures) if fits else None

    def write(self, path: Path, kept: Kept) -> None:
        """Write a layout, whole or not at all."""
        figures = kept.figures
        about = {"span": figures.span, "quality": figures.quality, "moved": figures.moved}
        trust = figures.local_trust if figures.local_trust is not None else np.empty(0, "<f4")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
                try:
                    np.savez(file, coords=kept.coords, trust=trust, about=json.dumps(about))
                    file.close()
                    os.replace(file.name, path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        except OSError as error:
            if not self._warned:
                from ..ingest.folders import VARIABLE

                self._warned = True
                log.warning(
                    "The layout could not be kept in %s (%s): nothing is lost, but it is made anew "
                    "next time. The environment variable %s names another folder.",
                    path.parent,
                    error,
                    VARIABLE,
                )


def _shown(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)


def _umap() -> str:
    try:
        return version("umap-learn")
    except PackageNotFoundError:
        return ""
