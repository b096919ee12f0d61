"""The question about a change in doubt: only a clear no spares Claude."""

from dataclasses import replace

import pytest

from reviewbot.change.model import Change, Kind
from reviewbot.change.parse import parse_diff
from reviewbot.review.doubt import about_code, doubt_job, opinion_of, raised, settled
from reviewbot.review.engine import EngineFacts, Outcome, Reply
from reviewbot.review.prompt import Briefing
from reviewbot.review.risk import MAX_WHY, Opinion, parse_risk
from reviewbot.review.work import Job
from reviewbot.routing.model import FileRoute, Match, Route, Tier
from reviewbot.routing.rules import Area

HERE = EngineFacts("llama", "qwen", False, None, 16_000)
OUTSIDE = EngineFacts("openai", "qwen", True, "host", 16_000)
AREAS = {"auth": Area("auth", "Login and permissions"), "payments": Area("payments", "Money")}


def route(tier: Tier) -> Route:
    file = FileRoute("app/login.py", Kind.SOURCE, tier)
    return Route(tier, (), "uncertain", {"auth": 2.0}, (), (file,), "", notes=("before",))


CAREFUL, SPARED = route(Tier.CLAUDE), route(Tier.LOCAL)


def asked(
    change: Change, facts: EngineFacts | None = HERE, *, kept: frozenset[str] = frozenset()
) -> Job | str:
    briefing = Briefing(change, never_send=kept)
    return doubt_job(CAREFUL, AREAS, briefing, "local", facts, sources={})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        '{"risky": false}',
        '{"risky": "no", "area": "none", "why": "x"}',
        '{"risky": 0, "area": "none", "why": "x"}',
        '{"risky": false, "area": "auth", "why": "it says no and names one"}',
        '{"risky": true, "area": "none", "why": "x"}',
        '{"risky": false, "area": "none", "why": "x", "tier": "local"}',
        '{"risky": false, "area": "none", "why": "cut',
    ],
)
def test_what_is_no_clear_answer_is_none(text: str) -> None:
    assert parse_risk(text) is None
    assert settled(
        CAREFUL, SPARED, opinion_of(Reply(Outcome.ANSWERED, "m", 1, text=text))
    ).tier is (Tier.CLAUDE)


def test_a_models_words_are_one_short_line() -> None:
    opinion = parse_risk('{"risky": true, "area": "auth", "why": "a\\nb\\u202e' + "x" * 999 + '"}')

    assert opinion is not None
    assert opinion.why.startswith("a b<U+202E>x")
    assert len(opinion.why) <= MAX_WHY + len("<U+202E>")


@pytest.mark.parametrize(
    ("opinion", "tier", "said"),
    [
        (Opinion(True, "auth", "Sessions."), Tier.CLAUDE, 'says yes: "auth: Sessions."'),
        (Opinion(False, "none", "A label."), Tier.LOCAL, 'says no: "A label."'),
        ("no answer in time", Tier.CLAUDE, "goes to Claude: no answer in time"),
    ],
)
def test_only_a_no_spares_claude_and_the_note_says_who_said_it(
    opinion: Opinion | str, tier: Tier, said: str
) -> None:
    route = settled(CAREFUL, SPARED, opinion)

    assert route.tier is tier
    assert route.reasons == ()  # a model's word is no rule's
    assert route.notes[0] == "before"
    assert "local model" in route.notes[1]
    assert said in route.notes[1]


def test_the_question_shows_the_change_and_names_the_areas(login_change: Change) -> None:
    job = asked(login_change)

    assert isinstance(job, Job)
    prompt = job.composed.prompt
    assert (job.role, job.purpose, prompt.choices) == ("local", "route", ("auth", "payments"))
    assert "7 +    if user.digest == digest(password):" in prompt.unit
    assert prompt.unit.endswith("- auth: Login and permissions\n- payments: Money")


def three_files() -> Change:
    """a.py, b.py and c.py, each with two blocks: `first` on line 1, `second` on line 51."""
    lines = "".join(f" line {n}\n" for n in range(3))
    change = parse_diff(
        "".join(
            f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
            f"@@ -1,3 +1,4 @@\n+first {path}\n{lines}@@ -50,3 +51,4 @@\n+second {path}\n{lines}"
            for path in ("a.py", "b.py", "c.py")
        ),
        title="Change",
    )
    return replace(change, description="A long story.")


def test_claude_is_shown_the_doubtful_blocks_only() -> None:
    change = three_files()
    near = Match("r", "auth", "a.py", 51, "RIGHT", "why", 2.0)
    place = Match("r", "auth", "b.py", None, "RIGHT", "why", 2.0)
    files = tuple(
        FileRoute(file.path, Kind.SOURCE, Tier.CLAUDE, (), reasons)
        for file, reasons in zip(change.files, ((near,), (place,), ()), strict=True)
    )
    doubtful, claude = replace(CAREFUL, files=files), replace(OUTSIDE, name="claude")

    job = doubt_job(doubtful, AREAS, Briefing(change), "claude", claude, sources={})
    kept = Briefing(change, never_send=frozenset({"a.py"}))
    unsent = doubt_job(doubtful, AREAS, kept, "claude", claude, sources={})

    assert isinstance(job, Job)
    assert (job.role, job.purpose) == ("claude", "route")
    text = job.composed.prompt.text
    assert all(shown in text for shown in ("second a.py", "first b.py", "second b.py"))
    assert not any(hidden in text for hidden in ("first a.py", "c.py", "A long story"))
    assert "never_send" in str(unsent)


