"""What an item shows: as data, and never as markup unless it is Html."""

from __future__ import annotations

from .audio import Audio
from .base import no_encoder
from .html import Html
from .image import Image
from .layout import Fields, Pair, as_content
from .table import Table, is_missing, plain
from .text import Text

Content = Text | Image | Audio | Table | Html | Pair | Fields

__all__ = [
    "Audio",
    "Content",
    "Fields",
    "Html",
    "Image",
    "Pair",
    "Table",
    "Text",
    "as_content",
    "is_missing",
    "no_encoder",
    "plain",
]
