"""A workspace taken along and deleted where its files lie in a bucket that several machines share."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from analytics import workspace_end, workspace_export
from analytics.models import WorkspaceExport
from publishing import intake
from publishing.compose import Intent
from publishing.intake import Wanted
from publishing.media import rendition
from publishing.models import MediaFile, QueueEntry
from socialhub.platforms.rules import IMAGE
from tests.factories import make_account, make_post
from tests.operation.test_storage import shared  # noqa: F401  a fixture
from tests.publishing.pictures import encoded, gradient
from tests.s3_process import Bucket, s3, s3_process  # noqa: F401  fixtures
from tests.test_outside import Host
from tests.test_outside import host as host

pytestmark = pytest.mark.django_db


def test_fetched_taken_along_and_deleted(
    shared: Bucket,  # noqa: F811
    host: Host,
    settings: Any,
    workspace: Workspace,
    owner: User,
    signed_in: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.OUTSIDE_ORIGINS = [host.origin]
    host.file("/barn.jpg", encoded(gradient(400, 300)))
    post = make_post(workspace, make_account(workspace))
    intake.expect(post, [Wanted(f"{host.origin}/barn.jpg")], intent=Intent.NOW, by=owner)
    intake.run_due()
    assert QueueEntry.objects.count() == 1
    rendition(MediaFile.objects.get(), IMAGE["facebook"])

    export = workspace_export.ask(workspace, owner)
    with monkeypatch.context() as dies:
        dies.setattr(workspace_export, "mine", died_before_it_was_noted(workspace_export.mine))
        with pytest.raises(KeyboardInterrupt):
            workspace_export.run_due()
    assert exports_in(shared) == 1
    WorkspaceExport.objects.update(lease_until=None)
    workspace_export.run_due()
    assert exports_in(shared) == 1, "what the first one stored is gone"
    answer: Any = signed_in.get(reverse("analytics:workspace_export_file", args=[export.pk]))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as folder:
        assert folder.testzip() is None
        assert [name for name in folder.namelist() if name.endswith("01_barn.jpeg")]

    settings.WORKSPACE_GRACE_DAYS = 0
    workspace_end.begin(workspace, owner)
    workspace_end.run_due()
    assert not Workspace.objects.filter(pk=workspace.pk).exists()
    assert shared.names() == []


def died_before_it_was_noted(real: Any) -> Any:
    """Once the file is stored, and the row does not say so yet."""

    def mine(export: WorkspaceExport) -> Any:
        if export.file:
            raise KeyboardInterrupt
        return real(export)

    return mine


def exports_in(bucket: Bucket) -> int:
    return len([name for name in bucket.names() if "/exports/" in name])
