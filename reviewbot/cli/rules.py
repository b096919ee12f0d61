"""`reviewbot rules`: check, test, score and explain risk rules."""

from collections.abc import Sequence
from pathlib import Path

import click

from reviewbot.errors import SourceError, UsageError
from reviewbot.routing.rules import RuleSet, load_rules, shipped_rules

_FILES = click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))


@click.group("rules")
def command() -> None:
    """Check, test, score and explain risk rules; without FILE, the ones that are shipped."""


@command.command()
@_FILES
def check(files: Sequence[Path]) -> None:
    """Validate rule files: shape, patterns, thresholds."""
    rules = _load(files)
    click.echo(f"{len(rules.rules)} rules for {', '.join(rules.areas)}: all valid")


@command.command()
@_FILES
def test(files: Sequence[Path]) -> int:
    """Run the examples that rules carry; exit 1 if any fails."""
    from reviewbot.routing.examples import missing_examples, run_examples

    rules = _load(files)
    failures = [*run_examples(rules), *missing_examples(rules)]
    for failure in failures:
        click.echo(str(failure))
    count = sum(len(rule.match) + len(rule.ignore) for rule in rules.rules)
    click.echo(f"{len(rules.rules)} rules, {count} examples, {len(failures)} failed")
    return int(bool(failures))


@command.command()
@click.argument("rule_id", metavar="[RULE]", required=False)
@_FILES
def explain(rule_id: str | None, files: Sequence[Path]) -> None:
    """Say what one rule looks for; without RULE, list them all.

    \b
    Examples:
      reviewbot rules explain
      reviewbot rules explain payments.tax
      reviewbot rules explain my-rules.yml
      reviewbot rules explain ledger.booking-call my-rules.yml
    """
    import difflib

    from reviewbot.routing.rules import explain as explained

    if rule_id and rule_id.endswith((".yml", ".yaml")):  # no rule is called so
        files, rule_id = (Path(rule_id), *files), None
    rules = _load(files)
    if rule_id is None:
        for rule in rules.rules:
            click.echo(f"{rule.id:<40} {rule.weight:>3g}  {rule.why}")
        return
    try:
        click.echo(explained(rules.rule(rule_id)))
    except KeyError:
        near = difflib.get_close_matches(rule_id, [rule.id for rule in rules.rules], 1)
        hint = f"did you mean {near[0]}?" if near else "`reviewbot rules explain` lists them all"
        raise UsageError(f"no rule {rule_id} ({hint})") from None


@command.command()
@click.argument("corpus", metavar="CORPUS[.gz]", type=click.Path(path_type=Path))
@click.option(
    "--by",
    type=click.Choice(["repo", "language", "sample"]),
    help="Break the figures down by a field of the lines.",
)
@click.option("--misses", is_flag=True, help="Show each miss with the rules that fired.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def score(corpus: Path, by: str | None, misses: bool, format_: str) -> None:
    """Score the rules against a labelled corpus: JSONL lines {id, diff, labels, ambiguous}.

    Prints precision, recall and F1 for flagged-or-not and per area, the ambiguous lines apart,
    and how many of the sure, the uncertain and the local changes have a label.
    """
    from reviewbot import wiring
    from reviewbot.cli.corpus import score_corpus
    from reviewbot.config.settings import load_settings

    setup = wiring.setup(load_settings())
    click.echo(score_corpus(setup, corpus, format_, by=by, misses=misses))


def _load(files: Sequence[Path]) -> RuleSet:
    if not files:
        return shipped_rules()
    texts = {}
    for path in files:
        try:
            texts[str(path)] = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SourceError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SourceError(f"{path} is not UTF-8 text") from None
    return load_rules(texts)
