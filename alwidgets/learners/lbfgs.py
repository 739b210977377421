"""L-BFGS on many independent problems at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch

#: Maps parameters (H, P) to the objective of each problem (H,) and its gradient (H, P).
Objective: TypeAlias = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def minimise(
    objective: Objective,
    start: torch.Tensor,
    *,
    max_iter: int,
    tol: float,
    patience: int = 2,
    history: int = 8,
) -> tuple[torch.Tensor, int]:
    """Minimise H problems of P parameters side by side.

    Every problem has its own curvature pairs and its own step length; all of them share each call
    of the objective, so H small problems cost about as much as one. Plain L-BFGS (Liu & Nocedal,
    1989) with a backtracking Armijo search; a step that does not descend is not taken.

    Parameters
    ----------
    objective : callable
        (H, P) -> (H,), (H, P).
    start : (H, P) float tensor
    max_iter : int
    tol : float
        A problem has settled when its objective fell by less than ``tol`` of itself for
        ``patience`` steps in a row.
    patience : int
    history : int
        Curvature pairs that are kept.

    Returns
    -------
    (H, P) tensor, int
        The parameters and the number of iterations made.
    """
    x = start.clone()
    value, grad = objective(x)
    steps: list[torch.Tensor] = []
    turns: list[torch.Tensor] = []
    rhos: list[torch.Tensor] = []
    still = torch.zeros_like(value)
    made = 0
    while made < max_iter:
        made += 1
        direction = _direction(grad, steps, turns, rhos)
        slope = _dot(direction, grad)
        uphill = slope >= 0
        direction = torch.where(uphill[:, None], -grad, direction)
        slope = torch.where(uphill, -_dot(grad, grad), slope)
        size = torch.ones_like(value)
        if not steps:
            size = 1.0 / torch.clamp(_dot(grad, grad).sqrt(), min=1.0)
        new_x, new_value, new_grad = x, value, grad
        for _ in range(12):
            new_x = x + size[:, None] * direction
            new_value, new_grad = objective(new_x)
            # Float32 cannot see a descent below its own rounding: that counts as descent.
            slack = 1e-6 * value.abs()
            good = new_value <= value + 1e-4 * size * slope + slack
            if bool(good.all()):
                break
            size = torch.where(good, size, 0.3 * size)
        taken = (new_value <= value + 1e-6 * value.abs())[:, None]
        new_x = torch.where(taken, new_x, x)
        new_grad = torch.where(taken, new_grad, grad)
        new_value = torch.where(taken[:, 0], new_value, value)
        step, turn = new_x - x, new_grad - grad
        curvature = _dot(step, turn)
        # A pair without positive curvature gets rho = 0: it then changes nothing in the recursion.
        usable = curvature > 1e-10 * _dot(turn, turn)
        steps.append(step)
        turns.append(turn)
        rhos.append(torch.where(usable, 1.0 / curvature.clamp(min=1e-30), torch.zeros_like(value)))
        if len(steps) > history:
            del steps[0], turns[0], rhos[0]
        fell = value - new_value
        still = torch.where(fell <= tol * new_value.abs().clamp(min=1e-12), still + 1, 0 * still)
        x, value, grad = new_x, new_value, new_grad
        if bool((still >= patience).all()):
            break
    return x, made


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a * b).sum(dim=1)


def _direction(
    grad: torch.Tensor,
    steps: list[torch.Tensor],
    turns: list[torch.Tensor],
    rhos: list[torch.Tensor],
) -> torch.Tensor:
    """The two-loop recursion, (H, P)."""
    q = -grad
    alphas: list[torch.Tensor] = []
    for step, turn, rho in zip(reversed(steps), reversed(turns), reversed(rhos), strict=True):
        alpha = rho * _dot(step, q)
        alphas.append(alpha)
        q = q - alpha[:, None] * turn
    if steps:
        scale = _dot(steps[-1], turns[-1]) / _dot(turns[-1], turns[-1]).clamp(min=1e-30)
        q = q * torch.where(rhos[-1] > 0, scale, torch.ones_like(scale))[:, None]
    for step, turn, rho, alpha in zip(steps, turns, rhos, reversed(alphas), strict=True):
        q = q + (alpha - rho * _dot(turn, q))[:, None] * step
    return q
