"""Query strategies: what to ask next.

Each strategy is a function that can be used alone, on numpy arrays or tensors, and a name that a
session knows it by; :func:`table` lists them.
"""

from __future__ import annotations

from alwidgets.strategies.badge import badge
from alwidgets.strategies.batchbald import batch_bald
from alwidgets.strategies.builtin import STRATEGIES
from alwidgets.strategies.cluster_margin import cluster_margin
from alwidgets.strategies.compose import per_cost, seals, selected, weighted
from alwidgets.strategies.context import Context
from alwidgets.strategies.contrastive import contrastive
from alwidgets.strategies.coverage import prob_cover
from alwidgets.strategies.density import density, density_weighted
from alwidgets.strategies.disagreement import (
    bald,
    consensus_entropy,
    epig,
    max_disagreement,
    variation_ratio,
    vote_entropy,
)
from alwidgets.strategies.diversity import k_center, representative
from alwidgets.strategies.expected import expected_error_reduction, expected_gradient_length
from alwidgets.strategies.falcun import falcun
from alwidgets.strategies.galaxy import galaxy
from alwidgets.strategies.herding import max_herding, uncertainty_herding
from alwidgets.strategies.mismatch import mismatch_first_farthest
from alwidgets.strategies.multilabel import (
    binary_minimum,
    cardinality_inconsistency,
    margin_cardinality,
    max_binary_entropy,
    max_loss_reduction,
    max_margin_uncertainty,
    max_score,
    mean_binary_entropy,
    mean_score,
    multilabel_bald,
)
from alwidgets.strategies.query import Selection, select
from alwidgets.strategies.registry import AUTO, Strategy, get, names, register, suited, table
from alwidgets.strategies.scoring import own_score, pool_scores, scoring
from alwidgets.strategies.seals import seal_candidates
from alwidgets.strategies.selection import diverse, sample, top
from alwidgets.strategies.typiclust import typiclust
from alwidgets.strategies.uncertainty import entropy, least_confident, margin

__all__ = [
    "AUTO",
    "Context",
    "Selection",
    "Strategy",
    "badge",
    "bald",
    "batch_bald",
    "binary_minimum",
    "cardinality_inconsistency",
    "cluster_margin",
    "consensus_entropy",
    "contrastive",
    "density",
    "density_weighted",
    "diverse",
    "entropy",
    "epig",
    "expected_error_reduction",
    "expected_gradient_length",
    "falcun",
    "galaxy",
    "get",
    "k_center",
    "least_confident",
    "margin",
    "margin_cardinality",
    "max_binary_entropy",
    "max_disagreement",
    "max_herding",
    "max_loss_reduction",
    "max_margin_uncertainty",
    "max_score",
    "mean_binary_entropy",
    "mean_score",
    "mismatch_first_farthest",
    "multilabel_bald",
    "names",
    "own_score",
    "per_cost",
    "pool_scores",
    "prob_cover",
    "register",
    "representative",
    "sample",
    "scoring",
    "seal_candidates",
    "seals",
    "select",
    "selected",
    "suited",
    "table",
    "top",
    "typiclust",
    "uncertainty_herding",
    "variation_ratio",
    "vote_entropy",
    "weighted",
]

for _strategy in STRATEGIES:
    register(_strategy)
