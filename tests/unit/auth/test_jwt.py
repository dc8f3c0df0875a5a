"""A signed token counts when its issuer's key, its claims and its time say so, and never otherwise."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shared.auth.issuer import Issuer
from shared.auth.tokens import Principal
from shared.contracts.vocabulary import Role
from shared.runtime.errors import Problem
from tests.support.issuing import AUDIENCE, SYSTEM, encoded, unsigned
from tests.unit.auth.issuers import Signing

ONE_STOP = Principal(Role.SYSTEM, "https://one-stop.example")
RSA = RSAKey.generate_key(2048)
KEYS = {
    "RS256": RSA,
    "PS256": RSA,
    "ES256": ECKey.generate_key("P-256"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
    "RS384": RSA,
    "RS512": RSA,
    "PS512": RSA,
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
}
GOOD = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")


@pytest.fixture
def signing() -> Signing:
    return Signing()


async def refused(signing: Signing, token: str) -> str:
    """Why the token does not count, as its sender is told."""
    with pytest.raises(Problem) as caught:
        await signing.tokens.principal(token)
    problem = caught.value
    assert (problem.status, problem.code) == (401, "not_signed_in")
    challenge = problem.headers["www-authenticate"]
    assert challenge.startswith('Bearer error="invalid_token", error_description="')
    return challenge.split('"')[3]


@pytest.mark.parametrize("alg", GOOD)
async def test_each_good_algorithm_counts(signing: Signing, alg: str):
    signing.issuing.add(alg, KEYS[alg])
    assert await signing.tokens.principal(signing.token(alg=alg)) == ONE_STOP


@pytest.mark.parametrize("alg", sorted(KEYS.keys() - set(GOOD)))
async def test_another_algorithm_does_not(signing: Signing, alg: str):
    signing.issuing.add(alg, KEYS[alg])
    assert await refused(signing, signing.token(alg=alg)) == "algorithm"


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "HS512", "", None, ["ES256"], 1])
async def test_one_that_needs_no_issuer_does_not_and_asks_nobody(signing: Signing, alg: object):
    token = unsigned({"alg": alg, "kid": "first"}, SYSTEM)
    assert await refused(signing, token) == "algorithm"
    assert signing.answering.asked == []


async def test_a_public_key_is_no_secret_to_sign_with(signing: Signing):
    public = signing.issuing.keys["first"].as_pem(private=False)
    head, body, _ = unsigned({"alg": "HS256", "kid": "first"}, SYSTEM).split(".")
    signature = hmac.digest(public, f"{head}.{body}".encode(), "sha256")
    assert await refused(signing, f"{head}.{body}.{encoded(signature)}") == "algorithm"


async def test_the_key_decides_the_algorithm(signing: Signing):
    token = signing.token(alg="RS256", key=RSA)
    assert await refused(signing, token) == "unreadable", "the issuer's key is on a curve"


async def test_another_s_signature_does_not_count(signing: Signing):
    token = signing.token(key=ECKey.generate_key("P-256"))
    assert await refused(signing, token) == "signature"


async def test_a_changed_token_does_not_count(signing: Signing):
    head, _, signature = signing.token().split(".")
    _, body, _ = signing.token(liaison_role="coordinator").split(".")
    assert await refused(signing, f"{head}.{body}.{signature}") == "signature"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://issuer.example/realms/other"}, "claim iss"),
        ({"iss": "https://issuer.example/realms/town/"}, "claim iss"),
        ({"iss": ["https://issuer.example/realms/town"]}, "claim iss"),
        ({"without": ["iss"]}, "claim iss"),
        ({"aud": "another"}, "claim aud"),
        ({"aud": ["another", "Liaison"]}, "claim aud"),
        ({"aud": []}, "claim aud"),
        ({"aud": {"liaison": 1}}, "claim aud"),
        ({"without": ["aud"]}, "claim aud"),
        ({"without": ["exp"]}, "claim exp"),
        ({"exp": "tomorrow"}, "claim exp"),
        ({"exp": True}, "claim exp"),
    ],
)
async def test_what_is_not_for_us_does_not_count(signing: Signing, changes: dict, reason: str):
    assert await refused(signing, signing.token(**changes)) == reason


async def test_one_for_us_among_others_counts(signing: Signing):
    token = signing.token(aud=["another", AUDIENCE])
    assert await signing.tokens.principal(token) == ONE_STOP


@pytest.mark.parametrize(
    ("claim", "good", "bad", "reason"),
    [
        ("exp", -59, -60, "expired"),
        ("nbf", 60, 61, "claim nbf"),
        ("iat", 60, 61, "claim iat"),
    ],
)
async def test_clocks_may_differ_by_a_minute(
    signing: Signing, claim: str, good: int, bad: int, reason: str
):
    now = int(signing.moments.clock().timestamp())
    assert await signing.tokens.principal(signing.token(**{claim: now + good})) == ONE_STOP
    assert await refused(signing, signing.token(**{claim: now + bad})) == reason


async def test_a_token_ends_while_it_is_used(signing: Signing):
    token = signing.token()
    signing.moments.go_on(359)
    assert await signing.tokens.principal(token) == ONE_STOP
    signing.moments.go_on(1)
    assert await refused(signing, token) == "expired"


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "application/at+JWT"])
async def test_an_access_token_may_say_what_it_is(signing: Signing, kind: str):
    assert await signing.tokens.principal(signing.token(header={"typ": kind})) == ONE_STOP


@pytest.mark.parametrize("header", [{"typ": "logout+jwt"}, {"crit": ["b64"], "b64": True}])
async def test_a_token_of_another_kind_does_not_count(signing: Signing, header: dict):
    assert await refused(signing, signing.token(header=header)) == "unreadable"


async def test_what_a_header_says_besides_is_passed_over(signing: Signing):
    assert await signing.tokens.principal(signing.token(header={"x": {"y": 1}})) == ONE_STOP


@pytest.mark.parametrize(
    "token",
    [
        "..",
        "a.b.c",
        "\xff.\xff.\xff",
        unsigned([]),
        unsigned("alg"),
        unsigned(None),
        unsigned({"alg": "ES256", "kid": "first", "typ": 1}),
        unsigned({"alg": "ES256", "kid": "first", "crit": ["x"], "x": 1}),
        encoded(b"[" * 3000) + ".AAAA.AAAA",
        encoded(b'{"alg": ' + b"[" * 300) + ".AAAA.AAAA",
    ],
)
async def test_what_is_no_token_does_not_count_and_asks_nobody(signing: Signing, token: str):
    assert await refused(signing, token) == "unreadable"
    assert signing.answering.asked == []


@pytest.mark.parametrize("kid", [None, 1, "", "k" * 256, "a\nb"])
async def test_who_names_no_key_does_not_count_and_asks_nobody(signing: Signing, kid: object):
    assert await refused(signing, unsigned({"alg": "ES256", "kid": kid})) == "unknown key"
    assert signing.answering.asked == []


STRANGERS = Signing()


@given(head=st.binary(max_size=60), body=st.binary(max_size=60), end=st.binary(max_size=80))
async def test_what_a_stranger_makes_up_is_refused_and_no_more(
    head: bytes, body: bytes, end: bytes
):
    good, _, _ = STRANGERS.token().split(".")
    for first in (encoded(head), good):
        assert await refused(STRANGERS, f"{first}.{encoded(body)}.{encoded(end)}")


@pytest.mark.parametrize("role", Role)
async def test_every_role_may_be_claimed_by_itself_or_in_a_list(signing: Signing, role: Role):
    for said in (role.value, [role.value]):
        found = await signing.tokens.principal(signing.token(liaison_role=said))
        assert found == Principal(role, SYSTEM["liaison_party"])


@pytest.mark.parametrize(
    ("said", "sources"),
    [("urn:park", ("urn:park",)), (["urn:park", "urn:web"], ("urn:park", "urn:web"))],
)
async def test_a_system_may_be_kept_to_sources(
    signing: Signing, said: object, sources: tuple[str, ...]
):
    found = await signing.tokens.principal(signing.token(liaison_sources=said))
    assert found.sources == sources
    token = signing.token(liaison_role="liaison", liaison_sources=said)
    assert (await signing.tokens.principal(token)).sources == ()
    assert (await signing.tokens.principal(signing.token())).sources == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"liaison_sources": []},
        {"liaison_sources": None},
        {"liaison_sources": ""},
        {"liaison_sources": ["urn:park", 7]},
        {"liaison_sources": {"urn:park": True}},
        {"liaison_role": "admin"},
        {"liaison_role": "System"},
        {"liaison_role": ["system", "operator"]},
        {"liaison_role": None},
        {"liaison_role": {"role": "system"}},
        {"without": ["liaison_role"]},
        {"without": ["liaison_party"]},
        {"liaison_party": ""},
        {"liaison_party": 7},
        {"liaison_party": ["L001"]},
        {"liaison_party": "L\x00001"},
        {"liaison_party": "L" * 256},
    ],
)
async def test_without_a_role_and_a_party_it_may_do_nothing(signing: Signing, changes: dict):
    with pytest.raises(Problem) as caught:
        await signing.tokens.principal(signing.token(**changes))
    assert (caught.value.status, caught.value.code) == (403, "no_role_or_party")
    detail = caught.value.body("en")["detail"]
    assert "liaison_role" in detail
    assert "liaison_party" in detail
    assert "liaison_sources" in detail
    assert "coordinator" in detail


async def test_an_issuer_may_have_its_own_names_for_the_claims(signing: Signing):
    issuer = Issuer(
        signing.issuing.name,
        AUDIENCE,
        role_claim="https://town.example/role",
        party_claim="azp",
        jwks_url=f"{signing.issuing.name}/keys",
    )
    claims = {"https://town.example/role": "department", "azp": "D-ROAD"}
    found = await signing.of(issuer).principal(signing.token(**claims))
    assert found == Principal(Role.DEPARTMENT, "D-ROAD")
