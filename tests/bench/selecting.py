"""Selecting 100 of N: every strategy beside its bare formula and the peers that have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import inputs
from bare import BARE
from inputs import Inputs, first
from measure import Outcome, measured
from peers import PEERS, WRONG, absent
from table import Row, count

PICKS = 100
#: BatchBALD is asked for ten: no peer finishes more.
FEW = {"batch_bald": 10}
#: What a strategy that looks at the whole batch gets to see of a larger pool.
CANDIDATES = 20_000
SIZES = (10_000, 100_000, 1_000_000)
#: Items that what is quick is warmed up with.
WARM = 30_000
CHEAP = (
    "least_confident",
    "margin",
    "entropy",
    "bald",
    "vote_entropy",
    "consensus_entropy",
    "max_disagreement",
    "variation_ratio",
    "epig",
    "expected_gradient_length",
)
#: From which size on it is asked only to finish: few others do.
FINISH = {"batch_bald": 100_000, "k_center": 1_000_000, "badge": 1_000_000}
#: How many times faster than the fastest peer.
FACTORS = {"badge": 10.0, "typiclust": 10.0, "k_center": 2.0}
BARE_FACTOR = 1.5


SAME = ", same sample"
#: The bare formula as it is, on all cores, is what ours is held against. On one core it tells how
#: much of the difference is that ours takes one on purpose.
BARE_ONE = "bare, one core"


def sampled(strategy: str) -> int | None:
    """How many candidates of a larger pool ours looks at, where it does not look at all.

    A ratio to a peer that looks at all is then no ratio of equal work: peers are asked about as
    many, too.
    """
    if strategy == "diverse":
        return CANDIDATES
    where = {
        "typiclust": ("typiclust", "SAMPLE"),
        "prob_cover": ("coverage", "SAMPLE"),
        "max_herding": ("herding", "BOUND"),
        "uncertainty_herding": ("herding", "BOUND"),
    }
    if strategy not in where:
        return None
    module, name = where[strategy]
    found: int = getattr(import_module(f"alwidgets.strategies.{module}"), name)
    return found


class NotThere(Exception):
    """The package has no such function."""


def function(name: str) -> Callable[..., Any]:
    """A public function of ``alwidgets.strategies``."""
    from alwidgets import strategies

    found = getattr(strategies, name, None)
    if found is None or isinstance(found, ModuleType):
        raise NotThere
    made: Callable[..., Any] = found
    return made


def _score(name: str, *needs: str) -> Callable[[Inputs, int], Callable[[], Any]]:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        top = function("top")
        score, arguments = function(name), [getattr(given, need) for need in needs]
        return lambda: top(score(*arguments), n, seed=0)

    return make


def _pick(name: str, *needs: str, **more: Any) -> Callable[[Inputs, int], Callable[[], Any]]:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        pick, arguments = function(name), [getattr(given, need) for need in needs]
        return lambda: pick(*arguments, n=n, seed=0, **more)

    return make


def _uncertainty_herding(given: Inputs, n: int) -> Callable[[], Any]:
    pick, entropy = function("uncertainty_herding"), function("entropy")
    H, known = given.embedding, given.labelled_embedding
    return lambda: pick(H, entropy(given.proba), known, n=n, seed=0)


def _density(given: Inputs, n: int) -> Callable[[], Any]:
    top, density, H = function("top"), function("density"), given.embedding
    return lambda: top(density(H, H), n, seed=0)


def _diverse(given: Inputs, n: int) -> Callable[[], Any]:
    """Margin, then distance among the most uncertain: what modAL's ranked batch is for."""
    top, margin, diverse = function("top"), function("margin"), function("diverse")
    H = given.embedding

    def run() -> Any:
        scores = margin(given.proba)
        best = top(scores, CANDIDATES, seed=0)
        return best[diverse(scores[best], H[best], n, seed=0)]

    return run


