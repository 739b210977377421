"""From content to features: words, pixels, pretrained networks, or any function."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from os import PathLike
from typing import Any

from ..content import Content, Text
from ..errors import PoolError
from .base import Encoder, Features
from .cache import FeatureCache
from .functions import CallableEncoder, TransformerEncoder
from .module import ModuleEncoder
from .pixels import PixelEncoder
from .sentence import SentenceEncoder
from .tfidf import TfidfEncoder

__all__ = [
    "CallableEncoder",
    "Encoder",
    "FeatureCache",
    "Features",
    "ModuleEncoder",
    "PixelEncoder",
    "SentenceEncoder",
    "TfidfEncoder",
    "TransformerEncoder",
    "encoder_for",
]

OURS = (
    CallableEncoder,
    ModuleEncoder,
    PixelEncoder,
    SentenceEncoder,
    TfidfEncoder,
    TransformerEncoder,
)


def encoder_for(contents: Sequence[Content], encoder: Any = None) -> Encoder:
    """Choose an encoder: the one given, or the default for this kind of content.

    Parameters
    ----------
    contents : sequence of Content
    encoder : optional
        An encoder of this package; a scikit-learn transformer; for texts, a model of
        sentence-transformers, its name, or whatever else has ``encode(texts, batch_size=...)``;
        for images, a torch module; or a function from a list to an array (n, d).

    Raises
    ------
    PoolError
        If it is none of these.
    """
    of_texts = isinstance(contents[0], Text)
    if encoder is None:
        return TfidfEncoder() if of_texts else PixelEncoder()
    if isinstance(encoder, OURS):
        return encoder
    if isinstance(encoder, type):
        raise PoolError(f"encoder is the class {encoder.__name__}: give {encoder.__name__}().")
    if hasattr(encoder, "fit_transform") and hasattr(encoder, "transform"):
        return TransformerEncoder(encoder)
    if of_texts and (isinstance(encoder, (str, PathLike)) or hasattr(encoder, "encode")):
        return SentenceEncoder(encoder)
    if _is_module(encoder):
        if of_texts:
            raise PoolError(
                f"A torch module ({type(encoder).__name__}) encodes images, and this pool holds "
                "texts: give a model of sentence-transformers, or a function from a list of texts "
                "to an array (n, d)."
            )
        return ModuleEncoder(encoder)
    if callable(encoder):
        return CallableEncoder(encoder)
    raise PoolError(
        f"encoder must be a function from a list to an (n, d) array, or have fit_transform and "
        f"transform; got {type(encoder).__name__}."
    )


def _is_module(encoder: object) -> bool:
    torch = sys.modules.get("torch")  # where there is a module, it has been imported
    return torch is not None and isinstance(encoder, torch.nn.Module)
