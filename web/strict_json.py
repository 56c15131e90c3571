"""Flask's JSON, read as one text with one meaning."""

from typing import Any

from flask.json.provider import DefaultJSONProvider

from scf.kernel.strict_json import loads


class StrictJson(DefaultJSONProvider):
    """Flask's JSON, strict when it reads and stable when it writes."""

    sort_keys = True
    ensure_ascii = False
    compact = True

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:  # noqa: ANN401 - Flask's signature
        """Read strictly; see :func:`scf.kernel.strict_json.loads`."""
        return loads(s)
