"""Finding items on the map in JupyterLab: colours, the legend, the search box, names of regions."""

from __future__ import annotations

import csv

from conftest import SCREENSHOTS, Open
from page import Notebook, wait_for
from samples import DIGITS
from test_look import THEMES, audit, look, settle

#: Messages about six things, with columns of metadata; large enough for an index of the words.
TOPICS = """
import numpy as np
import alwidgets as al

topics = {
    "prize": "prize win claim free cash voucher lucky winner",
    "football": "football match goal league striker coach season keeper",
    "kitchen": "recipe oven butter flour sugar pepper kitchen onion",
    "bank": "mortgage loan interest bank account credit savings branch",
    "music": "guitar concert album singer stage chorus drummer melody",
    "travel": "flight hotel luggage airport beach passport island ticket",
}
rng = np.random.default_rng(0)
n = 2400
names = list(topics)
side = rng.integers(0, len(names), n)
texts = [
    f"Message {i}: " + " ".join(rng.choice(topics[names[s]].split(), 6)) for i, s in enumerate(side)
]
# On a ring, so that PCA parts them as well: the test waits for no layout.
angle = 2 * np.pi * side / len(names)
features = rng.normal(size=(n, 6)) + 6 * np.eye(2, 6)[0] * np.cos(angle)[:, None]
features = (features + 6 * np.eye(2, 6)[1] * np.sin(angle)[:, None]).astype("float32")
metadata = {
    "sender": [["ann", "bob", "cyd", "dee"][i] for i in rng.integers(0, 4, n)],
    "length": [len(t) for t in texts],
    "sent": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(n)],
}
metadata |= {f"measure {i}": [0, 1] * (n // 2) for i in range(200)}
pool = al.Pool.from_arrays(features, content=texts, ids=range(n), metadata=metadata)
session = al.Session(pool, al.Classification(names), store="topics.db", seed=1)
for _ in range(90):
    item = session.next()[0]
    session.record(item.id, names[side[int(item.id)]])
session.retrain()
"""


def root(notebook: Notebook, name: str) -> str:
    """What the map says of itself."""
    return notebook.view("projector").evaluate("(root, name) => root.dataset[name] ?? ''", name)


def colour(notebook: Notebook, by: str) -> None:
    """Choose what the points are coloured by, and wait for it."""
    notebook.view("projector").get_by_label("Colour by", exact=True).select_option(by)
    shown(notebook, by)


def shown(notebook: Notebook, by: str) -> None:
    """Wait until the points are coloured by this."""
    notebook.until(
        "return document.querySelector('[data-view=projector]').dataset.colourBy === value", by
    )
    notebook.page.wait_for_timeout(500)


def picture(notebook: Notebook, name: str) -> None:
    """Take a picture of the map in each theme."""
    for theme, full_name in THEMES.items():
        notebook.theme(full_name)
        notebook.page.wait_for_timeout(900)
        notebook.screenshot(SCREENSHOTS / f"{name}-{theme}.png", notebook.view("projector"))
    notebook.theme(THEMES["light"])


def test_images_name_regions(opened: Open) -> None:
    """A typical image stands where many items lie, large enough to be seen."""
    notebook = opened([DIGITS, "session.projector(height=520)"], size=(1250, 900))
    notebook.run_all()
    settle(notebook, "pca")
    images = notebook.view("projector").locator(".alw-map-landmark img:visible")
    images.first.wait_for()
    assert images.count() >= 4
    boxes = [image.bounding_box() for image in images.all()]
    assert all(box is not None and max(box["width"], box["height"]) >= 32 for box in boxes)
    picture(notebook, "finding-images")
    assert notebook.errors == []


