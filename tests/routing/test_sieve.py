"""A sieve never rules out what RE2 finds, whatever the pattern."""

import json

import pytest
import re2
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reviewbot.change.model import FileChange, Hunk, Status
from reviewbot.config.patterns import compile_pattern
from reviewbot.routing.matcher import Matcher
from reviewbot.routing.rules import RuleSet, load_rules, shipped_rules
from reviewbot.routing.sieve import Sieve
from reviewbot.routing.skeleton import skeletons

#: Characters that patterns and texts share, so that they often meet: cases, look-alikes of `k` and
#: `s` that only RE2's folding takes for them, blanks, signs of the pattern language.
ALPHABET = "abKkKsſé_0 .-(\t{"
characters = st.sampled_from(ALPHABET)
leaves = st.one_of(
    characters.map(re2.escape),
    st.sampled_from(
        [
            *(r"\w", r"\s", r"\d", r"\W", r"\S", r"\D", ".", r"\b", r"\B", "^", "$", r"\A", r"\z"),
            *("[ab]", "[^a]", "[a-z]", "[]a]", "[^]a]", r"[\w.]", "[[:alpha:]]", r"[\]a]", r"\pL"),
            *(r"\p{Greek}", r"\PL", r"\x61", r"\x{E9}", r"\Qa.\E", "{", "a{007}", "a{,2}", r"\C"),
        ]
    ),
)
repetitions = st.sampled_from(
    ["*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{0}", "{2,9}", "{3,}?"]
)
flags = st.sampled_from(["(?:", "(", "(?P<n>", "(?i:", "(?-i:", "(?s:", "(?-m:", "(?U:", "(?i)(?:"])


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    groups = st.tuples(flags, inner).map(lambda pair: f"{pair[0]}{pair[1]})")
    return st.one_of(
        groups,
        st.tuples(groups | leaves, repetitions).map("".join),
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join),
    )


patterns = st.recursive(leaves | st.text(ALPHABET[:8], min_size=1), deeper, max_leaves=12)
texts = st.lists(st.text(ALPHABET, max_size=12), max_size=4).map("\n".join)


@settings(deadline=None, max_examples=400)
@given(patterns, texts)
@example("(?i)kkkk", "KKKK")
@example("(?:a|b)*cab", "abcab")
def test_every_line_with_a_pattern_has_a_skeleton_of_it(pattern: str, text: str):
    try:
        compiled = compile_pattern(pattern)
    except re2.error:
        assume(False)
    made = [compile_pattern(source) for source in skeletons(pattern)]

    found = [line for line in text.split("\n") if compiled.search(line)]

    for line in found if made else ():
        assert any(each.search(line) for each in made), line


@settings(deadline=None, max_examples=100)
@given(st.lists(patterns, min_size=1, max_size=8), texts)
def test_many_patterns_at_once_lose_nothing(given_patterns: list[str], text: str):
    try:
        compiled = [compile_pattern(pattern) for pattern in given_patterns]
    except re2.error:
        assume(False)
    sieve = Sieve(given_patterns)

    occurring = {index for index, each in enumerate(compiled) if each.search(text)}

    assert occurring <= sieve.always | sieve.passing(text.encode())


