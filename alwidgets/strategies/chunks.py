"""The pool as a strategy sees it: in chunks, each with what is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor
from alwidgets.strategies.context import Context, Known
from alwidgets.strategies.registry import Strategy
from alwidgets.tensors import Array, bad_row

#: Rows of the pool that are scored at once.
CHUNK = 65_536

#: Gets each chunk of the pool: the first row and the context.
Observer: TypeAlias = Callable[[int, Context], None]


@dataclass(frozen=True)
class Chunks:
    """The pool as a strategy sees it.

    Attributes
    ----------
    features : (N, d) array or tensor
    rows : (m,) int64 array
        Of the pool, to choose from, ascending.
    labelled : (l,) int64 array
        Rows of the pool that are labelled.
    known : Known
    costs : (N,) array or None
    device : torch.device
        Where it is scored.
    chunk : int
        Rows that are scored at once.
    observe : callable or None
        Sees every chunk of the whole pool.
    finite : bool
        Whether the features are known to hold no NaN or infinity.
    """

    features: Array
    rows: NDArray[np.int64]
    labelled: NDArray[np.int64]
    known: Known
    costs: NDArray[np.float64] | None
    device: torch.device
    chunk: int
    observe: Observer | None
    finite: bool = False

    def context(
        self, part: slice | NDArray[np.int64], candidates: NDArray[np.bool_] | None = None
    ) -> Context:
        """What a strategy may look at of some rows of the pool, and which of them to pick from."""
        rows = np.arange(part.start, part.stop) if isinstance(part, slice) else part
        features = gather(self.features, part, self.device, finite=self.finite)
        return Context(features, rows, self.known, self.costs, candidates)

    def scored(self, strategy: Strategy) -> torch.Tensor:
        """(m,) float32 scores of the candidates, on the device."""
        if 2 * len(self.rows) < len(self.features):
            # Few candidates: only they are scored.
            self.show()
            parts = (self.rows[at : at + self.chunk] for at in range(0, len(self.rows), self.chunk))
            return torch.cat([scores_of(strategy, self.context(part)) for part in parts])
        # Many: whole stretches of the pool are read without being copied together first.
        found = torch.empty(len(self.features), dtype=precision(strategy), device=self.device)
        for context in self.walk():
            found[context.indices[0] : context.indices[-1] + 1] = scores_of(strategy, context)
        return found[torch.from_numpy(self.rows).to(self.device)]

    def show(self) -> None:
        """Let the observer see the whole pool, where nothing is scored on the way."""
        if self.observe is not None:
            for _ in self.walk():
                pass

    def walk(self) -> Iterator[Context]:
        """Every chunk of the pool, seen by the observer first."""
        candidates = np.zeros(len(self.features), dtype=bool)
        candidates[self.rows] = True
        for start in range(0, len(self.features), self.chunk):
            part = slice(start, min(start + self.chunk, len(self.features)))
            context = self.context(part, candidates[part])
            if self.observe is not None:
                self.observe(start, context)
            yield context


def gather(
    features: Array,
    part: slice | NDArray[np.int64],
    device: torch.device,
    *,
    finite: bool = False,
) -> torch.Tensor:
    """(m, d) float32 features of some rows of the pool, all finite; shared where they can be.

    With `finite` they are known to be, and nobody looks.

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row.
    """
    if isinstance(features, torch.Tensor):
        at = part if isinstance(part, slice) else torch.from_numpy(part).to(features.device)
        found = features[at].to(device, torch.float32)
    else:
        # Of a read-only file there is a copy: strategies of one's own may write into what they get.
        rows = np.require(features[part], dtype=np.float32, requirements="W")
        found = as_tensor(rows).to(device)
    bad = None if finite else bad_row(found)
    if bad is not None:
        row = part.start + bad if isinstance(part, slice) else int(part[bad])
        raise StrategyError(
            f"The features of pool row {row} hold NaN or infinity: encode it again."
        )
    return found


def host(values: Any) -> NDArray[Any]:
    """The values as a numpy array."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def precision(strategy: Strategy) -> torch.dtype:
    """Of the scores: those of a user's function are used as they are."""
    own = strategy.function is None and strategy.selection == "top"
    return torch.float64 if own else torch.float32


def one_each(found: Any, context: Context, what: str) -> torch.Tensor:
    """What a function says of the items, as a tensor.

    Raises
    ------
    StrategyError
        Unless that is one number for each, naming what said it.
    """
    given = found if isinstance(found, torch.Tensor) else np.asarray(found)
    numbers = isinstance(given, torch.Tensor) or given.dtype.kind in "fiub"
    if not numbers or given.shape != (len(context.indices),):
        raise StrategyError(
            f"{what} returned {given.dtype} of shape {tuple(given.shape)} for "
            f"{len(context.indices)} items: return one number for each."
        )
    return as_tensor(given)


def of_candidates(context: Context, values: torch.Tensor) -> torch.Tensor:
    """The values; 0 for what cannot be picked, which counts for nothing."""
    if context.candidates is None:
        return values
    return values.masked_fill(~torch.from_numpy(context.candidates).to(values.device), 0)


def scores_of(strategy: Strategy, context: Context) -> torch.Tensor:
    """(n,) scores of the items of a context; 0 for those that cannot be picked.

    Raises
    ------
    StrategyError
        Where they are not numbers that can be used, naming the row.
    """
    assert strategy.score is not None
    found = one_each(strategy.score(context), context, f"Strategy {strategy.name!r}")
    values = of_candidates(context, found.to(context.features.device, precision(strategy)))
    negative = strategy.selection != "top"
    # The extremes tell of NaN and infinity, too.
    low, high = torch.aminmax(values) if len(values) else (values.sum(), values.sum())
    if not (math.isfinite(float(low)) and math.isfinite(float(high))) or (negative and low < 0):
        bad = ~torch.isfinite(values) | ((values < 0) & negative)
        at = int(torch.nonzero(bad)[0, 0])
        raise StrategyError(
            f"Strategy {strategy.name!r} scored pool row {context.indices[at]} with "
            f"{float(values[at])}: scores must be finite, and not negative unless the selection "
            "is 'top'."
        )
    return values
