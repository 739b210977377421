"""The map with many points, its tools, and what happens when the graphics card goes."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import SCREENSHOTS, Open
from page import Notebook
from PIL import Image
from samples import DIGITS
from test_look import THEMES, audit

N = 100_000
#: Many items, and a map that stays as PCA has it: nothing else takes the machine's time.
MANY = f"""
import numpy as np
import alwidgets as al
from alwidgets.projection import Map

N, rng = {N}, np.random.default_rng(0)
kind = rng.integers(0, 5, N)
features = (rng.normal(size=(N, 8)) + 4 * rng.normal(size=(5, 8))[kind]).astype("float32")
columns = {{"kind": kind.tolist(), "height": features[:, 0].tolist()}}
pool = al.Pool.from_arrays(features, metadata=columns)
session = al.Session(pool, al.Classification(["ham", "spam"]), store="many.db")


class NoUmap:
    def umap(self, features, *, on_progress, **_):
        on_progress(None, None)

    def cancel(self, job):
        pass


view = session.projector(map=Map(lambda: features, worker=NoUmap()))
view
"""

#: How many pixels of the plot are not of the surface.
INKED = """
const plotted = document.querySelector(".alw-map-plot"), from = plotted.querySelector('canvas');
const copy = document.createElement('canvas');
copy.width = from.width; copy.height = from.height;
const paper = copy.getContext('2d');
paper.drawImage(from, 0, 0);
const {data} = paper.getImageData(0, 0, copy.width, copy.height);
const at = (i) => data[4 * i] * 65536 + data[4 * i + 1] * 256 + data[4 * i + 2];
let inked = 0;
for (let i = 0; i < data.length / 4; i++) if (at(i) !== at(0)) inked++;
return inked;
"""
STAGE = "const stage = document.querySelector('.alw-map-stage'), {dataset} = stage;"
EXTENSION = "document.querySelector('.alw-map-gl canvas').getContext('webgl')"


#: Pixels above the points that are not clear: the lasso, and a ring around a point.
ABOVE = """
const [, hand] = document.querySelectorAll(".alw-map-gl canvas");
const { data } = hand.getContext("2d").getImageData(0, 0, hand.width, hand.height);
return data.filter((value, i) => i % 4 === 3 && value > 0).length;
"""


class Plot:
    """The plot of the first map, and the hand on it."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.root = notebook.view("projector")
        self.root.wait_for()
        self.settle()
        notebook.js(f"{STAGE} stage.scrollIntoView({{block: 'center'}})")
        self.width, self.height = self._box()[2:]

    def _box(self) -> tuple[float, float, float, float]:
        # Each time anew: JupyterLab scrolls a notebook by itself, now and then late.
        box = self.notebook.page.locator(".alw-map-stage").first.bounding_box()
        assert box is not None
        return box["x"], box["y"], box["width"], box["height"]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place on the page, by shares of the plot."""
        left, top, width, height = self._box()
        return left + x * width, top + y * height

    def drag(self, *path: tuple[float, float], keys: tuple[str, ...] = ()) -> None:
        """Press, go along a path, and let go."""
        page = self.notebook.page
        for key in keys:
            page.keyboard.down(key)
        page.mouse.move(*self.at(*path[0]))
        page.mouse.down()
        for place in path[1:]:
            page.mouse.move(*self.at(*place), steps=6)
        page.wait_for_timeout(100)  # the last of what a lasso passes is taken a little later
        page.mouse.up()
        for key in keys:
            page.keyboard.up(key)

    def settle(self) -> None:
        """Wait until all points are drawn, and stay so."""
        drawn = (
            "const drawn = document.querySelector('.alw-map-plot > [data-drawn]')?.dataset.drawn;"
        )
        self.notebook.until(f"{drawn} return drawn === 'all'")
        self.notebook.page.wait_for_timeout(400)
        self.notebook.until(f"{drawn} return drawn === 'all'")

    @property
    def viewport(self) -> list[float]:
        """Centre and distance of what is shown."""
        return [float(v) for v in self.notebook.js(f"{STAGE} return dataset.viewport").split()]

    @property
    def kind(self) -> str:
        """What draws the points."""
        return str(self.notebook.js(f"{STAGE} return dataset.plot"))

    def selected(self, accept: Callable[[int], Any] = bool) -> np.ndarray:
        """Positions of the items that the kernel knows as selected, once there are so many."""
        self.notebook.wait_value("len(view.selection)", accept)
        return np.array(self.notebook.value("[pool.index(i) for i in view.selection]"), dtype=int)


def inside(plot: Plot, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Positions of the items in a part of the plot that shows all, worked out from the layout."""
    coords = np.array(plot.notebook.value("view._map.coords.tolist()"))
    low, high = coords.min(axis=0), coords.max(axis=0)
    aspect = plot.width / plot.height
    scale = min(2 * aspect / (high[0] - low[0]), 2 / (high[1] - low[1]))
    filled = (coords - (low + high) / 2) * scale / 1.12
    x, y = 0.5 + filled[:, 0] / 2 / aspect, 0.5 - filled[:, 1] / 2
    return np.flatnonzero((x > left) & (x < right) & (y > top) & (y < bottom))