def test_finding(opened: Open) -> None:
    notebook = opened([TOPICS, "view = session.projector(height=520)\nview"], size=(1250, 900))
    notebook.run_all()
    view = notebook.view("projector")
    settle(notebook, "pca")

    # Names of the regions are words of these, and follow the map.
    names = view.locator(".alw-map-landmark:visible")
    names.first.wait_for()
    words = " ".join(names.all_inner_texts())
    known = {"prize", "football", "recipe", "mortgage", "guitar", "flight"}
    of_topics = notebook.value("sorted({w for t in topics.values() for w in t.split()})")
    assert known & {*of_topics}
    assert {w for w in words.split() if w != "·"} <= {*of_topics, "message"}
    assert names.count() >= 4
    before = names.first.bounding_box()
    view.focus()
    notebook.page.keyboard.press("ArrowRight")
    wait_for(names.first.bounding_box, lambda box: box != before, what="the names to move")
    notebook.page.keyboard.press("0")
    wait_for(names.first.bounding_box, lambda box: box == before, what="the names to be back")
    notebook.page.keyboard.press("g")
    assert names.count() == 0
    notebook.page.keyboard.press("g")
    names.first.wait_for()
    picture(notebook, "finding-regions")

    # Colours by everything.
    groups = view.locator(".alw-map-head optgroup").evaluate_all("all => all.map(g => g.label)")
    assert groups == ["Model", "Labels", "Scores", "Metadata"]
    for by in ("confidence", "stream", "annotator", "score:margin", "meta:length", "meta:sender"):
        colour(notebook, by)
    view.locator(".alw-map-row", has_text="bob").hover()
    view.get_by_label("Hide bob").click()
    picture(notebook, "finding-sender")
    view.locator("select").first.select_option("another")
    notebook.page.keyboard.type("measure 177")
    view.get_by_text("1 column", exact=True).wait_for()
    notebook.page.keyboard.press("Enter")
    shown(notebook, "meta:measure 177")
    colour(notebook, "meta:sent")
    view.get_by_label("From", exact=True).fill("127")
    notebook.until("return document.querySelector('[data-view=projector]').dataset.selected > 500")
    late = notebook.wait_value("[pool.metadata['sent'][int(i)] for i in view.selection]")
    assert min(late) >= "2024-06"
    picture(notebook, "finding-range")

    # What is found stands out while one types, and is selected with Enter.
    view.focus()
    notebook.page.keyboard.press("Escape")
    colour(notebook, "prediction")
    view.focus()
    notebook.page.keyboard.press("/")
    notebook.page.keyboard.type("guitar sender:ann")
    hits = view.locator(".alw-map-hits")
    found = notebook.value("session.search('guitar', where={'sender': 'ann'}).total")
    assert found > 20
    hits.get_by_text(f"{found} items", exact=True).wait_for()
    assert root(notebook, "selected") == "0"
    picture(notebook, "finding-search")
    view.locator(".alw-map-search").press("Enter")
    notebook.until("return document.querySelector('[data-view=projector]').dataset.selected > 0")
    expected = notebook.value("sorted(session.search('guitar', where={'sender': 'ann'}).ids)")
    notebook.wait_value("sorted(view.selection)", lambda ids: ids == expected)
    for typed in ('"', '"win* OR (NEAR', "AND NOT", "sender:", "length>x"):
        view.focus()
        notebook.page.keyboard.press("/")
        notebook.page.keyboard.type(typed)
        notebook.page.wait_for_timeout(500)
        assert "error" not in hits.inner_text().lower()
        notebook.page.keyboard.press("Escape")
    notebook.wait_value("session.text_index.ready")
    complaints = look(notebook, "finding", ("projector",))
    view.evaluate("root => { root.style.width = '330px' }")
    notebook.page.wait_for_timeout(800)
    picture(notebook, "finding-narrow")
    wide = view.evaluate("(e) => e.scrollWidth - e.clientWidth")
    assert wide <= 1
    complaints += audit(notebook, "projector")
    assert complaints == []
    assert notebook.errors == []
    assert notebook.outside == []


def test_what_is_selected_is_saved_and_goes_together_in_parts(opened: Open) -> None:
    notebook = opened([TOPICS, "view = session.projector(height=420)\nview"], size=(1250, 900))
    notebook.run_all()
    view = notebook.view("projector")
    settle(notebook, "pca")
    notebook.execute("session.selection.set(range(200, 900))")
    selected = "return document.querySelector('[data-view=projector]').dataset.selected === value"
    notebook.until(selected, "700")

    with notebook.page.expect_download() as download:
        view.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == "topics selection.csv"
    with download.value.path().open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["item_id"] for row in rows] == [str(i) for i in range(200, 900)]
    assert rows[0]["content"].startswith("Message 200: ")
    assert {row["sender"] for row in rows} == {"ann", "bob", "cyd", "dee"}
    known = notebook.value("session.labels().answer[session.labels().answer.notna()].to_dict()")
    assert {row["item_id"]: row["answer"] for row in rows if row["answer"]} == {
        item: answer for item, answer in known.items() if 200 <= int(item) < 900
    }
    assert sum(row["prediction"] != "" for row in rows) > 500
    picture(notebook, "finding-selected")
    complaints = audit(notebook, "projector")

    # The first five hundred without an answer go together, the others stay selected.
    left = 200 - sum(row["answer"] != "" for row in rows)
    view.get_by_role("button", name="First 500 together").click()
    notebook.until(selected, str(left))
    said = view.locator(".alw-map-notice").inner_text()
    assert f"{left} more to come, which stay selected." in said
    view.evaluate("root => { root.style.width = '330px' }")
    notebook.execute("session.selection.set(range(200, 900))")
    notebook.until(selected, "700")
    notebook.page.wait_for_timeout(800)
    picture(notebook, "finding-selected-narrow")
    assert view.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 1
    assert complaints == []
    assert notebook.errors == []
