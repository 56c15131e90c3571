"""The description of the API is valid OpenAPI and says what the routes really do."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.support.engines import ENGINES
from tests.web.api.story import Story
from tests.web.expectations import API, ROUTES
from tests.web.route_kinds import Api

SIGNED = f"{API}/channels/{{channel_id}}/messages"
pytestmark = pytest.mark.parametrize("engine_name", ENGINES[:1], indirect=True)


@pytest.fixture
def document(story: Story) -> dict[str, Any]:
    found: dict[str, Any] = story.ask(None, "GET", "/openapi.json").get_json()
    return found


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method, path, operation


def test_the_description_is_valid_and_has_every_route(document: dict[str, Any]) -> None:
    validate(document)
    described = {(method.upper(), path) for method, path, _ in _operations(document)}
    declared = {
        (method, rule.replace("<", "{").replace(">", "}"))
        for (method, rule), row in ROUTES.items()
        if isinstance(row, Api)
    }
    assert described == declared | {("POST", SIGNED)}


def test_a_signed_message_is_described_with_its_headers_and_needs_no_token(
    document: dict[str, Any],
) -> None:
    told = document["paths"][SIGNED]["post"]
    assert told["security"] == []
    asked = {(one["in"], one["name"]) for one in told["parameters"] if one.get("required")}
    headers = {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert asked == {("path", "channel_id"), *(("header", name) for name in headers)}
    answer = told["responses"]["202"]["content"]["application/json"]["schema"]
    assert set(document["components"]["schemas"][answer["$ref"].rpartition("/")[2]]
               ["properties"]) == {"id", "job_id"}  # fmt: skip


def test_whatever_is_written_names_all_its_fields(document: dict[str, Any]) -> None:
    """No model that people send takes a field that it does not name, at any depth."""
    schemas = document["components"]["schemas"]
    lax = []
    for method, path, operation in _operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        for name in _models(body or {}, schemas):
            schema = schemas[name]
            if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
                lax.append((method, path, name))
    assert not lax


def _models(part: Any, schemas: dict[str, Any]) -> set[str]:  # noqa: ANN401 - any JSON
    found: set[str] = set()
    waiting = [part]
    while waiting:
        at = waiting.pop()
        if isinstance(at, dict):
            name = str(at.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting += at.values()
        elif isinstance(at, list):
            waiting += at
    return found


def test_files_and_versions_are_described(document: dict[str, Any]) -> None:
    paths = document["paths"]
    sent = paths[f"{API}/uploads"]["post"]["requestBody"]["content"]
    assert {"application/xml", "text/csv", "multipart/form-data"} <= set(sent)
    form = sent["multipart/form-data"]["schema"]["properties"]
    assert {"file", "name", "format", "type", "mode", "mapping"} == set(form)
    given = paths[f"{API}/journals"]["get"]["responses"]["200"]["content"]
    assert set(given) == {"application/json", "text/csv", "text/plain", "application/xml"}
    needed = {
        rule
        for (method, rule), row in ROUTES.items()
        if isinstance(row, Api) and row.versioned and method == "POST"
    }
    told = {
        path.replace("{", "<").replace("}", ">")
        for method, path, operation in _operations(document)
        if method == "post"
        and any(header["name"] == "If-Match" for header in operation["parameters"])
    }
    assert told == needed
