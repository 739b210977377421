"""The strategies that come with the toolkit."""

from __future__ import annotations

import torch

from alwidgets.strategies.badge import badge
from alwidgets.strategies.batchbald import batch_bald
from alwidgets.strategies.builtin_multilabel import MULTILABEL
from alwidgets.strategies.cluster_margin import cluster_margin
from alwidgets.strategies.context import Context
from alwidgets.strategies.contrastive import contrastive
from alwidgets.strategies.costly import reduce_error, tell_most
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
from alwidgets.strategies.multilabel import max_loss_reduction
from alwidgets.strategies.registry import AUTO, SHARP, Strategy
from alwidgets.strategies.typiclust import typiclust
from alwidgets.strategies.uncertainty import entropy, least_confident, margin

#: Candidates of strategies that a random sample of 20,000 would rob of what they look for.
WHOLE = 200_000
#: Uncertain items that are drawn for each to pick: uncertainty herding chooses among these.
NEARBY = 20
#: Candidates of expected error reduction: each takes fits.
TRIALS = 16


def _codes(c: Context) -> torch.Tensor:
    return torch.from_numpy(c.labels).to(c.features.device)


def _doubt(c: Context) -> torch.Tensor:
    """About an item's class, or about its labels."""
    return max_loss_reduction(c.proba) if c.multilabel else margin(c.proba)


