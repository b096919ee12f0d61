"""Checks of GitHub: the App, where it is installed, and whether deliveries arrive."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from reviewbot import wiring
from reviewbot.config.kept_app import kept_app
from reviewbot.config.settings import Settings
from reviewbot.errors import SettingsError
from reviewbot.github import needs
from reviewbot.github.calls import Calls, Denied, GitHubError, RateLimited
from reviewbot.github.deliveries import KEPT, Logged, logged_since
from reviewbot.setup.checks import Check, off, ok, wrong
from reviewbot.setup.manifest import host_of, installation_url

#: GitHub takes a signature that is a minute ahead of its clock at most.
MAX_SKEW = timedelta(seconds=60)
#: Requests of the hour below which the service leaves its own work.
RESERVE = 200
#: Deliveries of the log that are looked at.
NEWEST = 100
#: Longest wait for our own public address, seconds.
_PUBLIC_SECONDS = 5


def github(settings: Settings) -> Iterator[Check]:
    """All that the App's own key lets see. Raises nothing that is not a check."""
    if settings.github_app_id is None and settings.github_private_key is None:
        yield off("App", "none is configured", "`reviewbot setup` makes one; `review` needs none")
        return
    try:
        app = wiring.github_app(settings)
    except SettingsError as error:
        yield wrong("App", str(error), "set it, or make an App by `reviewbot setup`")
        return
    with app.calls() as calls:
        found, failed = _asked(calls)
        yield from _identity(calls, settings, found, failed)
        if found is None:
            return
        yield from _needs(settings, found)
        yield from _installations(settings, calls, found)
        deliveries = _deliveries(settings, calls)
        yield from _webhook(settings, calls, arrive=deliveries.state == "ok")
        yield deliveries
        yield _rate(calls)


def _asked(calls: Calls) -> tuple[Mapping[str, Any] | None, GitHubError | None]:
    """The App as GitHub has it, or why it can't be had."""
    try:
        return calls.get("/app", "reading our App"), None
    except GitHubError as error:
        return None, error


def _identity(
    calls: Calls, settings: Settings, found: Mapping[str, Any] | None, failed: GitHubError | None
) -> Iterator[Check]:
    """What that answer shows: the network, the clock, the key."""
    host = urlsplit(settings.github_api_url).hostname
    if calls.said_at is None:
        said = str(failed) if failed else "an answer without a time"
        yield wrong(
            "reachable", f"{host}: {said}", "check REVIEWBOT_GITHUB_API_URL and the network"
        )
        return
    yield ok("reachable", str(host))
    skew = datetime.now(UTC) - calls.said_at
    seconds = f"{abs(skew.total_seconds()):.0f} s {'ahead' if skew > timedelta() else 'behind'}"
    if abs(skew) > MAX_SKEW:
        yield wrong(
            "clock",
            f"this machine's is {seconds}",
            "set the clock (NTP): GitHub refuses the signature",
        )
    else:
        yield ok("clock", f"{seconds}: near enough")
    if failed is None:
        yield ok("key", f"{(found or {}).get('slug')} (id {settings.github_app_id})")
    elif isinstance(failed, RateLimited):
        yield wrong("key", str(failed), f"wait {failed.seconds:.0f} s, and look again")
    elif isinstance(failed, Denied) and failed.status == 404:
        yield wrong(
            "key", f"no App has the id {settings.github_app_id}", "check REVIEWBOT_GITHUB_APP_ID"
        )
    elif isinstance(failed, Denied):
        yield wrong(
            "key",
            "GitHub refuses the signature",
            "take a key of this App that is not deleted, and check the clock",
        )
    else:
        yield wrong("key", str(failed), "try again later")


def _extras(settings: Settings) -> tuple[str, ...]:
    """What the App was made with, and what settings want beyond that."""
    kept = kept_app(settings.data_dir)
    made = kept.extras if kept and kept.id == settings.github_app_id else ()
    monthly = ("--monthly-issue",) if settings.report_repository else ()
    return tuple(option for option in needs.EXTRAS if option in {*made, *monthly})


def _needs(settings: Settings, found: Mapping[str, Any]) -> Iterator[Check]:
    host = host_of("", settings.github_api_url).web
    page = f"the App's settings at {host}: Permissions & events"
    seen = needs.compare(_levels(found), _names(found), _extras(settings))
    if seen.missing:
        yield wrong("permissions", f"missing: {', '.join(seen.missing)}", f"give them in {page}")
    if seen.superfluous:
        yield wrong(
            "permissions",
            f"more than needed: {', '.join(seen.superfluous)}",
            f"take them away in {page}",
        )
    if not seen.missing and not seen.superfluous:
        yield ok("permissions", "those that are needed")
    if seen.deaf:
        yield wrong("events", f"missing: {', '.join(seen.deaf)}", f"subscribe to them in {page}")
    else:
        unused = f"; not used: {', '.join(seen.unused)}" if seen.unused else ""
        yield ok("events", f"those that are needed{unused}")


