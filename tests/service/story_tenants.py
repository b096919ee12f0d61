"""The story of two accounts with the App, served at once: nothing of one reaches the other."""

import re
from collections.abc import Iterator

from github_simulator.messages import Request
from github_simulator.state import Pull, Repository
from serving import BASE, EVER, OWNERS, Service
from sqlalchemy import MetaData, select

from reviewbot.service.dbos_setup import SCHEMA, jobs_engine
from reviewbot.store.engine import connect

#: Where a row or a job names an installation.
_INSTALLATION = re.compile(r"(?:installation\W{1,6}|rv:|cmd:|fb:)(\d+)")


def test_two_installations_share_nothing_but_the_service(service: Service) -> None:
    """Each account's code and names hold its own name and no other's."""
    repositories = [service.repository(owner, pulls=3, base=base_of(owner)) for owner in OWNERS]
    for repository in repositories:
        repository.private = True
        repository.collaborators["grace"] = "write"

    pulls = [
        (repository, service.opened(repository, n))
        for n in (1, 2, 3)
        for repository in repositories
    ]
    service.reviewed(*(pull for _, pull in pulls))
    for repository, pull in pulls:
        service.say(repository, pull, "grace", "/reviewbot why")
    service.until(lambda: all(len(pull.comments) == 3 for _, pull in pulls), "all are answered")
    for repository, pull in pulls:
        ended(service, repository, pull)
    service.at_rest()

    assert all(len(pull.reviews) == len(pull.threads) == 1 for _, pull in pulls)
    for repository, pull in pulls:
        assert named(texts(repository, pull)) == {owner(repository)}
    prompts = [named(asked.user) for asked in service.claude.asked]
    assert sorted(map(len, prompts)) == [1] * len(pulls)
    work = [one for one in service.github.requests if not one.path.startswith("/app")]
    assert len(work) > 20
    assert [one for one in work if not reaches_one_repository(service, one)] == []
    ids = {str(one.id): one.account for one in service.github.apps.installations.values()}
    with service.store() as store:
        for number, account in ids.items():
            found = store.posted_findings(**EVER, installation=int(number))
            mine = [row for row in found if row.repository in {one.full_name for one, _ in pulls}]
            assert {owner_of(row.repository) for row in mine} == {account}
            assert [sorted(each.kind.value for each in row.feedback) for row in mine] == [
                ["kept", "resolved", "thumbs down"]
            ] * 3
    rows = [(row, named(row)) for row in all_rows(service) if named(row)]
    assert set.union(*(names for _, names in rows)) == set(OWNERS)
    for row, names in rows:
        assert len(names | {ids[number] for number in _INSTALLATION.findall(row)}) == 1, row


def base_of(name: str) -> str:
    return f"{BASE}\n\n# property of {name}\n"


def owner(repository: Repository) -> str:
    return owner_of(repository.full_name)


def owner_of(full_name: str) -> str:
    return full_name.partition("/")[0]


def ended(service: Service, repository: Repository, pull: Pull) -> None:
    """A finding is thought little of, its thread resolved, and all of it merged."""
    grace, [finding] = service.github.person("grace"), pull.threads
    grace.react(finding, "-1")
    grace.resolve(finding)
    payload = service.github.payloads.review_thread(repository, pull, finding, sender="grace")
    assert service.deliver("pull_request_review_thread", payload).status == 202
    repository.merge(pull)
    payload = service.github.payloads.pull_request(repository, pull, "closed")
    assert service.deliver("pull_request", payload).status == 202


def named(text: str) -> set[str]:
    return {name for name in OWNERS if name in text}


def texts(repository: Repository, pull: Pull) -> str:
    """All that we wrote on a pull request."""
    checks = [check for check in repository.checks if check.head == repository.ends(pull)[1]]
    remarks = (*pull.comments, *pull.threads, *pull.reviews)
    return "\n".join([repository.full_name, *(one.body for one in remarks), *map(repr, checks)])


def reaches_one_repository(service: Service, request: Request) -> bool:
    """Whether the token is of the right installation and of no further repository; the sweep only
    lists an installation's own repositories and open pull requests."""
    grant = service.github.apps.grants[request.token]
    if request.method == "GET" and request.path == "/installation/repositories":
        return True
    if request.method == "GET" and request.query.get("state") == "open":
        return grant.installation.account == request.path.split("/")[2]
    if request.path == "/graphql":
        about = "{owner}/{name}".format(**request.body["variables"])
    else:
        about = "/".join(request.path.split("/")[2:4])
    return grant.repositories == {about} and grant.installation.account == about.split("/")[0]


def all_rows(service: Service) -> Iterator[str]:
    """Every row of every table as text."""
    jobs = jobs_engine(service.settings), SCHEMA if service.database_url else None
    for engine, schema in ((connect(service.settings.database), None), jobs):
        tables = MetaData()
        tables.reflect(engine, schema=schema)
        with engine.connect() as connection:
            for table in tables.tables.values():
                for row in connection.execute(select(table)).mappings():
                    yield f"{table.name}: {dict(row)}"
        engine.dispose()
