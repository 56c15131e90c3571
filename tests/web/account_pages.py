"""The pages of the own account: everybody who is signed in has them."""

PAGES: tuple[tuple[str, str], ...] = (
    ("GET", "/account"),
    ("GET", "/account/sign-ins"),
    ("GET", "/account/password"),
    ("POST", "/account/password"),
    ("GET", "/account/confirm"),
    ("POST", "/account/confirm"),
    ("POST", "/account/stay"),
    ("POST", "/account/authenticator/begin"),
    ("GET", "/account/authenticator"),
    ("POST", "/account/authenticator"),
    ("GET", "/account/passkeys/new"),
    ("POST", "/account/passkeys"),
    ("POST", "/account/passkeys/<passkey_id>/remove"),
    ("POST", "/account/recovery-codes"),
    ("POST", "/account/sessions/<session_id>/end"),
    ("POST", "/account/sessions/end-others"),
    ("GET", "/account/tokens"),
    ("POST", "/account/tokens"),
    ("POST", "/account/tokens/<token_id>/withdraw"),
)
