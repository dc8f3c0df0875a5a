"""Settings: a wrong or missing one is named, and its value is not repeated."""

from pathlib import Path

import pytest

from shared.kit.address import KafkaAddress, Login
from shared.kit.settings import ServerSettings, ServiceSettings, read_settings


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
