"""Bring the database up to date, in one process because each costs a second: migrations, first admin, demo.

Prints the first admin as JSON, with the password when the account is new. All other words go to standard error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, transaction


def main() -> int:
    try:
        django.setup()
        call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
    except ImproperlyConfigured as error:
        print(f"Wrong settings: {error}", file=sys.stderr)
        return 1
    except OperationalError as error:
        print(f"DATABASE_URL names a database that does not answer: {error}", file=sys.stderr)
        return 1
    if not settings.DEBUG:
        call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr)

    from socialhub.management.commands.first_admin import create_first_admin, first_admin  # models need setup()

    with transaction.atomic():  # an admin whose password was never printed would lock everybody out
        password = create_first_admin()
        if password and settings.SANDBOX:
            call_command("demo", stdout=sys.stderr)
    admin = first_admin()
    print(json.dumps({"email": admin.email if admin else "", "password": password or ""}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
