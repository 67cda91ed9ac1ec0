"""`manage.py connect_token`: connect a Page by its token, without a dialog. For development."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.connect import connect_page_token
from accounts.models import Workspace
from socialhub.platforms.errors import PlatformError


class Command(BaseCommand):
    help = "Connects a Facebook Page, and the Instagram account linked to it, by a Page token."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", type=uuid.UUID, help="id of the workspace; needed if there are several")
        parser.add_argument(
            "--page-token", required=True, help="a Page access token, such as of the Graph API Explorer"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            connected = connect_page_token(self.workspace(options["workspace"]), options["page_token"])
        except PlatformError as error:
            raise CommandError(f"{error.message} {error.platform_message}".strip()) from error
        for account in connected:
            self.stdout.write(f"Connected {account.platform}: {account.name} ({account.platform_account_id})")

    def workspace(self, chosen: uuid.UUID | None) -> Workspace:
        rows = Workspace.objects.filter(pk=chosen) if chosen else Workspace.objects.all()
        found = list(rows[:2])
        if len(found) == 1:
            return found[0]
        listing = "\n".join(f"  {row.pk}  {row.name}" for row in Workspace.objects.order_by("name")[:50])
        raise CommandError(f"Name one workspace with --workspace:\n{listing}")
