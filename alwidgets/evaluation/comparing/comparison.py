"""What a comparison comes to: curves, a table, a figure, a file."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from alwidgets.errors import ComparisonError
from alwidgets.evaluation.comparing import summary
from alwidgets.evaluation.comparing.kept import read_begun, read_lines
from alwidgets.evaluation.comparing.plan import Arm, plan_in
from alwidgets.evaluation.comparing.run import Begun, Run
from alwidgets.evaluation.comparing.running import Running


class Comparison(Running):
    """Runs of several strategies and what they come to.

    Made by :func:`compare`; with :meth:`from_json` from what was kept.

    Attributes
    ----------
    plan : Plan
        What is compared.
    about : dict
        Size of pool and test, classes, duplicates, a hash of features and truth; versions.
    runs : dict of Arm to Run
        That are over.
    state : {"running", "paused", "stopped", "failed", "done"}
    error : Exception or None
        That ended it.
    """

    _view: Any = None

    def curves(self) -> pd.DataFrame:
        """Mean and 95 % interval of the metric by strategy and number of labels, so far.

        Columns: ``learner``, ``strategy``, ``labels``, ``mean``, ``low``, ``high``, ``seeds``.
        """
        rows = []
        with self._lock:
            found = {arm: list(run.figures) for arm, run in self.runs.items()}
            found = {arm: list(p) for arm, p in self._points.items()} | found
        for learner in self.plan.learners:
            for strategy in self.plan.strategies:
                arms = [Arm(learner, strategy, seed) for seed in self.plan.seeds]
                mine = [found[arm] for arm in arms if arm in found]
                for at, labels in enumerate(self.plan.counts):
                    values = [figures[at] for figures in mine if len(figures) > at]
                    if not values:
                        break
                    mean = summary.Mean.of(values)
                    rows.append(
                        (learner, strategy, labels, mean.value, mean.low, mean.high, len(values))
                    )
        names = ["learner", "strategy", "labels", "mean", "low", "high", "seeds"]
        return pd.DataFrame(rows, columns=names)

    def table(self) -> pd.DataFrame:
        """A row for each strategy, of the runs that are over.

        ``area`` under the curve (the mean of the metric over the labels) and ``end`` with their
        95 % intervals, ``gain`` over random on the same seeds, ``p`` (Wilcoxon's signed-rank test,
        corrected by Holm's method) and the ``verdict``: ``wins``, ``loses`` or ``not told apart``;
        ``labels to target`` by which half of the seeds are there (infinite where most never are)
        with its 95 % interval and how many have ``reached`` it, ``hours`` if it was said what a
        label takes, the ``share of pool`` that was used up, and each successor's figure in the end.
        """
        with self._lock:
            return summary.table(self.plan, dict(self.runs), self.about["material"]["pool"])

    def notes(self) -> list[str]:
        """What a careful reader should know, in words."""
        with self._lock:
            return summary.notes(self.plan, dict(self.runs), self.about["material"])

    def figure(self) -> Any:
        """The learning curves with their bands, a plotly figure."""
        return _views().figure_of(self)

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write all of it into a file: parameters, seeds, versions, hash of the data, every run."""
        with self._lock:
            told = {
                "alwidgets": "comparison",
                "about": self.about,
                "runs": [self.runs[arm].to_json() for arm in self.plan.arms if arm in self.runs],
            }
        part = Path(f"{os.fspath(path)}.part")
        part.write_text(json.dumps(told, indent=1), encoding="utf-8")
        part.replace(path)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Comparison:
        """Read what :meth:`to_json` wrote, or the file that ``out=`` named.

        Raises
        ------
        ComparisonError
            If it is no such file.
        """
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ComparisonError(f"{file} cannot be read: {error}.") from error
        begun: list[Begun] = []
        try:
            told = json.loads(text)
            about, runs = told["about"], [Run.of(run) for run in told["runs"]]
        except (ValueError, KeyError, TypeError):
            found, runs, _ = read_lines(file)
            if found is None:
                raise ComparisonError(f"{file} holds no comparison: it is torn.") from None
            about, begun = found, read_begun(file, found)
        return cls(plan_in(about["plan"]), about, runs, begun)

    def rerun(
        self,
        pool: Any,
        truth: Any,
        *,
        test: Any = None,
        strategies: Mapping[str, Any] | None = None,
        learners: Mapping[str, Any] | None = None,
        successors: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Comparison:
        """Play it all again on the same data; the results are the same.

        Parameters
        ----------
        pool, truth, test
            As they were given to `compare`.
        strategies, learners, successors : mapping, optional
            Those of your own, by their names: a file cannot hold a function.
        **options
            ``workers``, ``device``, ``out`` and ``background``.

        Raises
        ------
        ComparisonError
            If the data are others.
        """
        from alwidgets.evaluation.comparing.simulate import again

        own = {"strategies": strategies, "learners": learners, "successors": successors}
        return again(self.about, pool, truth, test, own, options)

    def __repr__(self) -> str:
        done, total = len(self.runs), len(self.plan.arms)
        return (
            f"<Comparison of {', '.join(self.plan.strategies)}: {done} of {total} runs, "
            f"{self.state}>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._view is None:
            self._view = _views().ComparisonView(self)
        return self._view._repr_mimebundle_(**kwargs)


def _views() -> Any:
    # Looked up by name: views know comparisons, and not the other way round.
    return importlib.import_module("alwidgets.widgets.comparison")
