"""`reviewbot eval`: which way to review is worth its money, on remarks that people made."""

import gzip
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reviewbot.cli.pages import show_page
from reviewbot.errors import SourceError, UsageError

if TYPE_CHECKING:
    from reviewbot.evaluating import Bench
    from reviewbot.evaluation.corpus import Case
    from reviewbot.evaluation.judges import Judge
    from reviewbot.evaluation.strategies import Strategy
    from reviewbot.review.engine import Role

FORMATS = ("text", "markdown", "json", "html")
JUDGES = ("location", "lexical", "location+lexical", "llm")


@click.command("eval")
@click.argument("corpus", metavar="CORPUS|URL…", nargs=-1, required=True)
@click.option(
    "--strategies",
    metavar="A,B,…",
    required=True,
    help="Who reads: analyzers, claude, cheap, local, routed, routed-file, routed-cheap; then"
    " +passes2 … +passes5, +verify, +escalate, +refine, +ask, +ask_claude, +ask_ordinary, +checklists, +fixes, +diff.",
)
@click.option("--judge", type=click.Choice(JUDGES), default="location+lexical", show_default=True)
@click.option(
    "--judge-engine",
    "judge_engines",
    type=click.Choice(("claude", "local", "low")),
    multiple=True,
    help="Who judges with --judge llm; may be given twice. Default: claude.",
)
@click.option("--repeats", type=click.IntRange(1, 20), default=2, show_default=True, metavar="N")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N.")
@click.option(
    "--budget-usd",
    type=click.FloatRange(0, min_open=True),
    metavar="USD",
    help="Most that paid models may cost, all runs of this evaluation together. Never passed.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where answers and results are kept. Default: in the data folder, by the corpus.",
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Use what an evaluation has kept there; no model is asked.",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
def command(
    corpus: tuple[str, ...],
    strategies: str,
    judge: str,
    judge_engines: "tuple[Role, ...]",
    repeats: int,
    limit: int | None,
    budget_usd: float | None,
    out: Path | None,
    replay: Path | None,
    format_: str,
) -> None:
    """Measure ways to review against remarks that people made.

    CORPUS is a JSONL file (.gz too), a line for each pull request: {"pr_url", "title", "base",
    "head", "diff", "golden": [{"file", "line", "comment", "severity"}], "rejected": [the same]}.
    Or the addresses of pull requests of your own: the remarks of people on their lines are the
    golden ones (GITHUB_TOKEN is used).

    Nothing is posted. Answers are kept, so that a run that broke off goes on where it was, another
    judge costs nothing, and --replay gives the same figures without a model. Unmatched findings are
    not thereby wrong: docs/evaluation.md says what the figures mean and what they don't.

    \b
    Examples:
      reviewbot eval prs.jsonl --strategies analyzers
      reviewbot eval prs.jsonl.gz --strategies local,routed,claude --budget-usd 20
      reviewbot eval prs.jsonl --strategies local,local+passes3,local+verify --format html > e.html
      reviewbot eval prs.jsonl --strategies routed --replay kept/ --judge lexical
      reviewbot eval https://github.com/o/r/pull/7 https://github.com/o/r/pull/9 --strategies routed
    """
    from reviewbot import wiring
    from reviewbot.config.settings import load_settings
    from reviewbot.evaluating import Run
    from reviewbot.evaluation.figures import figures_of
    from reviewbot.evaluation.page import evaluation_json, evaluation_page
    from reviewbot.evaluation.strategies import strategies_of

    wanted = strategies_of(strategies)
    settings = load_settings()
    cases, digest = _cases(corpus, settings.github_api_url)
    cases = cases[:limit]
    folder = replay or out or settings.data_dir / "evaluations" / digest[:12]
    roles = _judges(judge, judge_engines)
    with wiring.bench(
        settings,
        folder,
        corpus=digest,
        budget=Decimal(str(budget_usd or 0)),
        replay=replay is not None,
    ) as bench:
        _check(bench, wanted, roles, budget_usd, replay=replay is not None)
        run = Run(cases, wanted, repeats)
        total = len(cases) * len(wanted) * repeats
        with _progress(total) as tick:
            results = bench.run(run, at_once=1 if replay else 4, tick=tick)
        judged = _judge(judge, roles, bench, cases)
        by_id = {case.id: case for case in cases}
        figures = [figures_of(each.name, by_id, results, judged) for each in wanted]
    notes = [f"kept in {folder}: --replay {folder} gives the same figures without a model"]
    notes += sorted({f"{each.strategy}: {each.problem}" for each in results if each.failed})[:20]
    if format_ == "json":
        click.echo(json.dumps(evaluation_json(figures, notes), indent=2))
    else:
        show_page(evaluation_page(figures, notes), format_)


def _judges(judge: str, named: "tuple[Role, ...]") -> "tuple[Role, ...]":
    if judge != "llm":
        if named:
            raise UsageError("--judge-engine goes with --judge llm")
        return ()
    return tuple(dict.fromkeys(named)) or ("claude",)


def _cases(corpus: tuple[str, ...], api_url: str) -> "tuple[list[Case], str]":
    """The pull requests, and what tells this corpus from others."""
    urls = [name for name in corpus if name.startswith(("https://", "http://"))]
    if (urls and len(urls) < len(corpus)) or (len(corpus) > 1 and not urls):
        raise UsageError("give one corpus file, or addresses of pull requests")
    if urls:
        return _own_cases(urls, api_url), hashlib.sha256("\n".join(urls).encode()).hexdigest()
    from reviewbot.evaluation.corpus import read_corpus

    path = Path(corpus[0])
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except OSError as error:  # of a damaged .gz without a number
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from None
    except EOFError:
        raise SourceError(f"cannot read {path}: it breaks off") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not UTF-8 text") from None
    cases = list(read_corpus(text.split("\n"), str(path)))
    if not cases:
        raise SourceError(f"{path} has no pull request")
    return cases, hashlib.sha256(text.encode()).hexdigest()


def _own_cases(urls: list[str], api_url: str) -> "list[Case]":
    from reviewbot.github.client import connect
    from reviewbot.github.golden import read_case
    from reviewbot.github.pulls import parse_pr_url

    addresses = [parse_pr_url(url, api_url) for url in urls]
    with connect(api_url, os.environ.get("GITHUB_TOKEN")) as client:
        return [
            read_case(client, address, url) for address, url in zip(addresses, urls, strict=True)
        ]


def _check(
    bench: "Bench",
    wanted: "tuple[Strategy, ...]",
    judges: "tuple[Role, ...]",
    budget: float | None,
    *,
    replay: bool,
) -> None:
    """Before anything is asked: every engine is there, and what is paid for has a limit."""
    asked = dict(bench.answers.lineup.engines)
    used = {role for each in wanted for role in each.lineup(bench.answers.lineup).engines}
    for role in judges:
        if role not in asked:
            raise UsageError(f"there is no {role} engine to judge with")
        used.add(role)
    paid = sorted({asked[role].model for role in used if asked[role].provider})
    if paid and budget is None and not replay:
        raise UsageError(
            f"{', '.join(paid)} must be paid for: say how much this may cost at most with"
            " --budget-usd"
        )


def _judge(name: str, roles: "tuple[Role, ...]", bench: "Bench", cases: "list[Case]") -> "Judge":
    from reviewbot.evaluating import Jury
    from reviewbot.evaluation.judges import judge_of

    if name != "llm":
        return judge_of(name, cases)
    models = ", ".join(bench.answers.lineup.engines[role].model for role in roles)
    return Jury(roles, bench.answers, f"llm ({models})")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error, if that is a terminal."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=total, label="reviews", file=sys.stderr, hidden=hidden) as bar:
        yield lambda: bar.update(1)
