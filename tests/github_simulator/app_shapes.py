"""GitHub's JSON for Apps and what belongs to them."""

from datetime import datetime
from typing import Any

from github_simulator import shapes
from github_simulator.apps import App, Grant, Installation
from github_simulator.state import Repository


def stamp(when: datetime) -> str:
    """Time as GitHub writes it."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def app(api: str, known: App) -> dict[str, Any]:
    return {
        "id": known.id,
        "slug": known.slug,
        "node_id": f"A_{known.id}",
        "client_id": f"Iv1.{known.id}",
        "owner": shapes.user(api, known.owner),
        "name": known.name or known.slug,
        "description": None,
        "external_url": "http://127.0.0.1",
        "html_url": f"{api}/apps/{known.slug}",
        "created_at": shapes.WHEN,
        "updated_at": shapes.WHEN,
        "permissions": known.permissions,
        "events": known.events,
    }


def installation(api: str, known: Installation) -> dict[str, Any]:
    return {
        "id": known.id,
        "account": shapes.user(api, known.account),
        "repository_selection": "all" if known.chosen is None else "selected",
        "access_tokens_url": f"{api}/app/installations/{known.id}/access_tokens",
        "repositories_url": f"{api}/installation/repositories",
        "html_url": f"{api}/settings/installations/{known.id}",
        "app_id": known.app.id,
        "app_slug": known.app.slug,
        "target_id": shapes.id_of(known.account),
        "target_type": "User",
        "permissions": known.permissions,
        "events": known.app.events,
        "created_at": shapes.WHEN,
        "updated_at": shapes.WHEN,
        "single_file_name": None,
        "suspended_by": shapes.user(api, known.account) if known.suspended else None,
        "suspended_at": shapes.WHEN if known.suspended else None,
    }


def token(api: str, grant: Grant, named: list[Repository]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "token": grant.token,
        "expires_at": stamp(grant.expires_at),
        "permissions": grant.permissions,
        "repository_selection": "all" if grant.repositories is None else "selected",
    }
    if grant.repositories is not None:
        answer["repositories"] = [repository(api, one) for one in named]
    return answer


def listed_repository(api: str, known: Repository) -> dict[str, Any]:
    plain = shapes.repository(api, known.full_name, private=known.private)
    return {**plain, "pushed_at": known.pushed_at, "archived": known.archived}


def repository(api: str, known: Repository) -> dict[str, Any]:
    """With what only the whole answer has."""
    plain = shapes.repository(api, known.full_name, private=known.private)
    return {**plain, "has_discussions": False, "network_count": 0, "subscribers_count": 0}
