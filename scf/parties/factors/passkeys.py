"""Passkeys (W3C Web Authentication): what a browser is asked, and whether its answer is right."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from scf.parties.factors.proof import PasskeyLine

RP_NAME: Final = "Tributary"
_LONGEST_ANSWER: Final = 20_000


@dataclass(frozen=True)
class Place:
    """Where the browser stands: the host it trusts, and the addresses it may speak from."""

    host: str
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """What a device made: all that is kept of a passkey."""

    credential_id: str
    public_key: str
    sign_count: int


def challenge_of(ticket: str) -> bytes:
    """Return the bytes that a device signs: the digest of a ticket that names what is signed.

    So the answer is bound to it: a ticket for another sum, payee or version is another challenge.
    """
    return hashlib.sha256(ticket.encode()).digest()


def creation_options(
    place: Place, ticket: str, user_id: str, email: str, name: str, known: tuple[PasskeyLine, ...]
) -> str:
    """Return, as JSON, what ``navigator.credentials.create`` is asked for."""
    import webauthn
    from webauthn.helpers import structs

    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=place.host,
            rp_name=RP_NAME,
            user_id=user_id.encode(),
            user_name=email,
            user_display_name=name,
            challenge=challenge_of(ticket),
            exclude_credentials=_described(known),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.PREFERRED,
                user_verification=structs.UserVerificationRequirement.PREFERRED,
            ),
        )
    )


def request_options(place: Place, ticket: str, known: tuple[PasskeyLine, ...]) -> str:
    """Return, as JSON, what ``navigator.credentials.get`` is asked for."""
    import webauthn

    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=place.host,
            challenge=challenge_of(ticket),
            allow_credentials=_described(known),
        )
    )


def made(place: Place, ticket: str, answer: str) -> Made | None:
    """Return the passkey that a device made for this ticket; nothing when the answer is wrong."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    if _parsed(answer) is None:
        return None
    try:
        checked = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge_of(ticket),
            expected_rp_id=place.host,
            expected_origin=list(place.origins),
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return Made(
        webauthn.helpers.bytes_to_base64url(checked.credential_id),
        webauthn.helpers.bytes_to_base64url(checked.credential_public_key),
        checked.sign_count,
    )


def signed_by(
    place: Place, ticket: str, answer: str, known: tuple[PasskeyLine, ...]
) -> tuple[PasskeyLine, int] | None:
    """Return the passkey that signed this ticket and its new count; nothing when none did."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    parsed = _parsed(answer) or {}
    key = next((key for key in known if key.credential_id == parsed.get("id")), None)
    if key is None:
        return None
    try:
        checked = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge_of(ticket),
            expected_rp_id=place.host,
            expected_origin=list(place.origins),
            credential_public_key=webauthn.base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return key, checked.new_sign_count


def _described(known: tuple[PasskeyLine, ...]) -> list[Any]:
    import webauthn
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(key.credential_id))
        for key in known
    ]


def _parsed(answer: str) -> dict[str, Any] | None:
    if len(answer) > _LONGEST_ANSWER:
        return None
    try:
        parsed = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
