"""`manage.py first_admin`: somebody who can sign in, on a site that has nobody yet."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.models import EmailAddress
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.people import create_workspace

EMAIL = "admin@localhost"
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that looks like something else
GROUPS, GROUP_LENGTH = 4, 4


def random_password() -> str:
    """80 bits, in groups that can be typed off a screen."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def first_admin() -> User | None:
    return User.objects.filter(is_superuser=True, is_active=True).order_by("date_joined").first()


def create_first_admin(email: str = EMAIL) -> str | None:
    """Create a superuser with a workspace and a verified address. Returns the password; None when there are users."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        password = random_password()
        user = User.objects.create_superuser(email, password)
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        create_workspace(user)
    return password


class Command(BaseCommand):
    help = "Creates the first admin, with a random password that is printed once. Does nothing when there are users."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default=EMAIL)

    def handle(self, *args: Any, **options: Any) -> None:
        password = create_first_admin(options["email"])
        if password is None:
            self.stdout.write("There are users already; nobody was created.")
        else:
            self.stdout.write(f"Sign in as {options['email']} with the password {password} (shown only now).")
