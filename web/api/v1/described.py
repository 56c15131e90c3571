"""What the models of a route cannot say in the description: files in and out, and headers."""

import re
from typing import Any, Final

from pydantic import BaseModel

_FILES_OUT: Final[dict[str, tuple[str, ...]]] = {}
_MODELS_OUT: Final[dict[str, type[BaseModel]]] = {}
_FILES_IN: Final[dict[str, dict[str, Any]]] = {}
_VERSIONED: Final[dict[tuple[str, str], bool]] = {}
_SIGNED: Final[dict[str, tuple[str, str, type[BaseModel]]]] = {}
_BYTES: Final = {"type": "string", "format": "binary"}
_AS_NAME: Final = str.maketrans({"/": "_", "{": None, "}": None})
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag that you looked at; if it has moved since, nothing is done.",
}
_SIGNATURE: Final = (
    ("webhook-id", "The sender's own id of the message; the same again is the same upload."),
    ("webhook-timestamp", "When it was signed, in seconds since 1970; good for five minutes."),
    ("webhook-signature", "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in Base64."),
)
_DISPOSITION: Final = {
    "Content-Disposition": {
        "description": "Always an attachment.",
        "schema": {"type": "string"},
    }
}


def gives_file(rule: str, *media: str, model: type[BaseModel] | None = None) -> None:
    """Say that a GET answers a file of one of these media types, or else JSON of a model."""
    _FILES_OUT[_path(rule)] = media
    if model is not None:
        _MODELS_OUT[_path(rule)] = model


def takes_file(rule: str, *media: str, form: dict[str, Any] | None = None) -> None:
    """Say that a POST takes a file: its bytes as they are, or as part ``file`` of a form."""
    content: dict[str, Any] = {name: {"schema": _BYTES} for name in media}
    if form is not None:
        properties = {"file": _BYTES, **form}
        schema = {"type": "object", "required": ["file"], "properties": properties}
        content["multipart/form-data"] = {"schema": schema}
    _FILES_IN[_path(rule)] = content


def takes_signed(rule: str, tag: str, summary: str, answer: type[BaseModel]) -> None:
    """Say that a POST takes a signed message of any kind, in place of a token and a key."""
    _SIGNED[_path(rule)] = (tag, summary, answer)


def asks_version(method: str, rule: str, *, required: bool = True) -> None:
    """Say that a route asks for the version that the caller looked at."""
    _VERSIONED[method.lower(), _path(rule)] = required


def complete(document: dict[str, Any]) -> None:
    """Write into the description what was said here."""
    for plain, said in _SIGNED.items():
        document["paths"][f"/api/v1{plain}"] = {"post": _signed(document, plain, *said)}
    for path, operations in document["paths"].items():
        plain = path.removeprefix("/api/v1")
        for method, operation in operations.items():
            if (method, plain) in _VERSIONED:
                required = _VERSIONED[method, plain]
                operation["parameters"].append({**_IF_MATCH, "required": required})
            if method == "get" and plain in _FILES_OUT:
                answer = operation["responses"]["200"]
                content = answer.setdefault("content", {})
                content.update({media: {"schema": _BYTES} for media in _FILES_OUT[plain]})
                answer["headers"] = _DISPOSITION
                if plain in _MODELS_OUT:
                    content["application/json"] = {"schema": _schema(document, _MODELS_OUT[plain])}
            if method == "post" and plain in _FILES_IN:
                operation["requestBody"] = {"required": True, "content": _FILES_IN[plain]}


def _signed(
    document: dict[str, Any], plain: str, tag: str, summary: str, answer: type[BaseModel]
) -> dict[str, Any]:
    """Describe the one kind of operation that no token opens."""
    names = re.findall(r"{(\w+)}", plain)
    text = {"type": "string"}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text} for name in names
    ]
    parameters += [
        {"name": name, "in": "header", "required": True, "schema": text, "description": words}
        for name, words in _SIGNATURE
    ]
    parameters.append({"name": "name", "in": "query", "schema": text})
    content = {"application/json": {"schema": _schema(document, answer)}}
    return {
        "operationId": f"post_{plain.strip('/').translate(_AS_NAME)}",
        "summary": summary,
        "tags": [tag],
        "security": [],
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": _BYTES}},
        },
        "responses": {"202": {"description": "Accepted", "content": content}},
    }


def _schema(document: dict[str, Any], model: type[BaseModel]) -> dict[str, str]:
    """Put a model's schema among the others and refer to it."""
    prefix = "#/components/schemas/"
    schema = model.model_json_schema(ref_template=prefix + "{model}")
    schemas = document["components"]["schemas"]
    for name, part in {**schema.pop("$defs", {}), model.__name__: schema}.items():
        schemas.setdefault(name, part)
    return {"$ref": prefix + model.__name__}


def _path(rule: str) -> str:
    return rule.replace("<", "{").replace(">", "}")
