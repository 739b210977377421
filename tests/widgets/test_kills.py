"""Fifty kernels are killed while a page labels: nothing is lost, nothing doubled.

The page is a client that does what the outbox of the front end does: it keeps an event until it is
acknowledged, and sends it again to the next kernel, also twice and in another order. The front end
itself, in a real browser, has its kernels killed in tests/lab.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import sqlite3
import time
import uuid
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from tests.widgets.victim import open_session, serve

KILLS = 50
AT = "2026-03-01T09:30:00.000Z"


@pytest.fixture(scope="module")
def kernels() -> ForkServerContext:
    """Starts processes that have imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.widgets.victim"])
    return context


class Client:
    """The front end's half: cards that wait, and events that are not acknowledged."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.made: list[dict[str, Any]] = []
        self.outbox: dict[str, dict[str, Any]] = {}
        self.standing: dict[str, dict[str, Any]] = {}
        self.cards: list[dict[str, Any]] = []
        self.said: list[dict[str, Any]] = []

    def connect(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.cards = []
        self.send({"type": "hello"})
        again = list(self.outbox.values())
        if self.dice.random() < 0.5:
            again += self.dice.sample(again, len(again) // 2)
            self.dice.shuffle(again)
        for start in range(0, len(again), 3):
            self.send({"type": "events", "events": again[start : start + 3]})

    def send(self, message: dict[str, Any]) -> None:
        with suppress(OSError):  # nobody is there: it stays in the outbox
            self.pipe.send_bytes(json.dumps(message).encode())

    def hear(self, seconds: float) -> None:
        """Take in what has come; a kernel that is gone says nothing any more."""
        try:
            while self.pipe.poll(seconds):
                self._receive(json.loads(self.pipe.recv_bytes()))
                seconds = 0.0
        except (EOFError, OSError):
            time.sleep(seconds)

    def press(self) -> None:
        """Answer the next card, or take the newest answer back."""
        if self.standing and self.dice.random() < 0.15:
            item, event = self.standing.popitem()
            self._make(item, "retract", None, event["event_id"], event["draw_id"])
            return
        while self.cards:
            card = self.cards.pop(0)
            if card["item_id"] not in self.standing:
                answer = self.dice.choice(["ham", "spam"])
                event = self._make(card["item_id"], "answer", answer, None, card["draw_id"])
                self.standing[card["item_id"]] = event
                break
        if len(self.cards) < 8:
            self.send({"type": "more"})

    def _make(
        self, item: str, kind: str, answer: str | None, target: str | None, draw: str | None
    ) -> dict[str, Any]:
        event = {
            "event_id": uuid.UUID(int=self.dice.getrandbits(128)).hex,
            "item_id": item,
            "kind": kind,
            "answer": answer,
            "target": target,
            "draw_id": draw,
            "shown_at": AT,
            "answered_at": AT,
        }
        self.made.append(event)
        self.outbox[event["event_id"]] = event
        self.send({"type": "events", "events": [event]})
        return event

    def _receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "queue":
            self.cards = message["cards"]
        elif message["type"] == "ack":
            for event_id in message["event_ids"]:
                self.outbox.pop(event_id, None)
        elif message["type"] in ("refused", "problem"):
            self.said.append(message)


def test_fifty_kills(kernels: ForkServerContext, tmp_path: Path, record_property: Any) -> None:
    dice = random.Random(50)
    client, path = Client(dice), tmp_path / "labels.db"
    waiting: list[int] = []
    begin = time.monotonic()
    for _ in range(KILLS):
        here, there = kernels.Pipe()
        kernel = kernels.Process(target=serve, args=(str(path), there), daemon=True)
        kernel.start()
        there.close()
        client.connect(here)
        # Some die while they open the store or hand out the first cards.
        if dice.random() < 0.85:
            while not client.cards and kernel.is_alive():
                client.hear(0.05)
        # Others live until all is acknowledged that the last one was not told of.
        if dice.random() < 0.6:
            while client.outbox and kernel.is_alive():
                client.hear(0.05)
        end = time.monotonic() + dice.uniform(0.0, 0.2)
        while time.monotonic() < end:
            client.press()
            client.hear(dice.choice([0.0, 0.002]))
        kernel.kill()
        for _ in range(dice.randrange(4)):  # nobody knows yet that it is gone
            client.press()
        client.hear(0.0)
        kernel.join()
        here.close()
        waiting.append(len(client.outbox))
        with closing(sqlite3.connect(path)) as file:
            assert file.execute("PRAGMA quick_check").fetchone() == ("ok",)
    here, there = kernels.Pipe()
    kernel = kernels.Process(target=serve, args=(str(path), there), daemon=True)
    kernel.start()
    there.close()
    client.connect(here)
    patience = time.monotonic() + 60
    while client.outbox and time.monotonic() < patience:
        client.hear(0.1)
    here.close()
    kernel.join(60)
    assert kernel.exitcode == 0

    session = open_session(str(path))
    stored = [event.event_id for event in session.store.events()]
    labels = session.labels()["answer"].to_dict()
    session.close()
    record_property("waiting when killed", waiting)
    print(
        f"{KILLS} kills, {len(client.made)} events; not acknowledged when the kernel died: "
        f"{waiting}; {time.monotonic() - begin:.0f} s"
    )
    assert client.outbox == {}
    assert client.said == []
    assert len(client.made) > 5 * KILLS
    assert sum(n > 0 for n in waiting) > KILLS // 3, "no kill came while labels were under way"
    assert sorted(stored) == sorted(event["event_id"] for event in client.made)
    assert labels == {item: event["answer"] for item, event in client.standing.items()}
