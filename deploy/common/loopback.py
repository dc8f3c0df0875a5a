"""HTTP to programs on this machine: never through a proxy, and with nothing of a person's ~/.netrc."""

import ssl

import httpx

CONNECTIONS = 100


def loopback_client(
    base_url: str = "",
    *,
    timeout: httpx.Timeout | float,
    transport: httpx.AsyncBaseTransport | None = None,
    connections: int = CONNECTIONS,
) -> httpx.AsyncClient:
    """A client that the environment cannot send elsewhere; `timeout` in seconds.

    A gateway with TLS is trusted by the machine's certificates, or those of SSL_CERT_FILE.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        # httpx would take the certificates that it brings along.
        verify=ssl.create_default_context() if base_url.startswith("https:") else True,
        timeout=timeout,
        transport=transport,
        limits=httpx.Limits(max_connections=connections),
        trust_env=False,
    )


def answers_well(url: str, seconds: float) -> bool:
    """Whether a GET of `url` is answered with success in time."""
    try:
        return httpx.get(url, timeout=seconds, trust_env=False).is_success
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return False
