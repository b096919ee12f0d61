"""What a rule file may hold: the shape, the limits, and what is wrong with a pattern."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from reviewbot.config.patterns import compile_pattern, path_expression

#: Limits of one rule file. Shipped files have about 40 rules and 20 patterns a rule.
MAX_RULES, MAX_PATTERNS, MAX_PATTERN_LENGTH, MAX_EXAMPLES = 300, 60, 1_000, 100

#: The words of `reviewbot.change.model.Kind`, which is in a later layer; a test compares them.
KindName = Literal[
    "source", "test", "docs", "config", "manifest", "lockfile",
    "generated", "vendored", "translation", "migration", "binary",
]  # fmt: skip

DEFAULT_KINDS: tuple[KindName, ...] = ("source", "config", "manifest", "migration")
DEFAULT_THRESHOLD, DEFAULT_UNCERTAIN = 3.0, 2.0


def _complain(problem: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("reviewbot", "{problem}", {"problem": problem, "hint": hint})


def check_pattern(pattern: str) -> str:
    """Return `pattern` if RE2 takes it and it does not match everything, else complain."""
    import re2  # 0.03 s to import; most policies have no pattern

    shown = pattern if len(pattern) <= 80 else pattern[:77] + "…"
    try:
        compiled = compile_pattern(pattern)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace")
        raise _complain(
            f"the pattern {shown} is wrong: {reason[:120]}", _pattern_hint(reason)
        ) from None
    if compiled.search("") is not None:
        raise _complain(
            f"the pattern {shown} matches an empty line, so it would match everything",
            "leave out what is optional at its ends",
        )
    return pattern


def _pattern_hint(reason: str) -> str:
    for part, hint in _PATTERN_HINTS:
        if part in reason:
            return hint
    return "patterns are RE2: https://github.com/google/re2/wiki/Syntax"


_PATTERN_HINTS = (
    ("(?=", "look-ahead is not supported: match the whole text"),
    ("(?!", "look-ahead is not supported: match more and rule the rest out with `not:`"),
    ("(?<=", "look-behind is not supported: match the text before it too"),
    ("(?<!", "look-behind is not supported: match more and rule the rest out with `not:`"),
    ("(?>", "atomic groups are not needed: RE2 never backtracks; write (?:…)"),
    ("(?#", "comments are not supported in patterns: say it in `why:`"),
    ("(?x", "the x flag is not supported: split the pattern into several list items"),
    ("(?P", "a named group is (?P<name>…); a backreference is not supported"),
    ("escape sequence: \\Z", "write $ for the end of the line"),
    ("escape sequence: \\h", "write [ \\t] for blanks"),
    ("escape sequence", "a backreference is not supported: spell out both parts; "
     "a backslash before a letter means only what RE2 knows"),
    ("missing ]", "a `[` is not closed; write \\[ for the character"),
    ("missing )", "a `(` is not closed; write \\( for the character"),
    ("unexpected )", "a `)` closes nothing; write \\) for the character"),
    ("no argument", "`*`, `+` or `?` has nothing to repeat; write \\* for the character"),
    ("bad repetition", "possessive and doubled repetition are not supported; one is enough"),
    ("repetition size", "at most 1000 repetitions are allowed, nested ones multiplied"),
    ("too large", "the pattern is too large: split it into several list items"),
    ("trailing", "the last backslash escapes nothing"),
)  # fmt: skip


def check_path(pattern: str) -> str:
    """Return `pattern` if it is a gitignore-style path pattern, else complain."""
    try:
        expression = path_expression(pattern)
    except ValueError:
        raise _complain(
            f"not a path pattern: {pattern[:80]}", "for example **/billing/**"
        ) from None
    if "{" in pattern:
        raise _complain("braces are not supported in path patterns", "write one entry for each")
    if expression is None:
        raise _complain(f"the path pattern {pattern[:80]!r} matches nothing", "write \\# for a #")
    return pattern


Pattern = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_PATTERN_LENGTH),
    AfterValidator(check_pattern),
]
PathPattern = Annotated[
    str, StringConstraints(min_length=1, max_length=300), AfterValidator(check_path)
]
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=MAX_PATTERNS)]
PathPatterns = Annotated[tuple[PathPattern, ...], Field(max_length=200)]
AreaName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
RuleId = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*$", max_length=80)
]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Closed(BaseModel):
    """A mapping of a document: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


PlaceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+$", max_length=40)]
PlaceNames = Annotated[tuple[PlaceName, ...], Field(max_length=200)]
Kinds = Annotated[tuple[KindName, ...], Field(min_length=1, max_length=11)]


#: What a rule can count over the whole change.
Measure = Literal["files", "languages", "folders", "density", "prompts"]


class Example(Closed):
    """A tiny change. Several lines of text are several lines of the change."""

    path: str = Field(min_length=1, max_length=300)
    added: str = Field("", max_length=4_000)
    removed: str = Field("", max_length=4_000)
    kind: KindName | None = Field(None, description="Default: what the path says.")
    title: str = Field("", max_length=300, description="Of the change; for a rule with `title`.")
    others: tuple[str, ...] = Field(
        (), max_length=100, description="Further files, each with the same lines; for a `measure`."
    )
    context: int = Field(
        16_384, ge=2, description="The local model's context, tokens; for `measure: prompts`."
    )


class Examples(Closed):
    """Changes on which a rule must and must not fire."""

    match: tuple[Example, ...] = Field((), max_length=MAX_EXAMPLES)
    ignore: tuple[Example, ...] = Field((), max_length=MAX_EXAMPLES)


class RuleEntry(Closed):
    """One rule, as written."""

    id: RuleId
    why: Sentence
    weight: float = Field(1.0, gt=0, le=100)
    kinds: Kinds | None = None
    paths: PathPatterns = ()
    in_views: bool = False
    names: PlaceNames = ()
    added: Patterns = ()
    removed: Patterns = ()
    changed: Patterns = ()
    title: Patterns = ()
    exclude: Patterns = Field((), alias="not")
    measure: Measure | None = None
    at_least: float | None = Field(None, gt=0, le=100_000)
    examples: Examples = Examples()

    def model_post_init(self, context: Any) -> None:
        """A rule must look for something."""
        patterns = (*self.added, *self.removed, *self.changed)
        if self.title and (patterns or self.names or self.measure):
            raise _complain(
                "`title` reads the change's title, no lines",
                "give it kinds, paths and `not` only, and make another rule of the rest",
            )
        if (self.measure is None) != (self.at_least is None):
            raise _complain("`measure` and `at_least` go together", "give it both, or neither")
        if self.measure and self.measure != "density":
            if patterns or self.paths or self.names or self.exclude:
                raise _complain(
                    f"`measure: {self.measure}` counts over the whole change",
                    "give it kinds, and no paths, names or patterns",
                )
            return
        if self.measure and not patterns:
            raise _complain(
                "`measure: density` has no lines to count", "give it added, removed or changed"
            )
        if not patterns and not self.paths and not self.names and not self.title:
            raise _complain(
                "the rule looks for nothing",
                "give it paths, names, added, removed, changed or title",
            )
        if self.exclude and not patterns and not self.title:
            raise _complain("`not` without a pattern", "exclude a path with a `!` entry in `paths`")
        if self.paths and all(path.startswith("!") for path in self.paths):
            raise _complain("`paths` only excludes", "begin it with '**'")


class RuleFile(Closed):
    """One file of rules, all for one area."""

    area: AreaName
    title: Sentence
    threshold: float = Field(DEFAULT_THRESHOLD, gt=0, le=1_000)
    uncertain: float = Field(DEFAULT_UNCERTAIN, gt=0, le=1_000)
    kinds: Kinds = DEFAULT_KINDS
    """For rules of this file that name none."""
    ignore_paths: PathPatterns = ()
    """Where no rule of this file looks."""
    view_paths: PathPatterns = ()
    """What people only see: where only rules with `in_views` look."""
    exclude: Patterns = Field((), alias="not")
    """A line that one of these matches is no evidence for any rule of this file."""
    optional: bool = False
    """Looked at only where the policy's `route.also` names the area."""
    rules: tuple[RuleEntry, ...] = Field(min_length=1, max_length=MAX_RULES)

    def model_post_init(self, context: Any) -> None:
        """A rule can look into views only where the file says which they are."""
        if not self.view_paths and any(rule.in_views for rule in self.rules):
            raise _complain("`in_views` without `view_paths`", "name them beside `ignore_paths`")


class PolicyRule(RuleEntry):
    """A rule in a policy, which names its area."""

    area: AreaName

    def model_post_init(self, context: Any) -> None:
        """It looks everywhere as it is."""
        super().model_post_init(context)
        if self.in_views:
            raise _complain("`in_views` is for rules of a file with `view_paths`")
