"""The App's log of deliveries, and redelivery."""

from datetime import timedelta
from threading import Thread

from github_simulator import webhooks
from github_simulator.messages import Answer, Call, Refused, not_found
from github_simulator.routes import AppRoute

#: How long GitHub remembers a delivery.
KEPT = timedelta(days=3)


def list_deliveries(call: Call) -> Answer:
    """Newest first; pages by cursor."""
    query = call.request.query
    size = min(int(query.get("per_page", 30)), 100)
    known = _kept(call)
    if "cursor" in query:
        known = [one for one in known if one.id <= int(query["cursor"])]
    if query.get("status") == "failure":
        known = [one for one in known if not 200 <= one.response.status < 400]
    if query.get("status") == "success":
        known = [one for one in known if 200 <= one.response.status < 400]
    headers = {}
    if len(known) > size:
        following = f"{call.api}{call.request.path}?per_page={size}&cursor={known[size].id}"
        headers["Link"] = f'<{following}>; rel="next"'
    return Answer(200, [webhooks.listed(one) for one in known[:size]], headers)


def show_delivery(call: Call, number: str) -> Answer:
    return Answer(200, webhooks.whole(_delivery(call, number)))


def redeliver(call: Call, number: str) -> Answer:
    """Accepted at once, delivered a moment later, under the same GUID."""
    delivery = _delivery(call, number)
    if not delivery.url:
        raise Refused(422, "The hook has no address")
    Thread(target=call.simulator.attempt, args=(delivery,), daemon=True).start()
    return Answer(202, {})


def _kept(call: Call) -> list[webhooks.Delivery]:
    oldest = call.simulator.now() - KEPT
    known = [one for one in call.simulator.deliveries if one.when >= oldest]
    return sorted(known, key=lambda delivery: -delivery.id)


def _delivery(call: Call, number: str) -> webhooks.Delivery:
    found = next((one for one in _kept(call) if one.id == int(number)), None)
    if found is None:
        raise not_found()
    return found


ROUTES = (
    AppRoute("GET", r"/app/hook/deliveries", list_deliveries),
    AppRoute("GET", r"/app/hook/deliveries/(\d+)", show_delivery),
    AppRoute("POST", r"/app/hook/deliveries/(\d+)/attempts", redeliver),
)
