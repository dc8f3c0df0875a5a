"""What `liaison up` gives its services: whose statements about a caller count."""

from pathlib import Path

import pytest

from deploy.common.folder import Folder
from deploy.jobs.migrations import SERVICES
from deploy.local.launcher.services import Surroundings, alone, origin, together
from shared.delivery.kafka.address import KafkaAddress


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(
        Folder.at(tmp_path), "postgresql://nowhere/liaison", KafkaAddress("k:1", "")
    )


def test_case_93_services_of_their_own_trust_the_gateway_by_its_key(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIAISON_TRUSTED_PROXIES", "192.0.2.7")
    monkeypatch.delenv("LIAISON_GATEWAY_KEY", raising=False)
    gateway = origin(around, 1, dict.fromkeys(SERVICES, 2)).env
    assert gateway["LIAISON_TRUSTED_PROXIES"] == "192.0.2.7"
    assert "LIAISON_GATEWAY_KEY" not in gateway
    for service in SERVICES:
        env = alone(service, around, dict.fromkeys(SERVICES, 3)).env
        assert env["LIAISON_TRUSTED_PROXIES"] == "127.0.0.1"
        assert env["LIAISON_GATEWAY_KEY"] == gateway["LIAISON_SERVICES_KEY"]
        assert len(env["LIAISON_GATEWAY_KEY"]) >= 32
    assert around.gateway_key not in repr(around)


def test_case_93_no_two_stacks_have_one_key(around: Surroundings) -> None:
    other = Surroundings(around.folder, around.database_url, around.kafka)
    assert other.gateway_key != around.gateway_key


def test_services_in_one_process_trust_whom_the_operator_names(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIAISON_TRUSTED_PROXIES", raising=False)
    assert "LIAISON_TRUSTED_PROXIES" not in together(around, 1).env
