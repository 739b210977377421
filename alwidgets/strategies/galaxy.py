"""Where one class ends, class by class: finds the rare ones."""

from __future__ import annotations

from bisect import bisect_left
from heapq import heappop, heappush

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import Array, ArrayT, as_tensor, checked, like
from alwidgets.strategies._threads import one_thread


@one_thread()
def galaxy(
    proba: ArrayT, labelled_proba: Array | None, labels: Array, n: int, seed: int = 0
) -> ArrayT:
    """Bisect the shortest gap between opposite labels, class by class.

    For each class, candidates and labelled items are put in the order of its probability minus the
    largest other one. The classes take turns, in an order drawn anew for each round. The one whose
    turn it is asks for the item in the middle of its shortest stretch of unlabelled items between
    one labelled with the class and one labelled otherwise; once every such stretch is closed, for
    the item nearest to where the labels change, on either side.

    The paper learns each label before it asks for the next one. Within a batch it is unknown, and
    the prediction of the model stands for it. A class that no label belongs to, or every label, is
    treated as if beyond the ends of its order there were one item of the class and one of another.

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

    Returns
    -------
    (min(n, m),) int64 array or tensor
        Rows of ``proba`` in the order picked.

    Raises
    ------
    StrategyError
        For NaN or infinity or a label that is no class, naming the row, and for shapes that do not
        belong together.

    References
    ----------
    Zhang, Katz-Samuels & Nowak, "GALAXY: graph-based active learning at the extreme", ICML 2022.
    """
    p = checked(proba, 2)
    m, classes = p.shape
    known = (
        p[:0] if labelled_proba is None else checked(labelled_proba, 2, "labelled probabilities")
    )
    if known.shape[1] != classes:
        raise StrategyError(
            f"{classes} classes for the candidates, {known.shape[1]} for the labelled items."
        )
    codes = np.asarray(as_tensor(labels).cpu().numpy(), dtype=np.int64)
    if len(codes) != len(known):
        raise StrategyError(f"{len(known)} labelled items but {len(codes)} labels.")
    outside = (codes < 0) | (codes >= classes)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise StrategyError(f"Label {codes[row]} of row {row} is none of the {classes} classes.")
    n = max(0, min(n, m))
    rng = np.random.default_rng(seed)
    # Labelled items last. Candidates are shuffled: the order of equals is then fair.
    shuffled = rng.permutation(m)
    at = torch.from_numpy(shuffled).to(p.device)
    everything = torch.cat([p[at], known.to(p)])
    code = np.concatenate([everything[:m].argmax(dim=1).cpu().numpy(), codes])
    best = everything.topk(min(2, classes), dim=1)
    taken = list(range(m, m + len(codes)))
    lines: dict[int, _Line] = {}
    turns: list[int] = []
    while len(taken) < len(codes) + n:
        if not turns:
            turns = rng.permutation(classes).tolist()
        c = turns.pop()
        if c not in lines:
            ends = bool((codes == c).all() or (codes != c).all())
            lines[c] = _Line(_margin(everything, best, c), code == c, taken, ends, rng)
        item = lines[c].ask()
        taken.append(item)
        for line in lines.values():
            line.label(item)
    picked = shuffled[np.array(taken[len(codes) :], dtype=np.int64)]
    return like(torch.from_numpy(picked).to(p.device), proba)


def _margin(p: torch.Tensor, best: torch.return_types.topk, c: int) -> NDArray[np.floating]:
    """Probability of class ``c`` minus the largest other one."""
    if p.shape[1] < 2:
        return np.asarray(p[:, 0].cpu().numpy())
    other = torch.where(best.indices[:, 0] == c, best.values[:, 1], best.values[:, 0])
    return np.asarray((p[:, c] - other).cpu().numpy())


class _Line:
    """The items in the order of one class, and the gaps between opposite labels in it.

    Places run from 0; -1 and m stand beyond the ends. Two heaps hold what to ask for: gaps by
    length, and places by how far they are from a change of label. Entries that a later label has
    overtaken are dropped when they come up.
    """

    def __init__(
        self,
        margin: NDArray[np.floating],
        inside: NDArray[np.bool_],
        taken: list[int],
        ends: bool,
        rng: np.random.Generator,
    ) -> None:
        self.of_class, self.rng = inside, rng
        # Half as wide as usual: with many classes this is what takes memory.
        self.order = np.argsort(margin, kind="stable").astype(np.int32)
        self.place = np.empty_like(self.order)
        self.place[self.order] = np.arange(len(self.order), dtype=np.int32)
        #: Places with a label, in order, and whether each is of the class.
        self.places = sorted(self.place[taken].tolist())
        self.inside = inside[self.order[self.places]].tolist()
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
        self.inside.insert(i, bool(self.of_class[item]))
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