OURS: dict[str, Callable[[Inputs, int], Callable[[], Any]]] = {
    "least_confident": _score("least_confident", "proba"),
    "margin": _score("margin", "proba"),
    "entropy": _score("entropy", "proba"),
    "bald": _score("bald", "posterior"),
    "vote_entropy": _score("vote_entropy", "posterior"),
    "consensus_entropy": _score("consensus_entropy", "posterior"),
    "max_disagreement": _score("max_disagreement", "posterior"),
    "variation_ratio": _score("variation_ratio", "posterior"),
    "epig": _score("epig", "posterior", "target_posterior"),
    "expected_gradient_length": _score("expected_gradient_length", "proba", "embedding"),
    "density": _density,
    "contrastive": _score(
        "contrastive", "proba", "embedding", "labelled_proba", "labelled_embedding"
    ),
    "k_center": _pick("k_center", "embedding", "labelled_embedding"),
    "badge": _pick("badge", "proba", "embedding"),
    "typiclust": _pick("typiclust", "embedding", "labelled_embedding"),
    "falcun": _pick("falcun", "proba"),
    "cluster_margin": _pick("cluster_margin", "proba", "embedding"),
    "galaxy": _pick("galaxy", "proba", "labelled_proba", "labels"),
    "mismatch_first_farthest": _pick(
        "mismatch_first_farthest", "proba", "embedding", "labelled_embedding", "labels"
    ),
    "prob_cover": _pick("prob_cover", "embedding", "labelled_embedding", classes=inputs.CLASSES),
    "max_herding": _pick("max_herding", "embedding", "labelled_embedding"),
    "uncertainty_herding": _uncertainty_herding,
    "diverse": _diverse,
    "batch_bald": _pick("batch_bald", "posterior"),
}


def _on_one_core(run: Callable[[], Any]) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)  # of the process that measures, which does nothing else after
    return run


@dataclass(frozen=True)
class Verdict:
    """A strategy at one size: who was how fast, and what the bars say."""

    strategy: str
    n: int
    outcomes: dict[str, Outcome]

    @property
    def ours(self) -> Outcome:
        return self.outcomes["alwidgets"]

    @property
    def rivals(self) -> dict[str, Outcome]:
        """Peers, of which those that pick something else are no measure."""
        wrong = WRONG.get(self.strategy, {})
        return {
            name: outcome
            for name, outcome in self.outcomes.items()
            if name not in ("alwidgets", "bare", BARE_ONE) and name not in wrong
        }

    @staticmethod
    def fastest(rivals: dict[str, Outcome]) -> tuple[str, Outcome] | None:
        done = {k: v for k, v in rivals.items() if v.seconds is not None}
        return min(done.items(), key=lambda item: item[1].seconds or 0) if done else None

    def bars(self) -> Iterator[tuple[str, float | None, bool | None]]:
        """What was asked for, the ratio found, and whether it was met."""
        mine = self.ours.seconds
        if mine is None:
            yield "finishes", None, None if self.ours.error == "not there yet" else False
            return
        if self.n >= FINISH.get(self.strategy, self.n + 1):
            yield "finishes", None, True
        same = {name: o for name, o in self.rivals.items() if name.endswith(SAME)}
        whole = {name: o for name, o in self.rivals.items() if name not in same}
        yield from self._against(mine, whole, "")
        yield from self._against(mine, same, SAME)
        bare = self.outcomes.get("bare")
        if self.strategy in CHEAP and bare is not None and bare.seconds:
            ratio = mine / bare.seconds
            yield f"{BARE_FACTOR:g}x bare", ratio, ratio <= BARE_FACTOR

    def _against(
        self, mine: float, rivals: dict[str, Outcome], kind: str
    ) -> Iterator[tuple[str, float | None, bool | None]]:
        factor = FACTORS.get(self.strategy, 1.0)
        ask = f"{factor:g}x peer{kind}"
        fastest = self.fastest(rivals)
        if fastest is not None:
            name, other = fastest
            assert other.seconds is not None
            ratio = other.seconds / mine
            yield ask, ratio, ratio >= factor
            if other.mb is not None and self.ours.mb is not None:
                # Pages are counted, and a megabyte is noise.
                yield f"MB of {name}", None, self.ours.mb <= other.mb + 1
            return
        limits = [outcome.limit for outcome in rivals.values() if outcome.limit is not None]
        if limits:
            ratio = min(limits) / mine
            yield f"{ask}, over the limit", ratio, True if ratio >= factor else None
        elif any(outcome.error.startswith("more than") for outcome in rivals.values()):
            yield f"{ask}, none finished", None, None