def _installations(settings: Settings, calls: Calls, found: Mapping[str, Any]) -> Iterator[Check]:
    here = list(calls.each("/app/installations", "listing installations"))
    install = installation_url(str(found.get("html_url", "")))
    if not here:
        yield wrong("installations", "none: no repository is reviewed", f"install it: {install}")
        return
    sleeping = [_account(one) for one in here if one.get("suspended_at")]
    behind = {
        _account(one): missing
        for one in here
        if (missing := needs.compare(_levels(one), (), _extras(settings)).missing)
    }
    named = ", ".join(_account(one) for one in here[:5])
    yield ok("installations", f"{len(here)}: {named}{' …' if len(here) > 5 else ''}")
    if sleeping:
        yield wrong("suspended", ", ".join(sleeping), "unsuspend it in the account's settings")
    for account, missing in behind.items():
        yield wrong(
            "accepted", f"{account} has not accepted {', '.join(missing)}",
            "its owner accepts them in the installation's settings",
        )  # fmt: skip


def _webhook(settings: Settings, calls: Calls, *, arrive: bool) -> Iterator[Check]:
    found = calls.get("/app/hook/config", "reading the webhook")
    url, polls = str(found.get("url") or ""), settings.delivery == "poll"
    change = "set it in the App's settings: Webhook"
    if not url:
        yield wrong("webhook", "it has no address: GitHub logs and sends nothing", change)
    elif polls:
        yield ok("webhook", f"deliveries to {url} are read from the log")
    elif not urlsplit(url).path.endswith("/webhook"):
        yield wrong("webhook", f"it goes to {url}", f"the address ends with /webhook: {change}")
    elif found.get("content_type") != "json":
        yield wrong("webhook", "it sends forms", f"content type application/json: {change}")
    elif not found.get("secret"):
        yield wrong("webhook", "it has no secret: every delivery is refused", change)
    elif str(found.get("insecure_ssl", "0")) != "0":
        yield wrong(
            "webhook", "GitHub does not check our certificate", f"SSL verification: {change}"
        )
    else:
        yield ok("webhook", url)
        yield _public(url, arrive=arrive)


def _public(url: str, *, arrive: bool) -> Check:
    """Whether our own address answers; from here, which is not where GitHub is: where deliveries
    `arrive`, that proves more."""
    import requests

    probe = f"{url.removesuffix('/webhook')}/healthz"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(probe, timeout=_PUBLIC_SECONDS, allow_redirects=False)
        if answer.status_code == 200:
            return ok("address", f"{probe} answers")
        seen = f"{probe} answers {answer.status_code}"
    except requests.RequestException as error:
        seen = f"{probe} can't be reached from here ({type(error).__name__})"
    if arrive:
        return off("address", f"{seen}, but GitHub's deliveries arrive")
    todo = "start `reviewbot serve`, and see that the proxy leads to it; or take poll mode"
    return wrong("address", seen, todo)


def _deliveries(settings: Settings, calls: Calls) -> Check:
    oldest = datetime.now(UTC) - KEPT
    known: list[Logged] = []
    for one in logged_since(calls, oldest, failed_only=False):
        known.append(one)
        if len(known) == NEWEST:
            break
    if not known:
        return off("deliveries", "none within three days", "open a pull request to see one")
    failed = [one for one in known if one.failed]
    newest = f"the newest {known[0].at:%Y-%m-%d %H:%M} UTC"
    if settings.delivery == "poll":
        return ok("deliveries", f"{len(known)} in the log, {newest}")
    if known[0].failed:
        return wrong(
            "deliveries", f"{len(failed)} of the last {len(known)} failed, {newest} too ({known[0].event})",
            "see Advanced in the App's settings for why; they are taken from the log once it works",
        )  # fmt: skip
    return ok("deliveries", f"{len(failed)} of the last {len(known)} failed, {newest} did not")


def _rate(calls: Calls) -> Check:
    if calls.remaining is None:
        return off("rate limit", "GitHub names none")
    if calls.remaining < RESERVE:
        return wrong(
            "rate limit",
            f"{calls.remaining} requests are left of this hour",
            "wait, or see what else uses the App's key",
        )
    return ok("rate limit", f"{calls.remaining} requests are left of this hour")


def _account(installation: Mapping[str, Any]) -> str:
    account = installation.get("account")
    return str(account.get("login")) if isinstance(account, dict) else "an enterprise"


def _levels(holder: Mapping[str, Any]) -> Mapping[str, str]:
    found = holder.get("permissions")
    return found if isinstance(found, dict) else {}


def _names(holder: Mapping[str, Any]) -> list[str]:
    found = holder.get("events")
    return found if isinstance(found, list) else []
