"""The widgets that show the points, and what one does to move, select and recolour there."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

#: Ours gets 16 features an item, of which it works out the layout itself; the peers get that
#: layout. `known` notes when the kernel knew what is selected, and how many that were.
SETUP = """
import time
import numpy as np, pandas as pd
import alwidgets as al
from alwidgets.projection import Map
from alwidgets.projection.linear import pca

N, rng = {n}, np.random.default_rng(0)
kind = rng.integers(0, 8, N)
features = (rng.normal(size=(N, 16)) + 4 * rng.normal(size=(8, 16))[kind]).astype("float32")
known = []


def know(number):
    now = time.time()
    known.append([now, int(number() if callable(number) else number)])
"""

#: No UMAP, which would take the machine's cores for itself while the drawing is timed.
OURS = """
class NoUmap:
    def umap(self, features, *, on_progress, **_):
        on_progress(None, None)

    def cancel(self, job):
        pass


pool = al.Pool.from_arrays(features)
task = al.Classification([f"class {k}" for k in range(8)])
session = al.Session(pool, task, store="map.db")
"""
OURS_SHOW = """
view = session.projector(height=480, map=Map(lambda: features, worker=NoUmap()))
view.on_msg(lambda _, m, b: m["type"] == "select" and know(lambda: len(view.selection)))
view
"""
#: Labels first: the retraining that is measured is the second.
OURS_READY = """
for k in range(8):
    for row in np.flatnonzero(kind == k)[:4]:
        session.record(pool.ids[int(row)], task.classes[k])
session.retrain(wait=True)
"""
OURS_RECOLOUR = "session.retrain(wait=True)"

FRAME = """
xy = pca(features)
data = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "kind": pd.Categorical(kind.astype(str))})
again = pd.Categorical(rng.permutation(kind).astype(str))
"""

JSCATTER = "import jscatter"
JSCATTER_SHOW = """
scatter = jscatter.Scatter(data=data, x="x", y="y", color_by="kind", height=480)
scatter.widget.observe(lambda change: know(len(change.new)), names="selection")
scatter.show()
"""
JSCATTER_RECOLOUR = "data['kind'] = again\nscatter.color(by='kind')"

PLOTLY = "import plotly.graph_objects as go"
PLOTLY_SHOW = """
layout = dict(height=480, dragmode="pan", margin=dict(l=10, r=10, t=10, b=10))
marker = dict(color=kind, size=3)
figure = go.FigureWidget(
    [go.Scattergl(x=data.x.to_numpy(), y=data.y.to_numpy(), mode="markers", marker=marker)],
    layout=layout,
)
figure.data[0].on_selection(lambda trace, points, _: know(len(points.point_inds)))
figure
"""
PLOTLY_RECOLOUR = "figure.data[0].marker.color = again.codes"

ATLAS = "from embedding_atlas.widget import EmbeddingAtlasWidget"
ATLAS_SHOW = """
data["id"] = np.arange(N)
atlas = EmbeddingAtlasWidget(data, x="x", y="y", row_id="id")
atlas
"""


@dataclass(frozen=True)
class Contestant:
    """Somebody who shows points in a notebook."""

    name: str
    module: str
    #: Cells before the one that shows the widget, and that one.
    setup: str
    show: str
    #: Of what the pointer is moved over.
    plot: str
    #: Before a lasso: a statement in the kernel, and the key that is held.
    lasso: str = ""
    key: str = ""
    #: Statements in the kernel that change the colours of the points; empty where there is none.
    ready: str = ""
    recolour: str = ""
    #: Why there are no figures for what is left out.
    missing: str = ""

    @property
    def is_there(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


CONTESTANTS = (
    Contestant(
        "alwidgets",
        "alwidgets",
        OURS,
        OURS_SHOW,
        ".alw-map-stage",
        key="Shift",
        ready=OURS_READY,
        recolour=OURS_RECOLOUR,
    ),
    Contestant(
        "jupyter-scatter",
        "jscatter",
        FRAME + JSCATTER,
        JSCATTER_SHOW,
        ".jp-OutputArea canvas",
        # With Shift JupyterLab would select cells.
        lasso="scatter.widget.mouse_mode = 'lasso'",
        recolour=JSCATTER_RECOLOUR,
    ),
    Contestant(
        "plotly",
        "plotly",
        FRAME + PLOTLY,
        PLOTLY_SHOW,
        ".plotly .nsewdrag",
        lasso="figure.layout.dragmode = 'lasso'",
        recolour=PLOTLY_RECOLOUR,
    ),
    Contestant(
        "embedding-atlas",
        "embedding_atlas",
        FRAME + ATLAS,
        ATLAS_SHOW,
        ".jp-OutputArea canvas",
        missing="a selection there is a query, and its widget has no call that changes the colours",
    ),
)
