"""Keys change: resumable, counted, and told when it is time. Under way: tests/processes/test_rotation.py."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import EncryptionKey, OAuthTicket, OperatorNotice, User, Workspace
from accounts.operators import fingerprint, look_at_keys
from accounts.rotate import Rotation, count_remaining, rotate_all, secret_columns
from publishing.models import WebhookEndpoint
from tests.accounts.conftest import sign_in
from tests.factories import make_account

NEW_KEY = "a-new-key-of-more-than-thirty-two-characters"


class BrokenOff(Exception):
    pass


@pytest.mark.django_db
def test_a_run_that_broke_off_goes_on_where_it_stood(settings: Any, workspace: Workspace, fresh_fields: Any) -> None:
    for number in range(10):
        make_account(workspace, token=f"token-{number}")
    settings.FERNET_KEYS = [NEW_KEY, *settings.FERNET_KEYS]
    fresh_fields()
    assert count_remaining() == 10

    def break_off(progress: Rotation) -> None:
        if progress.rotated >= 4:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        rotate_all(2, on_batch=break_off)
    assert count_remaining() == 6
    out = StringIO()
    call_command("rotate_token_keys", count=True, stdout=out)
    assert out.getvalue() == "6 secrets are sealed with an older key.\n"
    progress = rotate_all(2)
    assert (progress.rotated, progress.done, progress.lost, progress.remaining) == (6, 4, 0, 0)
    out = StringIO()
    call_command("rotate_token_keys", stdout=out)
    assert "0 secrets sealed with the first key." in out.getvalue()
    with pytest.raises(CommandError):
        call_command("rotate_token_keys", batch_size=0)


@pytest.mark.django_db
def test_secrets_of_every_table_are_found_and_sealed_again(
    settings: Any, owner: User, workspace: Workspace, fresh_fields: Any
) -> None:
    found = {f"{model._meta.label}.{column}" for model, column in secret_columns()}
    assert found >= {
        "accounts.Grant.access_token",
        "accounts.Grant.refresh_token",
        "accounts.Credential.access_token",
        "accounts.OAuthTicket.code_verifier",
        "publishing.WebhookEndpoint.secret",
        "publishing.WebhookEndpoint.previous_secret",
    }
    endpoint = WebhookEndpoint.objects.create(
        workspace=workspace,
        url="https://example.com/hook",
        secret="whsec_new",
        previous_secret="whsec_old",
        seen_until=timezone.now(),
    )
    ticket = OAuthTicket.objects.create(
        digest="d", user=owner, workspace=workspace, provider="meta", product="facebook", code_verifier="verifier"
    )
    old_keys = settings.FERNET_KEYS
    settings.FERNET_KEYS = [NEW_KEY, *old_keys]
    fresh_fields()
    assert count_remaining() == 3
    assert rotate_all().rotated == 3
    settings.FERNET_KEYS = [NEW_KEY]
    fresh_fields()
    endpoint.refresh_from_db()
    ticket.refresh_from_db()
    assert endpoint.secret.reveal() == "whsec_new"
    assert endpoint.previous_secret.reveal() == "whsec_old"
    assert ticket.code_verifier.reveal() == "verifier"


@pytest.mark.django_db
def test_staff_are_told_when_the_key_has_grown_old(settings: Any, owner: User) -> None:
    look_at_keys()
    assert [row.fingerprint for row in EncryptionKey.objects.all()] == [fingerprint(settings.FERNET_KEYS[0])]
    assert not OperatorNotice.objects.exists()
    EncryptionKey.objects.update(first_seen_at=timezone.now() - timedelta(days=91))
    look_at_keys()
    look_at_keys()
    notice = OperatorNotice.objects.get()
    assert "manage.py rotate_token_keys" in notice.body
    assert settings.FERNET_KEYS[0] not in notice.body
    address = reverse("accounts:notifications")
    assert notice.title not in sign_in(owner).get(address).content.decode()
    owner.is_staff = True
    owner.save()
    assert notice.title in sign_in(owner).get(address).content.decode()
    settings.FERNET_KEYS = [NEW_KEY, *settings.FERNET_KEYS]
    look_at_keys()
    notice.refresh_from_db()
    assert notice.resolved_at
