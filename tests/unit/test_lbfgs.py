"""The minimiser: many problems side by side, each solved as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from alwidgets.learners.lbfgs import minimise

Pair = tuple[torch.Tensor, torch.Tensor]


def quadratic(seed: int, heads: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positive definite matrices (H, P, P) and goals (H, P)."""
    generator = torch.Generator().manual_seed(seed)
    roots = torch.randn(heads, size, size, generator=generator, dtype=torch.float64)
    matrices = roots @ roots.transpose(1, 2) / size + 0.1 * torch.eye(size, dtype=torch.float64)
    return matrices, torch.randn(heads, size, generator=generator, dtype=torch.float64)


class Bowl:
    """Quadratic objectives; counts its calls."""

    def __init__(self, seed: int, heads: int, size: int) -> None:
        self.matrices, self.goals = quadratic(seed, heads, size)
        self.calls = 0

    def __call__(self, x: torch.Tensor) -> Pair:
        self.calls += 1
        gap = (x - self.goals)[:, :, None]
        pull = self.matrices @ gap
        return 1 + 0.5 * (gap * pull).sum(dim=(1, 2)), pull[:, :, 0]


def rosenbrock(x: torch.Tensor) -> Pair:
    leaf = x.detach().requires_grad_()
    value = (100 * (leaf[:, 1:] - leaf[:, :-1] ** 2) ** 2 + (1 - leaf[:, :-1]) ** 2).sum(1)
    (grad,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), grad


def test_each_problem_by_itself() -> None:
    scales = torch.tensor([[1.0, 100.0], [3.0, 0.1]])
    goals = torch.tensor([[1.0, -2.0], [5.0, 4.0]])

    def bowl(x: torch.Tensor) -> Pair:
        return 1 + (scales * (x - goals) ** 2).sum(1), 2 * scales * (x - goals)

    found, steps = minimise(bowl, torch.zeros(2, 2), max_iter=60, tol=1e-7)
    torch.testing.assert_close(found, goals, atol=1e-2, rtol=1e-2)
    assert steps < 40


@pytest.mark.parametrize("history", [1, 3, 8])
def test_exact_minimum_of_quadratics(history: int) -> None:
    bowl = Bowl(0, 5, 12)
    start = torch.zeros(5, 12, dtype=torch.float64)
    found, steps = minimise(bowl, start, max_iter=400, tol=1e-13, patience=5, history=history)
    torch.testing.assert_close(found, bowl.goals, atol=1e-3, rtol=1e-3)
    assert steps < 400
    assert not start.any()


def test_a_curved_valley() -> None:
    start = torch.tensor([[-1.2, 1.0, 0.5], [0.0, 0.0, 0.0], [2.0, -1.0, 3.0]]).double()
    found, _ = minimise(rosenbrock, start, max_iter=500, tol=1e-14, patience=10)
    for head, begin in zip(found, start, strict=True):
        peer = minimize(
            lambda x: float(rosenbrock(torch.from_numpy(x)[None])[0]),
            begin.numpy(),
            jac=lambda x: rosenbrock(torch.from_numpy(x)[None])[1][0].numpy(),
            method="L-BFGS-B",
        )
        np.testing.assert_allclose(rosenbrock(head[None])[0], peer.fun, atol=1e-5)


def test_never_uphill() -> None:
    start = 3 * torch.randn(20, 4, generator=torch.Generator().manual_seed(1)).double()
    for steps in (1, 3, 10):
        found, made = minimise(rosenbrock, start, max_iter=steps, tol=0.0)
        assert made == steps
        assert bool((rosenbrock(found)[0] <= rosenbrock(start)[0]).all())


def test_a_problem_does_not_depend_on_its_neighbours() -> None:
    start = torch.randn(6, 4, generator=torch.Generator().manual_seed(2)).double()
    together, _ = minimise(rosenbrock, start, max_iter=15, tol=0.0)
    alone, _ = minimise(rosenbrock, start[2:3], max_iter=15, tol=0.0)
    torch.testing.assert_close(together[2:3], alone, atol=1e-8, rtol=1e-8)


def test_nothing_to_do() -> None:
    bowl = Bowl(3, 2, 4)
    found, steps = minimise(bowl, bowl.goals, max_iter=50, tol=1e-6)
    torch.testing.assert_close(found, bowl.goals)
    assert steps <= 3
    found, steps = minimise(bowl, bowl.goals + 1, max_iter=0, tol=1e-6)
    torch.testing.assert_close(found, bowl.goals + 1)
    assert steps == 0


def test_floor_ends_a_fit_whose_objective_is_tiny() -> None:
    def small(x: torch.Tensor) -> Pair:
        return torch.exp(-x).sum(1), -torch.exp(-x)

    start = torch.zeros(1, 3)
    _, steps = minimise(small, start, max_iter=100, tol=1e-3)
    _, fewer = minimise(small, start, max_iter=100, tol=1e-3, floor=10.0)
    assert fewer < steps


def test_a_flat_objective() -> None:
    found, steps = minimise(
        lambda x: (torch.zeros(len(x)), torch.zeros_like(x)),
        torch.ones(3, 2),
        max_iter=50,
        tol=1e-4,
    )
    torch.testing.assert_close(found, torch.ones(3, 2))
    assert steps <= 3
