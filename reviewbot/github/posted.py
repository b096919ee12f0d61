"""What became of a review that was to be posted, in words for a terminal or a log."""

from urllib.parse import urlsplit

from reviewbot.errors import ReviewbotError, UsageError
from reviewbot.github.pulls import parse_pr_url
from reviewbot.github.reviews import Published
from reviewbot.routing.wording import plural


def page_of(url: str | None, api_url: str) -> str:
    """The page of the pull request to post on. Raises UsageError without one, SourceError for an
    address that is none."""
    if url is None:
        raise UsageError("--post needs --pr URL: only a pull request's review can be posted")
    owner, repository, number = parse_pr_url(url, api_url)
    given = urlsplit(url.strip())
    return f"{given.scheme}://{given.netloc}/{owner}/{repository}/pull/{number}"


def posted_lines(result: Published | ReviewbotError, page: str) -> tuple[bool, list[str]]:
    """(whether the review stands on the pull request, what to say)."""
    if isinstance(result, ReviewbotError):
        return False, [
            f"not posted: {result}",
            "  GITHUB_TOKEN needs write access to the repository's pull requests",
        ]
    if result.outcome == "superseded":
        return False, ["not posted: the pull request has another head by now; review it again"]
    if result.outcome == "closed":
        return False, ["not posted: the pull request was closed in the meantime"]
    places = _places(result, page)
    if result.outcome not in ("posted", "already"):
        how = "posted in part only" if places else "not posted"
        return False, [f"{how}: {'; '.join(result.problems)}", *places]
    if result.outcome == "already":
        head = f"already posted on {page}: what is there stays as it is"
    else:
        head = f"posted on {page}"
    return True, [head, *places, *_missing(result)]


def _places(result: Published, page: str) -> list[str]:
    links = {
        "review": result.review_id and f"{page}#pullrequestreview-{result.review_id}",
        "summary": result.summary_id and f"{page}#issuecomment-{result.summary_id}",
        "check": result.check_id and f"{page}/checks?check_run_id={result.check_id}",
    }
    return [f"  {what:<8} {link}" for what, link in links.items() if link]


def _missing(result: Published) -> list[str]:
    lines = []
    if result.moved:
        lines.append(
            f"  GitHub took no comments on lines: {plural(result.moved, 'finding')}"
            " moved to the summary"
        )
    lines += [f"  not posted: {problem}" for problem in result.problems]
    if result.problems and result.check_id is None:
        lines.append("  (a check run takes the token of an App or of an Action)")
    return lines
