"""Where torch computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import AlwidgetsError

if TYPE_CHECKING:
    import torch


def resolve_device(device: str | torch.device, error: type[AlwidgetsError]) -> torch.device:
    """The device that a name stands for; ``"auto"`` is CUDA's or Apple's GPU where there is one.

    Parameters
    ----------
    device : str or torch.device
    error : type
        What to raise: the caller's kind of error.

    Raises
    ------
    AlwidgetsError
        Of that kind, if it is no device, or there is no such device here.
    """
    import torch  # heavy: not before it is needed

    cuda, mps = torch.cuda.is_available, torch.backends.mps.is_available
    if isinstance(device, str) and device == "auto":
        if cuda():
            return torch.device("cuda")
        return torch.device("mps" if mps() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as e:
        raise error(f"device={device!r} is no device: give 'auto', 'cpu', 'cuda' or 'mps'.") from e
    if not _is_there(chosen):
        raise error(
            f"device={str(device)!r} is not there: torch finds no such GPU. Give device='auto', or "
            "install a torch that is built for the GPU."
        )
    return chosen


def _is_there(device: torch.device) -> bool:
    import torch

    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    try:
        # Of a rarer kind: a number put there tells.
        torch.zeros(1, device=device)
    except Exception:  # noqa: BLE001, of any kind where torch was built without it
        return False
    return True
