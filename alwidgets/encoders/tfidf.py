"""Texts by their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..content import Content
from ..errors import PoolError
from ..ingest.progress import Progress
from .base import Features, as_dense, texts_of

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


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
        if dimensions < 1:
            raise PoolError(f"dimensions must be at least 1, not {dimensions}.")
        self.dimensions = dimensions
        self.seed = seed
        self._pipeline: Pipeline | None = None

    def fit_transform(
        self, contents: Sequence[Content], progress: Progress | None = None
    ) -> Features:
        """Learn vocabulary and components from the pool; return features (n, d)."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import Normalizer

        vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[^\w\s]"
        )
        try:
            counts = vectorizer.fit_transform(texts_of(contents, progress))
        except PoolError:
            raise
        except ValueError as e:
            raise PoolError(
                "The texts hold no word to tell them apart by. "
                "Give features=… or another encoder=…."
            ) from e
        dimensions = min(self.dimensions, min(counts.shape) - 1)
        if dimensions < 1:
            self._pipeline = make_pipeline(vectorizer)
            return as_dense(counts)
        svd = TruncatedSVD(dimensions, random_state=self.seed)
        self._pipeline = make_pipeline(vectorizer, svd, Normalizer())
        return as_dense(Normalizer().fit_transform(svd.fit_transform(counts)))

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) by what the pool taught."""
        if self._pipeline is None:
            raise PoolError("The encoder knows no words yet: call fit_transform(contents) first.")
        return as_dense(self._pipeline.transform(texts_of(contents)))
