"""Our own copies of the pictures of accounts."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from accounts import pictures
from accounts.connect import disconnect
from accounts.models import ConnectedAccount, Credential, Grant, User, Workspace
from accounts.pictures import SIDE, forget, refresh
from accounts.tasks import fetch_picture
from accounts.verify import verify
from accounts.withdrawal import delete_data
from analytics.sync import sync_account
from socialhub.platforms.meta import SignedRequest
from tests.accounts.graph import Graph, page_token
from tests.accounts.test_connect import connect
from tests.factories import make_account
from tests.publishing.pictures import encoded, gradient, png_bomb
from tests.test_outside import Host
from tests.test_outside import host as host

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def network(host: Host, settings: Any) -> Iterator[Host]:
    """The simulated network that pictures come from."""
    settings.SANDBOX, settings.SANDBOX_URL = True, host.origin
    host.file("/ada.jpg", encoded(gradient(900, 600)))
    return host


def stored() -> set[str]:
    try:
        folders, _files = default_storage.listdir("accounts")
    except FileNotFoundError:
        return set()
    return {
        f"accounts/{folder}/{name}" for folder in folders for name in default_storage.listdir(f"accounts/{folder}")[1]
    }


def with_picture(workspace: Workspace, network: Host, path: str = "/ada.jpg", **fields: Any) -> ConnectedAccount:
    account = make_account(workspace, picture_url=f"{network.origin}{path}", **fields)
    refresh(account.pk)
    account.refresh_from_db()
    return account


def test_a_picture_becomes_a_small_jpeg_of_ours(workspace: Workspace, network: Host) -> None:
    picture = gradient(900, 600)
    exif = picture.getexif()
    exif[0x010E] = "taken at home"
    network.file("/ada.jpg", encoded(picture, exif=exif))
    account = make_account(workspace, picture_url=f"{network.origin}/ada.jpg")
    assert account.picture_src == ""
    fetch_picture(str(account.pk))
    account.refresh_from_db()
    with account.picture.open() as file:
        content = file.read()
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.size) == ("JPEG", (SIDE, 171))
    assert b"taken at home" not in content
    assert account.picture_source == account.picture_url
    assert str(account.pk) in account.picture_src


def test_the_same_picture_is_fetched_once(workspace: Workspace, network: Host) -> None:
    account = with_picture(workspace, network)
    assert not refresh(account.pk)
    assert network.asked == ["/ada.jpg"]
    # The network has signed the address anew: the same picture, as far as anybody can tell.
    network.file("/ada.jpg?sig=2", encoded(gradient()))
    ConnectedAccount.objects.update(picture_url=f"{network.origin}/ada.jpg?sig=2")
    assert not refresh(account.pk)
    assert network.asked == ["/ada.jpg"]


def test_a_signed_address_is_fetched_again_after_a_day(
    workspace: Workspace, network: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = with_picture(workspace, network)
    network.file("/ada.jpg?sig=2", encoded(gradient()))
    ConnectedAccount.objects.update(picture_url=f"{network.origin}/ada.jpg?sig=2")
    made = pictures.made_at(account)
    assert made
    monkeypatch.setattr(pictures, "made_at", lambda account: made - timedelta(days=2))
    assert refresh(account.pk)


def test_a_new_picture_takes_the_place_of_the_old_one(workspace: Workspace, network: Host) -> None:
    account = with_picture(workspace, network)
    before, address = stored(), account.picture_src
    network.file("/new.png", encoded(gradient(40, 40), "PNG"))
    ConnectedAccount.objects.update(picture_url=f"{network.origin}/new.png")
    assert refresh(account.pk)
    account.refresh_from_db()
    assert account.picture_src != address
    assert str(account.picture.name) in stored()
    assert not before & stored()


def bomb() -> bytes:
    return png_bomb(8_000)


def late_bomb() -> bytes:
    """States a small size in front and packs far more than that."""
    content = bytearray(png_bomb(800))
    content[16:24] = struct.pack(">II", 40_000, 40_000)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text", b"<html>This is no picture</html>"),
        ("words", b"nothing but words"),
        ("empty", b""),
        ("bomb", bomb()),
        ("stated bomb", late_bomb()),
        ("large", b"\xff\xd8" + b"x" * (pictures.MOST_BYTES + 1)),
        ("half", encoded(gradient(400, 400))[:900]),
    ],
)
def test_what_is_no_picture_leaves_the_old_copy(workspace: Workspace, network: Host, name: str, content: bytes) -> None:
    account = with_picture(workspace, network)
    before = stored()
    network.file("/bad", content)
    ConnectedAccount.objects.update(picture_url=f"{network.origin}/bad")
    assert not refresh(account.pk)
    account.refresh_from_db()
    assert (str(account.picture.name) in before, stored()) == (True, before)
    assert account.picture_source.endswith("/ada.jpg")


def test_with_real_networks_no_private_address_is_asked(workspace: Workspace, host: Host, settings: Any) -> None:
    settings.SANDBOX, settings.SANDBOX_URL = False, host.origin
    host.file("/ada.jpg", encoded(gradient()))
    for url in (f"{host.origin}/ada.jpg", "https://127.0.0.1/ada.jpg", "https://localhost/ada.jpg"):
        account = make_account(workspace, picture_url=url)
        assert not refresh(account.pk)
    assert host.asked == []
    assert not stored()


def test_a_redirect_to_another_server_of_this_computer_is_not_followed(workspace: Workspace, network: Host) -> None:
    inner = Host()
    inner.file("/secret.jpg", encoded(gradient()))
    network.redirect("/led", f"{inner.origin}/secret.jpg")
    account = with_picture(workspace, network, "/led")
    inner.stop()
    assert (inner.asked, account.picture_src) == ([], "")


def test_another_worker_or_a_disconnect_meanwhile_wins(
    workspace: Workspace, network: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account(workspace, picture_url=f"{network.origin}/ada.jpg")
    before = stored()
    real = pictures.small

    def meanwhile(content: bytes) -> bytes:
        ConnectedAccount.objects.update(picture="accounts/other.jpg")
        return real(content)

    monkeypatch.setattr(pictures, "small", meanwhile)
    assert not refresh(account.pk)
    account.refresh_from_db()
    assert (account.picture.name, stored()) == ("accounts/other.jpg", before)
    ConnectedAccount.objects.update(status="disconnected")
    assert not refresh(account.pk)


# When it is fetched, and when it goes


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    messages: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(
        "accounts.wake.current_app.send_task", lambda name, args=(), **options: messages.append((name, tuple(args)))
    )
    return messages


def test_connecting_asks_for_the_pictures(
    signed_in: Client, graph: Graph, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        connect(signed_in, "101")
    keys = {str(pk) for pk in ConnectedAccount.objects.values_list("pk", flat=True)}
    assert len(keys) == 2
    assert {args[0] for name, args in sent if name == pictures.TASK} == keys


def test_verifying_and_reading_figures_ask_for_a_picture_that_is_new(
    workspace: Workspace,
    graph: Graph,
    sent: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    account = make_account(workspace, platform_account_id="101", token=page_token("101"))
    with django_capture_on_commit_callbacks(execute=True):
        verify(account)
    assert sent == [(pictures.TASK, (str(account.pk),))]
    ConnectedAccount.objects.update(picture_source="https://pictures.example/101.jpg")
    account.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        verify(account)
    assert len(sent) == 1
    graph.pages[0]["picture"] = {"data": {"url": "https://pictures.example/new.jpg"}}
    with django_capture_on_commit_callbacks(execute=True):
        sync_account(account)
    assert len(sent) == 2


def test_the_copy_goes_with_the_account(
    workspace: Workspace, network: Host, owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    before = stored()
    account = with_picture(workspace, network)
    assert stored() != before
    with django_capture_on_commit_callbacks(execute=True):
        disconnect(account)
    account.refresh_from_db()
    assert (account.picture_src, account.picture_url, account.picture_source, stored()) == ("", "", "", before)


def test_the_copy_goes_with_the_data_of_a_person(
    workspace: Workspace, network: Host, owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    before = stored()
    grant = Grant.objects.create(
        workspace=workspace, user=owner, provider="meta", platform_user_id="9001", access_token="EAAuser"
    )
    account = with_picture(workspace, network, token=None)
    Credential.objects.create(account=account, grant=grant)
    message = SignedRequest("9001", grant.updated_at, {})
    with django_capture_on_commit_callbacks(execute=True):
        delete_data("meta", message, "signed")
    account.refresh_from_db()
    assert (account.picture_src, stored()) == ("", before)
    forget(account)  # once more changes nothing


# Showing it


def test_it_is_shown_to_members_and_kept_by_their_browsers(
    signed_in: Client, workspace: Workspace, network: Host
) -> None:
    account = with_picture(workspace, network)
    response = signed_in.get(account.picture_src)
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.getvalue()[:2] == b"\xff\xd8"
    for version in ("", "?v=", "?v=old"):
        unnamed = signed_in.get(account.picture_src.partition("?")[0] + version)
        assert unnamed["Cache-Control"] == "private, no-cache"
        assert unnamed.getvalue()
    page = signed_in.get("/settings/accounts/").content.decode()
    assert account.picture_src in page
    assert account.picture_url not in page


def test_a_stranger_and_nobody_do_not_see_it(
    signed_in_stranger: Client, client: Client, workspace: Workspace, network: Host
) -> None:
    account = with_picture(workspace, network)
    assert signed_in_stranger.get(account.picture_src).status_code == 404
    assert client.get(account.picture_src).status_code == 302


def test_where_there_is_none_it_is_not_found(signed_in: Client, workspace: Workspace, network: Host) -> None:
    account = make_account(workspace)
    assert signed_in.get(f"/settings/accounts/{account.pk}/picture.jpg").status_code == 404
    account = with_picture(workspace, network)
    default_storage.delete(str(account.picture.name))
    assert signed_in.get(account.picture_src).status_code == 404
