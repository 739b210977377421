"""Real data to try things on."""

from __future__ import annotations

import csv
import importlib
import inspect
from collections.abc import Sequence
from pathlib import Path

from ..errors import AlwidgetsError
from ..pool import Pool

#: Installed with alwidgets, and different enough to be told apart by their docstrings.
PACKAGES = ("numpy", "pandas", "sklearn", "torch")
MOST_MESSAGES = 5_000


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


def docstrings(packages: str | Sequence[str] = PACKAGES) -> tuple[Pool, list[str]]:
    """First paragraphs of the docstrings of installed packages, labelled by package.

    Parameters
    ----------
    packages : str or sequence of str
        Names to import.

    Returns
    -------
    pool : Pool
    truth : list of str
        The package's name, one an item of the pool, in order.
    """
    texts, truth = [], []
    for package in [packages] if isinstance(packages, str) else packages:
        module = importlib.import_module(package)
        for name in sorted(n for n in dir(module) if not n.startswith("_")):
            paragraph = (inspect.getdoc(getattr(module, name, None)) or "").split("\n\n")[0].strip()
            if len(paragraph.split()) >= 4:
                texts.append(paragraph)
                truth.append(package)
    return _keep_first(Pool.from_texts(texts), truth)


def messages(n: int = 2_000, *, spam: float = 0.13, seed: int = 0) -> tuple[Pool, list[str]]:
    """Short messages, some of them spam: made up of sentences with gaps, to try things on.

    Nobody sent them, and they are easier than what people send. They need no download.

    Parameters
    ----------
    n : int
        At most 5,000.
    spam : float
        Share of spam, between 0 and 1.
    seed : int

    Returns
    -------
    pool : Pool
    truth : list of str
        ``"ham"`` or ``"spam"``, one an item of the pool, in order.

    Raises
    ------
    AlwidgetsError
        If that many cannot be made, or the share is none.
    """
    from .made_up import made_up

    if not (0 < n <= MOST_MESSAGES and 0 < spam < 1):
        raise AlwidgetsError(
            f"messages(n={n!r}, spam={spam!r}): n must be from 1 to {MOST_MESSAGES:,}, and spam a "
            "share between 0 and 1."
        )
    texts, truth = made_up(n, spam, seed)
    return _keep_first(Pool.from_texts(texts), truth)


AG_NEWS = (
    "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/test.csv"
)
AG_NEWS_HASH = "md5:d52ea96a97a2d943681189a97654912d"
AG_NEWS_CLASSES = ("World", "Sports", "Business", "Sci/Tech")


def ag_news(url: str = AG_NEWS, known_hash: str = AG_NEWS_HASH) -> tuple[Pool, list[str]]:
    """News: 7,600 headlines with their first sentences, of four topics.

    The test part of Zhang, Zhao & LeCun, "Character-level convolutional networks for text
    classification", NeurIPS 2015. Downloaded once (2 MB) and kept; for research only.

    Parameters
    ----------
    url, known_hash : str, optional
        Another place to have the file from, and its hash.

    Returns
    -------
    pool : Pool
    truth : list of str
        ``"World"``, ``"Sports"``, ``"Business"`` or ``"Sci/Tech"``, one an item, in order.

    Raises
    ------
    AlwidgetsError
        If it cannot be downloaded, or is not the file that it should be.
    """
    import pooch

    try:
        path = pooch.retrieve(url, known_hash, path=pooch.os_cache("alwidgets"))
    except (OSError, ValueError) as error:
        raise AlwidgetsError(
            f"AG News could not be had from {url} ({error}). Check the connection, or have it "
            "from another place: ag_news(url=…). digits() and docstrings() need none."
        ) from error
    texts, truth = [], []
    with Path(path).open(encoding="utf-8", newline="") as file:
        for topic, title, description in csv.reader(file):
            texts.append(f"{title} {description}".replace("\\", " "))
            truth.append(AG_NEWS_CLASSES[int(topic) - 1])
    return _keep_first(Pool.from_texts(texts), truth)


def _keep_first(pool: Pool, truth: list[str]) -> tuple[Pool, list[str]]:
    by_id: dict[str, str] = {}
    for item_id, answer in zip(pool.row_ids, truth, strict=True):
        by_id.setdefault(item_id, answer)
    return pool, [by_id[item_id] for item_id in pool.ids]
