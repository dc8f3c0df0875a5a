"""HTTP client for programs on this machine, independent of proxies and ~/.netrc."""

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
    """Return a client that ignores the environment; `timeout` in seconds.

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
    """Return whether a GET of `url` succeeds within the timeout."""
    try:
        return httpx.get(url, timeout=seconds, trust_env=False).is_success
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return False
