"""The harness itself, with nothing of alwidgets in it."""

from __future__ import annotations

import pytest
from conftest import Open

COUNTER = """
import ipywidgets

count = 0
button = ipywidgets.Button(description="pressed 0 times")

def press(_):
    global count
    count += 1
    button.description = f"pressed {count} times"

button.on_click(press)
button
"""


def test_counter(opened: Open) -> None:
    notebook = opened([COUNTER, "1 / 0"])
    notebook.run_cell(0)
    for _ in range(3):
        notebook.page.get_by_role("button", name="pressed").click()
    notebook.page.get_by_role("button", name="pressed 3 times").wait_for()
    assert notebook.value("count") == 3
    assert notebook.errors == []
    assert notebook.outside == []
    # What goes wrong is seen: an error in a cell, a lost variable, a request to the outside.
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        notebook.run_all()
    pid = notebook.pid
    notebook.restart()
    assert notebook.pid != pid
    with pytest.raises(RuntimeError, match="NameError"):
        notebook.value("count")
    notebook.js("await fetch('http://127.0.0.1:9/nowhere').catch(() => null)")
    assert notebook.outside == ["http://127.0.0.1:9/nowhere"]
    assert len(notebook.errors) == 1
