"""The local model as an engine: a prompt in, the common answer out."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reviewbot.engines.llama.grammar import FORMAT, LIMITS, Limits, grammar_of, is_review
from reviewbot.engines.llama.lines import Assembled, assemble
from reviewbot.engines.llama.plan import LoadPlan
from reviewbot.engines.llama.process import Died, Loaded, ModelProcess, NoAnswerInTime, QueueFull
from reviewbot.errors import EngineError
from reviewbot.review.engine import Counted, Outcome, Prompt, Reply, Usage
from reviewbot.review.prompt import VERIFY

#: Jobs under way or waiting for each sequence of the batch; more are refused for now.
QUEUE_PER_SEQUENCE = 16
#: For an answer that is one of several: high enough that they differ.
DRAWING_TEMPERATURE = 0.7
#: Longest wait for a count of tokens: a model may have to be loaded first.
COUNT_SECONDS = 600.0
#: More characters than this for each token of the context can't fit, whatever they are; they
#: are not even handed to the tokeniser.
_MOST_CHARACTERS = 128


class LlamaEngine:
    """An `Engine` on this machine's own cards or cores. Safe to use from several threads.

    The model is loaded by the first call; `close` ends its process.
    """

    name = "llama"
    external = False
    provider = None

    def __init__(
        self, plan: LoadPlan, *, limits: Limits = LIMITS, queue: int | None = None
    ) -> None:
        """`queue`: how many calls may be under way or wait; further ones are told to come back.
        Starts nothing."""
        self.model = plan.model.name
        self.context_tokens = plan.context_tokens
        self.at_once = plan.sequences
        self._limits = limits
        room = QUEUE_PER_SEQUENCE * plan.sequences if queue is None else queue
        self.process = ModelProcess(plan, queue=room)

    def start(self, *, timeout: float) -> Loaded:
        """Load the model now, if it is not loaded; what it is. Raises EngineError if it can't be."""
        try:
            return self.process.start(timeout=timeout)
        except (Died, NoAnswerInTime) as error:
            raise EngineError(f"{self.model} can't be loaded: {error}") from error

    def close(self) -> None:
        """End the process; calls under way fail."""
        self.process.close()

    def count(self, prompt: Prompt, texts: Sequence[str]) -> Counted:
        """Exact tokens by the model's own vocabulary, at most `COUNT_SECONDS` from now.

        Raises EngineError if the model can't be loaded, or ends the process.
        """
        what = {**self._parts(prompt), "texts": list(texts)}
        try:
            counted = self.process.count(what, timeout=COUNT_SECONDS)
        except (Died, NoAnswerInTime) as error:
            raise EngineError(f"{self.model} can't count tokens: {error}") from error
        return Counted(counted["prompt"], tuple(counted["texts"]))

    def ask(self, prompt: Prompt, *, timeout: float) -> Reply:
        """Ask once; wait at most `timeout` seconds, the loading of the model included.

        Raises EngineError if the model can't be loaded or the question is none of ours.
        """
        return self.ask_in_turn(prompt, timeout=timeout, begun=lambda: None)

    def ask_in_turn(self, prompt: Prompt, *, timeout: float, begun: Callable[[], None]) -> Reply:
        """The same; `begun` is called when the prompt's turn has come and it is computed."""
        job, started = self._job(prompt), time.monotonic()
        try:
            if len(prompt.text) > self.context_tokens * _MOST_CHARACTERS:
                answer: Mapping[str, Any] = {"finish": "too_long"}
            else:
                answer = self.process.ask(job, timeout=timeout, begun=begun)
        except QueueFull as full:
            return self._failed(Outcome.OVERLOADED, started, str(full), full.retry_after)
        except NoAnswerInTime as error:
            return self._failed(Outcome.TIMED_OUT, started, str(error))
        except Died as error:
            return self._failed(Outcome.UNREACHABLE, started, f"{error}; twice with this prompt")
        return self._read(answer, prompt, time.monotonic() - started)

    def _job(self, prompt: Prompt) -> dict[str, Any]:
        return {
            **self._parts(prompt),
            "again": prompt.again or bool(prompt.question),
            "grammar": grammar_of(prompt, self._limits),
            "max_tokens": prompt.max_output_tokens,
            "temperature": DRAWING_TEMPERATURE if prompt.sample else 0.0,
            "seed": prompt.sample,
        }

    def _parts(self, prompt: Prompt) -> dict[str, Any]:
        reviews = is_review(prompt.schema) or prompt.schema == VERIFY.schema
        form = FORMAT if reviews else ""
        return {
            "system": "\n\n".join(part for part in (prompt.system, form) if part.strip()),
            "shared": prompt.shared,
            "unit": prompt.unit,
            "question": prompt.question,
        }

    def _failed(
        self, outcome: Outcome, started: float, detail: str, retry_after: float | None = None
    ) -> Reply:
        seconds = time.monotonic() - started
        return Reply(outcome, self.model, seconds, retry_after=retry_after, detail=detail)

    def _read(self, answer: Mapping[str, Any], prompt: Prompt, seconds: float) -> Reply:
        """A `done` message as a reply."""
        if answer["finish"] == "too_long":
            size = f"{answer['computed']}" if "computed" in answer else "far too many"
            detail = (
                f"{size} tokens of prompt and up to {prompt.max_output_tokens} of answer, "
                f"{self.context_tokens} fit"
            )
            return Reply(Outcome.TOO_LONG, self.model, seconds, detail=detail)
        if answer["finish"] == "broken":
            return Reply(Outcome.REJECTED, self.model, seconds, detail=str(answer["detail"]))
        cut = answer["finish"] == "length"
        text = answer["text"]
        in_lines = is_review(prompt.schema)
        read = assemble(text, cut=cut) if in_lines else Assembled(text, 1, cut, 0)
        unreadable = (
            f"{read.unreadable} lines of the answer are not JSON" if read.unreadable else ""
        )
        return Reply(
            outcome=Outcome.TRUNCATED if cut or read.unreadable else Outcome.ANSWERED,
            model=self.model,
            seconds=seconds,
            text=read.text,
            usage=Usage(
                input=answer["computed"], output=answer["output"], cache_read=answer["reused"]
            ),
            raw={
                "model": self.model,
                "lines": read.lines,
                "unreadable_lines": read.unreadable,
                **{key: answer[key] for key in ("queued_s", "prompt_s", "answer_s")},
            },
            detail="cut off at the longest answer allowed" if cut else unreadable,
        )
