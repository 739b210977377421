"""Are the estimates unbiased, and do their intervals cover? Simulated pools, all of them known.

``python tests/bench/estimates.py`` prints the whole grid. Each cell is 2,000 finite pools whose
errors are drawn, and an audit of each:

uniform
    every item is as likely to be drawn;
good, adversarial
    q = 0.8 sqrt(p) / sum sqrt(p) + 0.2 uniform, by a predictor p of errors that is mostly right, or
    as far wrong;
opposed
    the same, where every error is thought to be none, and so is drawn at a fifth of an even
    chance. Without its floor of uniform draws nobody can know that; with ``floor=0.2`` it is told;
sharp, sharp and blind
    as the strategies that come with the package draw a batch: by the eighth power of a score, and
    uniformly 15 times in 100. Errors have the higher scores, or any. All but so few draws tell of
    the top alone. For want of draws an interval may hold the truth too often, so that what must be
    met is the lower bar alone; it is wide.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alwidgets.evaluation import f1, precision, recall, strata, stratified
from alwidgets.evaluation.drawn import figures, variance_of
from alwidgets.evaluation.intervals import anytime
from alwidgets.evaluation.strata import allocate
from alwidgets.strategies import sample
from alwidgets.strategies.registry import SHARP

KINDS = ("uniform", "good", "adversarial")
#: The strategies' own draws, and the power that the score of an item has on whether it is an error.
SHARP_KINDS = {"sharp": 2.0, "sharp and blind": 0.0}
SIZES = (200, 2_000, 20_000)
RATES = (0.02, 0.05, 0.10, 0.20, 0.40)
DRAWS = (30, 60, 100, 300)
POOLS = 2_000
FLOOR = 0.2
LOWEST, HIGHEST, SURE = 0.90, 0.99, 3.0
#: Rounds until errors are as frequent as wished, though none is likelier than certain.
SETTLED = 8
#: Floor of the draws of a strategy.
BELOW = 0.15
#: Items simulated at a time.
AT_ONCE = 4_000_000
Z = 1.959963984540054

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """Pools of a kind: what came of their audits."""

    kind: str
    N: int
    rate: float
    M: int
    #: Mean error of the estimate in standard errors of that mean.
    bias: float
    #: Share of the intervals that hold the truth, and their mean width.
    held: float
    width: float
    #: The share of plain normal intervals that do.
    normal: float

    @property
    def met(self) -> bool:
        highest = 1.0 if self.kind in SHARP_KINDS else HIGHEST
        return abs(self.bias) < SURE and LOWEST <= self.held <= highest

    def __str__(self) -> str:
        return (
            f"{self.kind:<16}{self.N:>7}{self.rate:>7.0%}{self.M:>5}{self.bias:>+8.2f}"
            f"{self.held:>8.3f}{self.width:>8.3f}{self.normal:>8.3f}  {'' if self.met else 'NO'}"
        ).rstrip()


def pools(
    kind: str, rate: float, N: int, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which items of n pools are errors, and how likely each is drawn first, (n, N) both."""
    if kind in SHARP_KINDS:
        scores = rng.beta(1, 3, (n, N)).astype(np.float32)
        doubt = scores ** SHARP_KINDS[kind]
        for _ in range(SETTLED):
            doubt = np.minimum(1, doubt * rate / doubt.mean(axis=1, keepdims=True))
        return rng.random((n, N), dtype=np.float32) < doubt, scores
    losses = rng.random((n, N), dtype=np.float32) < rate
    if kind == "uniform":
        return losses, np.full((n, N), 1 / N, dtype=np.float32)
    if kind == "opposed":
        p = np.where(losses, 1e-6, 1.0)
    else:
        doubt = rng.random((n, N), dtype=np.float32)
        suspect = losses if kind == "good" else ~losses
        p = np.where(suspect, 0.3 + 0.6 * doubt, 0.02 + 0.4 * doubt)
    root = np.sqrt(p)
    score = (1 - FLOOR) * root / root.sum(axis=1, keepdims=True) + FLOOR / N
    return losses, score.astype(np.float32)


