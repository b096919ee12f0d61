"""Rule files: read whole, or refused with file, line and the likely fix."""

import pytest

from reviewbot.change.model import Kind
from reviewbot.config.policy import load_policy
from reviewbot.errors import DocumentError
from reviewbot.routing.rules import RuleSet, explain, load_rules, policy_rules

HEAD = "area: pay\ntitle: Payments\nrules:\n"


def test_a_rule_file_is_read_with_its_defaults(rules: RuleSet):
    rule = rules.rule("pay.call")

    assert rules.areas["pay"].threshold == 3
    assert rules.areas["pay"].uncertain == 2
    assert rule.kinds == {Kind.SOURCE, Kind.CONFIG, Kind.MANIFEST, Kind.MIGRATION}
    assert rule.source == "pay.yml"
    assert rules.rule("pay.place").path_only
    with pytest.raises(KeyError):
        rules.rule("pay.none")


def test_kinds_and_ignored_paths_of_the_file_hold_for_each_rule():
    rules = load_rules(
        {
            "a.yml": "area: a\ntitle: A\nkinds: [docs]\nignore_paths: ['x/**']\nrules:\n"
            "  - {id: one, why: w, added: [x]}\n"
            "  - {id: two, why: w, added: [x], kinds: [test]}\n"
        }
    )

    assert [set(rule.kinds) for rule in rules.rules] == [{Kind.DOCS}, {Kind.TEST}]
    assert rules.rule("two").ignore_paths == ("x/**",)


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("foo(?=bar)", "look-ahead is not supported"),
        ("(?!foo)bar", "rule the rest out with `not:`"),
        ("(?<=a)b", "look-behind is not supported"),
        (r"(\w)\1", "a backreference is not supported"),
        (r"end\Z", "write $ for the end of the line"),
        ("(open", r"write \( for the character"),
        ("close)", r"write \) for the character"),
        ("close)|(?:open", r"write \) for the character"),
        ("[a", r"write \[ for the character"),
        ("*a", r"write \* for the character"),
        ("a++", "possessive"),
        ("(a{500}){500}", "at most 1000 repetitions"),
        ("a*", "leave out what is optional"),
        ("x|", "leave out what is optional"),
    ],
)
def test_a_wrong_pattern_is_named_with_its_line_and_a_fix(pattern: str, hint: str):
    text = HEAD + f"  - id: one\n    why: w\n    added:\n      - ok\n      - '{pattern}'\n"

    with pytest.raises(DocumentError) as caught:
        load_rules({"pay.yml": text})

    assert str(caught.value).startswith("pay.yml:8: `rules[0].added[1]`: the pattern ")
    assert pattern in caught.value.problem
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("rule", "line", "message"),
    [
        ("{id: a, why: w}", 4, "the rule looks for nothing"),
        ("{id: a, why: w, paths: ['x'], not: ['y']}", 4, "`not` without a pattern"),
        ("{id: a, why: w, paths: ['!x']}", 4, "only excludes"),
        ("{id: a, why: w, paths: ['*.{a,b}']}", 4, "braces are not supported"),
        ("{id: a, why: w, paths: ['src/[z-a].py']}", 4, "not a path pattern"),
        ("{id: a, why: w, added: [x], kinds: [sauce]}", 4, "must be 'source'"),
        ("{id: A b, why: w, added: [x]}", 4, "`rules[0].id`"),
        ("{id: a, why: w, added: [x], weight: 0}", 4, "greater than 0"),
        ("{id: a, why: w, add: [x]}", 4, "did you mean `added`?"),
        ("{id: a, why: w, added: [" + "x" * 1001 + "]}", 4, "at most 1000 characters"),
        ("{id: a, why: w, added: [" + "x," * 61 + "]}", 4, "at most 60 entries"),
    ],
)
def test_a_wrong_rule_is_refused(rule: str, line: int, message: str):
    with pytest.raises(DocumentError) as caught:
        load_rules({"pay.yml": HEAD + f"  - {rule}\n"})

    assert caught.value.line == line
    assert message in str(caught.value)


def test_two_rules_of_one_id_are_refused_even_across_files():
    one = HEAD + "  - {id: a, why: w, added: [x]}\n"

    with pytest.raises(DocumentError, match=r"b\.yml:4: rule id a is taken \(see a\.yml\)"):
        load_rules({"b.yml": one, "a.yml": one})


def test_two_files_of_one_area_must_agree_on_it():
    one = HEAD + "  - {id: a, why: w, added: [x]}\n"
    two = "threshold: 5\n" + one.replace("id: a", "id: b")

    with pytest.raises(DocumentError, match=r"b\.yml:2: another file describes area pay"):
        load_rules({"a.yml": one, "b.yml": two})


def test_a_policys_rules_are_a_set_of_their_own():
    policy = load_policy("route: {rules: [{id: a, area: crypto, why: w, added: [x]}]}")

    own = policy_rules(policy.route.rules)

    assert own.areas["crypto"].threshold == 3
    assert own.rule("a").source == "route.rules"


def test_a_rule_explains_itself():
    rules = load_rules(
        {
            "a.yml": HEAD + "  - id: a.b\n    why: Calls the bank\n    weight: 2.5\n"
            "    paths: ['src/**']\n    changed: ['bank\\.', 'till\\.']\n    not: ['ping']\n"
            "    examples: {match: [{path: src/a.py, added: 'bank.pay()'}], ignore: [{path: src/b.py}]}\n"
        }
    )

    assert explain(rules.rule("a.b")).splitlines() == [
        "a.b  (pay, weight 2.5)",
        "  Calls the bank.",
        "  looks at   config, manifest, migration, source files",
        "  in         src/**",
        r"  changed    bank\.",
        r"             till\.",
        "  but not    ping",
        '  matches    src/a.py: ["+ bank.pay()"]',
        "  ignores    src/b.py",
        "  from       a.yml",
    ]
