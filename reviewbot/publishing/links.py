"""Addresses of pull requests at their host."""

import re
from urllib.parse import urlsplit

_REPOSITORY = re.compile(r"[\w-]+/[\w.-]+", re.ASCII)


def pull_link(repository: str, number: int | None, api_url: str) -> str:
    """The pull request's page: at github.com, or at the Enterprise Server that the API is of.

    Empty for what is no pull request there.
    """
    if number is None or not _REPOSITORY.fullmatch(repository):
        return ""
    parts = urlsplit(api_url)
    host = "https://github.com" if parts.hostname == "api.github.com" else ""
    return f"{host or f'{parts.scheme}://{parts.netloc}'}/{repository}/pull/{number}"
