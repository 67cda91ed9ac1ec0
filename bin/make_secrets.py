"""The first start of compose.yaml: random secrets for whatever was given none. Standard library only.

python bin/make_secrets.py FILE --password FILE --database postgresql://user:{password}@host/name

FILE becomes an environment file with SECRET_KEY, FERNET_KEYS and DATABASE_URL, the password a file of its own, for the
database. What is there already stays as it is; real environment variables win over it, as everywhere.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from private import new_secret, write_private


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the secrets that are missing.")
    parser.add_argument("file", type=Path, help="the environment file")
    parser.add_argument("--password", type=Path, required=True, help="where the database reads its password")
    parser.add_argument("--database", required=True, help="its address, with {password} where that belongs")
    options = parser.parse_args()
    made = []
    if not options.password.exists():
        write_private(options.password, new_secret())
        made.append("the password of the database")
    kept = options.file.read_text() if options.file.exists() else ""
    names = {line.partition("=")[0] for line in kept.splitlines()}
    values = {
        "SECRET_KEY": new_secret(),
        "FERNET_KEYS": new_secret(),
        "DATABASE_URL": options.database.format(password=options.password.read_text().strip()),
    }
    missing = {name: value for name, value in values.items() if name not in names}
    if missing:
        write_private(options.file, kept + "".join(f"{name}={value}\n" for name, value in missing.items()))
        made += missing
    print(
        f"Made {', '.join(made)} in {options.file.parent}. Keep a copy: see docs/install-docker.md"
        if made
        else "There."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
