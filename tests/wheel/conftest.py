"""A copy of the sources as a package carries them, and the wheel built from it without Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command that must work, and return what it printed."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def no_node(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a machine without Node: on the PATH is a shell and little else."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("sh", "env", "uname"):
        where = shutil.which(name)
        assert where is not None
        (folder / name).symlink_to(where)
    assert shutil.which("node", path=str(folder)) is None
    return {**os.environ, "PATH": str(folder)}


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive."""
    out = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", out, ".", cwd=ROOT)
    (archive,) = out.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="session")
def sources(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source archive."""
    folder = tmp_path_factory.mktemp("sources")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


@pytest.fixture(scope="session")
def wheel(sources: Path, no_node: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source archive in an isolated environment without Node."""
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    run(*pip, out, ".", cwd=sources, env=no_node)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture
def stale(sources: Path, wheel: Path, tmp_path: Path) -> Path:
    """Sources to spoil: nothing is built yet, JavaScript's dependencies are there."""
    root = tmp_path / "alwidgets"
    skip = shutil.ignore_patterns("node_modules", "static")
    shutil.copytree(sources, root, ignore=skip)
    (root / "js" / "node_modules").symlink_to(sources / "js" / "node_modules")
    return root
