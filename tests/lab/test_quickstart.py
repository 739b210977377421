"""The quickstart notebook as a person goes through it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SCREENSHOTS, Open
from page import LAYOUT, Notebook
from samples import answers

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart_digits.ipynb"

POINTS = "len([p for t in session._shown.curves.figure.data[1:] for p in (t.x or [])])"
DRAWN = "return document.querySelectorAll('[data-view=curves] .scatterlayer .point').length"
MAP = "document.querySelector('[data-view=projector]')"


def truth_of(notebook: Notebook) -> dict[str, str]:
    """True classes, looked up before anybody labels."""
    return notebook.value("{i: str(truth[pool.index(i)]) for i in pool.ids}")


def label(notebook: Notebook, truth: dict[str, str], number: int) -> list[tuple[str, str]]:
    """Label as many cards by keyboard; return what was labelled how."""
    done = []
    notebook.cards.focus()
    for _ in range(number):
        item = notebook.cards.wait_card()
        notebook.cards.press(truth[item])
        assert notebook.cards.item != item, "the next card must be there with the key press"
        done.append((item, truth[item]))
        time.sleep(0.08)
    return done


def lasso(notebook: Notebook) -> list[str]:
    """Draw a lasso around the middle of the map with the mouse; ids of what it caught."""
    root = notebook.view("projector")
    root.scroll_into_view_if_needed()
    root.get_by_role("button", name="Lasso").click()
    box = root.locator("canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    corners = [(-70, -70), (70, -70), (70, 70), (-70, 70), (-70, -68)]
    mouse = notebook.page.mouse
    mouse.move(x + corners[0][0], y + corners[0][1])
    mouse.down()
    for dx, dy in corners[1:]:
        mouse.move(x + dx, y + dy, steps=8)
    mouse.up()
    notebook.until(f"return Number({MAP}.dataset.selected) > 0")
    count = int(root.get_attribute("data-selected") or 0)
    return notebook.wait_value(
        "session._shown.projector.selection", lambda ids: len(ids) == count, seconds=10
    )


@pytest.mark.timeout(1_200)
def test_quickstart(opened: Open, report: Callable[[str], None]) -> None:
    begin = time.monotonic()
    notebook = opened(QUICKSTART, size=(1500, 1300))
    notebook.run_all()
    database = notebook.folder / "digits.db"
    cards = notebook.cards
    cards.wait_card()
    truth = truth_of(notebook)
    started = time.monotonic() - begin

    # Forty labels; meanwhile a retraining ends, and the curve and the map follow it.
    assert (cards.round, notebook.value(POINTS), notebook.js(DRAWN)) == (0, 0, 0)
    notebook.until(f"return {MAP}.dataset.colourVersion === '0'")
    done = label(notebook, truth, 21)
    while cards.round == 0 and len(done) < 39:
        done += label(notebook, truth, 1)
    during = len(done)
    assert cards.round > 0, "no retraining ended while labelling went on"
    done += label(notebook, truth, 40 - during)
    notebook.wait_value(POINTS, lambda n: n > 0)
    notebook.until(DRAWN + " > 0")
    notebook.until(f"return Number({MAP}.dataset.colourVersion) > 0")
    cards.wait_round(2)
    notebook.wait_value(POINTS, lambda n: n > 1)
    notebook.until(DRAWN + " > 1")
    notebook.until(f"return Number({MAP}.dataset.colourVersion) > 1")
    cards.wait_saved()
    assert [row[1:] for row in answers(database)] == done

    # What is lassoed comes next.
    notebook.until(f"return {MAP}.dataset.layout === 'umap'", seconds=LAYOUT)
    notebook.js("await new Promise((done) => setTimeout(done, 1500))")  # it glides there
    caught = lasso(notebook)
    assert caught
    notebook.view("projector").get_by_role("button", name="Label these next").click()
    labelled = {item for item, _ in done}
    wanted = {item for item in caught if item not in labelled}
    assert wanted
    on_screen = cards.item
    notebook.wait_value("session.upcoming()", lambda ids: ids[0] in wanted or ids[1] in wanted)
    time.sleep(0.5)
    chosen = label(notebook, truth, min(6, len(wanted) + 1))
    done += chosen
    # The card on screen stays, and a random card of the audit may come between.
    streams = notebook.value("session.labels().stream.to_dict()")
    came = [item for item, _ in chosen if item != on_screen]
    assert [item for item in came if streams.get(item) != "audit"]
    assert all(item in wanted for item in came if streams.get(item) != "audit")
    cards.wait_saved()
    size = notebook.save()
    assert notebook.errors == []
    assert notebook.outside == []
    notebook.screenshot(SCREENSHOTS / "quickstart.png")

    # The kernel goes away in the middle of it: labels given meanwhile wait in the page.
    version = cards.round
    acknowledged = answers(database)
    assert [row[1:] for row in acknowledged] == done
    notebook.js("context.restartKernel()")  # it is not waited for
    in_between = label(notebook, truth, 5)
    done += in_between
    notebook.wait_idle()
    waiting = len(done) - len(answers(database))
    notebook.run_all()
    cards.wait_card()
    cards.wait_saved()
    rows = answers(database)
    assert rows[: len(acknowledged)] == acknowledged
    assert Counter(row[1:] for row in rows) == Counter(done)
    assert len({event for event, _, _ in rows}) == len(rows)
    assert cards.round >= version
    assert notebook.value("session.version") >= version
    assert cards.item not in dict(done)
    more = label(notebook, truth, 22)
    assert not set(dict(more)) & set(dict(done)), "labelled items came again"
    cards.wait_round(version + 1)
    cards.wait_saved()
    assert Counter(row[1:] for row in answers(database)) == Counter(done + more)

    size = notebook.save()
    state = json.loads(notebook.path.read_text())["metadata"].get("widgets")
    report(
        f"quickstart: first card {started:.1f} s after opening; first model at label {during}; "
        f"{len(done + more)} labels, "
        f"{waiting} of {len(in_between)} given during the restart were only in the outbox; "
        f"model {version} before the restart, {cards.round} at the end; lasso: {len(caught)}; "
        f"notebook file {size:,} bytes{' with widget state' if state else ''}"
    )
    assert size < 200_000
    assert notebook.errors == []
    assert notebook.outside == []
