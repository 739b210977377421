"""Real data to try things on, none of it downloaded."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence

from .pool import Pool

#: Installed with alwidgets, and different enough to be told apart by their docstrings.
PACKAGES = ("numpy", "pandas", "sklearn", "torch")


def digits() -> tuple[Pool, list[str]]:
    """Handwritten digits: 1,797 grey images of 8 × 8 pixels, with what each shows.

    Alpaydin & Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning
    Repository 1998; the test part, as scikit-learn carries it.

    Returns
    -------
    pool : Pool
    truth : list of str
        ``"0"`` to ``"9"``, one an item of the pool, in order.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    truth = [str(d) for d in data.target]
    return _keep_first(Pool.from_images(data.images), truth)


def docstrings(packages: Sequence[str] = PACKAGES) -> tuple[Pool, list[str]]:
    """First paragraphs of the docstrings of installed packages, labelled by package.

    Parameters
    ----------
    packages : sequence of str
        Names to import.

    Returns
    -------
    pool : Pool
    truth : list of str
        The package's name, one an item of the pool, in order.
    """
    texts, truth = [], []
    for package in packages:
        module = importlib.import_module(package)
        for name in sorted(n for n in dir(module) if not n.startswith("_")):
            paragraph = (inspect.getdoc(getattr(module, name, None)) or "").split("\n\n")[0].strip()
            if len(paragraph.split()) >= 4:
                texts.append(paragraph)
                truth.append(package)
    return _keep_first(Pool.from_texts(texts), truth)


def _keep_first(pool: Pool, truth: list[str]) -> tuple[Pool, list[str]]:
    by_id: dict[str, str] = {}
    for item_id, answer in zip(pool.row_ids, truth, strict=True):
        by_id.setdefault(item_id, answer)
    return pool, [by_id[item_id] for item_id in pool.ids]