def draw(
    scores: NDArray[np.float32], M: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats]:
    """M draws without replacement from each row: items and q, as an exponential race gives them."""
    keys = rng.standard_exponential(scores.shape, dtype=np.float32) / scores
    ahead = np.argpartition(keys, M - 1, axis=1)[:, :M]
    order = np.take_along_axis(keys, ahead, axis=1).argsort(axis=1)
    items = np.take_along_axis(ahead, order, axis=1)
    own = np.take_along_axis(scores, items, axis=1).astype(np.float64)
    left = scores.sum(axis=1, dtype=np.float64)[:, None] - np.cumsum(own, axis=1) + own
    return items, own / left


def draw_sharply(
    scores: NDArray[np.float32], M: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats]:
    """M draws from each row as a strategy of the package makes them: items and q."""
    drawn = [
        sample(row, M, beta=SHARP, floor=BELOW, seed=int(rng.integers(2**31))) for row in scores
    ]
    return np.array([items for items, _ in drawn]), np.exp([log_q for _, log_q in drawn])


def cells(
    kind: str, N: int, rate: float, *, floor: float | None = None, n: int = POOLS, seed: int = 0
) -> list[Cell]:
    """A cell for each number of draws up to half the pool; the first of more draws are fewer."""
    rng = np.random.default_rng([seed, N, round(1000 * rate)])
    draws = [M for M in DRAWS if M <= N // 2]
    parts: dict[int, list[Floats]] = {M: [] for M in draws}
    for start in range(0, n, max(1, AT_ONCE // N)):
        losses, scores = pools(kind, rate, N, min(max(1, AT_ONCE // N), n - start), rng)
        items, q = (draw_sharply if kind in SHARP_KINDS else draw)(scores, draws[-1], rng)
        found = np.take_along_axis(losses, items, axis=1).astype(np.float64)
        truth = losses.mean(axis=1)
        for M in draws:
            parts[M].append(_outcome(found[:, :M], q[:, :M], N, truth, floor))
    name = kind if floor is None else f"{kind}, told"
    made = []
    for M in draws:
        gap, held, width, normal = np.concatenate(parts[M], axis=1)
        bias = float(gap.mean() / (gap.std() / math.sqrt(n)))
        made.append(
            Cell(name, N, rate, M, bias, float(held.mean()), float(width.mean()), normal.mean())
        )
    return made


def grid(n: int = POOLS, seed: int = 0) -> Iterator[tuple[str, list[Cell]]]:
    """All cells that have a bar, by what the items are drawn by."""
    for kind in (*KINDS, *SHARP_KINDS):
        # The strategies draw one pool after the other: of the largest it would take too long.
        sizes = SIZES[:-1] if kind in SHARP_KINDS else SIZES
        yield kind, [c for N in sizes for r in RATES for c in cells(kind, N, r, n=n, seed=seed)]


def _outcome(losses: Floats, q: Floats, N: int, truth: Floats, floor: float | None) -> Floats:
    risk, low, high, _, _ = figures(losses, q, N, floor=floor)
    half = Z * np.sqrt(variance_of(losses, q, N, risk))
    return np.stack(
        [
            risk - truth,
            (low <= truth) & (truth <= high),
            high - low,
            np.abs(risk - truth) <= half,
        ]
    )


def classes(seed: int, N: int = 4_000, M: int = 100) -> dict[str, bool]:
    """Of one pool of six classes, one rare: which intervals of ratios hold the truth."""
    rng = np.random.default_rng([seed, M])
    shares = np.array([0.23, 0.22, 0.21, 0.17, 0.155, 0.015])
    truth = rng.choice(6, N, p=shares)
    said = np.where(rng.random(N) < 0.2, rng.choice(6, N, p=shares), truth)
    items, q = rng.permutation(N)[:M], 1 / (N - np.arange(M))
    held, names = {}, [f"class {code}" for code in range(6)]
    for metric in (precision, recall, f1):
        for name, options in (
            ("usual class", {"of": 0}),
            ("rare class", {"of": 5}),
            ("macro", {"average": "macro"}),
            ("micro", {"average": "micro"}),
        ):
            given: dict[str, Any] = {"names": names} | options
            real = metric(truth, said, 1 / (N - np.arange(N)), N, **given)
            found = metric(truth[items], said[items], q, N, **given)
            if found.known:
                held[f"{metric.__name__}, {name}"] = found.low <= real.value <= found.high
    return held


def rare(seed: int, N: int = 20_000, M: int = 200, rate: float = 0.01) -> dict[str, Any]:
    """The share of a rare class, by strata and by as many uniform draws: held, and how wide."""
    rng = np.random.default_rng([seed, M])
    score = rng.beta(0.15, 15, N)
    losses = (rng.random(N) < np.clip(score * rate / score.mean(), 0, 1)).astype(float)
    at = strata(score)
    sizes = np.bincount(at)
    expected = np.bincount(at, weights=score) / sizes
    drawn = [
        rng.permutation(np.flatnonzero(at == h))[:n]
        for h, n in enumerate(allocate(M, sizes, expected))
    ]
    items = np.concatenate(drawn)
    found = stratified(losses[items], at[items], sizes)
    risk, low, high, _, _ = figures(losses[rng.permutation(N)[:M]], 1 / (N - np.arange(M)), N)
    truth = losses.mean()
    return {
        "strata held": found.low <= truth <= found.high,
        "strata width": found.high - found.low,
        "strata error": abs(found.value - truth),
        "uniform held": low <= truth <= high,
        "uniform width": high - low,
        "uniform error": abs(risk - truth),
    }


def peeked(seed: int, kind: str = "uniform", N: int = 2_000, M: int = 200) -> dict[str, Any]:
    """Whether a band, and Wilson's interval, hold the truth at every one of M looks at once."""
    rng = np.random.default_rng([seed, M])
    losses, scores = pools(kind, 0.1, N, 1, rng)
    items, q = draw(scores, M, rng)
    found, truth = losses[0][items[0]].astype(float), float(losses.mean())
    bands, usual = [], []
    for m in range(20, M + 1, 20):
        low, high = anytime(found[:m], q[0][:m], N, 0.95)
        bands.append((low <= truth <= high, high - low))
        _, low, high, _, _ = figures(found[:m], q[0][:m], N)
        usual.append((low <= truth <= high, high - low))
    return {
        "band held at every look": all(held for held, _ in bands),
        "band width": bands[-1][1],
        "wilson held at every look": all(held for held, _ in usual),
        "wilson width": usual[-1][1],
    }


def others(runs: int) -> Iterator[str]:
    """What is not a mean loss, or not one look at it."""
    for M in (30, 100, 300):
        rows = [classes(seed, M=M) for seed in range(runs)]
        for name in rows[0] | rows[-1]:
            held = [row[name] for row in rows if name in row]
            yield f"{f'{name}, M={M}':<46}{np.mean(held):>8.3f}  known in {len(held)} of {runs}"
    for what, make in (("rare class", rare), ("looks", peeked)):
        found = [make(seed) for seed in range(runs)]
        for name in found[0]:
            yield f"{f'{what}: {name}':<46}{np.mean([row[name] for row in found]):>8.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pools", type=int, default=POOLS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=500, help="of what is not in the grid")
    asked = parser.parse_args()
    print(
        f"{'q':<16}{'N':>7}{'errors':>7}{'M':>5}{'bias/SE':>8}{'held':>8}{'width':>8}{'normal':>8}"
    )
    bars: list[Cell] = []
    for _, found in grid(asked.pools, asked.seed):
        bars += found
        print(*found, sep="\n", flush=True)
    for floor in (None, FLOOR):
        for N in SIZES:
            for rate in RATES:
                for cell in cells("opposed", N, rate, floor=floor, n=asked.pools, seed=asked.seed):
                    print(cell, flush=True)
    held, bias = [cell.held for cell in bars], [abs(cell.bias) for cell in bars]
    beyond = sum(b >= SURE for b in bias)
    print(
        f"{len(bars)} cells of {', '.join((*KINDS, *SHARP_KINDS))}: held {min(held):.3f} to "
        f"{max(held):.3f}, plain normal from {min(cell.normal for cell in bars):.3f}; |bias| up to "
        f"{max(bias):.2f} standard errors, {beyond} beyond {SURE:g}"
    )
    for line in others(asked.runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