STRATEGIES = (
    Strategy(
        AUTO,
        needs=(),
        when="the default: typical items first, then those near many that the model is unsure of",
        paper="Hacohen et al., ICML 2022; Bae et al., ICLR 2025; Zhang et al., ICML 2022",
    ),
    Strategy(
        "random",
        score=lambda c: torch.ones(len(c.features), device=c.features.device),
        needs=(),
        beta=0.0,
        when="the baseline: labels that also estimate anything without bias",
        paper="simple random sampling",
    ),
    # --- uncertainty
    Strategy(
        "least_confident",
        score=lambda c: least_confident(c.proba),
        function=least_confident,
        needs=("probabilities",),
        beta=SHARP,
        when="two classes, or when only the top prediction matters",
        paper="Lewis & Catlett, ICML 1994",
        serves="single-label",
    ),
    Strategy(
        "margin",
        score=lambda c: margin(c.proba),
        function=margin,
        needs=("probabilities",),
        beta=SHARP,
        when="several classes: the hardest decisions between two of them",
        paper="Scheffer, Decomain & Wrobel, IDA 2001",
        serves="single-label",
    ),
    Strategy(
        "entropy",
        score=lambda c: entropy(c.proba),
        function=entropy,
        needs=("probabilities",),
        beta=SHARP,
        when="calibrated models with few classes",
        paper="Shannon, 1948; Settles, 2009",
        serves="single-label",
    ),
    Strategy(
        "expected_gradient_length",
        score=lambda c: expected_gradient_length(c.proba, c.embedding),
        function=expected_gradient_length,
        needs=("probabilities", "embedding"),
        beta=SHARP,
        when="models trained by gradients; favours long embeddings",
        paper="Settles, Craven & Ray, NIPS 2007",
        serves="single-label",
    ),
    Strategy(
        "expected_error_reduction",
        score=lambda c: entropy(c.proba),
        pick=reduce_error,
        function=expected_error_reduction,
        needs=("model", "probabilities"),
        candidates=TRIALS,
        when="few classes and time to spare: refits for every candidate, of a slow learner a head",
        paper="Roy & McCallum, ICML 2001",
        serves="single-label",
    ),
    # --- disagreement
    Strategy(
        "bald",
        score=lambda c: bald(c.posterior),
        function=bald,
        needs=("posterior",),
        when="noisy classes: doubt that more labels can remove",
        paper="Houlsby et al., 2011; Kirsch et al., TMLR 2023",
        serves="single-label",
    ),
    Strategy(
        "batch_bald",
        score=lambda c: bald(c.posterior),
        pick=tell_most,
        function=batch_bald,
        needs=("posterior",),
        candidates=2_000,
        when="small batches without two of a kind",
        paper="Kirsch, van Amersfoort & Gal, NeurIPS 2019",
        serves="single-label",
    ),
    Strategy(
        "epig",
        score=lambda c: epig(c.posterior, c.target_posterior),
        function=epig,
        needs=("posterior",),
        when="pools with much that does not matter: what tells most about the rest of the pool",
        paper="Bickford Smith et al., AISTATS 2023",
        serves="single-label",
    ),
    Strategy(
        "vote_entropy",
        score=lambda c: vote_entropy(c.posterior),
        function=vote_entropy,
        needs=("posterior",),
        when="a committee that votes",
        paper="Dagan & Engelson, ICML 1995",
        serves="single-label",
    ),
    Strategy(
        "consensus_entropy",
        score=lambda c: consensus_entropy(c.posterior),
        function=consensus_entropy,
        needs=("posterior",),
        beta=SHARP,
        when="a committee, taken as one model",
        paper="McCallum & Nigam, ICML 1998",
        serves="single-label",
    ),
    Strategy(
        "max_disagreement",
        score=lambda c: max_disagreement(c.posterior),
        function=max_disagreement,
        needs=("posterior",),
        when="a committee: one member that sees it otherwise is enough",
        paper="McCallum & Nigam, ICML 1998",
        serves="single-label",
    ),
    Strategy(
        "variation_ratio",
        score=lambda c: variation_ratio(c.posterior),
        function=variation_ratio,
        needs=("posterior",),
        when="a committee that votes, with a clear winner or none",
        paper="Freeman, Elementary Applied Statistics, 1965",
        serves="single-label",
    ),
    # --- representation and diversity
    Strategy(
        "representative",
        pick=lambda c, n: representative(
            c.embedding, c.labelled_embedding, n, c.seed, return_scores=True
        ),
        function=representative,
        needs=("embedding",),
        when="the first labels: typical items of different regions",
        paper="Hacohen, Dekel & Weinshall, ICML 2022",
    ),
    Strategy(
        "typiclust",
        pick=lambda c, n: typiclust(
            c.embedding, c.labelled_embedding, n, c.seed, return_scores=True
        ),
        function=typiclust,
        needs=("embedding",),
        when="the first tens of labels: the densest item of every cluster",
        paper="Hacohen, Dekel & Weinshall, ICML 2022",
    ),
    Strategy(
        "k_center",
        pick=lambda c, n: k_center(
            c.embedding, c.labelled_embedding, n, c.seed, return_scores=True
        ),
        function=k_center,
        needs=("embedding",),
        when="coverage, outliers included",
        paper="Sener & Savarese, ICLR 2018",
    ),
    Strategy(
        "prob_cover",
        pick=lambda c, n: prob_cover(
            c.embedding, c.labelled_embedding, n, c.seed, classes=c.n_classes, return_scores=True
        ),
        function=prob_cover,
        needs=("embedding",),
        when="few labels and good embeddings: balls that cover the most",
        paper="Yehuda et al., NeurIPS 2022",
    ),
    Strategy(
        "max_herding",
        pick=lambda c, n: max_herding(
            c.embedding, c.labelled_embedding, n, c.seed, return_scores=True
        ),
        function=max_herding,
        needs=("embedding",),
        when="few labels: covers the pool without a radius to choose",
        paper="Bae et al., ECCV 2024",
    ),
    # --- both at once
    Strategy(
        "uncertainty_herding",
        score=lambda c: _doubt(c),
        pick=lambda c, n: uncertainty_herding(
            c.embedding,
            _doubt(c),
            c.labelled_embedding,
            n,
            c.seed,
            shortlist=NEARBY * n,
            return_scores=True,
        ),
        function=uncertainty_herding,
        needs=("probabilities", "embedding"),
        when="batches at any budget: covers the region that the model is unsure of",
        paper="Bae, Oh & Sutherland, ICLR 2025",
    ),
    Strategy(
        "badge",
        pick=lambda c, n: badge(c.proba, c.embedding, n, c.seed, return_scores=True),
        function=badge,
        needs=("probabilities", "embedding"),
        when="large batches: gradients that are long and differ",
        paper="Ash et al., ICLR 2020",
        serves="single-label",
    ),
    Strategy(
        "contrastive",
        score=lambda c: contrastive(c.proba, c.embedding, c.labelled_proba, c.labelled_embedding),
        function=contrastive,
        needs=("probabilities", "embedding", "labels"),
        when="items that the model sees otherwise than their labelled neighbours",
        paper="Margatina et al., EMNLP 2021",
        serves="single-label",
    ),
    Strategy(
        "density",
        score=lambda c: density(c.embedding, c.reference_embedding),
        function=density,
        needs=("embedding",),
        beta=SHARP,
        when="typical items; a part of weighted strategies",
        paper="Settles & Craven, EMNLP 2008",
    ),
    Strategy(
        "density_weighted",
        score=lambda c: density_weighted(_doubt(c), density(c.embedding, c.reference_embedding)),
        function=density_weighted,
        needs=("probabilities", "embedding"),
        beta=SHARP,
        when="pools with outliers: unsure and typical",
        paper="Settles & Craven, EMNLP 2008",
    ),
    Strategy(
        "cluster_margin",
        score=lambda c: margin(c.proba),
        pick=lambda c, n: cluster_margin(c.proba, c.embedding, n, c.seed, return_scores=True),
        function=cluster_margin,
        needs=("probabilities", "embedding"),
        when="batches of hundreds and more",
        paper="Citovsky et al., NeurIPS 2021",
        serves="single-label",
    ),
    Strategy(
        "falcun",
        score=lambda c: margin(c.proba),
        pick=lambda c, n: falcun(c.proba, n, c.seed, return_scores=True),
        function=falcun,
        needs=("probabilities",),
        candidates=WHOLE,
        when="batches without two of a kind, quickly: diverse in what the model says",
        paper="Gilhuber et al., ECML PKDD 2024",
        serves="single-label",
    ),
    Strategy(
        "mismatch_first_farthest",
        pick=lambda c, n: mismatch_first_farthest(
            c.proba, c.embedding, c.labelled_embedding, _codes(c), n, c.seed, return_scores=True
        ),
        function=mismatch_first_farthest,
        needs=("probabilities", "embedding", "labels"),
        when="few labels: where the model contradicts the nearest label",
        paper="Zhao, Heittola & Virtanen, IEEE/ACM TASLP 2020",
        serves="single-label",
    ),
    Strategy(
        "galaxy",
        pick=lambda c, n: galaxy(
            c.proba, c.labelled_proba, _codes(c), n, c.seed, return_scores=True
        ),
        function=galaxy,
        needs=("probabilities", "labels"),
        candidates=WHOLE,
        when="rare classes: bisects the border of each class",
        paper="Zhang, Katz-Samuels & Nowak, ICML 2022",
        serves="single-label",
    ),
    *MULTILABEL,
)
