"""The default: which strategy suits the labels there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAME = "auto"


#: Labels before the model is asked: more cost accuracy where the classes are not the clusters.
COLD = 5


def choose(
    n_labelled: int, codes: NDArray[np.int64], n_classes: int, *, has_model: bool
) -> tuple[str, str]:
    """The strategy for the next batch, and why, in words.

    Typical items first (Hacohen et al., ICML 2022), then uncertainty herding (Bae et al., ICLR
    2025), which goes over from coverage to uncertainty by itself as its kernel narrows.
    """
    if n_labelled < COLD or not has_model:
        return "representative", f"typical items first, until {COLD} are labelled"
    if len(np.unique(codes)) < 2:
        return "representative", "typical items until a second class has been seen"
    return "uncertainty_herding", "items near many that the model is unsure of"
