"""A file's place: its own name and folder, no more."""

import pytest

from reviewbot.routing.model import Match
from reviewbot.routing.places import with_evidence, words_of


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("src/LoginController.java", "login"),
        ("app/models/two_factor.rb", "twofactor"),
        ("app/billing/models.py", "billing"),
        ("lib/APIKeys.cs", "apikey"),
        ("app/policies/post.rb", "policy"),
        ("app/taxes.py", "tax"),
        ("app/access.py", "access"),
    ],
)
def test_words_of_name_and_folder(path: str, word: str):
    assert word in words_of(path)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("billing/src/util/lists.py", "billing"),
        ("app/authors.py", "auth"),
        ("src/routes/_authenticated/charts.tsx", "auth"),
        ("app/syntax.py", "tax"),
    ],
)
def test_other_words_are_not_found(path: str, word: str):
    assert word not in words_of(path)


def test_a_place_counts_only_beside_evidence_of_its_area():
    place = Match("pay.place", "pay", "a.py", None, "RIGHT", "w", 1, is_place=True)
    evidence = Match("pay.call", "pay", "a.py", 1, "RIGHT", "w", 3)
    other = Match("auth.call", "auth", "a.py", 1, "RIGHT", "w", 3)

    assert with_evidence([place]) == ()
    assert with_evidence([place, other]) == (other,)
    assert with_evidence([place, evidence]) == (place, evidence)
