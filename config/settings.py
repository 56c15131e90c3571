"""Every setting of the platform: its type, its meaning, and where its value comes from.

The environment (``SCF_<NAME>``) wins over the file that ``SCF_CONFIG`` names, which wins over
``config/defaults.toml``. Nothing is read at import.
"""

import dataclasses
import difflib
import ipaddress
import os
import re
import secrets
import stat
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

DEFAULTS = Path(__file__).parent / "defaults.toml"
ENVIRONMENTS = ("development", "production")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("json", "console")
MAIL_SECURITY = ("starttls", "tls", "none")
MAX_PORT = 65_535

# Made at the first start of a development machine; production refuses a key that begins so.
DEVELOPMENT_KEY = "development:"
KEY_BYTES = 32
# A name, a name with all under it, or an address; never a wildcard that would mean everybody.
_HOST = re.compile(r"\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\]")


class SettingsError(ValueError):
    """A setting is unknown, of the wrong form, or unsafe; the message names it."""


_SITE = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?/?")
_MAIL_FROM = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings in force; read once by the composition root and passed down."""

    env: Annotated[str, "development or production; production refuses unsafe choices"]
    database_url: Annotated[str, "sqlite:///path or postgresql://user@host/name (15 or newer)"]
    secret_key_file: Annotated[
        Path, "key that signs sessions and forms; readable by its owner only"
    ]
    demo_users_file: Annotated[Path, "where the sign-ins of a demo world are written (0600)"]
    registries_file: Annotated[Path, "duplicate registries: shared keys, addresses, tokens (0600)"]
    seals_file: Annotated[Path, "where the worker appends each seal of the audit trail"]
    host: Annotated[str, "address to serve on; another than loopback needs behind_tls_proxy"]
    port: Annotated[int, "port to serve on; PORT without the prefix works too"]
    trusted_hosts: Annotated[str, "host names besides loopback, by commas; .x: all under x"]
    behind_tls_proxy: Annotated[bool, "a proxy before us speaks TLS and sets X-Forwarded-Proto"]
    metrics_token_file: Annotated[
        Path, "token that reads /metrics from elsewhere; without the file only this machine may"
    ]
    channels_folder: Annotated[Path, "drop folders: one folder a channel, in/ out/ error/ ack/"]
    sftp_keys_folder: Annotated[Path, "private keys for SFTP servers of partners, 0600"]
    public_address: Annotated[
        str, "where people reach the portal, https://… without a path; none: this machine"
    ]
    mail_server: Annotated[str, "host:port to hand e-mail to; none: no e-mail is sent"]
    mail_security: Annotated[str, "starttls, tls, or none for a mail server on this machine"]
    mail_from: Annotated[str, "address that e-mail comes from, and that gets what comes back"]
    mail_user: Annotated[str, "name for the mail server's sign-in; none: without"]
    mail_password_file: Annotated[Path, "its password, readable by its owner only"]
    webhook_loopback: Annotated[
        bool, "development only: webhooks and SFTP may go to this very machine, by plain http"
    ]
    api_calls_per_minute: Annotated[int, "API calls that one token may make in a minute"]
    web_workers: Annotated[int, "gunicorn processes"]
    request_timeout: Annotated[int, "seconds after which gunicorn ends a request"]
    tax_authorities: Annotated[
        str, "registers of tax invoices: fapiao=https://…,sdi=https://…; none connects none"
    ]
    tax_token_file: Annotated[Path, "bearer token for those registers; without the file, none"]
    log_level: Annotated[str, "DEBUG, INFO, WARNING or ERROR"]
    log_format: Annotated[str, "json for machines, console for people"]

    @property
    def is_production(self) -> bool:
        """Whether real money may be at stake."""
        return self.env == "production"


@dataclasses.dataclass(frozen=True)
class Described:
    """One setting as ``scf settings`` lists it."""

    name: str
    variable: str
    value: str
    source: str
    meaning: str


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Give the settings in force.

    Raises
    ------
    SettingsError
        A setting is unknown, of the wrong form, or unsafe.
    """
    raw, _ = _read(os.environ if environ is None else environ)
    converted: dict[str, Any] = {
        name: _convert(_variable(name), kind, raw[name]) for name, kind, _ in _declared()
    }
    settings = Settings(**converted)
    _check(settings)
    return settings


def describe(environ: Mapping[str, str] | None = None) -> list[Described]:
    """List every setting with its value, where the value comes from, and what it means."""
    raw, sources = _read(os.environ if environ is None else environ)
    return [
        Described(
            name=name,
            variable=_variable(name),
            value=_without_password(str(raw[name])),
            source=sources[name],
            meaning=meaning,
        )
        for name, _, meaning in _declared()
    ]


