"""How gunicorn serves ``web.wsgi:app``; started and supervised by ``scf serve``."""

import os

from config.settings import load

_settings = load()

bind = f"{_settings.host}:{_settings.port}"

# One request per process at a time: commands hold row locks, and SQLite has one writer anyway.
worker_class = "sync"
workers = _settings.web_workers

# Each worker makes its own database pool: a connection shared by two processes mixes up answers.
preload_app = False

# Above the database's own limits (scf/db/engine.py), so that it gives up before we do.
timeout = _settings.request_timeout
graceful_timeout = 20

# A leak stays small; the jitter keeps the workers from restarting together.
max_requests = 10_000
max_requests_jitter = 1_000

# Heartbeats in memory: on a slow disk they look like a worker that hangs.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108

# Numerical libraries would start a thread per core in every worker.
raw_env = ["OMP_NUM_THREADS=1"]

# Only a proxy on this machine may say which scheme and address a request came from.
forwarded_allow_ips = "127.0.0.1,::1"

# No socket for remote control, and requests are logged by the application, with their person.
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = _settings.log_level.lower()
