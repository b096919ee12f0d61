"""A route that a person changed by a command."""

from dataclasses import replace

from reviewbot.routing.model import Route, Tier


def overridden(route: Route, tier: Tier) -> Route:
    """The route with every file that is read at all on `tier`; the rules' reasons stay."""
    files = tuple(
        file if file.tier is Tier.SKIP else file._replace(tier=tier) for file in route.files
    )
    highest = Tier.SKIP if route.tier is Tier.SKIP else tier
    return replace(
        route,
        tier=highest,
        files=files,
        why=f"{tier}, as somebody asked. By the rules: {route.why}",
        overridden=files != route.files,
    )
