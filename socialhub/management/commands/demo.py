"""`manage.py demo`: something to publish, in the workspace of the first admin."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socialhub.demo import make_demo
from socialhub.management.commands.first_admin import first_admin


class Command(BaseCommand):
    help = "Adds the image set “1969 Camaro Restoration” with captions and hashtags to the first admin's workspace."

    def handle(self, *args: Any, **options: Any) -> None:
        user = first_admin()
        membership = user.memberships.order_by("created_at").first() if user else None
        if user is None or membership is None:
            raise CommandError("There is no admin with a workspace yet. Run `manage.py first_admin` first.")
        image_set = make_demo(membership.workspace, user)
        self.stdout.write(f"“{image_set}” is in the library of {membership.workspace}.")
