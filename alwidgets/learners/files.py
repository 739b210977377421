"""Files of learners: tensors and what goes with them, in the safetensors format."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from alwidgets.errors import LearnerError


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]
) -> None:
    """Write tensors, and what JSON can hold about them.

    Raises
    ------
    LearnerError
        If there is something that JSON cannot hold, or the file cannot be written.
    """
    try:
        text = json.dumps(about)
    except TypeError as error:
        raise LearnerError(
            f"Only numbers and strings can be saved as labels ({error}): fit on codes."
        ) from error
    plain = {name: tensor.contiguous() for name, tensor in tensors.items()}
    try:
        save_file(plain, os.fspath(path), {"format": "pt", "alwidgets": text})
    except (OSError, SafetensorError) as error:
        raise LearnerError(
            f"{os.fspath(path)} cannot be written ({error}): give the path of a file in a folder "
            "that is there."
        ) from error


def read(
    path: str | os.PathLike[str], device: torch.device
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors, on `device`, and what :func:`write` was told about them.

    Raises whatever shows that this is no such file: see :func:`no_model`.
    """
    with safe_open(os.fspath(path), framework="pt", device=str(device)) as file:
        about: dict[str, Any] = json.loads((file.metadata() or {})["alwidgets"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return tensors, about


@contextmanager
def no_model(path: str | os.PathLike[str], kind: str, remedy: str) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a `LearnerError`."""
    try:
        yield
    except (
        OSError,
        SafetensorError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,  # no layer of that name
        RuntimeError,  # other weights than the module has
    ) as error:
        raise LearnerError(
            f"{os.fspath(path)} holds no saved {kind} ({error}): {remedy}."
        ) from error
