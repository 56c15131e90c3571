"""What the models of a route cannot say in the description: files in and out, and headers."""

from typing import Any, Final

from pydantic import BaseModel

_FILES_OUT: Final[dict[str, tuple[str, ...]]] = {}
_MODELS_OUT: Final[dict[str, type[BaseModel]]] = {}
_FILES_IN: Final[dict[str, dict[str, Any]]] = {}
_VERSIONED: Final[dict[tuple[str, str], bool]] = {}
_BYTES: Final = {"type": "string", "format": "binary"}
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag that you looked at; if it has moved since, nothing is done.",
}
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


def asks_version(method: str, rule: str, *, required: bool = True) -> None:
    """Say that a route asks for the version that the caller looked at."""
    _VERSIONED[method.lower(), _path(rule)] = required


def complete(document: dict[str, Any]) -> None:
    """Write into the description what was said here."""
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
