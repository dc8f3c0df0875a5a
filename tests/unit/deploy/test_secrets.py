"""deploy/compose/secrets.sh: the passwords, and the certificate by which other systems know Kafka."""

import os
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from deploy.jobs.access import ACCESS
from deploy.jobs.passwords import passwords_in

pytestmark = pytest.mark.thorough
"""Processes of their own."""

SCRIPT = Path(__file__).parents[3] / "deploy" / "compose" / "secrets.sh"
TOOLS = ("sh", "head", "base64", "tr", "sed", "tail", "chmod", "mv", "mkdir", "rm", "cat", "mktemp")


def type_it(folder: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """The script, run in the folder above `folder` as in the project's."""
    told = {"PATH": os.environ["PATH"], "LIAISON_SECRETS": str(folder)} | env
    sh = shutil.which("sh") or "sh"
    return subprocess.run(
        [sh, SCRIPT, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=told,
        cwd=folder.parent,
    )


def believes(secrets: Path, authority: Path, host: str) -> bool:
    """Whether a client that believes `authority` takes whoever has these secrets for `host`."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(secrets / "kafka_certificate")
    trust = ssl.create_default_context(cafile=authority)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = trust.wrap_bio(back, there, server_hostname=host)
    answering = server.wrap_bio(there, back, server_side=True)
    for side in (asking, answering, asking):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError:
            return False
    return True


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    assert type_it(folder, LIAISON_KAFKA_ADDRESS="kafka.example.gov.cn:9094").returncode == 0
    return folder


def test_each_password_is_another_one_and_good_enough(secrets: Path):
    made = [*passwords_in(secrets, "kafka", ACCESS).values()]
    made += passwords_in(secrets, "database", ("admin", "intake", "routing", "followup")).values()
    made += passwords_in(secrets, "grafana", ("admin",)).values()
    assert len(set(made)) == len(made)


def test_what_is_there_stays(secrets: Path):
    before = {file: file.read_bytes() for file in secrets.iterdir()}
    assert type_it(secrets).stdout == ""
    assert {file: file.read_bytes() for file in secrets.iterdir()} == before


def test_containers_read_what_is_theirs_and_nobody_the_key_of_the_authority(secrets: Path):
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in secrets.iterdir()}
    assert modes.pop("kafka_authority_key") == "0o400"
    assert set(modes.values()) == {"0o444"}
    assert oct(secrets.stat().st_mode & 0o777) == "0o700"


@pytest.mark.parametrize("host", ["kafka.example.gov.cn", "localhost", "127.0.0.1"])
def test_kafka_is_known_by_the_names_that_it_is_reached_by(secrets: Path, host: str):
    assert believes(secrets, secrets / "kafka_authority", host)
    assert not believes(secrets, secrets / "kafka_authority", "elsewhere.example")


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "3com.example"])
def test_it_is_certified_for_the_address_that_env_says(tmp_path: Path, host: str):
    secrets = tmp_path / "secrets"
    said = f"[{host}]" if ":" in host else host
    (tmp_path / ".env").write_text(f'LIAISON_KAFKA_ADDRESS="{said}:9094" # as others see it\n')
    assert type_it(secrets).returncode == 0
    assert believes(secrets, secrets / "kafka_authority", host)


def test_a_renewed_certificate_is_of_the_same_authority(secrets: Path, tmp_path: Path):
    """Other systems need not be told."""
    authority = shutil.copy(secrets / "kafka_authority", tmp_path / "handed-out")
    before = (secrets / "kafka_certificate").read_text()
    told = {"LIAISON_KAFKA_ADDRESS": "new.example:9094"}
    assert type_it(secrets, "--renew", "kafka_certificate", **told).returncode == 0
    assert (secrets / "kafka_certificate").read_text() != before
    assert believes(secrets, authority, "new.example")


def test_another_authority_is_not_believed(secrets: Path, tmp_path: Path):
    other = tmp_path / "other"
    assert type_it(other).returncode == 0
    assert not believes(secrets, other / "kafka_authority", "localhost")


def test_a_town_s_own_certificate_is_left_alone(secrets: Path, tmp_path: Path):
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(secrets / "kafka_certificate", own)
    assert type_it(own).returncode == 0
    assert not (own / "kafka_authority").exists()
    renewed = type_it(own, "--renew", "kafka_certificate")
    assert renewed.returncode == 1
    assert "kafka_certificate" in renewed.stderr
    same = (own / "kafka_certificate").read_bytes()
    assert same == (secrets / "kafka_certificate").read_bytes()


@pytest.mark.parametrize(("outside", "ends"), [("PLAINTEXT", 0), ("SSL", 1)])
def test_without_openssl_it_says_so_and_tls_is_not_begun(tmp_path: Path, outside: str, ends: int):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    secrets = tmp_path / "secrets"
    done = type_it(secrets, PATH=str(tools), LIAISON_KAFKA_OUTSIDE=outside)
    assert done.returncode == ends
    assert "openssl" in done.stderr
    # docker compose wants the file to be there; with TLS it must not find an empty one.
    assert (secrets / "kafka_certificate").exists() == (ends == 0)
    assert (secrets / "kafka_senders").exists()
    assert type_it(secrets).returncode == 0
    assert believes(secrets, secrets / "kafka_authority", "localhost")
