"""Who asks, and whether GitHub lets them."""

from collections.abc import Mapping
from datetime import datetime

from github_simulator.apps import Apps, allows, require
from github_simulator.messages import Caller, Refused, Request, forbidden, not_found
from github_simulator.routes import Route
from github_simulator.state import Repository


def caller_of(
    request: Request,
    people: Mapping[str, str],
    apps: Apps,
    repositories: Mapping[str, Repository],
    now: datetime,
) -> Caller:
    """The person or installation that holds the token; nobody without one."""
    if not request.token:
        return Caller(login=None)
    if request.token in people:
        return Caller(login=people[request.token])
    return apps.caller(request.token, repositories, now)


def covers(caller: Caller, repository: Repository) -> bool:
    """Whether the token is for this repository: a person's always is."""
    if caller.login is None:
        return False
    return caller.repositories is None or repository.full_name in caller.repositories


def check(caller: Caller, repository: Repository, route: Route) -> None:
    """Refuses as GitHub does.

    Of a repository that the token does not cover, a private one is not there, a public one can be
    read. Of one that it covers, reading needs the permission too, which GitHub waives if it is
    public: a token that asks for too little would be found out only by a private repository.
    """
    if not covers(caller, repository):
        if repository.private:
            raise not_found()
        if route.method == "GET":
            return
        raise forbidden() if caller.login else Refused(401, "Requires authentication")
    require(caller, route.needs)


def check_query(caller: Caller, repository: Repository) -> dict[str, str] | None:
    """The error of a GraphQL query for contents, if it is refused."""
    if not covers(caller, repository) and repository.private:
        return {"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}
    if covers(caller, repository) and not allows(caller.permissions, "contents", "read"):
        return {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
    return None
