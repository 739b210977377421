"""The strategies that come with the toolkit."""

from __future__ import annotations

import torch

from alwidgets.strategies import auto, disagreement, diversity, hybrid, uncertainty
from alwidgets.strategies.registry import Strategy

STRATEGIES = (
    Strategy(
        auto.NAME,
        needs_model=False,
        when="the default: typical items first, then those the model is unsure of",
        paper="Hacohen et al., ICML 2022; Kirsch et al., TMLR 2023",
    ),
    Strategy(
        "random",
        score=lambda c: torch.ones(len(c.features)),
        needs_model=False,
        beta=0.0,
        when="the baseline: labels that also estimate anything without bias",
        paper="simple random sampling",
    ),
    Strategy(
        "least_confident",
        score=lambda c: uncertainty.least_confident(c.proba),
        beta=8.0,
        when="two classes, or when only the top prediction matters",
        paper="Lewis & Catlett, ICML 1994",
    ),
    Strategy(
        "margin",
        score=lambda c: uncertainty.margin(c.proba),
        beta=8.0,
        when="several classes: the hardest decisions between two of them",
        paper="Scheffer, Decomain & Wrobel, IDA 2001",
    ),
    Strategy(
        "entropy",
        score=lambda c: uncertainty.entropy(c.proba),
        beta=8.0,
        when="calibrated models with few classes",
        paper="Shannon, 1948; Settles, 2009",
    ),
    Strategy(
        "bald",
        score=lambda c: disagreement.bald(c.posterior),
        beta=1.0,
        when="noisy classes: doubt that more labels can remove",
        paper="Houlsby et al., 2011; Kirsch et al., TMLR 2023",
    ),
    Strategy(
        "k_center",
        pick=lambda c, n: diversity.k_center(c.embedding, c.labelled_embedding, n, c.seed),
        needs_model=False,
        selection="top",
        when="coverage, outliers included",
        paper="Sener & Savarese, ICLR 2018",
    ),
    Strategy(
        "representative",
        pick=lambda c, n: diversity.representative(c.embedding, n, c.seed, c.labelled_embedding),
        needs_model=False,
        selection="top",
        when="the first labels: typical items of different regions",
        paper="Hacohen, Dekel & Weinshall, ICML 2022",
    ),
    Strategy(
        "uncertainty_herding",
        score=lambda c: uncertainty.margin(c.proba),
        pick=lambda c, n: hybrid.uncertainty_herding(
            c.embedding, uncertainty.margin(c.proba), n, c.seed, c.labelled_embedding
        ),
        selection="top",
        when="batches at any budget: covers the region that the model is unsure of",
        paper="Bae, Oh & Sutherland, ICLR 2025",
    ),
)
