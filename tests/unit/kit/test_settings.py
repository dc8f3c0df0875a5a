"""Settings: a wrong or missing one is named, and its value is not repeated."""

import pytest

from shared.kit.settings import ServiceSettings, read_settings


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
