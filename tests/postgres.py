"""Find a PostgreSQL server for the tests, or install one: prints the folder of its programs.

In this order: the folder named in ALWIDGETS_POSTGRES; the PATH; where Debian puts it, the newest
first; Debian's package, where the machine is a Debian and the user is root. The tests look for one
in the same way and install nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("initdb", "postgres")
HINT = (
    "No PostgreSQL server was found. Install one (on Debian: apt-get install postgresql), or name "
    "the folder of its programs initdb and postgres in ALWIDGETS_POSTGRES."
)


class NoServerError(RuntimeError):
    """There is no PostgreSQL server here."""


def say(text: str) -> None:
    """Tell what is going on; the standard output holds the folder and nothing else."""
    print(text, file=sys.stderr, flush=True)


def find() -> Path:
    """Return the folder of the server's programs.

    Raises
    ------
    NoServerError
        The one named holds none, or none is installed.
    """
    named = os.environ.get("ALWIDGETS_POSTGRES")
    if named:
        if holds_server(Path(named)):
            return Path(named)
        raise NoServerError(
            f"ALWIDGETS_POSTGRES={named} does not hold initdb and postgres. Unset or mend it."
        )
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    found = next((folder for folder in folders if holds_server(folder)), None)
    if found is None:
        raise NoServerError(HINT)
    return found


def holds_server(folder: Path) -> bool:
    """Say whether the programs of a server are in a folder."""
    return all(os.access(folder / name, os.X_OK) for name in PROGRAMS)


def install() -> bool:
    """Install Debian's package, where that can be done; say whether it worked."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return (
        root
        and shutil.which("apt-get") is not None
        and run("apt-get", "update")
        and run("apt-get", "install", "-y", "--no-install-recommends", "postgresql")
    )


def run(*command: str) -> bool:
    """Run a command, its output on the standard error; say whether it worked."""
    say("$ " + " ".join(command))
    try:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(command, stdout=sys.stderr, timeout=900, env=quiet).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        say(str(error))
        return False


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


if __name__ == "__main__":
    try:
        print(find())
    except NoServerError:
        if not install():
            sys.exit(f"error: {HINT}")
        print(find())
