"""Images by a torch module, such as a network that was trained on ImageNet."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..content import Content, Image
from ..devices import resolve_device
from ..errors import PoolError
from ..ingest.progress import Progress
from ..pixels import as_8_bit, over_white
from .base import Features, as_rows, images_of, in_blocks
from .cache import Cache, FeatureCache, module_digest

if TYPE_CHECKING:
    import torch
    from PIL import Image as Pillow

# Of the red, green and blue levels of ImageNet, as torchvision and timm use them.
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
SPREAD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


class ModuleEncoder:
    """Features by any torch module that takes images: (n, 3, h, w) -> (n, ...).

    What the module returns is flattened to (n, d): take the classifier off to get the layer
    before it (``network.fc = torch.nn.Identity()`` in torchvision, ``num_classes=0`` in timm).

    Parameters
    ----------
    module : torch.nn.Module
        A copy is used, in evaluation mode: yours stays as it is, and training it later does not
        change what features mean.
    transform : callable, optional
        From an RGB image of Pillow to a tensor (3, h, w), the same size for all; such as the one
        that comes with the weights. By default the image is resized to `size` × `size` pixels,
        brought to [0, 1], and standardised by ImageNet's mean and spread of each colour.
    size : int
        Side in pixels, without a `transform`.
    batch_size : int
        Images that are decoded and on the device at once.
    device : str
        ``"auto"`` is CUDA's or Apple's GPU where there is one.
    cache : path or bool, optional
        Keep features on disk, by image and by the module's parameters; True is the user's cache
        folder.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        transform: Callable[[Pillow.Image], torch.Tensor] | None = None,
        *,
        size: int = 224,
        batch_size: int = 64,
        device: str = "auto",
        cache: Cache = None,
    ) -> None:
        if cache and " at 0x" in repr(transform):
            raise PoolError(
                f"The cache cannot tell what {transform!r} does. Give a transform whose repr says "
                "it (those of torchvision do), or cache=None."
            )
        self.module = copy.deepcopy(module).eval()
        self.size = size
        self.batch_size = batch_size
        self.device = device
        self.cache = cache
        self._prepare = transform or self._standardised

    def fit_transform(
        self, contents: Sequence[Content], progress: Progress | None = None
    ) -> Features:
        """Features (n, d); nothing is learnt.

        Raises
        ------
        PoolError
            If the transform or the module returns something else than a tensor as wanted, or the
            module does not take the images.
        """
        cache = self._cache

        def encode(block: list[Content]) -> Features:
            return cache.encode(block, self._encode) if cache is not None else self._encode(block)

        return in_blocks(contents, self.batch_size, encode, progress)

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) of images that need not be in the pool."""
        return self.fit_transform(contents)

    def _encode(self, block: list[Content]) -> Features:
        import torch

        name = type(self.module).__name__
        try:
            images = torch.stack([self._prepare(_decoded(image)) for image in images_of(block)])
        except (TypeError, RuntimeError) as e:
            raise PoolError(
                f"The transform must return a tensor (3, h, w), the same size for every image: {e}."
            ) from e
        module = self.module.to(self._device)
        numbers = next((p.dtype for p in module.parameters() if p.is_floating_point()), None)
        try:
            with torch.inference_mode():
                returned = module(images.to(self._device, numbers))
        except torch.cuda.OutOfMemoryError as e:
            raise PoolError(
                f"The GPU has no memory for {self.batch_size} images at once: lower batch_size."
            ) from e
        except Exception as e:
            raise PoolError(
                f"The module {name} does not take images of shape {tuple(images.shape)[1:]} "
                f"({type(e).__name__}: {e}). Give transform=… or size=… as it needs them."
            ) from e
        if not isinstance(returned, torch.Tensor) or returned.ndim < 2:
            raise PoolError(
                f"The module {name} must return a tensor (n, …) of features, not "
                f"{type(returned).__name__}. Wrap it in one that does."
            )
        return as_rows(returned.flatten(1).float().cpu(), len(block), name)

    def _standardised(self, image: Pillow.Image) -> torch.Tensor:
        import torch
        from PIL import Image as Pillow

        resized = image.resize((self.size, self.size), Pillow.Resampling.BILINEAR)
        levels = np.asarray(resized, dtype=np.float32) / 255.0
        standard = (levels - MEAN) / SPREAD
        return torch.from_numpy(standard.transpose(2, 0, 1).copy())

    @cached_property
    def _device(self) -> torch.device:
        return resolve_device(self.device, PoolError)

    @cached_property
    def _cache(self) -> FeatureCache | None:
        if not self.cache:
            return None
        prepared = self.size if self._prepare == self._standardised else repr(self._prepare)
        about = repr((module_digest(self.module), prepared))
        return FeatureCache(type(self.module).__name__, about, self.cache)


def _decoded(image: Image) -> Pillow.Image:
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(image.data)) as opened:
        return over_white(as_8_bit(opened)).convert("RGB")
