"""Odd pools on the map, as a person sees them: a clear word, and the map stays up."""

from __future__ import annotations

import re

from conftest import SCREENSHOTS, Open
from page import wait_for
from samples import TEXTS

#: Pools with little to lay out, and one whose images are bytes that are none.
ODD = """
import numpy as np
import alwidgets as al

def shown(features, name, **options):
    features = np.asarray(features, dtype="float32")
    pool = al.Pool.from_arrays(features, ids=range(len(features)), **options)
    session = al.Session(pool, al.Classification(["ham", "spam"]), store=f"{name}.db")
    return session.projector(height=240)

rng = np.random.default_rng(0)
broken = al.Image(b"no image at all", "image/png", 60, 60)
sides = rng.normal(scale=0.1, size=(80, 4)) + 3 * (np.arange(80) % 2)[:, None]
views = {
    "one": shown(np.ones((1, 3)), "one", content=["the only text"]),
    "two": shown([[0, 1], [1, 1]], "two", content=["a text", "another"]),
    "equal": shown(np.ones((50, 3)), "equal"),
    "broken": shown(sides, "broken", content=[al.Image.from_array(np.zeros((8, 8), "uint8"))] * 80),
}
"""
#: What lies in the pool is broken after it was taken in.
BREAK = "views['broken']._session.pool.contents = [broken] * 80"


def test_little_and_broken_items_are_shown(opened: Open) -> None:
    notebook = opened(
        [ODD, BREAK, *(f"views[{name!r}]" for name in ("one", "two", "equal", "broken"))],
        size=(1000, 1750),
    )
    notebook.run_all()
    maps = notebook.page.locator("[data-view=projector]")
    wait_for(maps.count, lambda n: n == 4, what="four maps")
    for k in range(4):
        maps.nth(k).locator("[data-drawn=all]").wait_for(state="attached")
    captions = [maps.nth(k).locator(".alw-map-caption").text_content() or "" for k in range(4)]
    assert [caption.split(" · ")[0] for caption in captions] == [
        "1 item",
        "2 items",
        "50 items",
        "80 items",
    ]
    maps.nth(2).locator(".alw-map-notice", has_text="are the same here").wait_for()

    # The one item lies in the middle, and is what the pointer finds there.
    box = maps.nth(0).locator(".alw-map-stage").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    notebook.page.mouse.move(middle[0] - 3, middle[1])
    notebook.page.mouse.move(*middle)
    maps.nth(0).get_by_text("the only text").wait_for()
    maps.nth(0).press("d")  # one point has no density, and no line
    maps.nth(0).press("0")

    # Images that are none leave no broken picture: not as names of regions, and not in the popover.
    stage = maps.nth(3).locator(".alw-map-stage")
    maps.nth(3).scroll_into_view_if_needed()
    wait_for(stage.locator("img.alw-map-landmark").count, lambda n: n == 0, what="no broken name")
    broken = "This image cannot be shown: its file is damaged."
    box = stage.bounding_box()
    assert box is not None
    for share in range(1, 60):  # along the middle, until there is an item
        notebook.page.mouse.move(box["x"] + box["width"] * share / 60, box["y"] + box["height"] / 2)
        notebook.page.wait_for_timeout(80)
        if stage.locator(".alw-map-popover").is_visible():
            break
    stage.get_by_text(broken).wait_for()
    assert stage.locator("img:visible").count() == 0
    notebook.screenshot(SCREENSHOTS / "map-odd.png")
    assert notebook.errors == []


def test_whatever_is_typed_leaves_the_map_up(opened: Open) -> None:
    notebook = opened([TEXTS, "view = session.projector()\nview"], size=(1000, 900))
    notebook.run_all()
    view = notebook.view("projector")
    view.locator("[data-drawn=all]").wait_for(state="attached")
    hits = view.locator(".alw-map-hits")
    for typed in ('"unclosed', "a AND", "col:", ")", "(((", "NEAR(", '"', "*", "\\"):
        view.focus()
        notebook.page.keyboard.press("/")
        view.locator(".alw-map-search").fill(typed)
        wait_for(
            hits.inner_text, lambda text: bool(re.search(r"\d|[Nn]o", text)), what=f"{typed!r}"
        )
        assert "failed" not in hits.inner_text()
        notebook.page.keyboard.press("Escape")
    view.focus()
    notebook.page.keyboard.press("/")
    view.locator(".alw-map-search").fill("win")
    found = notebook.value("session.search('win').total")
    hits.get_by_text(f"{found:,} items", exact=True).wait_for()
    assert notebook.errors == []
