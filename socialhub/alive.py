"""Is the process of this container at work? For health checks: python -m socialhub.alive web|worker|beat

Without Django, which would cost a second of a processor each time. Ends with 0 or 1 and says one line.
"""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import environ
import psycopg

SILENT_SECONDS = 120  # a process says every 30 that it is there
HEARD = """
    SELECT extract(epoch FROM now() - max(seen_at)) FROM socialhub_processheartbeat WHERE kind = %s AND host = %s
"""


def web() -> str:
    """What is wrong, or ""."""
    home = urlsplit(os.environ.get("PUBLIC_BASE_URL", ""))
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz"
    request = urllib.request.Request(url, headers={"Host": home.netloc, "X-Forwarded-Proto": home.scheme})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  our own address
            return "" if answer.status == 200 else f"it answered {answer.status}"
    except (urllib.error.URLError, OSError) as error:
        return f"it does not answer: {error}"


def heard(kind: str) -> str:
    try:
        with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5) as connection:
            row = connection.execute(HEARD, (kind, socket.gethostname()[:50])).fetchone()
    except psycopg.Error as error:
        return f"the database does not answer: {type(error).__name__}"
    if row is None or row[0] is None:
        return "nothing was heard of it yet"
    return "" if row[0] < SILENT_SECONDS else f"nothing was heard of it for {row[0]:.0f} seconds"


def main(kind: str = "web") -> int:
    if (path := os.environ.get("ENV_FILE")) and os.path.exists(path):
        environ.Env.read_env(path)
    trouble = web() if kind == "web" else heard(kind)
    print(trouble or "alive")  # noqa: T201  for whoever looks into the health of a container
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
