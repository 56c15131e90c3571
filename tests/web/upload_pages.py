"""The pages on which traders hand files in; every one is for every trader."""

from typing import Final

UPLOAD_PAGES: Final = (
    ("GET", "/"),
    ("POST", "/"),
    ("GET", "/blank/<kind>.<ending>"),
    ("GET", "/credit-note"),
    ("POST", "/credit-note"),
    ("POST", "/transfers"),
    ("GET", "/<upload_id>"),
    ("GET", "/<upload_id>/check"),
    ("POST", "/<upload_id>/check"),
    ("POST", "/<upload_id>/start"),
    ("POST", "/<upload_id>/again"),
    ("POST", "/<upload_id>/correct"),
    ("POST", "/<upload_id>/link"),
    ("POST", "/<upload_id>/invite"),
    ("POST", "/<upload_id>/recognise"),
    ("GET", "/<upload_id>/errors"),
    ("GET", "/<upload_id>/original"),
    ("POST", "/transfers/<transfer_id>/slices"),
    ("POST", "/transfers/<transfer_id>/complete"),
    ("POST", "/transfers/<transfer_id>/drop"),
)
