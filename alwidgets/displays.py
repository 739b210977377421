"""How a session is shown, without knowing the views."""

from __future__ import annotations

import importlib
from typing import Any


class Displayed:
    """Gives a session its views.

    They are looked up by name: views know sessions, and not the other way round, so that the
    loop runs where no widget library is to be had.
    """

    _shown: Any = None

    def cards(self, **options: Any) -> Any:
        """Show the cards to label on."""
        return self._view("cards", "Cards", options)

    def projector(self, **options: Any) -> Any:
        """Show the map of the embeddings."""
        return self._view("projector", "Projector", options)

    def curves(self, **options: Any) -> Any:
        """Show the learning curve; `widgets.curves.Curves` has the options: metric, target, …."""
        return self._view("curves", "Curves", options)

    def diagnostics(self, **options: Any) -> Any:
        """Show where the model is wrong: what it takes for what, slices, calibration, rounds."""
        return self._view("diagnostics", "Diagnostics", options)

    def dashboard(self, **options: Any) -> Any:
        """Show cards, map and curve together, as the session at the end of a cell does."""
        return self._view("dashboard", "Dashboard", options)

    def _view(self, module: str, name: str, options: dict[str, Any]) -> Any:
        return getattr(importlib.import_module(f"alwidgets.widgets.{module}"), name)(
            self, **options
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._shown is None:
            self._shown = self.dashboard()
        return self._shown._repr_mimebundle_(**kwargs)
