"""Delivery over HTTP: the portal for people and the JSON API for programs.

Owns no rule: it knows who asks (a session or a token), turns the request into a command or a read
of ``scf``, and the answer or error into a page or JSON.
"""
