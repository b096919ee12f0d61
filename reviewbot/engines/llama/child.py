"""The process that holds the model: `python -m reviewbot.engines.llama.child FD`.

It is told what to load by its first message and answers with `ready` or `failed`. Then:

    ask     id, system, shared, unit, question, again, grammar, max_tokens, temperature, seed
                → started, then done: finish, text, computed, reused, output …
    cancel  id                  nothing more is heard of it
    count   id, system, shared, unit, question, texts
                → counted: prompt, texts: tokens of the prompt, and of each text

It ends when the other side does. A step that can't be computed ends it too: who started it
starts it again.
"""

import contextlib
import os
import resource
import socket
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from reviewbot.engines.llama.batch import Batch, Done, Job, sequences_needed
from reviewbot.engines.llama.chatml import ChatML, ChatPrompt
from reviewbot.engines.llama.frames import Channel
from reviewbot.engines.llama.native import Native
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.errors import EngineError

#: While it computes, it says at least this often that it lives, seconds.
BEAT_SECONDS = 5.0


class Child:
    """One thread listens and cuts texts into tokens, the main one computes."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._inbox: SimpleQueue[Job | int] = SimpleQueue()
        """Jobs to do, and ids of those to forget."""

    def run(self) -> None:
        """Load, then answer until the other side is gone."""
        told = self._channel.receive()
        if told is None:
            return
        listener = threading.Thread(target=self._listen, daemon=True)
        listener.start()  # from now on: the other side may go while the model is loaded
        started = time.monotonic()
        try:
            self._plan = LoadPlan(**{**told, "model": Path(told["model"])})
            sequences = sequences_needed(self._plan.sequences)
            self._native = Native(self._plan, sequences=sequences)
            self._chat = ChatML(self._native)
            self._chat.controls  # noqa: B018 - a vocabulary without them is refused now
        except EngineError as error:
            self._channel.send({"is": "failed", "why": str(error)})
            return
        self._channel.send(
            {
                "is": "ready",
                "description": self._native.description,
                "cells": self._native.cells,
                "trained_context": self._native.trained_context,
                "vocabulary": self._native.vocabulary_size,
                "seconds": time.monotonic() - started,
            }
        )
        self._compute()

    def _listen(self) -> None:
        while (message := self._channel.receive()) is not None:
            if message["do"] == "ask":
                self._enqueue(message)
            elif message["do"] == "cancel":
                self._inbox.put(message["id"])
            else:
                prompt = len(self._chat.layout(_chat_prompt(message)).tokens)
                texts = [len(self._chat.content(text)) for text in message["texts"]]
                self._channel.send(
                    {"is": "counted", "id": message["id"], "prompt": prompt, "texts": texts}
                )
        os._exit(0)  # whatever the main thread is computing: nobody waits for it

    def _enqueue(self, message: dict[str, Any]) -> None:
        tokens, cuts, pull = self._chat.layout(_chat_prompt(message), again=message["again"])
        job = Job(
            id=message["id"],
            tokens=tokens,
            cuts=cuts,
            pull=pull,
            max_tokens=message["max_tokens"],
            grammar=message["grammar"],
            temperature=message["temperature"],
            seed=message["seed"],
        )
        if job.cells > min(self._plan.context_tokens, self._native.cells):
            self._channel.send(
                {"is": "done", "id": job.id, "finish": "too_long", "computed": len(tokens)}
            )
        else:
            self._inbox.put(job)

    def _compute(self) -> None:
        batch = Batch(self._native, sequences=self._plan.sequences)
        beat = time.monotonic()
        while True:
            while not (batch.busy and self._inbox.empty()):
                item = self._inbox.get()
                if isinstance(item, Job):
                    batch.add(item)
                else:
                    batch.cancel(item)
                    self._channel.send({"is": "alive"})
            started, ended = batch.admit()
            for job_id in started:
                self._channel.send({"is": "started", "id": job_id})
            for done in [*ended, *batch.step()]:
                self._channel.send(_told(done))
            if time.monotonic() - beat > BEAT_SECONDS:
                beat = time.monotonic()
                self._channel.send({"is": "alive"})


def _chat_prompt(message: dict[str, Any]) -> ChatPrompt:
    return ChatPrompt(*(message[part] for part in ChatPrompt._fields))


def _told(done: Done) -> dict[str, Any]:
    return {"is": "done", **asdict(done), "text": done.text.decode("utf-8", "replace")}


def _harden() -> None:
    """Should memory run out, this process goes, not the service; and a dump of it would hold
    the model and people's code."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800")


def _die(args: threading.ExceptHookArgs) -> None:
    threading.__excepthook__(args)
    os._exit(1)


def main() -> None:
    """The process's whole life."""
    _harden()
    threading.excepthook = _die  # deaf, it would be of no use
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        Child(channel).run()


if __name__ == "__main__":
    main()