WORDS = [f"{number:05d}zyxw" for number in range(3_000)]
HOSTILE = {
    "a huge list of words": ("|".join(WORDS[:110]), "a 00042zyxw b"),
    "counts in counts": ("(?:(?:a{2,9}b){3,9}c){2,}", "aabaabaabcaabaabaabc"),
    "what matches nothing first": ("(?:)*x|(?:|y)+z", "x"),
    "places alone": (r"\b\B|^$|\b", "word"),
    "places repeated": (r"(?:^|\b)*(?:$|foo)+bar", "foobar"),
    "small and capital": ("(?i)STRASSE_KELVIN", "ſtraſſe_Kelvin"),
    "classes of characters": (r"\p{Greek}{3}\PL[[:^alpha:]]", "αβγ12"),
    "a dot for a line feed": ("(?s)pay.+me", "pay x me"),
    "the text's beginning": (r"\Apayment$|payment\z", "payment"),
    "deep brackets": ("(" * 200 + "payment" + ")*" * 200 + "payments", "payments"),
    "many roads": ("(?:(?:a|b*|c)?" * 30 + "needle" + ")" * 30, "needle"),
    "wide characters first": (r"\w\w\w\w\w\w\w\w\w\w\w\w\w\w\w\wneedle", "abcdefghijklmnopneedle"),
    "quoted": (r"\Q(?i)pay\Eroll", "(?i)payroll"),
    "raw bytes": (r"\C\Cpay", "é pay"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_patterns_are_found(name: str):
    pattern, text = HOSTILE[name]
    sieve = Sieve([pattern, "unrelated_word"])

    assert compile_pattern(pattern).search(text), "the pattern is in the text"
    assert 0 in sieve.always | sieve.passing(text.encode())


@pytest.mark.parametrize("pattern", [r"\w", ".", "a", r"\s*=\s*", r"(?:pay)?", r"\C\Cpayment", ""])
def test_what_tells_nothing_is_always_looked_for(pattern: str):
    assert Sieve([pattern]).always == {0}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bcharge\s*\(", "charges(x)\nrecharge(x)\nin charge of"),
        (r"(?i)\brefund_\w+_id\b", "refund\nrefund_"),
        (r"payment(?:Intent|Method)\w*\.create", "payment\npaymentIntention = 3"),
        (r"\.\w*signature_of\b.*\(", "signature_off()"),
        (r"@(?:login_required|\w*_permission_needed)", "@login\npermission_needed"),
    ],
)
def test_a_text_without_a_pattern_is_mostly_ruled_out(pattern: str, text: str):
    sieve = Sieve([pattern])

    assert not sieve.always
    ruled_out = [line for line in text.split("\n") if not sieve.passing(line.encode())]
    assert len(ruled_out) >= text.count("\n"), ruled_out


def test_nearly_all_shipped_patterns_are_sieved():
    shipped = [
        pattern
        for rule in shipped_rules().rules
        for pattern in (*rule.changed, *rule.added, *rule.removed)
    ]

    assert len(Sieve(shipped).always) < len(shipped) / 10


def test_every_shipped_example_passes_the_sieve_as_its_own_pattern_does():
    for rule in shipped_rules().rules:
        every = (*rule.changed, *rule.added, *rule.removed)
        compiled, sieve = [compile_pattern(pattern) for pattern in every], Sieve(every)
        for example_ in (*rule.match, *rule.ignore):
            text = f"{example_.added}\n{example_.removed}"
            occurring = {index for index, each in enumerate(compiled) if each.search(text)}
            assert occurring <= sieve.always | sieve.passing(text.encode()), rule.id


def test_more_words_than_one_automaton_holds_are_split_among_several():
    listed = ["|".join(WORDS[start : start + 60]) for start in range(0, len(WORDS), 60)]
    texts_by_number = [f"see {WORDS[60 * number + 7]}" for number in range(len(listed))]
    sieve = Sieve(listed * 2)  # the second time they are the same skeletons

    for number, text in enumerate(texts_by_number):
        assert {number, number + len(listed)} <= sieve.always | sieve.passing(text.encode())


def rules_of(*given_patterns: str) -> RuleSet:
    entries = "".join(
        f"  - {{id: r{number}, why: w, changed: [{json.dumps(pattern)}]}}\n"
        for number, pattern in enumerate(given_patterns)
    )
    return load_rules({"x.yml": f"area: x\ntitle: X\nrules:\n{entries}"})


def test_a_rule_finds_the_same_line_as_its_pattern_alone_deep_in_a_long_file():
    rules = rules_of(r"\bneedle_\w+\(", "(?i)ſtraſſe", r"\w{3}\s*=\s*seven$")
    lines = [f"value_{number} = other({number})" for number in range(5_000)]
    lines[3_210] = "x = needle_found(3)"
    lines[4_999] = "abc = seven"
    hunk = Hunk(0, 0, 1, len(lines), "", tuple(f"+{line}" for line in lines))

    matches = Matcher(rules.rules).find(FileChange("a.js", Status.ADDED, hunks=(hunk,))).matches

    assert [(match.rule, match.line) for match in matches] == [("r0", 3_211), ("r2", 5_000)]
