"""Kernels that begin with their libraries imported: as they are otherwise, and seconds sooner.

One process imports the libraries, and is copied for each kernel (`serve`). What Jupyter starts and
looks after in the kernel's place is a small process (`stand_in`): it passes signals on, ends with
the kernel, and the kernel with it. What is tested is not imported beforehand. Linux only.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

#: What notebooks and alwidgets import, the worker process of the map's layouts aside.
LIBRARIES = (
    "ipykernel.kernelapp",
    "ipywidgets",
    "anywidget",
    "nbformat",  # for plotly, which would otherwise wait seconds for it
    "numpy",
    "pandas",
    "plotly.graph_objects",
    "PIL.Image",
    "safetensors.torch",
    "scipy.stats",
    "sklearn.datasets",
    "sklearn.linear_model",
    "sklearn.manifold",
    "sqlalchemy.dialects.sqlite",
    "torch",
)


def kernel_spec(name: str) -> dict[str, Any]:
    """Return what kernel.json says for kernels of the process that serves under this name."""
    return {
        "argv": [sys.executable, "-I", "-S", __file__, "stand-in", name, "{connection_file}"],
        "display_name": "Python 3, imported",
        "language": "python",
    }


def serve(name: str) -> NoReturn:
    """Import the libraries; then make a kernel of a copy for everybody who asks."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        for library in LIBRARIES:
            importlib.import_module(library)
        gc.collect()
        gc.freeze()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    supervise(connection)


def supervise(connection: socket.socket) -> NoReturn:
    """Start a kernel; it gets the signals that come, and dies where nobody is left to send one."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked = json.loads(connection.recv(1 << 20))
    pid = os.fork()
    if pid == 0:
        connection.close()
        become_kernel(**asked)
    ended = os.pidfd_open(pid)
    while True:
        ready, _, _ = select.select([connection, ended], [], [])
        if ended in ready:
            break
        sign = connection.recv(1)
        os.killpg(pid, sign[0] if sign else signal.SIGKILL)  # as Jupyter does it
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    connection.send(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def become_kernel(file: str, folder: str, environment: dict[str, str]) -> NoReturn:
    """Be what `python -m ipykernel_launcher` is."""
    die_with_parent()
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [
        "ipykernel_launcher",
        f"--IPKernelApp.connection_file={file}",
        f"--IPKernelApp.parent_handle={os.getppid()}",
        # ipywidgets introduces itself to the kernel when it is imported: here, before there is one.
        # A page that is loaded again would ask for widgets one by one, and now and then give up.
        "--IPKernelApp.extra_extensions=ipywidgets",
    ]
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()
    sys.exit()


def stand_in(name: str, file: str) -> NoReturn:
    """Ask for a kernel, and stand for it before the process that started this one."""
    die_with_parent()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(f"\0{name}")

        def pass_on(sign: int, _frame: object) -> None:
            connection.send(bytes([sign]))

        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, pass_on)
        asked = {"file": file, "folder": os.getcwd(), "environment": dict(os.environ)}
        connection.send(json.dumps(asked).encode())
        code = connection.recv(1)
    sys.exit(code[0] if code else 1)


def die_with_parent() -> None:
    """Have the system kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))


if __name__ == "__main__":
    {"serve": serve, "stand-in": stand_in}[sys.argv[1]](*sys.argv[2:])