def asked_of_claude(
    tiers: dict[str, Tier], *reasons: Match, kept: frozenset[str] = frozenset()
) -> Job | str:
    change = three_files()
    files = tuple(
        FileRoute(path, Kind.SOURCE, tier, (), tuple(m for m in reasons if m.path == path))
        for path, tier in tiers.items()
    )
    doubtful, claude = replace(CAREFUL, files=files), replace(OUTSIDE, name="claude")
    briefing = Briefing(change, never_send=kept)
    return doubt_job(doubtful, AREAS, briefing, "claude", claude, sources={})


def test_of_a_rule_with_several_lines_claude_is_shown_all_blocks_of_the_file() -> None:
    tiers = dict.fromkeys(("a.py", "b.py", "c.py"), Tier.CLAUDE)
    twice = Match("r", "auth", "a.py", 1, "RIGHT", "why", 2.0, lines=2)
    once = Match("r", "auth", "b.py", 1, "RIGHT", "why", 2.0, lines=1)
    path = Match("p", "auth", "c.py", None, "RIGHT", "why", 1.0)
    line = Match("r", "auth", "c.py", 1, "RIGHT", "why", 1.0, lines=1)

    job = asked_of_claude(tiers, twice, once, path, line)

    assert isinstance(job, Job)
    text = job.composed.prompt.text
    shown = ("first a.py", "second a.py", "first b.py", "first c.py", "second c.py")
    assert all(block in text for block in shown)
    assert "second b.py" not in text


def test_where_no_file_holds_the_doubt_claude_is_shown_what_is_read_and_may_leave() -> None:
    tiers = {"a.py": Tier.CLAUDE, "b.py": Tier.SKIP, "c.py": Tier.CLAUDE}

    job = asked_of_claude(tiers, kept=frozenset({"c.py"}))
    none = asked_of_claude(tiers, kept=frozenset({"a.py", "c.py"}))

    assert isinstance(job, Job)
    text = job.composed.prompt.text
    assert "first a.py" in text
    assert "second a.py" in text
    assert "b.py" not in text
    assert "c.py" not in text
    assert none == "nothing of the change may be shown to it"


def test_a_model_that_may_not_see_all_is_not_asked(login_change: Change) -> None:
    [file] = login_change.files
    unseen = replace(login_change, files=(replace(file, hunks=(), patch_missing=True),))
    [hunk] = file.hunks
    long = replace(login_change, files=(replace(file, hunks=(hunk,) * 2_000),))
    never = frozenset({"app/login.py"})

    assert asked(login_change, None) == "none is configured"
    assert "not show all" in str(asked(unseen))
    assert "not show all" in str(asked(replace(login_change, missing_files=1)))
    assert "too long" in str(asked(long))
    assert "never_send" in str(asked(login_change, OUTSIDE, kept=never))
    assert isinstance(asked(login_change, HERE, kept=never), Job)


def test_an_ordinary_change_is_asked_about_by_its_code_alone() -> None:
    change = three_files()
    code, guide, picture = change.files
    guide = replace(guide, kind=Kind.DOCS)
    picture = replace(picture, hunks=(), is_submodule=True)
    change = replace(change, files=(code, guide, picture))
    files = tuple(FileRoute(file.path, file.kind, Tier.LOCAL) for file in change.files)
    ordinary = Route(Tier.LOCAL, (), "sure", {}, (), files, "")

    shown = about_code(change, ordinary)

    assert [file.tier for file in shown.files] == [Tier.LOCAL, Tier.SKIP, Tier.SKIP]
    assert about_code(replace(change, files=(guide, picture)), ordinary).tier is Tier.SKIP


def test_a_yes_raises_all_that_may_leave_and_a_no_nothing() -> None:
    files = (
        FileRoute("a.py", Kind.SOURCE, Tier.LOCAL),
        FileRoute("b.py", Kind.SOURCE, Tier.LOCAL, why="never_send"),
        FileRoute("c.lock", Kind.LOCKFILE, Tier.SKIP),
    )
    ordinary = Route(Tier.LOCAL, (), "sure", {}, (), files, "Local: no rule fired.")

    yes = raised(ordinary, Opinion(True, "auth", "Opens it."), AREAS)
    no = raised(ordinary, Opinion(False, "none", "Harmless."), AREAS)

    assert [file.tier for file in yes.files] == [Tier.CLAUDE, Tier.LOCAL, Tier.SKIP]
    assert (yes.tier, yes.areas, yes.certainty) == (Tier.CLAUDE, ("auth",), "uncertain")
    assert (no.tier, no.files) == (Tier.LOCAL, files)
