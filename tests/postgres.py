"""Find a PostgreSQL server for the tests, or install one: prints the folder of its programs.

In this order: the folder named in ALWIDGETS_POSTGRES; the PATH; where Debian puts it, the newest
first; Debian's package, where the machine is a Debian and the user is root. The tests look for one
in the same way and install nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.installing import install_package

PROGRAMS = ("initdb", "postgres")
HINT = (
    "No PostgreSQL server was found. Install one (on Debian: apt-get install postgresql), or name "
    "the folder of its programs initdb and postgres in ALWIDGETS_POSTGRES."
)


class NoServerError(RuntimeError):
    """There is no PostgreSQL server here."""


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


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


if __name__ == "__main__":
    try:
        print(find())
    except NoServerError:
        if not install_package("postgresql", "--no-install-recommends"):
            sys.exit(f"error: {HINT}")
        print(find())
