"""The model beside its store, so that a session that is opened again goes on with it."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

import numpy as np

from .learners.base import Learner
from .learners.progress import Cancelled
from .pool import Pool

log = logging.getLogger(__name__)


class ModelFile:
    """Keeps the newest model in ``<store>.model-<version>-<of what>.safetensors``.

    A model is of use only for a learner with the same parameters on the same features: an encoder
    that was fitted on other rows gives other ones. So the name says what it was made for, and a
    model that was made for something else is not found.

    Parameters
    ----------
    store : Path or None
        Of the label store; None keeps nothing.
    learner : Learner
        Before it is fitted.
    pool : Pool
    """

    def __init__(self, store: Path | None, learner: Learner, pool: Pool) -> None:
        self._store, self._learner = store, learner
        self._of = _digest(learner, pool) if store is not None else ""
        #: Of the model in the file; 0 before one was saved or read.
        self.version = 0

    def grown(self, pool: Pool) -> ModelFile:
        """The file for the pool when it has grown; nothing is in it yet."""
        return ModelFile(self._store, self._learner, pool)

    def save(self, learner: Learner, version: int) -> None:
        """Write the model, whole or not at all, then remove older ones.

        Raises
        ------
        OSError, AlwidgetsError
            If it cannot be written.
        """
        self.version = version
        if self._store is None:
            return
        path = self._path(version)
        part = path.with_suffix(".part")
        learner.save(part)
        os.replace(part, path)
        for other in self._store.parent.glob(f"{self._store.name}.model-*.safetensors"):
            if other != path:
                other.unlink(missing_ok=True)

    def load(self, learner: Learner, version: int) -> bool:
        """Read the model of this version into `learner`; False if it is not to be had.

        Raises
        ------
        Cancelled
            If a learner that fits again what it reads was told to stop.
        """
        if self._store is None or not self._path(version).is_file():
            return False
        try:
            learner.load(self._path(version))
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001, a learner may be the user's
            log.warning(
                "%s cannot be read (%s): the model is fitted anew", self._path(version), error
            )
            return False
        self.version = version
        return True

    def _path(self, version: int) -> Path:
        assert self._store is not None
        return self._store.with_name(f"{self._store.name}.model-{version}-{self._of}.safetensors")


def _digest(learner: Learner, pool: Pool) -> str:
    rows = np.stack([pool.features[pool.index(i)] for i in sorted(pool.probes)]).astype(np.float64)
    # Rounded: the last digits depend on the machine.
    coarse = np.round(rows / (np.abs(rows).max() or 1.0), 2) + 0.0
    digest = hashlib.blake2b(repr(learner).encode(), digest_size=4)
    digest.update(repr(coarse.shape).encode() + coarse.tobytes())
    return digest.hexdigest()
