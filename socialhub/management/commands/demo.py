"""`manage.py demo`: something to publish, in the workspace of the first admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from socialhub.management.commands.first_admin import first_admin


def make_demo(user: User) -> None:
    """Idempotent."""


class Command(BaseCommand):
    help = "Adds the image set “1969 Camaro Restoration” with captions and hashtags to the first admin's workspace."

    def handle(self, *args: Any, **options: Any) -> None:
        user = first_admin()
        if user is None:
            raise CommandError("There is no admin yet. Run `manage.py first_admin` first.")
        make_demo(user)
        self.stdout.write(f"The demo image set is in the workspace of {user.email}.")
