"""What a person configures is what is in force, and unsafe choices are refused by name."""

import stat
import threading
import tomllib
from pathlib import Path

import pytest

from config import settings
from config.settings import (
    DEFAULTS,
    Settings,
    SettingsError,
    host_names,
    load,
    load_mail_server,
    load_metrics_token,
    load_secret_key,
    public_address,
)


def _load(**environ: str) -> Settings:
    return load(environ)


def _production(key_file: Path) -> Settings:
    return _load(SCF_ENV="production", SCF_SECRET_KEY_FILE=str(key_file))


def test_every_setting_has_a_default_and_a_meaning() -> None:
    listed = settings.describe({})
    assert [one.name for one in listed] == list(tomllib.loads(DEFAULTS.read_text("utf-8")))
    assert all(one.meaning and one.source == "default" for one in listed)


def test_without_configuration_the_platform_serves_this_machine_only() -> None:
    plain = _load()
    assert plain.database_url == "sqlite:///var/scf.db"
    assert (plain.host, plain.port, plain.is_production) == ("127.0.0.1", 8000, False)


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('port = 9000\nlog_level = "WARNING"\n')
    got = load({"SCF_CONFIG": str(file), "SCF_LOG_LEVEL": "ERROR"})
    assert (got.port, got.log_level, got.env) == (9000, "ERROR", "development")
    sources = {one.name: one.source for one in settings.describe({"SCF_CONFIG": str(file)})}
    assert sources["port"] == str(file)