@pytest.fixture(scope="module")
def many(opened_once: Open) -> Plot:
    notebook = opened_once([MANY], size=(1400, 1000))
    notebook.run_all()
    return Plot(notebook)


def test_a_subset_is_drawn_while_the_view_moves(many: Plot) -> None:
    notebook, page = many.notebook, many.notebook.page
    assert many.kind == "gl"
    all_drawn = notebook.js(INKED)
    # Counted with the frame that draws the subset: the next ones draw all again.
    notebook.js(f"""
        const plot = document.querySelector('.alw-map-gl'), inked = () => {{ {INKED} }};
        new MutationObserver((_, observer) => {{
          if (plot.dataset.drawn !== 'subset') return;
          observer.disconnect();
          window.someDrawn = inked();
        }}).observe(plot, {{attributeFilter: ['data-drawn']}});
    """)
    page.mouse.move(*many.at(0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*many.at(0.52, 0.5), steps=4)
    notebook.until("return window.someDrawn !== undefined")
    some_drawn = notebook.js("return window.someDrawn")
    page.mouse.move(*many.at(0.5, 0.5), steps=4)
    page.mouse.up()
    many.settle()
    assert 0.3 * all_drawn < some_drawn < 0.97 * all_drawn
    assert notebook.js(INKED) == pytest.approx(all_drawn, rel=0.02)
    many.root.focus()
    page.keyboard.press("0")
    many.settle()


def test_a_lasso_reaches_the_kernel(many: Plot) -> None:
    notebook, page = many.notebook, many.notebook.page
    corners = ((0.3, 0.2), (0.6, 0.2), (0.6, 0.8), (0.3, 0.8), (0.3, 0.2))
    expected = inside(many, 0.3, 0.2, 0.6, 0.8)
    assert len(expected) > N / 20
    many.drag(*corners, keys=("Shift",))
    found = many.selected()
    page.mouse.move(1, 1)
    page.wait_for_timeout(300)  # the library tells of the last corners late
    left = notebook.js(ABOVE)
    assert left == 0, "the lasso is gone when it has been drawn"
    # What lies within a pixel of the edge may be in or out.
    assert len(np.setxor1d(found, expected)) < 0.03 * len(expected)
    # A rectangle takes away, and adds again what it took and more.
    many.root.focus()
    page.keyboard.press("r")
    many.drag((0.45, 0.1), (0.7, 0.9), keys=("Alt",))
    fewer = many.selected(lambda n: n < len(found))
    taken = inside(many, 0.45, 0.1, 0.7, 0.9)
    assert len(np.setxor1d(fewer, np.setdiff1d(found, taken))) < 0.02 * len(found)
    many.root.get_by_label("Add to the selection").click()
    many.drag((0.4, 0.1), (0.9, 0.9))
    more = many.selected(lambda n: n > len(fewer))
    assert len(np.setxor1d(more, np.union1d(fewer, inside(many, 0.4, 0.1, 0.9, 0.9)))) < 0.02 * N
    # A brush: what is along its way, not what is in the middle of the ring it draws.
    many.root.get_by_label("Brush").click()
    many.root.get_by_label("Select anew").click()
    many.drag((0.35, 0.3), (0.65, 0.3), (0.65, 0.7), (0.35, 0.7))
    ring = many.selected(lambda n: n not in (0, len(more)))
    middle = inside(many, 0.42, 0.42, 0.58, 0.58)
    assert len(middle) > 100
    assert len(np.intersect1d(ring, middle)) == 0
    for key in ("Escape", "Escape"):
        many.root.press(key)
    notebook.wait_value("len(view.selection)", lambda n: n == 0)
    assert many.root.get_by_label("Lasso", exact=True).get_attribute("aria-pressed") == "false"


def test_the_wheel_and_fingers_move_the_view(many: Plot) -> None:
    notebook, page = many.notebook, many.notebook.page
    before = many.viewport
    many.root.focus()
    page.mouse.move(*many.at(0.5, 0.5))
    page.mouse.wheel(0, -300)
    many.settle()
    assert many.viewport[2] < 0.8 * before[2]
    page.keyboard.press("0")
    many.settle()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(many.at(*p) for p in places)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(60)

    begin = many.viewport
    touch("touchStart", (0.5, 0.5))
    for share in (0.55, 0.6, 0.65):
        touch("touchMove", (share, 0.5))
    touch("touchEnd")
    many.settle()
    x, _, distance = many.viewport
    assert distance == pytest.approx(begin[2], rel=1e-3)
    assert x < begin[0] - 0.1
    touch("touchStart", (0.4, 0.5))
    touch("touchStart", (0.4, 0.5), (0.6, 0.5))
    for spread in (0.12, 0.16, 0.2):
        touch("touchMove", (0.5 - spread, 0.5), (0.5 + spread, 0.5))
    touch("touchEnd")
    many.settle()
    assert many.viewport[2] < 0.7 * distance
    devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    assert notebook.value("len(view.selection)") == 0
    many.root.focus()
    page.keyboard.press("0")
    many.settle()


def test_a_map_that_is_hidden_under_a_press_keeps_its_view(many: Plot) -> None:
    notebook, page = many.notebook, many.notebook.page
    many.root.focus()
    page.keyboard.press("0")
    many.settle()
    before, inked = many.viewport, notebook.js(INKED)
    page.mouse.move(*many.at(0.5, 0.5))
    page.mouse.down()
    frames = "await new Promise((done) => setTimeout(() => requestAnimationFrame(done), 300));"
    box = "const box = document.querySelector('[data-view=projector]').parentElement;"
    notebook.js(f"{box} box.style.display = 'none'; {frames}")
    notebook.js(f"{box} box.style.display = ''; {frames}")
    page.mouse.up()
    page.mouse.move(*many.at(0.52, 0.5), steps=4)
    many.settle()
    assert many.viewport == pytest.approx(before, abs=1e-3)
    assert notebook.js(INKED) == pytest.approx(inked, rel=0.02)
    assert notebook.errors == []


def saved(plot: Plot) -> np.ndarray:
    """The picture that is saved of a map: levels of red, green and blue."""
    page = plot.notebook.page
    plot.root.focus()
    with page.expect_download() as download:
        page.keyboard.press("p")
    picture = Image.open(io.BytesIO(download.value.path().read_bytes()))
    return np.asarray(picture.convert("RGB"), dtype=int)


def test_a_picture_is_saved(many: Plot) -> None:
    page = many.notebook.page
    many.root.focus()
    with page.expect_download() as download:
        page.keyboard.press("p")
    assert download.value.suggested_filename == "map-pca-label.png"
    picture = Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")
    assert picture.size == (round(many.width), round(many.height))
    pixels = np.asarray(picture).reshape(-1, 3)
    assert (pixels != pixels[0]).any(axis=1).sum() == pytest.approx(
        many.notebook.js(INKED), rel=0.05
    )


def test_the_map_fills_the_screen(many: Plot) -> None:
    notebook, page = many.notebook, many.notebook.page
    many.root.focus()
    page.keyboard.press("f")
    notebook.until("return document.fullscreenElement?.dataset.view === 'projector'")
    many.settle()
    box = page.locator(".alw-map-stage").first.bounding_box()
    assert box is not None
    assert box["width"] > 1.1 * many.width
    page.keyboard.press("f")
    notebook.until("return document.fullscreenElement === null")
    many.settle()


def test_a_lost_graphics_card_leaves_the_map_up(many: Plot) -> None:
    notebook = many.notebook
    page = notebook.page
    notebook.js(f"window.card = {EXTENSION}.getExtension('WEBGL_lose_context'); card.loseContext()")
    notebook.until(f"{STAGE} return dataset.plot === 'flat'")
    many.settle()
    assert "simple way" in many.root.locator(".alw-map-notice").inner_text()
    assert notebook.js(INKED) > 1000
    # It moves, zooms and selects all the same.
    begin = many.viewport
    many.drag((0.5, 0.5), (0.6, 0.5))
    many.settle()
    assert many.viewport[0] < begin[0] - 0.1
    page.mouse.wheel(0, -200)
    many.settle()
    assert many.viewport[2] < 0.8 * begin[2]
    many.root.focus()
    page.keyboard.press("0")
    many.settle()
    many.drag((0.3, 0.2), (0.6, 0.2), (0.6, 0.8), (0.3, 0.8), keys=("Shift",))
    found = many.selected()
    expected = inside(many, 0.3, 0.2, 0.6, 0.8)
    assert len(np.setxor1d(found, expected)) < 0.03 * len(expected)
    notebook.js("card.restoreContext()")
    notebook.until(f"{STAGE} return dataset.plot === 'gl'")
    many.settle()
    assert not many.root.locator(".alw-map-notice").is_visible()
    assert notebook.js(INKED) > 1000
    many.root.press("Escape")
    # The browser itself tells of the loss; nothing else went wrong.
    assert [e for e in notebook.errors if "CONTEXT_LOST" not in e.upper()] == []


def test_the_same_map_comes_back_with_the_graphics_card(many: Plot) -> None:
    notebook, root = many.notebook, many.root
    root.get_by_label("Colour by", exact=True).select_option("meta:kind")
    root.press("o")
    root.get_by_label("Size by", exact=True).select_option("meta:height")
    root.locator(".alw-map-scale[data-what=size]").wait_for()
    root.press("Escape")
    many.settle()
    many.drag((0.3, 0.2), (0.6, 0.2), (0.6, 0.8), (0.3, 0.8), keys=("Shift",))
    before, selected = notebook.value("view.selection"), root.get_attribute("data-selected")
    assert selected == str(len(before)) != "0"
    many.settle()
    picture = saved(many)
    notebook.js(f"window.card = {EXTENSION}.getExtension('WEBGL_lose_context'); card.loseContext()")
    notebook.until(f"{STAGE} return dataset.plot === 'flat'")
    many.settle()
    flat = saved(many)
    notebook.js("card.restoreContext()")
    notebook.until(f"{STAGE} return dataset.plot === 'gl'")
    many.settle()
    # Squares in place of discs: where there are points, and most of their colours, are the same.
    inked, inked_flat = ((p != p[0, 0]).any(axis=2) for p in (picture, flat))
    assert (inked & inked_flat).sum() > 0.9 * inked.sum()
    assert np.abs(saved(many) - picture).max(axis=2).astype(bool).mean() < 0.001
    assert root.get_attribute("data-selected") == selected
    assert root.get_attribute("data-colour-by") == "meta:kind"
    assert notebook.value("view.selection") == before
    root.press("Escape")
    notebook.wait_value("len(view.selection)", lambda n: n == 0)


def test_a_graphics_card_that_does_not_come_back_is_told(many: Plot) -> None:
    notebook, root = many.notebook, many.root
    many.drag((0.3, 0.2), (0.6, 0.2), (0.6, 0.8), (0.3, 0.8), keys=("Shift",))
    chosen = many.selected()
    notebook.js(f"window.card = {EXTENSION}.getExtension('WEBGL_lose_context'); card.loseContext()")
    notebook.until(f"{STAGE} return dataset.plot === 'flat'")
    notebook.js(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        " return kind.startsWith('webgl') ? null : get.call(this, kind, ...more); };"
        "card.restoreContext()"
    )
    root.locator(".alw-map-notice", has_text="This browser has no WebGL").wait_for()
    many.settle()
    assert many.kind == "flat"
    assert notebook.js(INKED) > 1000
    assert root.get_attribute("data-selected") == str(len(chosen))
    root.press("Escape")
    notebook.wait_value("len(view.selection)", lambda n: n == 0)


def test_look_of_the_tools(opened: Open) -> None:
    """Nothing sticks out, wide or narrow, light or dark."""
    notebook = opened([DIGITS, "view = session.projector()\nview"], size=(1000, 900))
    notebook.run_all()
    plot = Plot(notebook)
    complaints: list[str] = []
    for width in (320, 420, 700):
        notebook.execute(f"view.layout.width = '{width}px'")
        notebook.until(
            "return Math.abs(document.querySelector('[data-view=projector]').clientWidth - value)"
            " < 4",
            width,
        )
        plot.settle()
        for name, keys in (("plain", ""), ("lasso", "ra"), ("options", "o")):
            plot.root.focus()
            for key in keys:
                plot.root.press(key)
            for theme, full_name in THEMES.items():
                notebook.theme(full_name)
                notebook.page.wait_for_timeout(600)
                notebook.screenshot(SCREENSHOTS / f"map-{width}-{name}-{theme}.png", plot.root)
                complaints += [f"{width} {name} {theme}: {c}" for c in audit(notebook, "projector")]
            wide = plot.root.evaluate("(e) => e.scrollWidth - e.clientWidth")
            assert wide <= 0, f"{name} at {width} px is {wide} px too wide"
            for _ in keys:
                plot.root.press("Escape")
        notebook.theme(THEMES["light"])
    assert complaints == []
    assert notebook.errors == []
