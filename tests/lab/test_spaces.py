"""The map in the model's own space: it follows retrainings, can be stopped, and is kept."""

from __future__ import annotations

from conftest import SCREENSHOTS, Open
from harness import INSTALLED
from page import LAYOUT, Notebook
from samples import DIGITS

LABEL = """
for _ in range(60):
    item = session.next()[0]
    session.record(item.id, int(digits.target[item.index]))
session.retrain()
"""

#: A cache of this notebook alone.
CACHE = """
import os
os.environ["ALWIDGETS_CACHE"] = "kept"
"""

MAP = "__import__('alwidgets.projection', fromlist=['x']).shared_map(session)"


def until_map(notebook: Notebook, *, seconds: float = LAYOUT, **data: str) -> None:
    """Wait until the map's root says so."""
    notebook.until(
        "const now = document.querySelector('[data-view=projector]').dataset;"
        "return Object.entries(value).every(([key, is]) => now[key] === is)",
        data,
        seconds=seconds,
    )


def figures(notebook: Notebook) -> str:
    return str(notebook.js("return document.querySelector('.alw-map-figures').textContent"))


def test_the_map_follows_the_model(opened: Open) -> None:
    notebook = opened([DIGITS, "session.projector()"], size=(1100, 900))
    notebook.run_all()
    view = notebook.view("projector")
    view.wait_for()
    until_map(notebook, layout="umap", space="features")
    notebook.until("return document.querySelector('.alw-map-figures').textContent !== ''")
    assert figures(notebook).startswith("trust 0.9")
    assert "moved" not in figures(notebook)
    space = view.get_by_label("Space")
    assert space.locator("option[value=model]").is_disabled()

    notebook.execute(LABEL)
    notebook.until(
        "return !document.querySelector('[aria-label=Space] option[value=model]').disabled"
    )
    # With the keyboard alone.
    space.focus()
    notebook.page.keyboard.press("m")
    until_map(notebook, space="model", layout="umap")
    assert notebook.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Space"
    notebook.screenshot(SCREENSHOTS / "map-model.png", view)

    for _ in range(2):
        before = notebook.value(f"{MAP}.revision")
        notebook.execute(LABEL)
        notebook.wait_value(f"{MAP}.revision > {before}", seconds=LAYOUT)
    notebook.until(
        "return document.querySelector('.alw-map-figures').textContent.includes('moved')"
    )
    notebook.screenshot(SCREENSHOTS / "map-model-later.png", view)
    view.get_by_label("Colour").first.select_option("trust")
    until_map(notebook, colourBy="trust")
    notebook.page.wait_for_timeout(800)
    notebook.screenshot(SCREENSHOTS / "map-trust.png", view)
    assert notebook.errors == []


def test_a_layout_is_stopped_and_kept_over_a_restart(opened: Open) -> None:
    notebook = opened([CACHE + DIGITS, "session.projector()"], size=(1100, 900), kernel=INSTALLED)
    notebook.run_all()
    view = notebook.view("projector")
    stop = view.get_by_role("button", name="Stop the layout")
    stop.click()
    view.get_by_role("button", name="Go on with the layout").wait_for()
    assert view.get_attribute("data-layout") == "pca"
    assert notebook.value(f"{MAP}.busy") is False
    view.get_by_role("button", name="Go on with the layout").click()
    until_map(notebook, layout="umap")
    notebook.until("return document.querySelector('.alw-map-figures').textContent !== ''")
    coords = notebook.value(f"{MAP}.coords[:3].tolist()")
    kept = "[p.name for p in __import__('pathlib').Path('kept', 'layouts').glob('*.npz')]"
    notebook.wait_value(kept)
    notebook.restart()
    notebook.run_all()
    notebook.view("projector").wait_for()
    until_map(notebook, layout="umap", seconds=20)
    assert notebook.value(f"{MAP}.coords[:3].tolist()") == coords
    # Nothing was laid out for it.
    assert notebook.value(f"{MAP}._worker is None") is True
