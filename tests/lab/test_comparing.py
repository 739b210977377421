"""A comparison in a notebook: it draws itself while it goes on, beside a kernel that answers."""

from __future__ import annotations

from conftest import SCREENSHOTS, Open
from test_look import look

COMPARE = """
import os, time
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
import alwidgets as al

digits = load_digits()
pool = al.Pool.from_arrays((digits.data / 16).astype("float32"))

def gated(context):
    '''The margin; from 60 labels on it waits until a file says that it may go on.'''
    while context.n_labelled >= 60 and not os.path.exists("go"):
        time.sleep(0.02)
    return al.strategies.margin(context.proba)

result = al.compare(
    pool, digits.target, {"badge": "badge", "own margin": gated}, seeds=10, budget=200,
    learners=LogisticRegression(), successors=("linear_svm",), workers=1, out="runs.json",
)
result
"""


def test_live_curves_pause_resume_and_the_table(opened: Open) -> None:
    notebook = opened([COMPARE], size=(1100, 900))
    # The cell is over at once: the runs go on in a process of their own.
    notebook.run_all()
    view = notebook.view("comparison")
    view.get_by_text("Comparing", exact=False).first.wait_for()
    notebook.wait_value("len(result.curves()) >= 9")
    assert notebook.value("result.state") == "running"
    notebook.until("return document.querySelectorAll('[data-view=comparison] .js-line').length > 0")
    complaints = look(notebook, "comparison-running", ("comparison",))
    pause = view.get_by_role("button", name="Pause")
    pause.focus()
    notebook.page.keyboard.press("Enter")
    view.get_by_text("Paused at", exact=False).wait_for()
    assert notebook.value("result.state") == "paused"
    cells = notebook.cells()
    notebook.page.keyboard.press("x")  # would cut the cell
    assert notebook.cells() == cells
    notebook.execute("open('go', 'w').close()")
    notebook.page.keyboard.press("Enter")
    view.get_by_text("Compared", exact=True).wait_for(timeout=120_000)
    assert view.get_by_role("button").count() == 0
    assert view.locator("tbody tr").count() == 3
    complaints += look(notebook, "comparison-done", ("comparison",))
    notebook.page.set_viewport_size({"width": 560, "height": 1000})
    notebook.page.wait_for_timeout(800)
    notebook.screenshot(SCREENSHOTS / "comparison-narrow.png")
    assert complaints == []
    assert notebook.errors == []
    assert notebook.outside == []
