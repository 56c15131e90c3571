"""The web application over a test world, and clients that ask as somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.test import TestResponse

from scf.db.engine import Database
from scf.parties import sessions
from tests.support.people import PASSWORD, World, small_world
from web.app import create_app
from web.context import Options
from web.sessions import COOKIE

HOST = "https://localhost"
KEY = "key-for-signing-in-tests-only-0123456789"


class _Compiled(BytecodeCache):
    """Templates that an application of this process has compiled, for those after it."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (known := self.kept.get(bucket.key)) is not None:
            bucket.bytecode_from_string(known)  # refused there if the template has changed

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


def application(world: World, **more: Any) -> Flask:  # noqa: ANN401 - the options' own types
    """Build an application over a world; each call is as good as another worker."""
    options = {"mail_from": "notices@tributary.example"} | more
    app = create_app(world.platform, Options(secret_key=KEY, **options))
    app.jinja_env.bytecode_cache = _Compiled()
    return app


@dataclass
class Served:
    """A world, its application, and short ways to ask."""

    world: World
    app: Flask

    def api(
        self,
        person: str | None,
        method: str,
        path: str,
        *,
        json: object = None,
        raw: bytes = b"",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Ask the API as a person (nobody: without a token), under a fresh key unless given.

        ``raw`` sends the bytes of a file instead of JSON.
        """
        sent = {"Idempotency-Key": key or self.world.key(), **(headers or {})}
        if person is not None:
            sent.setdefault("Authorization", f"Bearer {self.world.token(person)}")
        more: dict[str, Any] = {} if json is None else {"json": json}
        if raw:
            more = {"data": raw, "content_type": "application/octet-stream"}
        return self.app.test_client().open(
            f"/api/v1{path}", method=method, base_url=HOST, headers=sent, **more
        )

    def browser(self, person: str | None = None) -> "Browser":
        """Give a browser; with a person, one that is signed in already."""
        browser = Browser(self)
        if person is not None:
            session_id = sessions.start(
                self.world.platform.db,
                self.world.people[person].user_id,
                {},
                self.world.clock.now(),
                sessions.Lifetimes(),
            )
            browser.client.set_cookie(COOKIE, session_id, domain="localhost", secure=True)
        return browser


class Browser:
    """A browser that keeps cookies and sends forms with the token of the page."""

    def __init__(self, served: Served) -> None:
        self.client = served.app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:  # noqa: ANN401 - the client's own
        """Open a page."""
        return self.client.get(path, base_url=HOST, **more)

    def form_token(self, path: str = "/sign-in") -> str:
        """Read the token that the forms of a page carry."""
        page = self.get(path, follow_redirects=True).get_data(as_text=True)
        _before, _mark, rest = page.partition('name="csrf_token" value="')
        return rest.partition('"')[0]

    def post(
        self,
        path: str,
        data: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send a form of ours, with its token and from our own pages unless told otherwise."""
        given = self.form_token("/") if token is None else token
        sent = {"Referer": f"{HOST}/", "Origin": HOST} | dict(headers or {})
        return self.client.post(
            path, base_url=HOST, data={"csrf_token": given, **(data or {})}, headers=sent
        )

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Sign in through the form."""
        return self.post("/sign-in", {"email": email, "password": password})

    @property
    def session_id(self) -> str:
        """What the session cookie holds."""
        cookie = self.client.get_cookie(COOKIE, domain="localhost")
        return cookie.value if cookie is not None else ""


def served_small(db: Database, **more: Any) -> Served:  # noqa: ANN401
    """Serve the small world."""
    world = small_world(db)
    return Served(world, application(world, **more))
