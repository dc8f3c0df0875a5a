"""Whom Kafka is told that we are, and whom we believe that it is."""

import ssl
from pathlib import Path

import pytest
from faststream.security import SASLScram512

from shared.delivery.kafka.address import KafkaAddress, Login

SYSTEM_CERTIFICATES = ssl.get_default_verify_paths().cafile


def test_nobody_in_particular_on_a_network_of_ones_own() -> None:
    address = KafkaAddress("127.0.0.1:9092")
    assert address.client() == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "PLAINTEXT",
    }
    assert address.security().ssl_context is None


def test_a_user_proves_the_password_and_does_not_say_it() -> None:
    address = KafkaAddress("kafka:9092", login=Login("intake", "a secret of intake's"))
    assert address.client() == {
        "bootstrap_servers": "kafka:9092",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "intake",
        "sasl_plain_password": "a secret of intake's",
    }
    assert isinstance(address.security(), SASLScram512)
    assert "a secret" not in repr(address)


@pytest.mark.parametrize(
    ("login", "protocol"), [(None, "SSL"), (Login("intake", "a secret"), "SASL_SSL")]
)
def test_with_certificates_all_goes_by_tls(login: Login | None, protocol: str) -> None:
    assert SYSTEM_CERTIFICATES is not None
    address = KafkaAddress("kafka:9093", login=login, ca_file=Path(SYSTEM_CERTIFICATES))
    assert address.client()["security_protocol"] == protocol
    context = address.client()["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert address.security().use_ssl
