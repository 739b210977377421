"""Where the items lie on the map: PCA at once, UMAP in a worker process, and how far out they are.

UMAP and numba hold the interpreter's lock for seconds at a time, so nothing here imports them: they
live in the process of `LayoutWorker`.
"""

from .layout import LayoutJob, LayoutWorker, pca
from .maps import Map, shared_map
from .outliers import knn_outlier

__all__ = ["LayoutJob", "LayoutWorker", "Map", "knn_outlier", "pca", "shared_map"]
