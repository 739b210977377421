"""What the scripts that find or install a program for the tests have in common."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def say(text: str) -> None:
    """Tell what is going on; the standard output holds the answer and nothing else."""
    print(text, file=sys.stderr, flush=True)


def run(*command: str) -> bool:
    """Run a command, its output on the standard error; say whether it worked."""
    say("$ " + " ".join(command))
    try:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(command, stdout=sys.stderr, timeout=900, env=quiet).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        say(str(error))
        return False


def install_package(name: str, *options: str) -> bool:
    """Install a package of Debian, where the user is root on one; say whether it worked."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not root or shutil.which("apt-get") is None:
        return False
    run("apt-get", "update")  # the lists that are there may do, if this fails
    return run("apt-get", "install", "-y", *options, name)
