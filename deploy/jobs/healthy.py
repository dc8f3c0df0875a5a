"""Whether the service in this container can do its work: `python -m deploy.jobs.healthy` ends with 0 or 1."""

import http.client
import os
import sys

ANSWER_SECONDS = 7.0


def main() -> int:
    """Ask `/readyz`, and say what it says when that is no."""
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
