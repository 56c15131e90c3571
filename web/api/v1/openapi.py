"""The description of the API (OpenAPI 3.1), made from the models that the routes really use.

It is open to anybody: it describes addresses and shapes that are in the public source anyway, and
a client can be generated before there is a person to sign in.
"""

import copy
from typing import Any, Final

from flask import Blueprint, Response, jsonify

from web.api.v1 import described
from web.api.v1.shapes import ProblemDocument
from web.api.v1.shell import mark_replay, spec

_EVERYWHERE: Final = {
    "400": "The request cannot be read.",
    "401": "Nobody is known by this token.",
    "403": "The role does not cover this; the answer says which would.",
    "404": "There is no such thing, or you may not know that there is.",
    "409": "The thing is not, or no longer, in the state that this needs.",
    "413": "More was sent than is read.",
    "415": "The body is of a kind that is not read here.",
    "422": "The input is wrong, or a rule of business forbids it.",
    "428": "Say which version you looked at (If-Match).",
    "429": "Too many tries.",
    "503": "Something does not answer now. Repeat with the same key.",
}
_PROBLEM: Final = {
    "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
}
_KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Made by the client. The same key with the same body has one effect.",
}

_described_once: dict[str, Any] = {}


def attach(api: Blueprint) -> None:
    """Serve the description, and mark replayed answers."""
    api.after_request(mark_replay)

    @api.get("/openapi.json")
    def openapi() -> Response:
        """Describe this version of the API."""
        return jsonify(_described())


def _described() -> dict[str, Any]:
    # The library makes it once per process, at the first question; every application of ours has
    # the same routes.
    if not _described_once:
        _described_once.update(_complete(copy.deepcopy(spec.spec)))
    return _described_once


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    """Declare what holds for every operation once, and in the form in which it is answered."""
    schemas = document["components"]["schemas"]
    schemas["ProblemDocument"] = ProblemDocument.model_json_schema()
    described.complete(document)
    for operations in document["paths"].values():
        for method, operation in operations.items():
            responses = operation["responses"]
            for status, words in _EVERYWHERE.items():
                responses[status] = {"description": words, "content": _PROBLEM}
            # A signed message has an id of its own in place of the key.
            if method != "get" and operation.get("security") != []:
                operation["parameters"].append(_KEY_HEADER)
    return document
