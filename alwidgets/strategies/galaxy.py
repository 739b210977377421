"""Where one class ends, class by class: finds the rare ones."""

from __future__ import annotations

from bisect import bisect_left
from heapq import heappop, heappush
from typing import Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, clipped, generator, probabilities, shaped
from alwidgets.tensors import Array, ArrayT, like
from alwidgets.threads import one_thread

#: Bytes that the orders of all classes may take together, and those of one item in one order.
MEMORY, PLACE = 1 << 29, 8


@overload
def galaxy(
    proba: ArrayT,
    labelled_proba: Array | None,
    labels: Array,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def galaxy(
    proba: ArrayT,
    labelled_proba: Array | None,
    labels: Array,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


@one_thread()
def galaxy(
    proba: ArrayT,
    labelled_proba: Array | None,
    labels: Array,
    n: int,
    seed: int = 0,
    *,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Bisect the shortest gap between opposite labels, class by class.

    For each class, candidates and labelled items are put in the order of its probability minus the
    largest other one. The classes take turns, in an order drawn anew for each round. The one whose
    turn it is asks for the item in the middle of its shortest stretch of unlabelled items between
    one labelled with the class and one labelled otherwise; once every such stretch is closed, for
    the item nearest to where the labels change, on either side.

    The paper learns each label before it asks for the next one. Within a batch it is unknown, and
    the prediction of the model stands for it. A class that no label belongs to, or every label, is
    treated as if beyond the ends of its order there were one item of the class and one of another.

    The orders are kept, 8 bytes for each item and class, up to half a gigabyte: 300 classes of
    200,000 items. Those of further classes are made anew for each turn, which takes time only.

    Parameters
    ----------
    proba : (m, C) array or tensor
        Of the candidates.
    labelled_proba : (l, C) array or tensor, or None
    labels : (l,) integers
        Class codes of the labelled items, columns of ``proba``.
    n : int
        How many; all m if there are fewer.
    seed : int
    return_scores : bool

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``proba`` in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: one minus how far the probability of the class whose turn it was
        lies from the largest other one, in [0, 1]. 1 is on the border of the class as the model
        sees it; the middle of a gap may lie elsewhere.

    Raises
    ------
    StrategyError
        For NaN or infinity, for what is no distribution, such as logits, and for a label that is
        no class, naming the row, and for shapes that do not belong together.

    References
    ----------
    Zhang, Katz-Samuels & Nowak, "GALAXY: graph-based active learning at the extreme", ICML 2022.
    """
    p = probabilities(proba, 2)
    m, classes = p.shape
    known = p[:0]
    if labelled_proba is not None:
        known = shaped(labelled_proba, 2, "labelled probabilities").to(p)
    if known.shape[1] != classes:
        raise StrategyError(
            f"{classes} classes for the candidates, {known.shape[1]} for the labelled items."
        )
    known = probabilities(known, 2, "labelled probabilities")
    numbers = as_tensor(labels, "labels").cpu().numpy().reshape(-1)
    with np.errstate(invalid="ignore"):
        codes = np.asarray(numbers, dtype=np.int64)
    if len(codes) != len(known):
        raise StrategyError(f"{len(known)} labelled items but {len(codes)} labels.")
    outside = (codes < 0) | (codes >= classes) | (codes != numbers)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise StrategyError(f"Label {numbers[row]} of row {row} is none of the {classes} classes.")
    n = clipped(n, m)
    rng = generator(seed)
    # Labelled items last. Candidates are shuffled: the order of equals is then fair.
    shuffled = rng.permutation(m)
    at = torch.from_numpy(shuffled).to(p.device)
    code = np.concatenate([p.argmax(dim=1)[at].cpu().numpy(), codes])
    margins = _Margins(p, known, at)
    taken = list(range(m, m + len(codes)))
    scores: list[float] = []
    lines: dict[int, _Line] = {}
    room = MEMORY // (PLACE * max(1, len(code)))
    turns: list[int] = []
    while len(taken) < len(codes) + n:
        if not turns:
            turns = rng.permutation(classes).tolist()
        c = turns.pop()
        line = lines.get(c)
        if line is None:
            ends = bool((codes == c).all() or (codes != c).all())
            line = _Line(margins.of(c), code, c, taken, ends, rng)
            if len(lines) < room:
                lines[c] = line
        item = line.ask()
        taken.append(item)
        if return_scores:
            scores.append(1.0 - abs(margins.at(item, c)))
        for line in lines.values():
            line.label(item)
    picked = shuffled[np.array(taken[len(codes) :], dtype=np.int64)]
    found = like(torch.from_numpy(picked).to(p.device), proba)
    return (found, like(p.new_tensor(scores), proba)) if return_scores else found


class _Margins:
    """Probability of a class minus the largest other one, of all items, labelled ones last.

    Parameters
    ----------
    p : (m, C) tensor
    known : (l, C) tensor
    at : (m,) tensor
        The order of the candidates.
    """

    def __init__(self, p: torch.Tensor, known: torch.Tensor, at: torch.Tensor) -> None:
        # Column by column, so that no second copy of all probabilities is made.
        self.parts = (p, known)
        self.order = at
        both = [part.topk(min(2, p.shape[1]), dim=1) for part in self.parts]
        self.values = torch.cat([both[0].values[at], both[1].values])
        self.first = torch.cat([both[0].indices[at, 0], both[1].indices[:, 0]])

    def of(self, c: int) -> NDArray[np.floating]:
        """(m + l,) of class ``c``."""
        margin = torch.cat([self.parts[0][:, c].contiguous()[self.order], self.parts[1][:, c]])
        if self.values.shape[1] > 1:
            margin -= torch.where(self.first == c, self.values[:, 1], self.values[:, 0])
        return np.asarray(margin.cpu().numpy())

    def at(self, item: int, c: int) -> float:
        """Of one candidate."""
        own = float(self.parts[0][self.order[item], c])
        if self.values.shape[1] < 2:
            return own
        return own - float(self.values[item, 1 if int(self.first[item]) == c else 0])


class _Line:
    """The items in the order of one class, and the gaps between opposite labels in it.

    Places run from 0; -1 and m stand beyond the ends. Two heaps hold what to ask for: gaps by
    length, and places by how far they are from a change of label. Entries that a later label has
    overtaken are dropped when they come up.
    """

    def __init__(
        self,
        margin: NDArray[np.floating],
        code: NDArray[np.int64],
        c: int,
        taken: list[int],
        ends: bool,
        rng: np.random.Generator,
    ) -> None:
        self.code, self.c, self.rng = code, c, rng
        # Half as wide as usual: with many classes this is what takes memory.
        self.order = _ascending(margin).astype(np.int32)
        self.place = np.empty_like(self.order)
        self.place[self.order] = np.arange(len(self.order), dtype=np.int32)
        #: Places with a label, in order, and whether each is of the class.
        self.places = sorted(self.place[taken].tolist())
        self.inside = (code[self.order[self.places]] == c).tolist()
        if ends:
            self.places = [-1, *self.places, len(self.order)]
            self.inside = [False, *self.inside, True]
        self.gaps: list[tuple[int, float, int, int]] = []
        self.near: list[tuple[int, float, int, int]] = []
        for i in range(len(self.places) - 1):
            self._gap(i)

    def _gap(self, i: int) -> None:
        """Note what lies between the i-th label and the next, if they differ."""
        if not 0 <= i < len(self.places) - 1 or self.inside[i] == self.inside[i + 1]:
            return
        left, right = self.places[i], self.places[i + 1]
        if right - left > 1:
            heappush(self.gaps, (right - left, self.rng.random(), left, right))
        else:
            heappush(self.near, (1, self.rng.random(), left - 1, -1))
            heappush(self.near, (1, self.rng.random(), right + 1, 1))

    def label(self, item: int) -> None:
        """An item of the line has been picked; it counts as what the model predicts."""
        place = int(self.place[item])
        i = bisect_left(self.places, place)
        self.places.insert(i, place)
        self.inside.insert(i, bool(self.code[item] == self.c))
        self._gap(i - 1)
        self._gap(i)

    def ask(self) -> int:
        """The item to ask for; there must be one without a label."""
        while self.gaps:
            _, _, left, right = heappop(self.gaps)
            i = bisect_left(self.places, left)
            if self.places[i + 1] == right:
                return int(self.order[(left + right) // 2])
        while True:
            steps, lot, place, way = heappop(self.near)
            if not 0 <= place < len(self.order):
                continue
            heappush(self.near, (steps + 1, lot, place + way, way))
            i = bisect_left(self.places, place)
            if i == len(self.places) or self.places[i] != place:
                return int(self.order[place])


def _ascending(values: NDArray[np.floating]) -> NDArray[np.integer]:
    """The rows in ascending order, equal ones as they come."""
    if values.dtype != np.float32:
        return np.argsort(values, kind="stable")
    # Whole numbers in the same order, each with its row behind it: several times as fast to sort.
    # The zero makes one of the two zeros of a float.
    bits = (values + np.float32(0)).view(np.int32)
    keys = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64) << 32
    keys |= np.arange(len(values))
    keys.sort()
    return keys & 0xFFFFFFFF
