"""The Flask application: how requests are bounded and how errors are told; what it serves is in `api` and `page`."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException

from pepforms.check.reading import LARGEST
from pepforms.errors import PepformsError, Refused, bug
from pepforms.web import api, page
from pepforms.wiring import Wiring

LARGEST_REQUEST = LARGEST + (1 << 20)
"""Bytes: the largest PEP with room for a form's own fields."""

_SELF_ONLY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def create_app(wiring: Wiring) -> Flask:
    """The application over one wiring. It keeps nothing: what is sent is used for the answer and forgotten."""
    app = Flask(__name__, static_folder="static", template_folder="pages")
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST, TRUSTED_HOSTS=HOSTS)
    app.register_blueprint(api.blueprint(wiring), url_prefix="/api/v1")
    app.register_blueprint(page.blueprint(wiring))
    app.register_error_handler(PepformsError, _told)
    app.register_error_handler(HTTPException, _told_by_http)
    app.register_error_handler(Exception, _surprised)
    app.after_request(_private)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


HOSTS = ["127.0.0.1", "localhost"]
"""Other names for this computer are refused, so that no web site elsewhere can reach it through a name of its own."""


def _private(response: Response) -> Response:
    """Nothing is kept by a browser, framed by another site, or fetched from elsewhere."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = _SELF_ONLY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _told(error: PepformsError) -> Response:
    problems = [problem.as_json() for problem in error.problems] if isinstance(error, Refused) else []
    return problem(error.http_status, error.slug, str(error), problems)


def _told_by_http(error: HTTPException) -> Response:
    status = error.code or 500
    said = _SENTENCES.get(status, error.description or HTTPStatus(status).phrase)
    response = problem(status, HTTPStatus(status).phrase.lower().replace(" ", "-"), said)
    response.headers.extend((key, value) for key, value in error.get_headers() if key == "Allow")
    return response


def _surprised(error: Exception) -> Response:
    return _told(bug(error))


_SENTENCES = {
    404: "There is nothing at this address.",
    413: f"What was sent is larger than {LARGEST_REQUEST >> 20} MB.",
}


def problem(status: int, slug: str, detail: str, problems: list[dict[str, Any]] | None = None) -> Response:
    """An answer that says what went wrong: a page where a person asked, else problem+json (RFC 9457)."""
    if not request.path.startswith("/api/") and request.accept_mimetypes.accept_html:
        return Response(page.trouble(detail, problems or []), status, mimetype="text/html")
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "slug": slug, "detail": detail}
    if problems:
        body["problems"] = problems
    return Response(json.dumps(body), status, mimetype="application/problem+json")
