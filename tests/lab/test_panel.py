"""The panel beside the map, with the keyboard alone: edge cases, more like one, slices."""

from __future__ import annotations

from typing import Any

from conftest import SCREENSHOTS, Open
from harness import INSTALLED
from page import LAYOUT, PATIENCE, Notebook
from playwright.sync_api import Locator
from samples import DIGITS
from test_look import THEMES, audit

#: Labels given by a script, so that there is a model to rank by.
LABEL = """
for _ in range(120):
    item = session.next()[0]
    session.record(item.id, int(digits.target[item.index]))
session.retrain()
"""
SHOW = "view = session.projector(height=460)\nview"
FOCUSED = "document.activeElement.getAttribute('role')"


class Panel:
    """The panel of the first map, by keyboard."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.map = notebook.view("projector")
        self.root = self.map.locator(".alw-map-panel")
        self.list = self.root.get_by_role("listbox")
        self.choice = self.root.get_by_label("What to list")

    def open(self) -> None:
        """Press E on the map."""
        self.map.focus()
        self.press("e")
        self.until("list !== null && document.activeElement === list")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.notebook.page.keyboard.press(key)

    def choose(self, value: str) -> None:
        """Choose what to list, and wait for it."""
        self.choice.select_option(value)
        self.ready()
        self.list.focus()

    def ready(self) -> None:
        self.until("list.ariaBusy === 'false' && (list.children.length || said)", seconds=LAYOUT)

    def until(self, condition: str, *, seconds: float = PATIENCE) -> None:
        self.notebook.until(
            "const list = document.querySelector('[data-view=projector] [role=listbox]');"
            "const said = document.querySelector('.alw-map-listed')?.textContent;"
            f"return {condition}",
            seconds=seconds,
        )

    @property
    def at(self) -> Locator:
        """The row that the keyboard is at."""
        return self.root.locator(f'[id="{self.list.get_attribute("aria-activedescendant")}"]')

    def look(self, name: str) -> list[str]:
        """A picture in each theme, and what axe says."""
        complaints: list[str] = []
        for theme, full_name in THEMES.items():
            self.notebook.theme(full_name)
            self.notebook.page.wait_for_timeout(700)
            self.notebook.screenshot(SCREENSHOTS / f"panel-{name}-{theme}.png", self.map)
            complaints += [f"{name}, {theme}: {c}" for c in audit(self.notebook, "projector")]
        self.notebook.theme(THEMES["light"])
        return complaints


def shown(notebook: Notebook) -> Panel:
    """The panel of a map that has its points."""
    notebook.view("projector").wait_for()
    notebook.until("return document.querySelector('[data-view=projector]').dataset.layout !== ''")
    return Panel(notebook)


def test_the_panel_with_the_keyboard_alone(opened: Open) -> None:
    notebook = opened([DIGITS, SHOW], size=(1240, 900))
    notebook.run_all()
    panel = shown(notebook)
    panel.open()
    panel.ready()
    complaints = []

    # What needs a model says so, and what to do about it.
    panel.choose("edge:flipped")
    panel.until("/no model yet.*Label some items/.test(said)")
    complaints += panel.look("needs-a-model")
    notebook.execute(LABEL)
    panel.choose("edge:knn")

    # The rows are those of Python, in its order.
    cases = notebook.value("list(session.edge_cases(500, by='knn').index)")
    panel.press("ArrowDown", "ArrowDown")
    assert panel.at.get_attribute("aria-posinset") == "3"
    assert panel.at.get_attribute("aria-setsize") == "500"
    panel.press("Space")
    notebook.wait_value("view.selection", lambda ids: ids == [cases[2]])
    assert notebook.value("session.selection.source") == "edge cases"
    assert panel.at.get_attribute("aria-selected") == "true"
    complaints += panel.look("edge-cases")

    # Another page, by a key.
    panel.list.focus()
    panel.press("End")
    panel.until("list.lastElementChild.ariaPosInSet === '500'")
    panel.press("Home")
    panel.until("list.firstElementChild.ariaPosInSet === '1'")

    # Enter puts the selection on the next cards.
    panel.press("Enter")
    notebook.wait_value("session.upcoming()[0]", lambda item: item == cases[2])
    notebook.wait_value("len(view.selection)", lambda n: n == 0)

    # More like this, and back to where one was.
    panel.press("ArrowDown", "m")
    panel.until("list.ariaLabel.includes('most like') && list.children.length === 50")
    alike = notebook.value(f"list(session.similar({cases[1]!r}, 100).index)")
    panel.press("ArrowDown", "Shift+ArrowDown")
    notebook.wait_value("view.selection", lambda ids: ids == alike[1:3])
    complaints += panel.look("alike")
    panel.list.focus()
    panel.press("Escape")
    panel.until("list.ariaLabel.startsWith('Edge cases') && list.children.length === 50")
    assert panel.at.get_attribute("aria-posinset") == "2"

    assert complaints == []
    assert notebook.errors == []


def test_points_by_colour_and_slices(opened: Open) -> None:
    notebook = opened([DIGITS, SHOW], size=(1240, 900), kernel=INSTALLED)
    notebook.run_all()
    notebook.execute(LABEL)
    panel = shown(notebook)

    complaints = []

    # A selection becomes a slice.
    panel.open()
    panel.choose("edge:knn")
    panel.press("Shift+ArrowDown")
    cases = notebook.value("list(session.edge_cases(2, by='knn').index)")
    notebook.wait_value("view.selection", lambda ids: ids == cases)
    panel.map.focus()
    panel.press("k")
    notebook.page.keyboard.type("odd ones")
    notebook.screenshot(SCREENSHOTS / "panel-name.png", panel.map)
    panel.press("Enter")
    notebook.wait_value("dict(session.slices)", lambda kept: kept == {"odd ones": cases})
    panel.press("Escape")
    notebook.wait_value("len(view.selection)", lambda n: n == 0)

    # The points by colour, either way.
    panel.map.get_by_label("Colour").first.select_option("confidence")
    panel.until("document.querySelector('[data-view=projector]').dataset.colourBy === 'confidence'")
    panel.choose("points")
    sure = "session.current.confidence[~session.reserved]"
    lowest = notebook.value(f"f'{{1000 * float({sure}.min()) // 1 / 10:.1f}} %'")
    assert panel.at.locator(".alw-map-value").text_content() == lowest
    panel.press("r")
    panel.until("list.ariaLabel.endsWith('Confidence: sure first')")
    panel.ready()
    complaints += panel.look("points")

    # After a restart of the kernel and a reload of the page the slice is there.
    notebook.restart()
    notebook.load()
    notebook.run_all()
    panel = shown(notebook)
    panel.open()
    panel.choose("slices")
    complaints += panel.look("slices")
    panel.list.focus()
    panel.press("Enter")
    notebook.wait_value("view.selection", lambda ids: ids == cases)
    assert notebook.value("session.selection.source") == "slice"
    panel.press("Delete")
    notebook.wait_value("len(session.slices)", lambda n: n == 0)
    panel.press("Control+z")
    notebook.wait_value("dict(session.slices)", lambda kept: kept == {"odd ones": cases})
    panel.press("Escape")
    assert panel.root.is_hidden()
    assert notebook.page.evaluate(FOCUSED) == "application"
    assert complaints == []
    assert notebook.errors == []


def test_the_panel_in_narrow_cells(opened: Open) -> None:
    """Below the map, by mouse alone; nothing sticks out."""
    notebook = opened([DIGITS, "view = session.projector()\nview"], size=(700, 1100))
    notebook.run_all()
    panel = shown(notebook)
    panel.map.get_by_role("button", name="Lists").click()
    panel.ready()
    for width in (320, 460, 560):
        notebook.page.set_viewport_size({"width": width + 140, "height": 1100})
        notebook.page.wait_for_timeout(600)
        panel.list.get_by_role("option").nth(1).click()
        notebook.screenshot(SCREENSHOTS / f"panel-{width}.png", panel.map)
        sizes: Any = panel.map.evaluate("(e) => [e.scrollWidth - e.clientWidth, e.clientWidth]")
        assert sizes[0] <= 0, f"{sizes[0]} px too wide at {sizes[1]}"
        plot, below = panel.map.locator(".alw-map-stage"), panel.root
        assert plot.bounding_box()["y"] + plot.bounding_box()["height"] <= below.bounding_box()["y"]
    # A point that is out of sight comes into it.
    centre = "Number(document.querySelector('.alw-map-stage').dataset.viewport.split(' ')[0])"
    box = panel.map.locator(".alw-map-stage").bounding_box()
    assert box is not None
    for _ in range(2):
        notebook.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"])
        notebook.page.mouse.down()
        notebook.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.9 * box["height"])
        notebook.page.mouse.up()
    panel.until(f"{centre} > 4")
    panel.list.get_by_role("option").nth(2).click()
    panel.until(f"{centre} < 2")

    panel.list.get_by_role("option").nth(1).locator(".alw-map-tick").click()
    notebook.wait_value("len(view.selection)", lambda n: n == 1)
    panel.root.get_by_role("button", name="More like this").click()
    panel.until("list.ariaLabel.includes('most like') && list.children.length === 50")
    panel.root.get_by_role("button", name="Back to the list before").click()
    panel.until("list.ariaLabel.startsWith('Edge cases')")
    panel.root.get_by_role("button", name="Close the panel").click()
    assert panel.root.is_hidden()
    assert notebook.errors == []
