"""The learners of some runs that go on side by side: fitted together, or one after the other."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.evaluation.comparing.material import Split
from alwidgets.evaluation.comparing.plan import fresh
from alwidgets.learners.many import Head, Learnt, ManyHeads, Recipe
from alwidgets.learners.sklearn import SklearnLearner
from alwidgets.learners.wrapping import as_learner

Rows = NDArray[np.int64]


class Learning(Protocol):
    """Fits the learner of every run."""

    def fit(self, splits: Sequence[Split], labelled: Sequence[Rows], new: int) -> list[Any]:
        """The fits, as strategies ask them; the last `new` of the labelled rows are new."""
        ...

    def prepare(self, pools: dict[int, Split], samples: Sequence[int]) -> None:
        """Work out together what strategies are going to ask.

        That is probabilities of the whole pool, for the runs in `pools`, and posterior samples.
        """
        ...

    def said(self, splits: Sequence[Split]) -> list[NDArray[np.int64]]:
        """What each says of its test, (M,) codes."""
        ...

    def learnt(self, run: int) -> dict[str, Any] | None:
        """What a run's next fit takes from its last one, in JSON; None if nobody can say."""
        ...

    def take_up(
        self,
        splits: Sequence[Split],
        labelled: Sequence[Rows],
        ends: Sequence[int],
        learnt: Sequence[dict[str, Any]],
    ) -> None:
        """Go on as if every run had been fitted here.

        `ends` are the numbers of labels at these fits, `learnt` what was kept of the last.
        """
        ...


class Together:
    """Linear heads, all of them in one product.

    Parameters
    ----------
    recipe : Recipe
    seeds : sequence of int
        Of each run.
    classes : int
    axes : (mean, axes)
        Of the features.
    device : torch.device
    """

    def __init__(
        self,
        recipe: Recipe,
        seeds: Sequence[int],
        classes: int,
        axes: tuple[torch.Tensor, torch.Tensor],
        device: torch.device,
    ) -> None:
        mean, turn = (part.to(device) for part in axes)
        self._many = ManyHeads(recipe, seeds, classes, mean, turn)
        self._heads: list[Head] = []

    def fit(self, splits: Sequence[Split], labelled: Sequence[Rows], new: int) -> list[Head]:
        """The fits, as strategies ask them."""
        self._add(splits, [known[-new:] for known in labelled])
        self._heads = self._many.fit()
        return self._heads

    def _add(self, splits: Sequence[Split], labelled: Sequence[Rows]) -> None:
        device = self._many.device
        features, codes = [], []
        for split, known in zip(splits, labelled, strict=True):
            rows = torch.from_numpy(known).to(split.features.device)
            features.append(split.features[rows].to(device))
            codes.append(torch.from_numpy(split.codes[known]).to(device))
        self._many.add(features, codes)

    def learnt(self, run: int) -> dict[str, Any]:
        """What a run's next fit takes from its last one."""
        found = self._many.learnt(run)
        centre = found.centre.cpu().contiguous().numpy()
        return {
            "centre": base64.b64encode(centre.tobytes()).decode("ascii"),
            "l2": found.l2,
            "temperature": found.temperature,
            "judged": found.judged,
        }

    def take_up(
        self,
        splits: Sequence[Split],
        labelled: Sequence[Rows],
        ends: Sequence[int],
        learnt: Sequence[dict[str, Any]],
    ) -> None:
        """Go on as if every run had been fitted here."""
        # Round by round, as they came: other products would round differently.
        for begin, end in zip([0, *ends], ends, strict=False):
            self._add(splits, [known[begin:end] for known in labelled])
        found = []
        for told in learnt:
            numbers = np.frombuffer(base64.b64decode(told["centre"]), dtype=np.float32)
            centre = torch.from_numpy(numbers.reshape(self._many.classes, -1).copy())
            found.append(Learnt(centre, told["l2"], told["temperature"], told["judged"]))
        self._many.take_up(found)

    def prepare(self, pools: dict[int, Split], samples: Sequence[int]) -> None:
        """Posterior samples, and the logits of whole pools: one product for all runs on a pool."""
        self._many.prepare(samples)
        for split in {id(split): split for split in pools.values()}.values():
            runs = [run for run, one in pools.items() if one is split]
            logits = self._logits(runs, split.features)
            for at, run in enumerate(runs):
                self._heads[run].pooled = split.features, logits[at]

    def said(self, splits: Sequence[Split]) -> list[NDArray[np.int64]]:
        """What each says of its test."""
        found: list[NDArray[np.int64]] = [np.empty(0, np.int64)] * len(splits)
        for split in {id(split): split for split in splits}.values():
            runs = [run for run, one in enumerate(splits) if one is split]
            best = self._logits(runs, split.test_features).argmax(dim=1).cpu().numpy()
            for at, run in enumerate(runs):
                found[run] = best[at]
        return found

    def _logits(self, runs: Sequence[int], features: torch.Tensor) -> torch.Tensor:
        """(R, C, n) logits of some runs."""
        weights = torch.cat([self._heads[run].weight for run in runs])
        biases = torch.cat([self._heads[run].bias for run in runs])
        return torch.addmm(biases[:, None], weights, features.T).view(len(runs), -1, len(features))


class Apart:
    """Learners of any kind, one after the other.

    Parameters
    ----------
    learner : Learner, scikit-learn classifier or torch module
    seeds : sequence of int
    classes : int
    """

    def __init__(self, learner: Any, seeds: Sequence[int], classes: int) -> None:
        self._learners = [as_learner(fresh(learner, seed), seed) for seed in seeds]
        self._classes = classes

    def fit(self, splits: Sequence[Split], labelled: Sequence[Rows], new: int) -> list[Any]:
        """The fits, as strategies ask them."""
        for learner, split, known in zip(self._learners, splits, labelled, strict=True):
            learner.fit(
                split.features[torch.from_numpy(known)], split.codes[known], classes=self._classes
            )
        return self._learners

    def prepare(self, pools: dict[int, Split], samples: Sequence[int]) -> None:
        """Nothing is worked out before it is asked."""

    def said(self, splits: Sequence[Split]) -> list[NDArray[np.int64]]:
        """What each says of its test."""
        found = []
        for learner, split in zip(self._learners, splits, strict=True):
            best = learner.predict_proba(split.test_features).argmax(1)
            found.append(best.cpu().numpy().astype(np.int64))
        return found

    def learnt(self, run: int) -> dict[str, Any] | None:
        """Nothing: a classifier of scikit-learn begins every fit anew, others may not."""
        return {} if type(self._learners[run]) is SklearnLearner else None

    def take_up(
        self,
        splits: Sequence[Split],
        labelled: Sequence[Rows],
        ends: Sequence[int],
        learnt: Sequence[dict[str, Any]],
    ) -> None:
        """Nothing to be done: the next fit sees all labels."""
