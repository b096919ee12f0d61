"""The listener: takes deliveries, keeps their work in the queue, and answers at once."""

import re
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from time import perf_counter

import structlog
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from reviewbot.config.settings import Settings
from reviewbot.errors import SettingsError, StoreError
from reviewbot.service.dashboard import Shown
from reviewbot.service.doors import Doors, proxy_of
from reviewbot.service.health import Health
from reviewbot.service.intake import keep
from reviewbot.service.jobs import JobQueue, QueueUnavailable
from reviewbot.service.login import Login
from reviewbot.service.logs import logger
from reviewbot.service.metrics import Metrics
from reviewbot.service.months import Months
from reviewbot.service.pages import add_pages
from reviewbot.service.webhook import (
    BadDelivery,
    CommandIntent,
    FeedbackIntent,
    Intent,
    Ping,
    ReviewIntent,
    read_delivery,
    verify,
)
from reviewbot.store.reports import ReportStore

#: Largest delivery that GitHub sends, bytes.
MAX_BODY = 25 * 1024 * 1024
#: What a sender should wait when nothing can be stored, seconds.
RETRY_SECONDS = 30
#: A delivery's id as GitHub writes it; anything else is not worth logging.
_GUID = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)

_TOO_LARGE = ({"error": f"at most {MAX_BODY} bytes"}, 413)

log = logger("reviewbot.web")


def create_app(
    settings: Settings,
    queue: JobQueue,
    health: Health,
    *,
    store: Callable[[], ReportStore],
    login: Login,
    months: Months | None = None,
    metrics: Metrics | None = None,
) -> Flask:
    """The listener's application; `store` is what pages read, asked for with each of them. In
    poll mode it takes no deliveries.

    Raises SettingsError without a webhook secret, and for a proxy that is half described.
    """
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
    takes = settings.delivery == "webhook"
    if takes and not secret:
        raise SettingsError(
            "REVIEWBOT_WEBHOOK_SECRET is not set: without it anybody could send deliveries;"
            " `reviewbot setup` makes an App, and keeps its secret"
        )
    app = Flask("reviewbot.service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    deliveries = _Deliveries(secret.encode(), queue, metrics or Metrics())
    if takes:
        app.add_url_rule("/webhook", "webhook", view_func=deliveries.take, methods=["POST"])
    _add_probes(app, health, deliveries.metrics)
    seen = months or Months(settings, store)
    add_pages(
        app,
        Shown(store, seen, queue, health, settings.github_api_url),
        Doors(login, proxy_of(settings)),
    )
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)
    return app


class _Deliveries:
    """The webhook: size, signature, content, queue, in this order. Bodies are never logged."""

    def __init__(self, secret: bytes, queue: JobQueue, metrics: Metrics) -> None:
        self._secret, self._queue, self.metrics = secret, queue, metrics

    def take(self) -> ResponseReturnValue:
        """Answer one delivery."""
        began = perf_counter()
        event = request.headers.get("X-GitHub-Event", "")
        guid = request.headers.get("X-GitHub-Delivery", "")
        delivery = guid if _GUID.fullmatch(guid) else ""
        with structlog.contextvars.bound_contextvars(delivery=delivery):
            outcome, answer = self._answer(event)
            self.metrics.delivery(event, outcome)
            took = round((perf_counter() - began) * 1000, 1)
            log.info("delivery", github_event=event[:40], outcome=outcome, milliseconds=took)
        return answer

    def _answer(self, event: str) -> tuple[str, ResponseReturnValue]:
        """The outcome in a word of ours, and the answer."""
        length = request.content_length
        if length is not None and length > MAX_BODY:
            return "too_large", _TOO_LARGE
        body = request.get_data(cache=False)
        if length is None and len(body) >= MAX_BODY:  # a stream: what came after it was cut off
            return "too_large", _TOO_LARGE
        if not verify(self._secret, body, request.headers.get("X-Hub-Signature-256")):
            return "bad_signature", ({"error": "the signature is missing or wrong"}, 401)
        try:
            intent = read_delivery(event, body)
        except BadDelivery as error:
            return "bad_body", ({"error": str(error)}, 400)
        try:
            return self._act(intent)
        except (QueueUnavailable, StoreError) as error:
            log.error("queue unavailable", reason=str(error))
            answer = ({"error": "can't be stored now"}, 503, {"Retry-After": str(RETRY_SECONDS)})
            return "unavailable", answer

    def _act(self, intent: Intent) -> tuple[str, ResponseReturnValue]:
        wanted = isinstance(intent, ReviewIntent | CommandIntent | FeedbackIntent)
        with self.metrics.enqueueing() if wanted else nullcontext():
            taken = keep(self._queue, intent)
        if taken.job:
            return taken.outcome, ({"job": taken.job}, 202)
        if isinstance(intent, Ping):
            return taken.outcome, ({"pong": True}, 200)
        return taken.outcome, ({"ignored": taken.why}, 202)


def _add_probes(app: Flask, health: Health, metrics: Metrics) -> None:
    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"ok": True}

    @app.get("/readyz")
    def readyz() -> ResponseReturnValue:
        checks = health.checks()
        ok = all(check.ok for check in checks)
        body = {c.name: {"ok": c.ok, "detail": c.detail} for c in checks}
        return {"ok": ok, "checks": body}, 200 if ok else 503

    @app.get("/metrics", endpoint="metrics")
    def figures() -> ResponseReturnValue:
        return Response(metrics.text(), content_type=metrics.content_type)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    answer = jsonify(error=error.name)
    answer.headers.extend(
        [h for h in error.get_headers() if h[0] in ("Allow", "Retry-After", "Location")]
    )
    return answer, error.code or 500


def _bug(error: Exception) -> ResponseReturnValue:
    """Whatever nobody thought of: an id that leads to the log, and nothing else, is said."""
    number = uuid.uuid4().hex[:12]
    log.error("failed", error_id=number, path=request.path, exc_info=error)
    return {"error": "something went wrong", "id": number}, 500
