"""Settings, policy as data, gunicorn and logging. No business logic.

Read only by the composition root, the command line and ``web.app``.
"""
