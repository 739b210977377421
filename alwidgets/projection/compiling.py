"""What numba compiled for umap-learn is kept on disk, so that a later first map comes sooner.

umap-learn keeps some of its compiled functions; without the others a layout of two seconds takes
eight more in each new process.
"""

from __future__ import annotations

import importlib
import logging

log = logging.getLogger(__name__)

#: Whose functions take arrays and numbers alone. Those of pynndescent take functions as well, which
#: are others in each process: they would be written anew each time, and never be found.
MODULES = ("umap.umap_", "umap.layouts")


def keep_compiled() -> int:
    """Have numba keep the functions of umap-learn that it compiles from now on.

    Where: beside the package's files, or in the user's cache where these cannot be written.

    Returns
    -------
    int
        How many functions are kept that were not before; 0 where there is no place to write to.
    """
    from numba.core.caching import NullCache
    from numba.core.dispatcher import Dispatcher

    functions = [
        value
        for module in map(importlib.import_module, MODULES)
        for value in vars(module).values()
        if isinstance(value, Dispatcher)
        and isinstance(value._cache, NullCache)  # type: ignore[attr-defined]
        and value.py_func.__module__ == module.__name__
    ]
    try:
        for function in functions:
            function.enable_caching()
    except RuntimeError:
        log.info("numba finds no folder to keep what it compiles", exc_info=True)
        return 0
    return len(functions)
