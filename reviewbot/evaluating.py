"""Cases put through the real flow under several strategies, each answer kept.

An answer that is known is not asked for again: by another strategy of the same repeat, after a
crash, or when the evaluation is replayed without any model.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cache
from threading import Event, Lock
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from reviewbot.change.model import Change, Sources
from reviewbot.change.source import Fetched
from reviewbot.config.engines_document import EngineChoice
from reviewbot.config.policy import Budget
from reviewbot.costs.budget import Payer, Spending
from reviewbot.errors import EngineError, ReviewbotError, StoreError, UsageError
from reviewbot.evaluation.corpus import Case, Remark
from reviewbot.evaluation.judges import Pairs
from reviewbot.evaluation.jury import VOTES, question_about, same_remarks
from reviewbot.evaluation.said import Result, result_of
from reviewbot.evaluation.strategies import Strategy
from reviewbot.pipeline import Setup, review_change
from reviewbot.publishing.result import Review, review_json
from reviewbot.publishing.rounds import Earlier
from reviewbot.reading import Asked
from reviewbot.review.engine import Ask, Counted, EngineFacts, Lineup, Outcome, Prompt, Role
from reviewbot.review.evidence import Analysis, Analyzers


class BudgetUsed(ReviewbotError):
    """The next question does not fit under the cap."""


class Folder(Protocol):
    """Where an evaluation is kept."""

    def about(self) -> dict[str, Any] | None: ...

    def begin(self, about: Mapping[str, Any]) -> None: ...

    def answers(self) -> dict[str, Any]: ...

    def add_answer(self, key: str, answer: Any) -> None: ...

    def results(self) -> list[dict[str, Any]]: ...

    def add_result(self, result: Mapping[str, Any]) -> None: ...


class Asking(Protocol):
    """Puts questions to live models."""

    def ask(self, asks: Sequence[Ask]) -> list[Asked]: ...

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None: ...


class Silent:
    """A reporter that tells nobody."""

    def say(self, text: str) -> None: ...

    def start(self, total: int, label: str) -> None: ...

    def done(self, label: str) -> None: ...


@cache
def _asked_json() -> TypeAdapter[Asked]:
    return TypeAdapter(Asked)


@dataclass
class Answers:
    """Answers by question, the kept ones first."""

    folder: Folder
    lineup: Lineup
    live: Asking | None
    """None: only what is kept."""
    _known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = self.folder.answers()

    def ask(self, asks: Sequence[Ask], repeat: int) -> list[Asked]:
        """Raises BudgetUsed, and EngineError where nothing can answer."""
        keys = [self._key("ask", ask.role, ask.prompt, repeat) for ask in asks]
        missing = [
            (key, ask) for key, ask in zip(keys, asks, strict=True) if key not in self._known
        ]
        if missing:
            live = self._live(missing[0][1].role)
            for (key, ask), asked in zip(
                missing, live.ask([ask for _, ask in missing]), strict=True
            ):
                if asked.reply.outcome is Outcome.OVER_BUDGET:
                    raise BudgetUsed(f"the budget is used up: {asked.reply.detail}")
                if asked.reply.outcome is Outcome.DENIED:
                    name = self.lineup.engines[ask.role].name
                    raise EngineError(f"{name}: {asked.reply.detail or 'access denied'}")
                self._keep(key, _asked_json().dump_python(asked, mode="json"))
        try:
            return [_asked_json().validate_python(self._known[key]) for key in keys]
        except ValidationError as error:
            raise StoreError(f"a kept answer is damaged: {error.errors()[0]['msg']}") from None

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None:
        """Exact tokens, or None; kept, so that a change is cut the same way again."""
        key = self._key("count", role, prompt, 0, *texts)
        if key not in self._known:
            counted = self._live(role).count(role, prompt, texts)
            self._keep(key, None if counted is None else [counted.prompt, *counted.texts])
        numbers = self._known[key]
        return None if numbers is None else Counted(numbers[0], tuple(numbers[1:]))

    def _live(self, role: Role) -> Asking:
        if self.live is None:
            raise EngineError(
                f"no answer of {self.lineup.engines[role].model} is kept for a question: it was cut"
                " short, or the prompts or rules of this version are others"
            )
        return self.live

    def _key(self, what: str, role: Role, prompt: Prompt, repeat: int, *more: str) -> str:
        facts = self.lineup.engines[role]
        text = repr((what, facts.name, facts.model, repeat, asdict(prompt), more))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _keep(self, key: str, answer: Any) -> None:
        self.folder.add_answer(key, answer)
        self._known[key] = answer


@dataclass
class _Steps:
    """The flow's steps for one case."""

    case: Case
    analyzers: Analyzers
    answers: Answers
    repeat: int
    review: Review | None = None

    def earlier(self) -> Earlier:
        return Earlier()

    def fetch(self, also: Collection[str]) -> Fetched:
        return self.case.fetched

    def analyze(
        self, change: Change, sources: Sources, *, skip: Collection[str], sql_dialect: str
    ) -> Analysis:
        return self.analyzers.analyze(change, sources, skip=skip, sql_dialect=sql_dialect)

    def count(self, role: Role, prompt: Prompt, texts: Sequence[str]) -> Counted | None:
        return self.answers.count(role, prompt, texts)

    def ask(self, asks: Sequence[Ask]) -> list[Asked]:
        return self.answers.ask(asks, self.repeat)

    def too_dear(self, asks: Sequence[Ask]) -> str:
        """Nothing is held back: a question that is too dear ends the evaluation."""
        return ""

    def spending(self, payer: Payer, budget: Budget) -> Spending:
        return Spending(())

    def record(self, review: Review) -> None:
        self.review = review

    def publish(self, review: Review) -> None:
        pass


