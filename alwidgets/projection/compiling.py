"""What numba compiled for umap-learn is kept on disk, so that only the first map ever waits for it.

umap-learn and pynndescent keep some of their compiled functions; without the others a layout of
two seconds takes ten more in each new process.
"""

from __future__ import annotations

import logging
import sys

log = logging.getLogger(__name__)

PACKAGES = ("umap", "pynndescent")


def keep_compiled() -> int:
    """Have numba keep every function of umap-learn and pynndescent that it compiles from now on.

    Where: beside the package's files, or in the user's cache where these cannot be written.
    What another version of the package, of numba, or another processor left there is not taken.

    Returns
    -------
    int
        How many functions are kept that were not before; 0 where there is no place to write to.
    """
    import umap  # noqa: F401 - so that its modules are there
    from numba.core.caching import NullCache
    from numba.core.dispatcher import Dispatcher

    functions = {
        id(value): value
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in PACKAGES
        for value in vars(module).values()
        if isinstance(value, Dispatcher) and isinstance(value._cache, NullCache)  # type: ignore[attr-defined]
    }
    try:
        for function in functions.values():
            function.enable_caching()
    except RuntimeError:
        log.info("numba finds no folder to keep what it compiles", exc_info=True)
        return 0
    return len(functions)
