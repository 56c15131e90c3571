"""Three addresses for machines: alive, ready, and figures for whoever runs the platform."""

import hmac
import ipaddress
import time

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from scf.bootstrap import is_ready
from scf.kernel.errors import NotFound, Unavailable
from web.context import around, platform

_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")


def attach(app: Flask) -> None:
    """Serve the three addresses and count every request of this process."""
    registry = CollectorRegistry()
    requests = Counter(
        "tributary_requests",
        "Requests answered",
        ["endpoint", "method", "status"],
        registry=registry,
    )
    seconds = Histogram(
        "tributary_request_seconds", "Time to answer", ["endpoint"], registry=registry
    )
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def live() -> Response:
        """Tell that the process answers; asks nobody else."""
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    @health.get("/readyz")
    def ready() -> Response:
        """Tell whether the database answers and stands at the newest schema."""
        try:
            good = is_ready(platform().db)
        except (SQLAlchemyError, Unavailable):
            good = False
        return Response(
            "ready\n" if good else "not ready\n",
            200 if good else 503,
            content_type="text/plain; charset=utf-8",
        )

    @health.get("/metrics")
    def metrics() -> Response:
        """Give this process's figures to this machine or to the bearer of the metrics token."""
        if not _may_read_metrics():
            raise NotFound("NOT_FOUND", "There is nothing here.")
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        requests.labels(endpoint, request.method, response.status_code).inc()
        if "started" in g:
            seconds.labels(endpoint).observe(time.perf_counter() - g.started)
        return response

    app.register_blueprint(health)


def _may_read_metrics() -> bool:
    options = around().options
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if options.metrics_token and hmac.compare_digest(
        given.encode(), options.metrics_token.encode()
    ):
        return True
    # Behind a proxy everybody seems to call from this machine.
    if options.behind_tls_proxy or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
