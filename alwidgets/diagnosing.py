"""Where a session's model is wrong: what it takes for what, on which slices, how sure it is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from .errors import AlwidgetsError, LearnerError
from .estimating import classes_of
from .evaluation.confusion import Confusion
from .evaluation.gaps import Gap, rank_slices
from .evaluation.reliability import Reliability, Temperature
from .judged import Judged, Of
from .learners.targets import decided
from .modelling import Modelling
from .projection.maps import shared_map
from .projection.regions import find_regions, name_regions
from .readings import audit_sample, label_codes, training_set
from .search import has_words, words_of
from .slicing import Part, parts_of
from .threads import few_threads

if TYPE_CHECKING:
    import pandas as pd

#: What the regions of the map are a column of.
REGION = "map region"
#: Items that the model is asked about at a time.
ASKED = 4_096
#: A slice by what it is a part of, and its name there.
SliceName: TypeAlias = tuple[str, str]


class Diagnosing(Modelling):
    """The diagnostics of a session.

    They come from the audit labels, a random sample that no model has seen. Where training labels
    are asked for, what is found is biased: the model has learnt them, and a strategy chose them.
    """

    #: The named regions of the newest layout, by its revision and the size of the pool.
    _regions: tuple[tuple[int, int], dict[str, NDArray[np.bool_]]] | None = None

    def judged(self, of: Of = "audit") -> Judged:
        """Labels beside what the newest model says of the same items.

        Parameters
        ----------
        of : {"audit", "train"}
            Those of the audit, in the order in which they were drawn, or those trained on.

        Raises
        ------
        LearnerError
            If there is no model yet.
        AlwidgetsError
            If there are no such labels to choose.
        """
        if of not in get_args(Of):
            raise AlwidgetsError(f"There are no labels of {of!r}; use 'audit' or 'train'.")
        self._loop.wait_for_model()
        with self._lock:
            if not self._loop.is_fitted:
                raise LearnerError(self._loop.why_no_model())
            learner, version = self._loop.learner, self.version
            q, population, skipped = None, len(self.pool), 0
            if of == "audit":
                sample = audit_sample(self._ledger)
                items, codes, q = sample.items, sample.codes, sample.q
                population, skipped = sample.population, sample.skipped
            else:
                items, codes, _, _ = training_set(self._ledger)
        names = self.task.asked()["classes"]
        features = self.pool.features
        width = len(self.task.classes)
        proba = np.zeros((len(items), width))
        with few_threads(features.shape[1] * len(items)):
            for start in range(0, len(items), ASKED):
                part = learner.predict_proba(features[items[start : start + ASKED]])
                # A model from before a class was added says nothing of it.
                proba[start : start + len(part), : part.shape[1]] = part
        said = self.task.codes(decided(proba, self.task.multilabel))
        if not self.task.multilabel:
            # What is one class by now, the model may still tell apart.
            places = classes_of(self.task, np.arange(width))
            merged = np.zeros((len(proba), len(names)))
            np.add.at(merged.T, places, proba.T)
            proba = np.minimum(merged, 1.0)  # of float32
        truth, answers = classes_of(self.task, codes), classes_of(self.task, said)
        return Judged(of, version, names, items, truth, answers, proba, q, population, skipped)

    def confusion(self, of: Of = "audit") -> Confusion:
        """What the model takes for what.

        Parameters
        ----------
        of : {"audit", "train"}
            The labels to look at. Those trained on are counted only, and biased.

        Raises
        ------
        LearnerError, AlwidgetsError
            As `judged`.

        Examples
        --------
        >>> session.confusion().table("rates").loc["spam", "ham"]  # doctest: +SKIP
        0.08
        """
        return self.judged(of).confusion()

    def calibration(self) -> Reliability:
        """Whether the model is right as often as it says, from the audit labels.

        Of several labels the probability that each of them is right counts.

        Raises
        ------
        LearnerError
            If there is no model yet.
        """
        return self.judged("audit").reliability()

    def best_temperature(self) -> Temperature:
        """By what the model's logits would have to be divided to be honest on the audit labels.

        It changes nothing: these labels do not tune.

        Raises
        ------
        LearnerError
            If there is no model yet.
        """
        return self.judged("audit").temperature()

    def worst_slices(self) -> pd.DataFrame:
        """Slices of the pool by how surely the model is worse on them than on the rest.

        Of every column of the metadata, but those with too many values; of `slices`; and of the
        regions of the map, once there is a layout. From the audit labels.

        Returns
        -------
        pandas.DataFrame
            The most surely worse first, with the columns ``by`` and ``part``; ``n`` audit labels;
            ``error``, ``error_low`` and ``error_high``; ``rest``, the error of all others; the
            ``difference`` of the two, with ``difference_low`` and ``difference_high``; ``p``, the
            chance that any of so many slices looks as bad (Holm); ``worse``, whether that is below
            0.05; and ``why_not``, where nothing can be said, in words.

        Raises
        ------
        LearnerError
            If there is no model yet.
        """
        import pandas as pd

        rows = [
            {
                "by": gap.name[0],
                "part": gap.name[1],
                "n": gap.risk.n,
                "error": gap.risk.value,
                "error_low": gap.risk.low,
                "error_high": gap.risk.high,
                "rest": gap.rest.value,
                "difference": gap.difference.value,
                "difference_low": gap.difference.low,
                "difference_high": gap.difference.high,
                "p": gap.adjusted,
                "worse": gap.is_worse,
                "why_not": None if gap.difference.known else gap.difference.method,
            }
            for gap, _ in self.ranked_slices()
        ]
        columns = ["by", "part", "n", "error", "error_low", "error_high", "rest", "difference"]
        columns += ["difference_low", "difference_high", "p", "worse", "why_not"]
        return pd.DataFrame(rows, columns=columns)

    def ranked_slices(self) -> list[tuple[Gap[SliceName], Part]]:
        """The slices of `worst_slices`, each with its items as it was cut for that list.

        Ranges of numbers are cut by the audit items, and regions are those of a layout: asked for
        by its name later, a slice may be another one.

        Returns
        -------
        list of (Gap, Part)

        Raises
        ------
        LearnerError
            If there is no model yet.
        """
        judged = self.judged("audit")
        assert judged.q is not None
        parts = self._slices_of(judged.items)
        inside = {name: part.inside for name, part in parts.items()}
        gaps = rank_slices(~judged.right, judged.q, judged.population, inside)
        return [(gap, parts[gap.name]) for gap in gaps]

    def slice_items(self, by: str, part: str) -> NDArray[np.int64]:
        """All items of a slice that `worst_slices` lists now, labelled or not.

        Parameters
        ----------
        by, part : str

        Returns
        -------
        (k,) int64 array
            Positions in the pool.

        Raises
        ------
        AlwidgetsError
            If there is no such slice.
        """
        if by == REGION and by not in self.pool.metadata:
            mask = self._map_regions().get(part)
            if mask is None:
                raise AlwidgetsError(f"The map has no region {part!r} any more.")
            return np.flatnonzero(mask)
        with self._lock:
            items = audit_sample(self._ledger).items
        parts = parts_of(by, items, self.pool.ids, self.store.slices(), self.pool.metadata)
        if part not in parts:
            raise AlwidgetsError(f"There is no part {part!r} of {by!r}.")
        return parts[part].members()

    def hardest(self, n: int | None = 20, of: Of = "audit") -> pd.DataFrame:
        """Labelled items beside what the model says of them, the least expected labels first.

        Parameters
        ----------
        n : int or None
            At most so many; None for all.
        of : {"audit", "train"}
            The labels to look at. Of those trained on the model has learnt what they are.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``item_id``: ``answer``, ``predicted``, whether it is ``right``, the
            ``confidence`` of what is predicted, the ``probability`` of the answer that was given,
            its ``loss`` in nats, and ``use``: audit or train.

        Raises
        ------
        LearnerError
            If there is no model yet.
        AlwidgetsError
            If `n` is below 1.
        """
        import pandas as pd

        if n is not None and n < 1:
            raise AlwidgetsError(f"n must be at least 1, or None for all; it is {n!r}.")
        judged = self.judged(of)
        loss = judged.loss
        order = np.argsort(-loss, kind="stable")[:n]
        frame = pd.DataFrame(
            {
                "answer": self._answers(judged.truth[order]),
                "predicted": self._answers(judged.said[order]),
                "right": judged.right[order],
                "confidence": judged.confidence[order],
                "probability": judged.probability[order],
                "loss": loss[order],
                "use": of,
            }
        )
        frame.index = pd.Index(
            list(self.pool.ids.take(judged.items[order])), name="item_id", dtype=object
        )
        return frame

    def flipped(self, version: int, other: int) -> pd.DataFrame:
        """Items of which two models say different things.

        What is kept for the audit and has no label yet stays out of it: nobody is to know what a
        model thinks of that.

        Parameters
        ----------
        version, other : int
            Of two models, over all runs of this session.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``item_id``, in the order of the pool: ``predicted`` by `version`,
            ``before`` by `other`, and the ``answer``, None where there is no label. How many items
            were compared stands in its ``attrs["compared"]``.

        Raises
        ------
        AlwidgetsError
            If there is no such round, or what its model said was not kept.
        """
        import pandas as pd

        now, before = self.predictions(version), self.predictions(other)
        with self._lock:
            labels = label_codes(self._ledger)
        n = min(len(now), len(before), len(labels))  # items may be joining
        now, before, labels = now[:n], before[:n], labels[:n]
        shown = ~self.reserved[:n] | (labels >= 0)
        compared = (now >= 0) & (before >= 0) & shown
        at = np.flatnonzero((now != before) & compared)

        def answers(codes: NDArray[np.int32]) -> NDArray[Any]:
            kinds, place = np.unique(codes, return_inverse=True)
            names = np.empty(len(kinds), dtype=object)
            for k, code in enumerate(kinds.tolist()):
                names[k] = self.task.decode(code) if code >= 0 else None
            found: NDArray[Any] = names[place]
            return found

        index = pd.Index(list(self.pool.ids.take(at)), name="item_id", dtype=object)
        columns = {"predicted": now[at], "before": before[at], "answer": labels[at]}
        # As objects: None stays None.
        named = {name: pd.Series(answers(c), index, dtype=object) for name, c in columns.items()}
        frame = pd.DataFrame(named)
        frame.attrs["compared"] = int(compared.sum())
        return frame

    # ------------------------------------------------------------------ what it comes from

    def _answers(self, places: NDArray[Any]) -> NDArray[Any]:
        """Answers by the places of their classes, or by marks of several labels, (m,) objects."""
        names = self.task.asked()["answers"]
        found = np.empty(len(places), dtype=object)
        for row, given in enumerate(places.tolist()):
            several = self.task.multilabel
            found[row] = (
                [name for name, mark in zip(names, given, strict=True) if mark]
                if several
                else names[given]
            )
        return found

    def _slices_of(self, items: NDArray[np.int64]) -> dict[SliceName, Part]:
        """All slices, as some items cut them."""
        kept, columns = self.store.slices(), self.pool.metadata
        found: dict[SliceName, Part] = {}
        for by in dict.fromkeys((*columns, *kept)):
            try:
                parts = parts_of(by, items, self.pool.ids, kept, columns)
            except AlwidgetsError:
                continue  # too many values
            if by in kept:
                parts = {by: parts[by]}
            elif len(parts) == 1:
                continue
            found |= {(by, name): part for name, part in parts.items()}
        if REGION not in columns:
            for name, mask in self._map_regions().items():
                found[REGION, name] = Part(mask[items], partial(np.flatnonzero, mask))
        return found

    def _map_regions(self) -> dict[str, NDArray[np.bool_]]:
        """Which items are in each region of the map, (n,), by its name; none before a layout."""
        coords, _, revision = shared_map(self).current
        n = len(self.pool)
        if coords is None:
            return {}
        if self._regions is not None and self._regions[0] == (revision, n):
            return self._regions[1]
        labels, regions = find_regions(coords)
        contents = self.pool.contents
        if regions and has_words(self.pool):
            regions = name_regions(labels, regions, lambda i: words_of(contents[i]))
        found = {}
        for place, region in enumerate(regions):
            name = " · ".join(region.words) or f"around {self.pool.ids[region.index]}"
            mask = np.zeros(n, dtype=bool)
            mask[: len(labels)] = labels == place
            found[name] = mask
        self._regions = (revision, n), found
        return found