def load_secret_key(settings: Settings) -> bytes:
    """Give the key that signs sessions and forms; made once on a development machine.

    Raises
    ------
    SettingsError
        In production: the key is missing, short, readable by others, or was made by development.
    """
    file = settings.secret_key_file
    if not file.exists():
        if settings.is_production:
            how = f"python3 -c 'import secrets; print(secrets.token_hex({KEY_BYTES}))' > {file}"
            message = f"SCF_SECRET_KEY_FILE: {file} is missing; make it: (umask 077; {how})"
            raise SettingsError(message)
        _make_key(file)
    key = file.read_text(encoding="ascii").strip()
    if settings.is_production:
        if key.startswith(DEVELOPMENT_KEY):
            message = f"SCF_SECRET_KEY_FILE: {file} holds a key of a development machine"
            raise SettingsError(message)
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            message = f"SCF_SECRET_KEY_FILE: others can read {file}; chmod 600 {file}"
            raise SettingsError(message)
    if len(key) < KEY_BYTES:
        message = f"SCF_SECRET_KEY_FILE: the key in {file} is shorter than {KEY_BYTES} characters"
        raise SettingsError(message)
    return key.encode("ascii")


def load_metrics_token(settings: Settings) -> str:
    """Give the token that may read the figures from elsewhere; empty when there is no file.

    Raises
    ------
    SettingsError
        The file is unreadable or its token short; in production also when others can read it.
    """
    file = settings.metrics_token_file
    if not file.exists():
        return ""
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as unreadable:
        message = f"SCF_METRICS_TOKEN_FILE: {file}: {unreadable}"
        raise SettingsError(message) from unreadable
    if settings.is_production and stat.S_IMODE(file.stat().st_mode) & 0o077:
        message = f"SCF_METRICS_TOKEN_FILE: others can read {file}; chmod 600 {file}"
        raise SettingsError(message)
    if len(token) < KEY_BYTES:
        message = (
            f"SCF_METRICS_TOKEN_FILE: the token in {file} is shorter than {KEY_BYTES} characters"
        )
        raise SettingsError(message)
    return token


def load_tax_registers(settings: Settings) -> tuple[dict[str, str], str]:
    """Give the address of each register of tax invoices by its scheme, and the token for them.

    Raises
    ------
    SettingsError
        An address that is none, or a token that others can read, in production.
    """
    found: dict[str, str] = {}
    for part in (word.strip() for word in settings.tax_authorities.split(",")):
        if part in {"", "none"}:
            continue
        scheme, _, address = part.partition("=")
        plain = address.startswith("http://") and not settings.is_production
        if not scheme or not (plain or address.startswith("https://")):
            message = f"SCF_TAX_AUTHORITIES: {part!r} is not scheme=https://address"
            raise SettingsError(message)
        found[scheme] = address
    file = settings.tax_token_file
    if not file.exists():
        return found, ""
    if settings.is_production and stat.S_IMODE(file.stat().st_mode) & 0o077:
        message = f"SCF_TAX_TOKEN_FILE: others can read {file}; chmod 600 {file}"
        raise SettingsError(message)
    return found, file.read_text(encoding="ascii").strip()


@dataclasses.dataclass(frozen=True)
class MailServer:
    """Where e-mail is handed in, and as whom."""

    host: str
    port: int
    security: str
    sender: str
    user: str
    password: str = dataclasses.field(repr=False)


def load_mail_server(settings: Settings) -> MailServer | None:
    """Give where e-mail is handed in; nothing when none is sent.

    Raises
    ------
    SettingsError
        A server, sender or password that cannot be used; in production also a password that
        others can read, or links that would not lead to the portal.
    """
    if settings.mail_server == "none":
        return None
    host, colon, port = settings.mail_server.rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
        message = f"SCF_MAIL_SERVER: {settings.mail_server!r} is not host:port"
        raise SettingsError(message)
    if settings.mail_security == "none" and not _is_loopback(host):
        message = (
            f"SCF_MAIL_SECURITY: without encryption only this machine is written to, not {host}"
        )
        raise SettingsError(message)
    if not _MAIL_FROM.fullmatch(settings.mail_from):
        message = f"SCF_MAIL_FROM: {settings.mail_from!r} is no address, such as scf@example.com"
        raise SettingsError(message)
    if settings.is_production and not settings.public_address.startswith("https://"):
        message = "SCF_PUBLIC_ADDRESS: e-mail needs https://…, to which its links lead"
        raise SettingsError(message)
    user, password, file = settings.mail_user, "", settings.mail_password_file
    if user != "none":
        try:
            password = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as unreadable:
            message = f"SCF_MAIL_PASSWORD_FILE: {file}: {unreadable}"
            raise SettingsError(message) from unreadable
        if settings.is_production and stat.S_IMODE(file.stat().st_mode) & 0o077:
            message = f"SCF_MAIL_PASSWORD_FILE: others can read {file}; chmod 600 {file}"
            raise SettingsError(message)
    user = "" if user == "none" else user
    return MailServer(host, int(port), settings.mail_security, settings.mail_from, user, password)


def public_address(settings: Settings) -> str:
    """Give where people reach the portal: what is configured, else this very machine."""
    chosen = settings.public_address
    return f"http://localhost:{settings.port}" if chosen == "none" else chosen.rstrip("/")