@dataclass(frozen=True)
class Run:
    """What is to be done."""

    cases: Sequence[Case]
    strategies: Sequence[Strategy]
    repeats: int

    @property
    def tasks(self) -> Iterator[tuple[Case, Strategy, int]]:
        """Every review, so that strategies can be compared early."""
        for repeat in range(1, self.repeats + 1):
            for case in self.cases:
                for strategy in self.strategies:
                    yield case, strategy, repeat


@dataclass(frozen=True)
class Bench:
    """What an evaluation is done with."""

    setup: Setup
    """With the whole line-up; a strategy takes what it uses."""
    analyzers: Analyzers
    folder: Folder
    answers: Answers
    now: datetime
    """When it began: whose prices hold, also when it goes on or is replayed."""

    def review(self, case: Case, strategy: Strategy, repeat: int) -> dict[str, Any]:
        """One review as its line of the results.

        Raises BudgetUsed, and EngineError where the operator must act. What else goes wrong with a
        case is its result.
        """
        setup = replace(
            self.setup,
            lineup=strategy.lineup(self.setup.lineup),
            # the evaluation has a cap of its own
            policy=strategy.adjust(self.setup.policy.model_copy(update={"budget": Budget()})),
            tier=strategy.tier,
        )
        steps = _Steps(case, self.analyzers, self.answers, repeat)
        named = f"{strategy.name} {repeat} {case.id}"
        line: dict[str, Any] = {"case": case.id, "strategy": strategy.name, "repeat": repeat}
        try:
            review_change(steps, setup, review_id=named, now=self.now)
        except (BudgetUsed, EngineError, StoreError):
            raise
        except ReviewbotError as error:
            return {**line, "review": None, "problem": str(error)}
        return {**line, "review": review_json(steps.review) if steps.review else None}

    def run(self, run: Run, at_once: int, tick: Callable[[], None]) -> list[Result]:
        """All results, the ones known before included; `tick` is called for each.

        Strategies take turns on a pull request, so that none pays for an answer which another one
        waits for. Raises what `review` raises, once the reviews that have begun have ended.
        """
        wanted = {(case.id, strategy.name, repeat) for case, strategy, repeat in run.tasks}
        done = {_name(line): line for line in self.folder.results() if _name(line) in wanted}
        for _ in done:
            tick()
        stopping, lock = Event(), Lock()

        def work(case: Case, repeat: int) -> None:
            for strategy in run.strategies:
                if stopping.is_set() or (case.id, strategy.name, repeat) in done:
                    continue
                line = self.review(case, strategy, repeat)
                with lock:
                    self.folder.add_result(line)
                    done[_name(line)] = line
                    tick()

        with ThreadPoolExecutor(at_once) as pool:
            pairs = dict.fromkeys((repeat, case.id) for case, _, repeat in run.tasks)
            cases = {case.id: case for case in run.cases}
            working = [pool.submit(work, cases[case_id], repeat) for repeat, case_id in pairs]
            try:
                for each in working:
                    each.result()
            except BaseException:  # ^C, too: nothing more is begun
                stopping.set()
                raise
        return [
            result_of(*key, done[key]["review"], done[key].get("problem", ""))
            for task in run.tasks
            if (key := (task[0].id, task[1].name, task[2])) in done
        ]


def _name(line: Mapping[str, Any]) -> tuple[str, str, int]:
    return line["case"], line["strategy"], line["repeat"]


@dataclass(frozen=True)
class Jury:
    """A judge that is a model: the majority of its votes on each finding and remark.

    A model does not judge alone what it has said itself.
    """

    roles: tuple[Role, ...]
    answers: Answers
    name: str

    def pairs(self, case: Case, result: Result, remarks: Sequence[Remark]) -> Pairs:
        """Raises UsageError where a model would judge itself alone."""
        found: dict[tuple[int, int], float] = {}
        for index, said in enumerate(result.findings):
            if not remarks:
                break
            judges = [r for r in self.roles if self._model(r) != said.model] or self.roles
            if all(self._model(role) == said.model for role in judges) and len(self.roles) < 2:
                raise UsageError(
                    f"{said.model} can't be the only judge of its own findings: name another"
                    " --judge-engine, or two"
                )
            asks = [
                Ask(role, 0, question_about(said, remarks, vote), purpose="judge")
                for role in judges
                for vote in range(VOTES)
            ]
            replies = [asked.reply for asked in self.answers.ask(asks, result.repeat)]
            for remark, votes in same_remarks(replies, len(remarks)).items():
                if votes * 2 > len(replies):
                    found[index, remark] = votes / len(replies)
        return found

    def _model(self, role: Role) -> str:
        return self.answers.lineup.engines[role].model


def lineup_json(lineup: Lineup) -> dict[str, Any]:
    """The engines and what each is for, for the folder."""
    engines = {role: asdict(facts) for role, facts in lineup.engines.items()}
    return {"engines": engines, "choice": lineup.choice.model_dump()}


def lineup_of(data: Mapping[str, Any]) -> Lineup:
    """The engines that the folder tells of."""
    engines = {role: EngineFacts(**facts) for role, facts in data["engines"].items()}
    return Lineup(engines, choice=EngineChoice.model_validate(data["choice"]))
