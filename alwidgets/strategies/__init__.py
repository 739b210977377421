"""Query strategies: what to ask next."""

from __future__ import annotations

from alwidgets.strategies.builtin import STRATEGIES
from alwidgets.strategies.context import Context
from alwidgets.strategies.registry import (
    Selection,
    Strategy,
    get,
    names,
    register,
    select,
    table,
)

__all__ = ["Context", "Selection", "Strategy", "get", "names", "register", "select", "table"]

for _strategy in STRATEGIES:
    register(_strategy)
