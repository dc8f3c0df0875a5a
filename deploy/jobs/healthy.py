"""Health check of a container: `python -m deploy.jobs.healthy` exits with 0 when the service is ready, else 1."""

import http.client
import os
import sys

ANSWER_SECONDS = 7.0


def main() -> int:
    """Request `/readyz`, print the reason when it is not ready, and return the exit code."""
    port = int(os.environ.get("LIAISON_HTTP_PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as fault:
        sys.stdout.write(f"{type(fault).__name__}: {fault}\n")
        return 1
    if answer.status != http.client.OK:
        sys.stdout.write(said.decode("utf-8", "replace") + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
