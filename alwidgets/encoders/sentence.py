"""Texts by a sentence embedding."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from ..content import Content
from ..errors import PoolError
from ..ingest.progress import Progress
from .base import Features, as_rows, in_blocks, texts_of
from .cache import Cache, FeatureCache, module_digest
from .tfidf import TfidfEncoder

log = logging.getLogger(__name__)

# The model sorts what it gets at once by length: a few batches, so that little is padded.
BATCHES_AT_ONCE = 8
# That the hub of Hugging Face has, before it counts as out of reach.
SECONDS_TO_ANSWER = 10.0


class SentenceEncoder:
    """Sentence embeddings of a pretrained transformer, kept on disk.

    Reimers & Gurevych, "Sentence-BERT: sentence embeddings using Siamese BERT-networks",
    EMNLP 2019. Needs ``pip install "alwidgets[text]"``, unless `model` is an object of yours.

    A text is encoded once: run again, or with a pool that has grown, only new texts are. The cache
    is a file for each model in the user's cache folder, or in that of the environment variable
    ``ALWIDGETS_CACHE``.

    Parameters
    ----------
    model : str, path or object
        Name of a model of sentence-transformers, or its folder; or anything with
        ``encode(texts, batch_size=...) -> (n, d) array``, such as a loaded one.
    revision : str, optional
        Branch, tag or commit of a model that is named. A name alone stands for the newest, of
        which the cache cannot know.
    batch_size : int
    device : str
        ``"auto"`` leaves the choice to sentence-transformers. Of a model that is named only.
    cache : bool or path
        Whether to keep features, or the folder to keep them in.
    name : str, optional
        What the cache knows an object by that is no torch module; without one it keeps nothing.
    fallback : {"tfidf"}, optional
        What to encode with where the model cannot be had; a warning is logged. By default that
        is an error.
    """

    def __init__(
        self,
        model: Any = "sentence-transformers/all-MiniLM-L6-v2",
        *,
        revision: str | None = None,
        batch_size: int = 64,
        device: str = "auto",
        cache: Cache = True,
        name: str | None = None,
        fallback: Literal["tfidf"] | None = None,
    ) -> None:
        if isinstance(model, PathLike):
            model = str(Path(model).expanduser())
        if not isinstance(model, str) and not hasattr(model, "encode"):
            raise PoolError(
                f"model must be the name of a model, or have encode(texts); got {model!r}."
            )
        if fallback not in (None, "tfidf"):
            raise PoolError(f"fallback={fallback!r} must be 'tfidf' or None.")
        self.model = model
        self.revision = revision
        self.batch_size = batch_size
        self.device = device
        self.cache = cache
        self.name = name
        self.fallback = fallback
        self._instead: TfidfEncoder | None = None

    def fit_transform(
        self, contents: Sequence[Content], progress: Progress | None = None
    ) -> Features:
        """Features (n, d); nothing is learnt, except by the fallback.

        Raises
        ------
        PoolError
            If the model cannot be had, and there is no fallback.
        """
        self._instead = None
        try:
            return self._features(contents, progress)
        except ModelMissingError as e:
            if self.fallback is None:
                raise
            log.warning("%s TF-IDF is used instead.", e)
            self._instead = TfidfEncoder()
            return self._instead.fit_transform(contents, progress)

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) by the model, or by what stands in for it."""
        if self._instead is not None:
            return self._instead.transform(contents)
        return self._features(contents, None)

    def _features(self, contents: Sequence[Content], progress: Progress | None) -> Features:
        cache = self._cache

        def encode(block: list[Content]) -> Features:
            return cache.encode(block, self._encode) if cache is not None else self._encode(block)

        return in_blocks(contents, BATCHES_AT_ONCE * self.batch_size, encode, progress)

    def _encode(self, block: list[Content]) -> Features:
        # Tokenisers take valid Unicode only: a lone surrogate becomes a question mark.
        texts = [text.encode("utf-8", "replace").decode() for text in texts_of(block)]
        returned = self._loaded.encode(texts, batch_size=self.batch_size)
        return as_rows(returned, len(texts), self._title)

    @property
    def _title(self) -> str:
        return self.name or (self.model if isinstance(self.model, str) else _kind(self.model))

    @cached_property
    def _cache(self) -> FeatureCache | None:
        if not self.cache:
            return None
        about: object
        torch = sys.modules.get("torch")  # where there is a module, it has been imported
        if isinstance(self.model, str):
            about = (self.model, self.revision, _files(Path(self.model)))
        elif torch is not None and isinstance(self.model, torch.nn.Module):
            prompt = (
                getattr(self.model, "prompts", None),
                getattr(self.model, "default_prompt_name", None),
            )
            width = getattr(self.model, "truncate_dim", None)
            about = (module_digest(self.model), prompt, width)
        elif self.name is not None:
            about = _kind(self.model)
        else:
            return None
        return FeatureCache(self._title, repr((self.name, about)), self.cache)

    @cached_property
    def _loaded(self) -> Any:
        if not isinstance(self.model, str):
            return self.model
        if importlib.util.find_spec("sentence_transformers") is None:
            raise ModelMissingError(
                f"The model {self.model!r} needs sentence-transformers, which is not installed: "
                'pip install "alwidgets[text]". Or give features=…, or leave the encoder out '
                "and texts are encoded by TF-IDF."
            )
        from sentence_transformers import SentenceTransformer

        options = {
            "revision": self.revision,
            "device": None if self.device == "auto" else self.device,
        }
        try:
            # What is here needs no network: without one, asking it takes a minute of retries.
            return SentenceTransformer(self.model, local_files_only=True, **options)
        except Exception:  # noqa: BLE001, of any kind where files are missing or damaged
            log.info("%s is not on this machine yet", self.model)
        if Path(self.model).is_dir():
            try:
                return SentenceTransformer(self.model, **options)
            except Exception as e:
                raise ModelMissingError(
                    f"The folder {self.model} holds no model that can be loaded ({_reason(e)}). "
                    "Copy it again, whole; or SentenceEncoder(…, fallback='tfidf')."
                ) from e
        try:
            _reach_hub()
            return SentenceTransformer(self.model, **options)
        except Exception as e:
            raise ModelMissingError(
                f"The model {self.model!r} is not on this machine and could not be downloaded "
                f"({_reason(e)}). Check the name and the connection; or copy its folder here and "
                "give the path; or SentenceEncoder(…, fallback='tfidf')."
            ) from e


class ModelMissingError(PoolError):
    """The model cannot be had."""


def _files(folder: Path) -> list[tuple[str, int, int]]:
    """What tells a model's folder from what it was: its files, their sizes and times."""
    if not folder.is_dir():
        return []
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    stats = [(p.relative_to(folder).as_posix(), p.stat()) for p in files]
    return [(name, s.st_size, s.st_mtime_ns) for name, s in stats]


def _reach_hub() -> None:
    """Raise what asking Hugging Face once raises, where it cannot be reached.

    The libraries ask for each of many files again and again, which takes more than a minute.
    """
    endpoint = importlib.import_module("huggingface_hub.constants").ENDPOINT
    session = importlib.import_module("huggingface_hub.utils").get_session()
    session.head(endpoint, timeout=SECONDS_TO_ANSWER)


def _reason(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__


def _kind(model: object) -> str:
    return type(model).__name__
