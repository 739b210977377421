"""A process that has a session and its cards, and is killed; a page talks to it through a pipe."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from tqdm import tqdm

import alwidgets as al
import alwidgets.session  # loaded once, before there are fifty processes
from alwidgets.widgets.cards import Cards

N = 4_000
# The lock that tqdm has by default is one between processes, and stays behind when one is killed.
tqdm.set_lock(threading.RLock())


def open_session(path: str) -> al.Session:
    """The same cell, run again."""
    features = np.random.default_rng(0).normal(size=(N, 4)).astype("float32")
    pool = al.Pool.from_arrays(features, ids=[f"m{k}" for k in range(N)])
    return al.Session(pool, al.Classification(["ham", "spam"]), path, batch_size=100)


def serve(path: str, pipe: Connection) -> None:
    """Hand the page's messages to the cards, and theirs to the page, until the pipe is closed."""
    session = open_session(path)
    cards = Cards(session)
    lock = threading.Lock()

    def send(message: dict[str, Any], _: Any = None) -> None:
        with lock, suppress(OSError):  # the page may have gone
            pipe.send_bytes(json.dumps(message).encode())

    cards.send = send
    arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def listen() -> None:
        # As a kernel does: what comes in is taken in at once, and handled in its turn.
        try:
            while True:
                arrived.put(json.loads(pipe.recv_bytes()))
        except EOFError:
            arrived.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while (message := arrived.get()) is not None:
        cards._on_message(None, message, [])
    cards.close()
    session.close()