def contest(
    strategy: str,
    given: Inputs,
    tiny: Inputs,
    missing: dict[str, str],
    skip: dict[str, str],
    *,
    limit: float,
    gigabytes: float,
    alone: bool,
) -> Verdict:
    """All contestants for one strategy, one after the other."""
    outcomes: dict[str, Outcome] = {}
    n = FEW.get(strategy, PICKS)
    plain = BARE.get(strategy)
    entrants: dict[str, Callable[[Inputs, int], Callable[[], Any]]] = {"alwidgets": OURS[strategy]}
    if plain is not None:
        entrants["bare"] = lambda data, n: lambda: plain(data, n)
        if strategy in CHEAP:
            entrants[BARE_ONE] = lambda data, n: _on_one_core(lambda: plain(data, n))
    few = sampled(strategy)
    part = first(given, few) if few is not None and few < given.n and not alone else given
    if not alone:
        entrants |= PEERS.get(strategy, {})
        if part is not given:
            entrants |= {who + SAME: make for who, make in PEERS.get(strategy, {}).items()}
    for who, make in entrants.items():
        library = who.removesuffix(SAME)
        if library in missing or who in skip:
            outcomes[who] = Outcome(error=missing.get(library) or skip[who])
            continue
        asked = part if who.endswith(SAME) else given
        found = measured(
            lambda make=make, asked=asked: make(asked, n),  # type: ignore[misc]
            warm=lambda make=make: make(tiny, n),  # type: ignore[misc]
            limit=limit * (5 if who == "alwidgets" else 1),
            gigabytes=gigabytes,
        )
        if found.error.startswith("NotThere"):
            found = Outcome(error="not there yet")
        outcomes[who] = found
    return Verdict(strategy, given.n, outcomes)


def selecting(
    sizes: tuple[int, ...] = SIZES,
    strategies: tuple[str, ...] = tuple(OURS),
    *,
    limit: float = 60,
    gigabytes: float = 8,
    alone: bool = False,
) -> Iterator[Row]:
    """Every strategy at every size; a peer that was stopped or crashed is not asked for more.

    ``limit`` is in seconds for a contestant, five times as much for ours; ``alone`` leaves the
    peers out.
    """
    missing = absent()
    for name, why in missing.items():
        yield Row("peers", name, None, note=why)
    tiny, small = inputs.make(1_000, seed=1), inputs.make(WARM, seed=1)
    given_up: dict[str, dict[str, str]] = {name: {} for name in strategies}
    for n in sizes:
        given = inputs.make(n)
        for strategy in strategies:
            verdict = contest(
                strategy,
                given,
                # What takes milliseconds is warmed up on the way that large pools go: the library
                # code that is loaded on it would count as added memory.
                small if strategy in CHEAP and strategy != "epig" else tiny,
                missing,
                given_up[strategy],
                limit=limit,
                gigabytes=gigabytes,
                alone=alone,
            )
            for who, outcome in verdict.outcomes.items():
                if who in ("alwidgets", "bare", BARE_ONE) or who.endswith(SAME):
                    continue
                slow = outcome.seconds is not None and outcome.seconds * 10 > 4 * limit
                if slow or (outcome.seconds is None and who not in missing):
                    why = "too slow" if slow else outcome.error.removeprefix("not run: ")
                    given_up[strategy][who] = f"not run: {why.split(' at ')[0]} at {count(n)}"
            group = f"select, {strategy}, {count(n)}"
            for who, outcome in verdict.outcomes.items():
                wrong = WRONG.get(strategy, {}).get(who, "")
                note = outcome.error or (wrong and f"no measure: {wrong}")
                few = sampled(strategy)
                if who == "alwidgets" and not note and few is not None and few < n:
                    note = f"looks at {few:,} of {n:,} candidates"
                yield Row(group, who, outcome.seconds, "s", note, mb=outcome.mb)
            for ask, ratio, met in verdict.bars():
                yield Row(group, "bar", ratio, "x", bar=ask, met=met)
