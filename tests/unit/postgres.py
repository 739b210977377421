"""A PostgreSQL server of the tests' own: in a temporary folder, on this machine's loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.postgres import NoServerError, find

PATIENCE = 60.0


class Server:
    """A server that can be stopped and started.

    Parameters
    ----------
    programs : Path
    folder : Path
        Owned by whoever runs the server.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count()
        self.port = free_port()
        # The server refuses to run as root.
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        initdb = [programs / "initdb", "-D", self._data, "-U", "tests", "-A", "trust"]
        subprocess.run(
            [*initdb, "-E", "UTF8", "--locale=C"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **self._user,
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "on"}
        command: list[Any] = [self._programs / "postgres", "-D", self._data, "-p", str(self.port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, **self._user
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.address("postgres")).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log_text = (self._folder / "log").read_text()
                    raise RuntimeError(f"PostgreSQL does not start: {log_text}") from error
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: by SIGINT at once but in order, by SIGQUIT as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def address(self, database: str) -> str:
        """Return the URL of a database, for the driver."""
        return f"postgresql://tests@127.0.0.1:{self.port}/{database}"

    def place(self) -> str:
        """Make a place for a store, a schema of its own, and return its URL."""
        name = f"labels_{next(self._names)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return self.address("postgres") + f"?options=-csearch_path%3D{name}"


@contextmanager
def running() -> Iterator[Server]:
    """A server that runs, and is gone afterwards; a skip where there is none to run."""
    try:
        programs = find()
    except NoServerError as error:
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="alwidgets-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", pwd.getpwnam("nobody").pw_gid)
        server = Server(programs, folder)
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
