"""The account of each platform that the composer has chosen beforehand."""

from __future__ import annotations

from django.db import transaction

from accounts.models import ConnectedAccount


def make_default(account: ConnectedAccount) -> None:
    """In place of the one that was it. Of two people at once the later one wins.

    The rows of the platform are locked in one order; without that the two would wait for each other.
    """
    rivals = ConnectedAccount.objects.of(account.workspace).filter(platform=account.platform)
    with transaction.atomic():
        rows = list(
            rivals.listed().select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True)
        )
        if account.pk not in rows:  # disconnected meanwhile
            return
        rivals.filter(is_default=True).exclude(pk=account.pk).update(is_default=False)
        rivals.filter(pk=account.pk).update(is_default=True)


def remove_default(account: ConnectedAccount) -> None:
    ConnectedAccount.objects.filter(pk=account.pk).update(is_default=False)
