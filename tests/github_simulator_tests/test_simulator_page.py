"""Pull requests as pages: what a person sees, and nothing that runs or is fetched."""

import re
import urllib.request

import pytest
from github_simulator.page import as_page
from github_simulator.server import GitHubSimulator
from github_simulator.state import Pull, Repository

PULL = "/repos/acme/shop/pulls/1"
SUGGESTION = "Spell it **5**.\n\n```suggestion\nline 5\n```\n\n<!-- hidden -->"


@pytest.fixture
def reviewed(simulator, shop, pull, ask, token) -> Pull:
    comment = {"path": "a.py", "line": 5, "body": SUGGESTION}
    review = {"event": "COMMENT", "body": "> [!WARNING]\n> One remark.", "comments": [comment]}
    ask(token, "POST", f"{PULL}/reviews", review)
    run = {"name": "reviewbot", "head_sha": shop.ends(pull)[1], "conclusion": "success"}
    ask(token, "POST", "/repos/acme/shop/check-runs", run)
    return pull


def test_a_remark_stands_at_its_line_with_its_suggestion(shop: Repository, reviewed: Pull) -> None:
    seen = as_page(shop, reviewed)

    order = [
        '<blockquote class="alert warning">',
        "<code>a.py:5</code>",
        '<td class="number">5<td><pre>+line five</pre>',
        "<strong>5</strong>",
        "Suggested change",
        '<tr class="del"><td><pre>-line five</pre>',
        '<tr class="add"><td><pre>+line 5</pre>',
        '<span class="mark success">',
    ]
    places = [seen.index(text) for text in order]
    assert places == sorted(places)


def test_titles_and_names_are_text(shop: Repository) -> None:
    pull = shop.open_pull("feature", title="<script>alert(1)</script>", author="<b>")

    seen = as_page(shop, pull, note="<i>")

    assert "<script>" not in seen
    assert "&lt;script&gt;alert(1)" in seen
    assert "<b>&lt;b&gt;</b>" in seen
    assert "&lt;i&gt;" in seen


def test_a_page_of_several_has_an_index_and_needs_nothing_else(
    shop: Repository, reviewed: Pull
) -> None:
    second = shop.open_pull("feature", title="Another")

    seen = as_page(shop, reviewed, second)

    targets = re.findall(r'(?:href|src)="([^"]*)"', seen)
    assert {"#pull-1", "#pull-2", "#top"} == set(targets)
    assert 'id="pull-1"' in seen
    assert 'id="pull-2"' in seen
    assert "default-src 'none'" in seen


def test_a_browser_gets_the_page_as_it_is_now(simulator: GitHubSimulator, reviewed: Pull) -> None:
    requests = len(simulator.requests)

    with urllib.request.urlopen(f"http://{simulator.host}/acme/shop/pull/1") as answer:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"One remark." in answer.read()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{simulator.host}/acme/shop/pull/2").close()

    assert len(simulator.requests) == requests, "it is no use of the API"
