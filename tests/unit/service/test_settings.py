"""Settings: a wrong or missing one is named, and its value is not repeated."""

from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from deploy.jobs.migrations import SERVICES
from shared.auth.issuer import Issuer
from shared.delivery.kafka.address import KafkaAddress, Login
from shared.http.middleware.proxies import TrustedProxies, parse_network
from shared.service.settings import ServerSettings, ServiceSettings, read_settings

ROOT = Path(__file__).parents[3]


def test_what_is_missing_or_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIAISON_KAFKA", raising=False)
    monkeypatch.setenv("LIAISON_DATABASE_URL", "postgresql://liaison:secret@127.0.0.1/liaison")
    monkeypatch.setenv("LIAISON_HTTP_PORT", "99999")
    with pytest.raises(SystemExit) as ended:
        read_settings(ServiceSettings)
    words = str(ended.value)
    assert "LIAISON_KAFKA" in words
    assert "LIAISON_HTTP_PORT" in words
    assert "secret" not in words
    assert "99999" not in words


def test_what_is_right_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_KAFKA", "127.0.0.1:9092")
    monkeypatch.setenv("LIAISON_DATABASE_URL", "postgresql://liaison@127.0.0.1/liaison")
    monkeypatch.setenv("LIAISON_TOPIC_PREFIX", "town.")
    address = read_settings(ServiceSettings).kafka_address
    assert address.topic("liaison.requests") == "town.liaison.requests"


@pytest.fixture
def named_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_KAFKA", "kafka:9092")
    monkeypatch.setenv("LIAISON_DATABASE_URL", "postgresql://liaison_intake@postgres/liaison")


@pytest.mark.usefixtures("named_servers")
def test_passwords_come_out_of_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, secret in ("DATABASE", "p/w &x=1\n"), ("KAFKA", " of kafka\n"):
        file = tmp_path / name
        file.write_text(secret)
        monkeypatch.setenv(f"LIAISON_{name}_PASSWORD_FILE", str(file))
    monkeypatch.setenv("LIAISON_KAFKA_USER", "intake")
    settings = read_settings(ServiceSettings)
    assert settings.database == (
        "postgresql://liaison_intake@postgres/liaison?password=p%2Fw%20%26x%3D1"
    )
    assert settings.kafka_address.login == Login("intake", "of kafka")
    assert "p/w" not in repr(settings)


