"""What an App asks for itself."""

from github_simulator import app_shapes
from github_simulator.apps import App
from github_simulator.messages import Answer, Call, Refused, forbidden, not_found
from github_simulator.routes import AppRoute


def show_app(call: Call) -> Answer:
    assert call.caller.app
    mine = [one for one in call.simulator.apps.installations.values() if one.app is call.caller.app]
    count = len([one for one in mine if not one.deleted])
    return Answer(200, {**app_shapes.app(call.api, call.caller.app), "installations_count": count})


def show_hook(call: Call) -> Answer:
    assert call.caller.app
    return Answer(200, _hook(call.caller.app))


def edit_hook(call: Call) -> Answer:
    app = call.caller.app
    assert app
    if call.field("secret") is not None:
        app.webhook_secret = call.text("secret")
    if call.field("url") is not None:
        app.hook_url = call.text("url")
    return Answer(200, _hook(app))


def _hook(app: App) -> dict[str, str]:
    secret = {"secret": "********"} if app.webhook_secret else {}
    how = {"content_type": app.hook_type, "insecure_ssl": app.hook_insecure}
    return {**how, "url": app.hook_url, **secret}


def list_installations(call: Call) -> Answer:
    apps = call.simulator.apps
    mine = [one for one in apps.installations.values() if one.app is call.caller.app]
    items, headers = call.page([one for one in mine if not one.deleted])
    return Answer(200, [app_shapes.installation(call.api, one) for one in items], headers)


def show_installation(call: Call, number: str) -> Answer:
    assert call.caller.app
    found = call.simulator.apps.installation(number, call.caller.app)
    return Answer(200, app_shapes.installation(call.api, found))


def installation_of(call: Call, full_name: str) -> Answer:
    for one in call.simulator.apps.installations.values():
        if one.app is call.caller.app and one.covers(full_name) and not one.deleted:
            return Answer(200, app_shapes.installation(call.api, one))
    raise not_found()


def list_repositories(call: Call) -> Answer:
    """For an installation's token; a person's has no installation."""
    covered = call.caller.repositories
    if call.caller.installation is None or covered is None:
        raise forbidden()
    known = [call.simulator.repositories[name] for name in sorted(covered)]
    items, headers = call.page(known)
    listed = [app_shapes.listed_repository(call.api, one) for one in items]
    return Answer(200, {"total_count": len(known), "repositories": listed}, headers)


def make_token(call: Call, number: str) -> Answer:
    """For some repositories and permissions, or for all that the installation has."""
    simulator = call.simulator
    assert call.caller.app
    installation = simulator.apps.installation(number, call.caller.app)
    if installation.suspended:
        raise Refused(403, "This installation has been suspended")
    ids, names = call.field("repository_ids"), call.field("repositories")
    wanted = {*(ids or ()), *(names or ())}
    covered = [one for one in simulator.repositories.values() if installation.covers(one.full_name)]
    named = [one for one in covered if {one.id, one.full_name.partition("/")[2]} & wanted]
    if len(named) < len(wanted):
        raise Refused(
            422,
            "There is at least one repository that does not exist or is not accessible to the "
            "parent installation.",
        )
    only = None if ids is None and names is None else frozenset(one.full_name for one in named)
    grant = simulator.apps.grant(installation, only, call.field("permissions"), simulator.now())
    return Answer(201, app_shapes.token(call.api, grant, named))


ROUTES = (
    AppRoute("GET", r"/app", show_app),
    AppRoute("GET", r"/app/hook/config", show_hook),
    AppRoute("PATCH", r"/app/hook/config", edit_hook),
    AppRoute("GET", r"/app/installations", list_installations),
    AppRoute("GET", r"/app/installations/(\d+)", show_installation),
    AppRoute("POST", r"/app/installations/(\d+)/access_tokens", make_token),
    AppRoute("GET", r"/repos/([^/]+/[^/]+)/installation", installation_of),
)