def test_the_port_may_be_given_without_prefix() -> None:
    assert _load(PORT="8123").port == 8123
    assert _load(PORT="8123", SCF_PORT="8124").port == 8124


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SCF_ENV", "staging"),
        ("SCF_PORT", "80a"),
        ("SCF_PORT", "٨٠٠٠"),
        ("SCF_PORT", "0"),
        ("SCF_PORT", "65536"),
        ("SCF_DATABASE_URL", "mysql://x"),
        ("SCF_DATABASE_URL", ""),
        ("SCF_BEHIND_TLS_PROXY", "maybe"),
        ("SCF_LOG_LEVEL", "loud"),
        ("SCF_MAIL_SECURITY", "ssl"),
        ("SCF_PUBLIC_ADDRESS", "scf.example.com"),
        ("SCF_PUBLIC_ADDRESS", "https://scf.example.com/portal"),
        ("SCF_HOST", "0.0.0.0"),  # noqa: S104 - refused, that is the point
        ("SCF_CONFIG", "no/such/file.toml"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load({variable: value})


def test_a_misspelt_setting_in_the_file_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('databse_url = "sqlite:///x"\n')
    with pytest.raises(SettingsError, match="database_url was meant"):
        load({"SCF_CONFIG": str(file)})


def test_serving_others_needs_a_proxy_with_tls() -> None:
    outside = "0.0.0.0"  # noqa: S104 - the case under test
    assert _load(SCF_HOST=outside, SCF_BEHIND_TLS_PROXY="true").host == outside


def test_the_list_of_settings_shows_no_password() -> None:
    address = "postgresql://scf:hunter2@db/scf"
    shown = {one.name: one.value for one in settings.describe({"SCF_DATABASE_URL": address})}
    assert shown["database_url"] == "postgresql://scf:…@db/scf"


def test_a_development_machine_gets_one_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    here = _load(SCF_SECRET_KEY_FILE=str(tmp_path / "var" / "secret.key"))
    keys: list[bytes] = []
    starts = [threading.Thread(target=lambda: keys.append(load_secret_key(here))) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert stat.S_IMODE(here.secret_key_file.stat().st_mode) == 0o600
    assert [file.name for file in here.secret_key_file.parent.iterdir()] == ["secret.key"]


def test_production_refuses_a_missing_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is missing"):
        load_secret_key(_production(tmp_path / "secret.key"))
    assert not (tmp_path / "secret.key").exists()


def test_production_refuses_the_key_of_a_development_machine(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    load_secret_key(_load(SCF_SECRET_KEY_FILE=str(file)))
    with pytest.raises(SettingsError, match="development machine"):
        load_secret_key(_production(file))


@pytest.mark.parametrize(
    ("mode", "key", "said"),
    [(0o644, "k" * 64, "others can read"), (0o600, "short", "shorter than")],
)
def test_production_refuses_a_weak_key(tmp_path: Path, mode: int, key: str, said: str) -> None:
    file = tmp_path / "secret.key"
    file.write_text(key)
    file.chmod(mode)
    with pytest.raises(SettingsError, match=said):
        load_secret_key(_production(file))


def test_production_takes_a_key_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    file.write_text("k" * 64 + "\n")
    file.chmod(0o600)
    assert load_secret_key(_production(file)) == b"k" * 64


def test_host_names_are_given_one_by_one() -> None:
    chosen = _load(SCF_TRUSTED_HOSTS=" scf.example.com, .example.org,[::1] ")
    assert host_names(chosen) == ("scf.example.com", ".example.org", "[::1]")
    assert host_names(_load()) == ("localhost",)


@pytest.mark.parametrize(
    "word", ["*", "*.example.com", "https://a.example", "a.example:80", "a.example/x", "."]
)
def test_what_is_no_host_name_is_refused(word: str) -> None:
    with pytest.raises(SettingsError, match="SCF_TRUSTED_HOSTS"):
        _load(SCF_TRUSTED_HOSTS=f"good.example,{word}")


@pytest.mark.parametrize("value", ["0", "-1", "1000001", "many"])
def test_the_number_of_calls_is_a_number_that_can_be_meant(value: str) -> None:
    with pytest.raises(SettingsError, match="SCF_API_CALLS_PER_MINUTE"):
        _load(SCF_API_CALLS_PER_MINUTE=value)


def test_the_figures_have_a_token_only_where_a_file_holds_one(tmp_path: Path) -> None:
    file = tmp_path / "metrics.token"
    chosen = _load(SCF_METRICS_TOKEN_FILE=str(file))
    assert load_metrics_token(chosen) == ""
    file.write_text("m" * 40 + "\n")
    assert load_metrics_token(chosen) == "m" * 40


@pytest.mark.parametrize(
    ("content", "mode", "env", "said"),
    [
        ("short", 0o600, "development", "shorter"),
        ("", 0o600, "development", "shorter"),
        ("m" * 40, 0o644, "production", "others can read"),
        ("m" * 30 + "\u00e9" * 10, 0o600, "development", "SCF_METRICS_TOKEN_FILE"),
    ],
)
def test_a_poor_token_of_the_figures_is_refused(
    tmp_path: Path, content: str, mode: int, env: str, said: str
) -> None:
    file = tmp_path / "metrics.token"
    file.write_text(content, encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(SettingsError, match=said):
        load_metrics_token(_load(SCF_METRICS_TOKEN_FILE=str(file), SCF_ENV=env))


def test_without_a_mail_server_no_mail_is_sent_and_links_lead_to_this_machine() -> None:
    assert load_mail_server(_load()) is None
    assert public_address(_load(PORT="8123")) == "http://localhost:8123"
    assert public_address(_load(SCF_PUBLIC_ADDRESS="https://a.example/")) == "https://a.example"


MAIL = {"SCF_MAIL_SERVER": "smtp.example.com:587", "SCF_MAIL_FROM": "scf@example.com"}


def test_a_mail_server_is_read_with_its_password(tmp_path: Path) -> None:
    file = tmp_path / "mail.password"
    file.write_text(" right-one\n")
    chosen = _load(**MAIL, SCF_MAIL_USER="scf", SCF_MAIL_PASSWORD_FILE=str(file))
    at = load_mail_server(chosen)
    assert at is not None
    assert (at.host, at.port, at.security, at.user) == ("smtp.example.com", 587, "starttls", "scf")
    assert at.password == "right-one"
    assert "right-one" not in repr(at)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SCF_MAIL_SERVER", "smtp.example.com"),
        ("SCF_MAIL_SERVER", "smtp.example.com:70000"),
        ("SCF_MAIL_SERVER", ":25"),
        ("SCF_MAIL_FROM", "none"),
        ("SCF_MAIL_FROM", "Tributary <a@b.example>"),
        ("SCF_MAIL_FROM", "a@b.example\nBcc: c@d.example"),
        ("SCF_MAIL_SECURITY", "none"),
        ("SCF_MAIL_USER", "scf"),
        ("SCF_PUBLIC_ADDRESS", "http://scf.example.com"),
    ],
)
def test_a_mail_server_that_cannot_be_used_safely_is_refused_by_name(
    tmp_path: Path, variable: str, value: str
) -> None:
    """In production, where links must lead to the portal by TLS and a password needs its file."""
    good = MAIL | {"SCF_PUBLIC_ADDRESS": "https://scf.example.com", "SCF_ENV": "production"}
    good |= {"SCF_MAIL_PASSWORD_FILE": str(tmp_path / "missing")}
    assert load_mail_server(load(good)) is not None
    with pytest.raises(SettingsError, match={"SCF_MAIL_USER": "PASSWORD"}.get(variable, variable)):
        load_mail_server(load(good | {variable: value}))
