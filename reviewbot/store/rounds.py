"""Posted reviews as rows, and what the next review of the pull request goes on from."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from reviewbot.publishing.life import Life
from reviewbot.publishing.result import Review, round_of
from reviewbot.publishing.rounds import Earlier, Round
from reviewbot.review.already import FileRead, ReadBefore
from reviewbot.store.engine import insert_new
from reviewbot.store.posted import Posting
from reviewbot.store.schema import rounds


def put_round(
    connection: Connection, review: Review, posting: Posting, comments: Mapping[str, int]
) -> None:
    """Write a posted review unless it is there; `comments` are the ids of GitHub's comments by the
    ids of the findings, as far as they are known."""
    inline = {f"{review.id}:{position}" for position in posting.inline}
    mine = [replace(life, inline=life.id in inline) for life in review.progress.born]
    lives = [
        replace(life, comment_id=comments.get(life.id, life.comment_id))
        for life in (*review.progress.lives, *mine)
    ]
    row = {
        "review_id": review.id,
        "installation": posting.installation,
        "repository_id": posting.repository_id,
        "number": review.change.number,
        "at": review.created_at,
        "line": round_of(review).to_json(),
        "read": [file.to_json() for file in review.progress.read],
        "lives": [life.to_json() for life in lives],
    }
    connection.execute(insert_new(connection, rounds), [row])


def get_earlier(
    connection: Connection, installation: int, repository_id: int, number: int, *, but: str
) -> Earlier:
    """What the posted reviews of a pull request left behind, without the review `but`."""
    query = (
        select(rounds)
        .where(
            rounds.c.installation == installation,
            rounds.c.repository_id == repository_id,
            rounds.c.number == number,
            rounds.c.review_id != but,
        )
        .order_by(rounds.c.at, rounds.c.review_id)
    )
    rows = connection.execute(query).all()
    return Earlier(
        ReadBefore(tuple(FileRead.from_json(file) for row in rows for file in row.read)),
        tuple(Life.from_json(life) for life in rows[-1].lives) if rows else (),
        tuple(Round.from_json(row.line) for row in rows),
    )
