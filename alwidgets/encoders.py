"""From content to features: pixels for small images, TF-IDF with SVD for text, or any callable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .content import Content, Image, Text
from .errors import PoolError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Features = NDArray[np.float32]


class Encoder(Protocol):
    """Turns contents into features; fitted once on the pool, then applied to anything new."""

    def fit_transform(self, contents: Sequence[Content]) -> Features:
        """Learn what is needed from the pool's contents and return their features (n, d)."""
        ...

    def transform(self, contents: Sequence[Content]) -> Features:
        """Return the features (n, d) of contents that need not be in the pool."""
        ...


class PixelEncoder:
    """Flattened, standardised pixels: enough for small images.

    Every image is brought to one size, flattened, and shifted and scaled by the mean and the
    standard deviation of all the pool's pixels (one number each, so that flat corners stay flat).

    Parameters
    ----------
    max_side : int
        Images larger than this are shrunk to `max_side` × `max_side` pixels.
    """

    def __init__(self, max_side: int = 32) -> None:
        self.max_side = max_side

    def fit_transform(self, contents: Sequence[Content]) -> Features:
        """Learn size, colour, mean and spread from the pool; return features (n, h·w·channels)."""
        self.size_ = self._common_size(contents)
        arrays = [image.to_array(self.size_) for image in _images(contents)]
        self.grey_ = all(a.ndim == 2 for a in arrays)
        pixels = self._flatten(arrays)
        self.mean_ = float(pixels.mean())
        self.scale_ = float(pixels.std()) or 1.0
        return (pixels - self.mean_) / self.scale_

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) by what the pool taught."""
        pixels = self._flatten([image.to_array(self.size_) for image in _images(contents)])
        return (pixels - self.mean_) / self.scale_

    def _common_size(self, contents: Sequence[Content]) -> tuple[int, int]:
        sizes: set[tuple[int, int]] = set()
        for image in _images(contents):
            sizes.add((image.width, image.height))
            if len(sizes) > 1 or max(image.width, image.height) > self.max_side:
                return self.max_side, self.max_side
        return sizes.pop()

    def _flatten(self, arrays: list[Features]) -> Features:
        flat = []
        for a in arrays:
            if self.grey_:
                a = a if a.ndim == 2 else a.mean(axis=2)
            elif a.ndim == 2:
                a = np.repeat(a[:, :, None], 3, axis=2)
            flat.append(a.ravel())
        return np.stack(flat).astype(np.float32)


class TfidfEncoder:
    """TF-IDF of words and word pairs, reduced by a truncated SVD (latent semantic analysis).

    Deerwester et al., "Indexing by latent semantic analysis", JASIS 1990.

    Parameters
    ----------
    dimensions : int
        Features a text, at most; fewer where the pool is small.
    seed : int
        Of the randomised SVD.
    """

    def __init__(self, dimensions: int = 256, seed: int = 0) -> None:
        self.dimensions = dimensions
        self.seed = seed

    def fit_transform(self, contents: Sequence[Content]) -> Features:
        """Learn vocabulary and components from the pool; return features (n, d)."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import Normalizer

        texts = _texts(contents)
        vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[^\w\s]"
        )
        try:
            counts = vectorizer.fit_transform(texts)
        except ValueError as e:
            raise PoolError(
                "The texts hold no word to tell them apart by. "
                "Give features=… or another encoder=…."
            ) from e
        dimensions = min(self.dimensions, min(counts.shape) - 1)
        if dimensions < 1:
            self._pipeline: Pipeline = make_pipeline(vectorizer)
            return _dense(counts)
        svd = TruncatedSVD(dimensions, random_state=self.seed)
        self._pipeline = make_pipeline(vectorizer, svd, Normalizer())
        return _dense(Normalizer().fit_transform(svd.fit_transform(counts)))

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) by what the pool taught."""
        return _dense(self._pipeline.transform(_texts(contents)))


class CallableEncoder:
    """Any function from a list of contents to an array (n, d).

    Parameters
    ----------
    function : callable
        Gets a list of texts (``str``) or of images (arrays of float32 in [0, 1], (h, w) or
        (h, w, 3)), and returns n rows of numbers, one for each.
    """

    def __init__(self, function: Callable[[list[Any]], Any]) -> None:
        self.function = function

    def fit_transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d); nothing is learnt."""
        return self.transform(contents)

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) as the function returns them.

        Raises
        ------
        PoolError
            If it does not return n rows of numbers.
        """
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return _rows(self.function(_plain(contents)), len(contents), name)


class TransformerEncoder:
    """A scikit-learn transformer on plain contents.

    Parameters
    ----------
    transformer : object with fit_transform and transform
        Gets what the function of a `CallableEncoder` gets; may return a sparse matrix.
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def fit_transform(self, contents: Sequence[Content]) -> Features:
        """Fit the transformer on the pool's contents; return their features (n, d)."""
        return self._features(self.transformer.fit_transform(_plain(contents)), contents)

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) by what the pool taught."""
        return self._features(self.transformer.transform(_plain(contents)), contents)

    def _features(self, returned: Any, contents: Sequence[Content]) -> Features:
        return _rows(returned, len(contents), type(self.transformer).__name__)


def encoder_for(contents: Sequence[Content], encoder: Any = None) -> Encoder:
    """Choose an encoder: the one given, or the default for this kind of content.

    Parameters
    ----------
    contents : sequence of Content
    encoder : callable, scikit-learn transformer, or encoder of this module, optional

    Raises
    ------
    PoolError
        If it is none of these.
    """
    if encoder is None:
        return TfidfEncoder() if isinstance(contents[0], Text) else PixelEncoder()
    if isinstance(encoder, (PixelEncoder, TfidfEncoder, CallableEncoder, TransformerEncoder)):
        return encoder
    if hasattr(encoder, "fit_transform") and hasattr(encoder, "transform"):
        if isinstance(encoder, type):
            raise PoolError(f"encoder is the class {encoder.__name__}: give {encoder.__name__}().")
        return TransformerEncoder(encoder)
    if callable(encoder):
        return CallableEncoder(encoder)
    raise PoolError(
        f"encoder must be a function from a list to an (n, d) array, or have fit_transform and "
        f"transform; got {type(encoder).__name__}."
    )


def _texts(contents: Sequence[Content]) -> list[str]:
    texts = [c.text for c in contents if isinstance(c, Text)]
    if len(texts) != len(contents):
        raise PoolError("This pool holds texts; give texts, not images.")
    return texts


def _images(contents: Sequence[Content]) -> Iterator[Image]:
    """One image after the other: those of a folder need not all be in memory."""
    for content in contents:
        if not isinstance(content, Image):
            raise PoolError("This pool holds images; give images, not texts.")
        yield content


def _plain(contents: Sequence[Content]) -> list[Any]:
    return [c.text if isinstance(c, Text) else c.to_array() for c in contents]


def _rows(returned: Any, n: int, name: str) -> Features:
    try:
        features = _dense(returned)
    except (TypeError, ValueError) as e:
        raise PoolError(
            f"The encoder {name} must return an array of numbers, one row an item: {e}."
        ) from e
    if features.ndim != 2 or len(features) != n:
        raise PoolError(
            f"The encoder {name} must return one row an item, (n, d) = ({n}, d); "
            f"it returned the shape {features.shape}."
        )
    return features


def _dense(rows: Any) -> Features:
    dense = rows.toarray() if hasattr(rows, "toarray") else rows
    return np.asarray(dense, dtype=np.float32)
