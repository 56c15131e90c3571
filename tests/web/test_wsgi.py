"""What gunicorn serves opens nothing before its worker has its own process."""

import subprocess
import sys
from pathlib import Path

import web

CHECK = """
import gc, sys, threading
from sqlalchemy import Engine
import web.wsgi
assert not [one for one in gc.get_objects() if isinstance(one, Engine)], "an engine at import"
assert threading.active_count() == 1, "a thread at import"
assert not {"sklearn", "scipy", "saxonche", "schwifty"} & set(sys.modules), "a slow import"

def answer(status, headers):
    print(status, dict(headers)["X-Content-Type-Options"])

from werkzeug.test import create_environ
print(b"".join(web.wsgi.app(create_environ("/healthz", "http://127.0.0.1"), answer)))
assert "scipy" not in sys.modules, "the first page waits for what only a price needs"
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
print("scipy.special" in sys.modules)
"""


def test_importing_opens_no_connection_and_the_first_request_is_answered(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK],
        cwd=Path(web.__file__).parent.parent,
        env={
            "PATH": "",
            "SCF_DATABASE_URL": f"sqlite:///{tmp_path / 'scf.db'}",
            "SCF_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["200 OK nosniff", "b'ok\\n'", "True"]
