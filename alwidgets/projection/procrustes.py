"""Turn a layout onto another one, so that points move as little as they must."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Aligned(NamedTuple):
    """A layout after it was turned.

    Attributes
    ----------
    coords : ndarray of float32, shape (n, 2)
    scale : float
        The factor that distances were multiplied by.
    """

    coords: NDArray[np.float32]
    scale: float


def align(moving: NDArray[np.float32], target: NDArray[np.float32]) -> Aligned:
    """Rotate or reflect, scale and shift a layout onto another one of the same items.

    The rotation is that of least squares (Schönemann, Psychometrika 1966). The scale makes both
    equally large (root mean square distance to the centre): that of least squares shrinks by
    whatever does not fit, and over many rounds the map with it.

    Parameters
    ----------
    moving, target : ndarray of float32, shape (n, 2)

    Returns
    -------
    Aligned
        With the scale 1 where one of the two has no extent.
    """
    centre = target.mean(axis=0, dtype=np.float64)
    a = moving - moving.mean(axis=0, dtype=np.float64)
    b = target - centre
    left, _, right = np.linalg.svd(a.T @ b)
    sizes = np.linalg.norm(a), np.linalg.norm(b)
    scale = float(sizes[1] / sizes[0]) if min(sizes) > 0 else 1.0
    return Aligned((a @ (left @ right) * scale + centre).astype(np.float32), scale)
