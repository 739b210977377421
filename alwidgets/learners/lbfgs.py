"""L-BFGS on many independent problems at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

#: Maps parameters (H, P) to the objective of each problem (H,) and its gradient (H, P).
Objective: TypeAlias = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
#: Gets the number of iterations made and, of each problem (H,), by how much of itself, or of
#: ``floor`` where that is more, its objective fell: the latter as (fall, size).
Follower: TypeAlias = Callable[[int, torch.Tensor, torch.Tensor], None]

#: Relative rounding error of an objective in single precision: a rise below it is none.
ROUNDING = 1e-6
#: Halvings of a step before it is given up.
TRIES = 12
#: Numbers of single precision in a cache line: a matrix product rounds a block that begins in the
#: middle of one otherwise than the same block at its beginning.
ALIGNED = 16


def aligned(n: int) -> int:
    """The next multiple of `ALIGNED`."""
    return -(-n // ALIGNED) * ALIGNED


def minimise(
    objective: Objective,
    start: torch.Tensor,
    *,
    max_iter: int,
    tol: float,
    patience: int = 2,
    history: int = 8,
    floor: float = 1e-12,
    follow: Follower | None = None,
    apart: bool = False,
) -> tuple[torch.Tensor, int]:
    """Minimise H problems of P parameters side by side.

    Every problem has its own curvature pairs and its own step length; all of them share each call
    of the objective, so H small problems cost about as much as one. L-BFGS (Liu & Nocedal, 1989,
    Mathematical Programming) with a backtracking Armijo search; a step that does not descend is
    not taken. The two-loop recursion works on inner products instead of on vectors (Chen, Wang &
    Zhou, 2014, NIPS): three matrix products an iteration, whatever the history.

    The first step is the negative gradient as it is: scale the parameters so that it fits.

    Parameters
    ----------
    objective : callable
        (H, P) -> (H,), (H, P).
    start : (H, P) float tensor
    max_iter : int
    tol : float
        A problem has settled when its objective fell by less than ``tol`` of itself, or of
        ``floor`` where that is more, for ``patience`` steps in a row.
    patience : int
    history : int
        Curvature pairs that are kept; memory is ``2 * history + 1`` times that of ``start``.
    floor : float
        What matters in an objective, however small it is.
    follow : callable, optional
        Called after every iteration; what it raises ends them.
    apart : bool
        Whether a problem that has settled stays where it is, so that each comes out the same to
        the last bit, whoever it is minimised with. For that the objective has to treat them alike,
        and on a processor P has to be a multiple of `ALIGNED`.

    Returns
    -------
    (H, P) tensor, int
        The parameters and the number of iterations made.
    """
    heads, size = start.shape
    x = start
    value, grad = objective(x)
    # Rows 0..m-1: steps, m..2m-1: changes of the gradient, 2m: the gradient.
    width = aligned(2 * history + 1) if apart else 2 * history + 1
    basis = start.new_zeros(heads, width, size)
    products = np.zeros((heads, width, width))
    basis[:, 2 * history] = grad
    order: list[int] = []  # Slots in use, the oldest first.
    still = torch.zeros_like(value)
    made = 0
    while made < max_iter:
        made += 1
        _update(products, basis, order[-1:], history)
        factors, slope = _recursion(products, order, history)
        told = torch.from_numpy(factors).to(basis)
        direction = torch.bmm(told[:, None], basis)[:, 0]
        slopes = torch.from_numpy(slope).to(value)
        if apart:
            going = still < patience
            direction, slopes = direction * going[:, None], slopes * going
        new_x, new_value, new_grad = _search(objective, x, value, grad, direction, slopes)
        slot = len(order) if len(order) < history else order.pop(0)
        order.append(slot)
        torch.sub(new_x, x, out=basis[:, slot])
        torch.sub(new_grad, grad, out=basis[:, history + slot])
        basis[:, 2 * history] = new_grad
        fell = value - new_value
        whole = new_value.abs().clamp(min=floor)
        settled = fell <= tol * whole
        still = torch.where(settled, still + 1, 0.0)
        x, value, grad = new_x, new_value, new_grad
        if follow is not None:
            follow(made, fell, whole)
        if bool((still >= patience).all()):
            break
    return x, made


def _search(
    objective: Objective,
    x: torch.Tensor,
    value: torch.Tensor,
    grad: torch.Tensor,
    direction: torch.Tensor,
    slope: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return where each problem goes, its objective and its gradient there."""
    slack = ROUNDING * value.abs()
    size = torch.ones_like(value)
    new_x = x + direction
    new_value, new_grad = objective(new_x)
    for _ in range(TRIES):
        good = new_value <= value + 1e-4 * size * slope + slack
        if bool(good.all()):
            return new_x, new_value, new_grad
        # The minimum of the parabola through both values and the slope, within bounds.
        rise = (new_value - value - size * slope).clamp(min=1e-30)
        shrink = (-0.5 * size * slope / rise).nan_to_num(0.1).clamp(0.1, 0.5)
        size = torch.where(good, size, shrink * size)
        new_x = x + size[:, None] * direction
        new_value, new_grad = objective(new_x)
    taken = new_value <= value + slack
    return (
        torch.where(taken[:, None], new_x, x),
        torch.where(taken, new_value, value),
        torch.where(taken[:, None], new_grad, grad),
    )


def _update(products: NDArray[Any], basis: torch.Tensor, newest: list[int], history: int) -> None:
    """Bring the inner products up to date with the newest pair and the gradient."""
    rows = [*newest, *(history + slot for slot in newest), 2 * history]
    fresh = torch.bmm(basis[:, rows], basis.transpose(1, 2)).double().cpu().numpy()
    products[:, rows] = fresh
    products[:, :, rows] = fresh.transpose(0, 2, 1)


def _recursion(
    products: NDArray[Any], order: list[int], history: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The direction as a combination of the basis (H, its rows), and its slope (H,)."""
    heads, size = products.shape[:2]
    gradient = 2 * history
    square = products[:, gradient, gradient]
    factors = np.zeros((heads, size))
    factors[:, gradient] = -1.0
    alphas, rhos = {}, {}
    scale = np.ones(heads)
    for slot in reversed(order):
        turn = history + slot
        curvature, length = products[:, slot, turn], products[:, turn, turn]
        # A pair without positive curvature gets rho = 0: it then changes nothing.
        usable = curvature > 1e-10 * length
        rhos[slot] = np.divide(1.0, curvature, out=np.zeros(heads), where=usable)
        if slot == order[-1]:
            np.divide(curvature, length, out=scale, where=usable)
        alphas[slot] = rhos[slot] * np.einsum("hj,hj->h", factors, products[:, slot])
        factors[:, turn] -= alphas[slot]
    factors *= scale[:, None]
    for slot in order:
        beta = rhos[slot] * np.einsum("hj,hj->h", factors, products[:, history + slot])
        factors[:, slot] += alphas[slot] - beta
    slope = np.einsum("hj,hj->h", factors, products[:, gradient])
    uphill = ~(slope < 0)
    factors[uphill] = 0.0
    factors[uphill, gradient] = -1.0
    return factors, np.where(uphill, -square, slope)