def demo_tax_office(settings: Settings) -> Path | None:
    """Give the file of a demo world's tax office, which has no word in production."""
    return None if settings.is_production else settings.demo_users_file.parent / "demo-tax.json"


def host_names(settings: Settings) -> tuple[str, ...]:
    """Give the configured host names, one by one."""
    words = (word.strip() for word in settings.trusted_hosts.split(","))
    return tuple(word for word in words if word)


def _make_key(file: Path) -> None:
    """Write a new key that appears whole or not at all; of two starts at once, one wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as draft:
            draft.write(f"{DEVELOPMENT_KEY}{secrets.token_hex(KEY_BYTES)}\n")
        os.link(name, file)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()


def _declared() -> Iterator[tuple[str, type, str]]:
    """Give name, type and meaning of every setting."""
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        yield name, hint.__origin__, hint.__metadata__[0]


def _variable(name: str) -> str:
    return f"SCF_{name.upper()}"


def _read(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Give the raw value of every setting and where it was found."""
    values = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    sources = dict.fromkeys(values, "default")
    if path := environ.get("SCF_CONFIG"):
        for name, value in _read_file(Path(path)).items():
            if name not in values:
                close = difflib.get_close_matches(name, values, 1)
                hint = f"; {close[0]} was meant?" if close else ""
                message = f"{path}: there is no setting {name!r}{hint}"
                raise SettingsError(message)
            values[name], sources[name] = value, path
    if "PORT" in environ:
        values["port"], sources["port"] = environ["PORT"], "PORT"
    for name in values:
        if (variable := _variable(name)) in environ:
            values[name], sources[name] = environ[variable], variable
    return values, sources


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as unreadable:
        message = f"SCF_CONFIG: {path}: {unreadable}"
        raise SettingsError(message) from unreadable


def _convert(variable: str, kind: type, raw: object) -> str | int | Path:
    """Turn the text of the environment, or a TOML value, into the type of the setting."""
    text = str(raw).strip()
    if kind is bool:
        truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if text.lower() not in truth:
            message = f"{variable}: {text!r} is neither true nor false"
            raise SettingsError(message)
        return truth[text.lower()]
    if kind is int:
        if not (text.isascii() and text.isdigit()):
            message = f"{variable}: {text!r} is not a whole number"
            raise SettingsError(message)
        return int(text)
    if not text:
        message = f"{variable} is empty"
        raise SettingsError(message)
    return Path(text) if kind is Path else text


def _check(settings: Settings) -> None:
    """Refuse what cannot work or would not be safe."""
    for name, allowed in (
        ("env", ENVIRONMENTS),
        ("log_level", LOG_LEVELS),
        ("log_format", LOG_FORMATS),
        ("mail_security", MAIL_SECURITY),
    ):
        value = getattr(settings, name)
        if value not in allowed:
            message = f"{_variable(name)}: {value!r} is not one of {', '.join(allowed)}"
            raise SettingsError(message)
    for name, highest in (
        ("port", MAX_PORT),
        ("web_workers", 64),
        ("request_timeout", 600),
        ("api_calls_per_minute", 1_000_000),
    ):
        if not 1 <= getattr(settings, name) <= highest:
            message = f"{_variable(name)} must lie between 1 and {highest}"
            raise SettingsError(message)
    _check_names(settings)
    scheme = settings.database_url.partition(":")[0].partition("+")[0]
    if scheme not in {"sqlite", "postgresql"}:
        message = f"SCF_DATABASE_URL: {scheme!r} is neither sqlite nor postgresql"
        raise SettingsError(message)
    if settings.webhook_loopback and settings.is_production:
        message = "SCF_WEBHOOK_LOOPBACK: production calls public addresses only"
        raise SettingsError(message)
    if not _is_loopback(settings.host) and not settings.behind_tls_proxy:
        message = (
            f"SCF_HOST: {settings.host} can be reached from outside, where passwords must not "
            "travel in the clear: put a proxy with TLS before it and set SCF_BEHIND_TLS_PROXY=true"
        )
        raise SettingsError(message)


def _check_names(settings: Settings) -> None:
    """Refuse names of machines and of the site that lead nowhere."""
    for host in host_names(settings):
        if not _HOST.fullmatch(host):
            message = (
                f"SCF_TRUSTED_HOSTS: {host!r} is no host name: write scf.example.com, or "
                ".example.com for all under it, without scheme, port or path"
            )
            raise SettingsError(message)
    if settings.public_address != "none" and not _SITE.fullmatch(settings.public_address):
        message = (
            f"SCF_PUBLIC_ADDRESS: {settings.public_address!r} is no address such as "
            "https://scf.example.com, without a path"
        )
        raise SettingsError(message)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_password(value: str) -> str:
    """Hide the password of a database address."""
    before, at, after = value.rpartition("@")
    scheme, slashes, credentials = before.partition("://")
    if not (at and slashes and ":" in credentials):
        return value
    return f"{scheme}://{credentials.partition(':')[0]}:…@{after}"