@pytest.mark.usefixtures("named_servers")
def test_a_secret_that_is_missing_or_empty_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    monkeypatch.setenv("LIAISON_DATABASE_PASSWORD_FILE", str(empty))
    monkeypatch.setenv("LIAISON_KAFKA_PASSWORD_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit) as ended:
        read_settings(ServiceSettings)
    words = str(ended.value)
    assert "LIAISON_DATABASE_PASSWORD_FILE: Value error, there is nothing in this file" in words
    assert "LIAISON_KAFKA_PASSWORD_FILE: Path does not point to a file" in words


@pytest.mark.usefixtures("named_servers")
def test_a_user_without_a_password_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_KAFKA_USER", "intake")
    with pytest.raises(SystemExit, match="LIAISON_KAFKA_PASSWORD_FILE go together"):
        read_settings(ServiceSettings)


def test_a_setting_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "DATABASE_URL", "KAFKA", "KAFKA_USER", "KAFKA_CA_FILE", "TOPIC_PREFIX":
        monkeypatch.setenv(f"LIAISON_{name}", "")
    settings = read_settings(ServerSettings)
    assert (settings.database, settings.kafka_address) == ("", KafkaAddress(""))


@pytest.mark.usefixtures("named_servers")
def test_an_issuer_is_named_with_its_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings(ServiceSettings).issuer is None
    monkeypatch.setenv("LIAISON_OIDC_ISSUER", "https://issuer.example/realms/town")
    with pytest.raises(SystemExit, match="LIAISON_OIDC_ISSUER and LIAISON_OIDC_AUDIENCE go"):
        read_settings(ServiceSettings)
    monkeypatch.setenv("LIAISON_OIDC_AUDIENCE", "liaison")
    assert read_settings(ServiceSettings).issuer == Issuer(
        "https://issuer.example/realms/town", "liaison", "liaison_role", "liaison_party"
    )
    monkeypatch.setenv("LIAISON_OIDC_ISSUER", "")
    with pytest.raises(SystemExit, match="LIAISON_OIDC_ISSUER and LIAISON_OIDC_AUDIENCE go"):
        read_settings(ServiceSettings)


@pytest.mark.usefixtures("named_servers")
def test_keys_without_an_issuer_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_OIDC_JWKS_URL", "https://issuer.example/keys")
    with pytest.raises(SystemExit, match="LIAISON_OIDC_JWKS_URL needs LIAISON_OIDC_ISSUER"):
        read_settings(ServiceSettings)


@pytest.mark.usefixtures("named_servers")
@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://issuer.example", True),
        ("http://127.0.0.1:8080/realms/town", True),
        ("http://localhost", True),
        ("http://[::1]:8080", True),
        ("http://issuer.example", False),
        ("http://127.0.0.1.issuer.example", False),
        ("http://127.0.0.1@issuer.example", False),
        ("https://", False),
        ("issuer.example", False),
        ("file:///etc/passwd", False),
    ],
)
def test_keys_come_by_a_way_that_nobody_can_change_them_on(
    monkeypatch: pytest.MonkeyPatch, url: str, is_safe: bool
) -> None:
    monkeypatch.setenv("LIAISON_OIDC_ISSUER", url)
    monkeypatch.setenv("LIAISON_OIDC_AUDIENCE", "liaison")
    if is_safe:
        assert read_settings(ServiceSettings).oidc_issuer == url
    else:
        with pytest.raises(SystemExit, match="LIAISON_OIDC_ISSUER: Value error, must begin"):
            read_settings(ServiceSettings)


@pytest.mark.usefixtures("named_servers")
@pytest.mark.parametrize("said", ["0", "-1", "many"])
def test_a_limit_that_lets_nobody_in_is_named(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("LIAISON_REQUESTS_PER_MINUTE", said)
    with pytest.raises(SystemExit, match="LIAISON_REQUESTS_PER_MINUTE"):
        read_settings(ServiceSettings)


@pytest.mark.usefixtures("named_servers")
def test_case_93_trusted_proxies_are_named_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read_settings(ServiceSettings).proxies
    monkeypatch.setenv("LIAISON_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,fd00::/8,")
    assert read_settings(ServiceSettings).proxies.contains(ip_address("10.2.3.4"))
    for wrong in ("*", "10.0.0.1/8", "127.0.0.1 10.0.0.1", "gateway"):
        monkeypatch.setenv("LIAISON_TRUSTED_PROXIES", wrong)
        with pytest.raises(SystemExit, match="LIAISON_TRUSTED_PROXIES"):
            read_settings(ServiceSettings)


def test_case_26_every_service_behind_the_gateway_trusts_it() -> None:
    """Compose gives the services one block of settings, and the gateway states one address."""
    stack = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for service in SERVICES:
        given = stack[service]["environment"]["LIAISON_TRUSTED_PROXIES"]
        default = given.removeprefix("${LIAISON_TRUSTED_PROXIES:-").removesuffix("}")
        trusted = TrustedProxies(map(parse_network, default.split(",")))
        assert trusted.contains(ip_address("172.20.0.5")), service
        assert not trusted.contains(ip_address("198.51.100.9")), service
        assert stack[service]["networks"] == ["inside"]
    caddyfile = (ROOT / "deploy/compose/Caddyfile").read_text("utf-8")
    directives = [
        line.strip() for line in caddyfile.splitlines() if not line.strip().startswith("#")
    ]
    # Then Caddy replaces whatever a caller sends by the caller's own address.
    assert not [
        each for each in directives if each.startswith(("trusted_proxies", "header_up X-F"))
    ]
