"""What an answer is: each kind of task validates and encodes its answers."""

from .base import Answer, Asked, Task
from .binary import Binary
from .classification import MAX_CLASSES, Classification
from .multilabel import MultiLabel
from .rating import Rating
from .text import Correction

__all__ = [
    "MAX_CLASSES",
    "Answer",
    "Asked",
    "Binary",
    "Classification",
    "Correction",
    "MultiLabel",
    "Rating",
    "Task",
]
