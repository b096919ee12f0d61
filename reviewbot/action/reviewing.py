"""The review of one pull request in a step, and all that is said of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reviewbot import wiring
from reviewbot.action.event import Target
from reviewbot.action.inputs import Inputs
from reviewbot.action.runner import LogProgress, Runner
from reviewbot.action.state import (
    NO_KEY,
    Memory,
    State,
    mark_key,
    marks_of,
    read_state,
    sealed,
    write_costs,
)
from reviewbot.action.verdict import Verdict, gate_of, verdict_of, verdict_of_last
from reviewbot.change.source import Fetched
from reviewbot.config.policy import Policy
from reviewbot.config.settings import Settings
from reviewbot.costs.money import decimal_text
from reviewbot.github.calls import Denied, GitHubError
from reviewbot.github.posted import page_of, posted_lines
from reviewbot.github.pulls import PullAddress
from reviewbot.pipeline import effective_policy
from reviewbot.publishing.check_run import annotations
from reviewbot.publishing.comments import Carried
from reviewbot.publishing.figures import usd
from reviewbot.publishing.markdown import safe_line
from reviewbot.publishing.result import Review
from reviewbot.publishing.sarif import sarif
from reviewbot.publishing.summary import summary_markdown
from reviewbot.reporting.pull_record import NO_RECORD, Last, PullRecord
from reviewbot.review.finding import Finding
from reviewbot.steps import TokenPost
from reviewbot.wiring import Occasion

if TYPE_CHECKING:
    from github import Github

#: Exit codes: the policy has the step fail; an error.
GATE, ERROR = 1, 2
_MAY_WRITE = "give the job `permissions: pull-requests: write`"


class _Posted(NamedTuple):
    """What became of posting."""

    problem: str = ""
    """Why the step fails for it; empty if it does not."""
    lines: tuple[str, ...] = ()
    inline: bool = False
    """The findings stand on their lines."""


@dataclass(frozen=True)
class StepReview:
    """The review of one pull request and all that is said of it."""

    environment: Mapping[str, str]
    runner: Runner
    inputs: Inputs
    settings: Settings
    target: Target
    address: PullAddress

    def review(self, client: "Github", fetched: Fetched) -> int:
        """The step's exit code. Raises ReviewbotError where there is no review."""
        poster = wiring.token_post(
            self.settings,
            self.inputs.token,
            LogProgress(self.runner),
            request=self.target.request,
            key=mark_key(self.settings),
        )
        memory, policy = self._memory(fetched, poster.author), self._policy(fetched)
        state = read_state(
            client,
            memory,
            marks_of(self.settings, memory),
            now=datetime.now(UTC),
            capped=(policy.budget.monthly_usd, self.settings.monthly_budget_usd) != (None, None),
        )
        known = state.record.last
        if known and self.target.automatic and self._is_reviewed(known, fetched):
            return self._reviewed_before(known, policy)
        poster = replace(
            poster, adapt=self._publishing, carry=partial(self._carried, memory, state)
        )
        review = self._reviewed(poster, fetched, state)
        posted = self._posted(poster, review)
        if memory.key and not self._is_recorded(poster):
            spent = NO_RECORD.with_review(review, request=self.target.request)
            posted = self._with_costs(client, memory, posted, spent)
        return self._ended(review, posted, verdict_of(review, gate_of(self.inputs.fail_on, policy)))

    @property
    def _occasion(self) -> Occasion:
        return Occasion(request=self.target.request, automatic=self.target.automatic, tolerant=True)

    def _memory(self, fetched: Fetched, author: str) -> Memory:
        name, number = fetched.change.repository or "", fetched.repository_id or 0
        return Memory.of(self.settings, name, number, self.address.number, author)

    def _policy(self, fetched: Fetched) -> Policy:
        setup = wiring.occasional_setup(self.settings, self._occasion)
        return effective_policy(setup, fetched).policy

    def _reviewed(self, poster: TokenPost, fetched: Fetched, state: State) -> Review:
        forgets = self.settings.marker_key is None and not self.settings.database_url
        notes = (*state.notes, *((NO_KEY,) if forgets else ()))
        noted = replace(fetched, notes=(*fetched.notes, *notes))
        return wiring.review_here(
            self.settings,
            lambda: noted,
            poster.reporter,
            post=None if self.inputs.post == "none" else poster,
            occasion=replace(self._occasion, dismissed=state.dismissed, past=state.past),
        )

    def _publishing(self, policy: Policy) -> Policy:
        """The job is its own check; comments on lines only where they are wanted."""
        changed = {"check": False}
        if self.inputs.post == "summary":
            changed |= {"summary": True, "inline": False}
        publish = policy.publish.model_copy(update=changed)
        return policy.model_copy(update={"publish": publish})

    def _carried(self, memory: Memory, state: State, review: Review) -> Carried:
        def record(inline: tuple[Finding, ...]) -> str:
            fingerprints = [finding.fingerprint for finding in inline]
            known = state.record.with_review(
                review, request=self.target.request, posted=fingerprints
            )
            return sealed(memory, known)

        return Carried(frozenset(state.record.posted), lambda inline: record(tuple(inline)))

    def _is_reviewed(self, known: Last, fetched: Fetched) -> bool:
        same = (known.head, known.base) == (fetched.change.head, fetched.change.base)
        return same and known.complete

    def _reviewed_before(self, known: Last, policy: Policy) -> int:
        """The same head again: nothing is asked and paid for a second time."""
        self.runner.output(
            {
                "tier": known.tier,
                "areas": ",".join(known.areas),
                "findings": str(known.findings),
                "cost-usd": "0",
                "sarif-file": "",
            }
        )
        why = (
            f"this head was reviewed before, by {known.tier}, for {usd(known.usd)}: its review is on"
            " the pull request, and nothing was asked again"
        )
        self.runner.summarize(f"## reviewbot: reviewed before\n\n{safe_line(why)}")
        self.runner.tell("notice", why)
        return self._exit(verdict_of_last(known, gate_of(self.inputs.fail_on, policy)), "")

    def _posted(self, poster: TokenPost, review: Review) -> _Posted:
        result = poster.result
        if review.left_alone:
            return _Posted("", (f"not reviewed: {review.left_alone}",))
        if self.inputs.post == "none":
            return _Posted("", ("not posted: the input `post` is none",))
        if isinstance(result, GitHubError):
            return self._unposted(result)
        if result is None:
            raise ValueError("a review that was neither posted nor refused")
        page = page_of(self._url, self.settings.github_api_url)
        done, lines = posted_lines(result, page)
        ended = result.outcome in ("superseded", "closed")
        problem = "" if done or ended else lines[0]
        if result.problems and not problem:
            problem = f"posted in part only: {'; '.join(result.problems)}: {_MAY_WRITE}"
        on_lines = self.inputs.post == "review" and not ended and not result.moved
        return _Posted(problem, tuple(line.strip() for line in lines), on_lines)

    def _unposted(self, error: GitHubError) -> _Posted:
        line = f"not posted: {error}"
        if not isinstance(error, Denied):
            return _Posted(line, (line,))
        if self.target.without_secrets:
            line += f": the token of {self.target.without_secrets} may only read"
            return _Posted("", (f"{line}. The review is in the job summary",))
        line += f": {_MAY_WRITE}"
        return _Posted(line, (line,))

    @property
    def _url(self) -> str:
        server = self.environment.get("GITHUB_SERVER_URL", "https://github.com")
        owner, repository, number = self.address
        return f"{server}/{owner}/{repository}/pull/{number}"

    def _is_recorded(self, poster: TokenPost) -> bool:
        """What this run cost stands in the summary that was just written."""
        result = poster.result
        if result is None or isinstance(result, GitHubError):
            return False
        return result.outcome == "posted" and result.summary_id is not None

    def _with_costs(
        self, client: "Github", memory: Memory, posted: _Posted, spent: PullRecord
    ) -> _Posted:
        """What was spent is remembered even if nothing new was posted."""
        if not spent.calls:
            return posted
        marks = marks_of(self.settings, memory)
        try:
            if write_costs(client, memory, marks, spent):
                return posted
            why = "there is no summary that could hold it"
        except GitHubError as error:
            why = str(error)
        line = f"the costs of this run are in no record: {why}"
        return posted._replace(lines=(*posted.lines, line))

    def _ended(self, review: Review, posted: _Posted, verdict: Verdict) -> int:
        path = self._sarif(review)
        self.runner.output(
            {
                "tier": review.route.tier,
                "areas": ",".join(review.route.areas),
                "findings": str(len(review.findings)),
                "cost-usd": decimal_text(review.cost.total_usd),
                "sarif-file": path,
            }
        )
        for line in posted.lines:
            self.runner.say(line)
        if not posted.inline and (left := self.runner.annotate(annotations(review.findings))):
            self.runner.say(f"{left} more findings are in the job summary")
        lines = "\n".join(f"- {safe_line(line)}" for line in posted.lines)
        self.runner.summarize(f"{summary_markdown(review)}\n### Posted\n\n{lines}")
        return self._exit(verdict, posted.problem)

    def _sarif(self, review: Review) -> str:
        folder = self.environment.get("RUNNER_TEMP") or str(self.settings.data_dir)
        path = Path(folder, f"reviewbot-{self.address.number}.sarif")
        try:
            path.write_text(json.dumps(sarif(review), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            self.runner.tell("warning", f"no SARIF file: cannot write {path}: {error.strerror}")
            return ""
        return str(path)

    def _exit(self, verdict: Verdict, problem: str) -> int:
        if verdict.ending == "error":
            problem = verdict.why
        code = _failed_after(self.inputs, self.runner, problem) if problem else 0
        if verdict.ending == "gate":
            self.runner.tell("error", verdict.why)
            return GATE
        return code


def _failed_after(inputs: Inputs, runner: Runner, why: str) -> int:
    """An error after the review, which is in the job summary already."""
    runner.tell("warning" if inputs.on_error == "pass" else "error", why)
    return 0 if inputs.on_error == "pass" else ERROR
