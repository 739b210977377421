"""The model beside its store, so that a session that is opened again goes on with it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from .errors import AlwidgetsError
from .learners.base import Learner

log = logging.getLogger(__name__)


class ModelFile:
    """Keeps the newest model in ``<store>.model-<version>.safetensors``.

    Parameters
    ----------
    store : Path or None
        Of the label store; None keeps nothing.
    """

    def __init__(self, store: Path | None) -> None:
        self._store = store

    def save(self, learner: Learner, version: int) -> None:
        """Write the model, whole or not at all, then remove older ones."""
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
        """Read the model of this version into `learner`; False if it is not to be had."""
        if self._store is None or not self._path(version).is_file():
            return False
        try:
            learner.load(self._path(version))
        except (AlwidgetsError, OSError) as error:
            log.warning("%s cannot be read (%s): the model is fitted anew", self._store, error)
            return False
        return True

    def _path(self, version: int) -> Path:
        assert self._store is not None
        return self._store.with_name(f"{self._store.name}.model-{version}.safetensors")
