"""Prompts by their hash, and the answers to them: what a crash must not make us buy again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from reviewbot.review.engine import Outcome, Prompt, Reply, Role, Usage
from reviewbot.store.engine import insert_new
from reviewbot.store.schema import answers, prompt_uses, prompts


@dataclass(frozen=True)
class Question:
    """One prompt put to one role in one review."""

    review_id: str
    role: Role
    unit: int
    prompt_hash: str


@dataclass(frozen=True)
class Answer:
    """The reply to one try of a question, and the ledger's call that bought it."""

    attempt: int
    call_id: str
    reply: Reply


def prompt_hash(prompt: Prompt) -> str:
    """SHA-256 of everything that is asked, in hexadecimal."""
    text = json.dumps(prompt_json(prompt), sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def prompt_json(prompt: Prompt) -> dict[str, Any]:
    """The prompt as plain JSON."""
    lists = {"paths": list(prompt.paths), "choices": list(prompt.choices)}
    return {**vars(prompt), **lists, "lines": [list(p) for p in prompt.lines]}


def prompt_from_json(data: Mapping[str, Any]) -> Prompt:
    """The prompt that `prompt_json` wrote."""
    lines = tuple((first, last) for first, last in data["lines"])
    lists = {"paths": tuple(data["paths"]), "choices": tuple(data.get("choices", ()))}
    return Prompt(**{**data, **lists, "lines": lines})


def put_prompt(connection: Connection, prompt: Prompt, at: datetime, review_id: str = "") -> str:
    """Keep a prompt for a review and return its hash; one that is there is as good as new."""
    digest = prompt_hash(prompt)
    row = {"hash": digest, "prompt": prompt_json(prompt), "created_at": at}
    _put(connection, prompts, row, {"created_at": at})
    if review_id:
        use = {"review_id": review_id, "prompt_hash": digest, "at": at}
        _put(connection, prompt_uses, use, {"at": at})
    return digest


def _put(connection: Connection, table: Table, row: dict[str, Any], news: dict[str, Any]) -> None:
    """A new row, or the news of one that is there."""
    key = list(table.primary_key.columns)
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = kind.insert(table).values(row)
    connection.execute(new.on_conflict_do_update(index_elements=key, set_=news))


def get_prompt(connection: Connection, digest: str) -> Prompt | None:
    """The prompt of this hash, or None where it was deleted."""
    found = connection.execute(select(prompts.c.prompt).where(prompts.c.hash == digest)).scalar()
    return None if found is None else prompt_from_json(found)


def put_answer(connection: Connection, question: Question, answer: Answer, at: datetime) -> None:
    """Keep an answer, unless the same try has one."""
    row = {
        **asdict(question),
        "attempt": answer.attempt,
        "call_id": answer.call_id,
        "reply": _reply_json(answer.reply),
        "answered_at": at,
    }
    connection.execute(insert_new(connection, answers).values(row))


def get_answers(connection: Connection, question: Question) -> tuple[Answer, ...]:
    """The answers to all tries of a question, in order."""
    query = (
        select(answers.c.attempt, answers.c.call_id, answers.c.reply)
        .where(answers.c.review_id == question.review_id, answers.c.role == question.role)
        .where(answers.c.unit == question.unit, answers.c.prompt_hash == question.prompt_hash)
        .order_by(answers.c.attempt)
    )
    rows = connection.execute(query)
    return tuple(Answer(row.attempt, row.call_id, _reply(row.reply)) for row in rows)


def _reply_json(reply: Reply) -> dict[str, Any]:
    usage = asdict(reply.usage) if reply.usage else None
    return {**vars(reply), "outcome": reply.outcome.value, "usage": usage, "raw": dict(reply.raw)}


def _reply(data: Mapping[str, Any]) -> Reply:
    usage = Usage(**data["usage"]) if data["usage"] else None
    return Reply(**{**data, "outcome": Outcome(data["outcome"]), "usage": usage})
