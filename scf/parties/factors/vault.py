"""Secrets at rest: sealed with the key of the settings, useless in a stolen database."""

import base64
import secrets
from functools import cached_property
from typing import Any, Final

from scf.kernel.errors import Unavailable

_VERSION: Final = "v1:"
_NONCE: Final = 12
_KEY_BYTES: Final = 32
_PURPOSE: Final = b"tributary second factor"


class Vault:
    """Seals short texts for one owner each.

    AES-256-GCM (NIST SP 800-38D) under a key derived from the installation's own by HKDF
    (RFC 5869). The owner is part of what is sealed: a secret copied to another person's row does
    not open there.
    """

    def __init__(self, key: bytes) -> None:
        self._master = key

    @cached_property
    def _cipher(self) -> Any:  # noqa: ANN401 - the library is loaded by whoever needs it
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(self._master)
        return AESGCM(derived)

    def seal(self, text: str, owner: str) -> str:
        """Return the text so that only this installation reads it, for this owner."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, text.encode(), owner.encode())
        return _VERSION + base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, owner: str) -> str:
        """Return the text again.

        Raises
        ------
        Unavailable
            ``SECRET_KEY``: it was sealed under another key, or for somebody else.
        """
        from cryptography.exceptions import InvalidTag

        try:
            content = base64.b64decode(sealed.removeprefix(_VERSION), validate=True)
            text: bytes = self._cipher.decrypt(content[:_NONCE], content[_NONCE:], owner.encode())
        except (InvalidTag, ValueError) as unreadable:
            raise Unavailable(
                "SECRET_KEY",
                "The second factor cannot be read: the installation's key is not the one that"
                " sealed it.",
            ) from unreadable
        return text.decode()
