"""Choices from the channel to the network, at a running sandbox: boards, subscriptions, lengths of servers."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django.live_server_helper import LiveServer

from accounts.models import ConnectedAccount
from accounts.verify import verify
from publishing.models import Publication, QueueEntry, Status
from tests.accounts import hub
from tests.publishing.conftest import run_due
from tests.publishing.test_choices import CHECK, GONE, NEW, chosen, typed
from tests.sandbox_process import GrantedBuffer, Sandbox, sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def network(sandbox: Sandbox, settings: Any, live_server: LiveServer) -> Sandbox:
    """Buffer fetches the images from this server."""
    hub.use(settings, sandbox)
    settings.PUBLIC_BASE_URL = live_server.url
    return sandbox


@pytest.fixture
def bruno(network: Sandbox) -> GrantedBuffer:
    return network.buffer("bruno")


def connect(client: Client, bruno: GrantedBuffer, platform: str) -> ConnectedAccount:
    address = client.post(reverse("accounts:buffer_key"), {"key": bruno.key})["Location"]
    rows = [row["candidate"] for row in client.get(address).context["rows"]]
    (account,) = hub.choose(client, address, next(one.key for one in rows if one.platform == platform))
    return account


def photo() -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.new("RGB", (600, 900), "teal").save(file, "JPEG")
    return SimpleUploadedFile("bike.jpg", file.getvalue(), content_type="image/jpeg")


def settled() -> Publication:
    """The newest publication when the network has said yes or no, as the workers do it."""
    publication = Publication.objects.latest("created_at")
    for _ in range(30):
        QueueEntry.objects.update(not_before=timezone.now())
        run_due()
        publication.refresh_from_db()
        if publication.status in (Status.PUBLISHED, Status.FAILED):
            break
        time.sleep(0.3)
    return publication


def boards_of(bruno: GrantedBuffer) -> list[dict[str, str]]:
    return next(one["boards"] for one in bruno.channels if one["service"] == "pinterest")


def test_a_pin_reaches_the_board_that_was_chosen(signed_in: Client, network: Sandbox, bruno: GrantedBuffer) -> None:
    account = connect(signed_in, bruno, "pinterest")
    workshop, bikes = boards_of(bruno)
    assert account.offers["boards"] == [
        {"id": board["serviceId"], "name": board["name"]} for board in (workshop, bikes)
    ]
    fields = chosen(account, board_service_id=bikes["serviceId"], title="The red one")
    response = signed_in.post(NEW, {**typed(account, caption="Ready to ride"), "upload": photo(), **fields})
    assert response.status_code == 302

    publication = settled()

    assert publication.status == Status.PUBLISHED, publication.error_message
    page = requests.get(f"{network.url}/feeds/buffer/{account.platform_account_id}/", timeout=10).text
    assert '<p class="board-name">Bikes of the week</p>' in page
    assert '<p class="title">The red one</p>' in page
    assert "Ready to ride" in page
    assert len(network.feed(account.platform_account_id)) == 1


def test_a_board_that_is_deleted_at_the_network(signed_in: Client, network: Sandbox, bruno: GrantedBuffer) -> None:
    account = connect(signed_in, bruno, "pinterest")
    workshop, bikes = boards_of(bruno)
    fields = chosen(account, board_service_id=bikes["serviceId"])
    network.buffer_channel(account.platform_account_id, remove_board=bikes["serviceId"])
    response = signed_in.post(NEW, {**typed(account), "upload": photo(), **fields})

    publication = settled()

    assert (publication.status, publication.error_message) == (Status.FAILED, GONE)
    assert "POST buffer.createPost" not in network.calls()
    # Asked again, the composer knows.
    edit = reverse("publishing:post_edit", args=[publication.post_id])
    page = signed_in.post(edit, {**typed(account, action=f"offers:{account.pk}"), **fields})
    assert page.status_code == 200
    assert "the boards were read again, 1 found" in page.content.decode()
    assert bikes["name"] not in page.content.decode()
    account.refresh_from_db()
    assert [board["name"] for board in account.offers["boards"]] == [workshop["name"]]
    assert GONE in signed_in.get(edit).content.decode()
    assert response.status_code == 302


def test_boards_cannot_be_refreshed_while_the_channel_is_lost(
    signed_in: Client, network: Sandbox, bruno: GrantedBuffer
) -> None:
    account = connect(signed_in, bruno, "pinterest")
    network.buffer_channel(account.platform_account_id, isDisconnected=True)
    response = signed_in.post(NEW, {**typed(account, action=f"offers:{account.pk}", caption="Keep me")})
    assert response.status_code == 422
    assert "reconnect the channel" in response.content.decode()
    assert response.context["form"]["caption"].value() == "Keep me"


def test_the_boards_of_a_stranger_are_not_read(
    signed_in: Client, signed_in_stranger: Client, network: Sandbox, bruno: GrantedBuffer
) -> None:
    account = connect(signed_in, bruno, "pinterest")
    before = dict(network.calls())
    assert signed_in_stranger.post(NEW, typed(action=f"offers:{account.pk}")).status_code == 200
    assert dict(network.calls()) == before


def test_what_a_channel_may_write_is_read_again(signed_in: Client, network: Sandbox, bruno: GrantedBuffer) -> None:
    def limit() -> int:
        (counter,) = signed_in.post(CHECK, typed(account)).context["counters"]
        return counter.limit

    account = connect(signed_in, bruno, "x")
    assert limit() == 280
    network.buffer_channel(account.platform_account_id, subscription_type="Premium", isQueuePaused=True)
    verify(ConnectedAccount.objects.select_related("credential__grant").get(pk=account.pk))
    account.refresh_from_db()
    assert limit() == 25_000
    assert "queue of this channel is paused" in account.remark
    network.buffer_channel(account.platform_account_id, isQueuePaused=False)
    verify(account)
    account.refresh_from_db()
    assert account.remark == ""


def test_a_paused_queue_is_noted_when_the_channel_is_connected(signed_in: Client, network: Sandbox) -> None:
    account = connect(signed_in, network.buffer("freya"), "mastodon")
    assert "Resume the queue in Buffer" in account.remark
    assert account.offers == {"time_zone": "Europe/London", "max_characters": 500}


def test_a_long_post_goes_out_on_a_server_that_takes_it(
    signed_in: Client, network: Sandbox, bruno: GrantedBuffer
) -> None:
    network.buffer_channel(bruno.channel("mastodon"), max_characters=2_000)
    account = connect(signed_in, bruno, "mastodon")
    fields = chosen(account, spoiler_text="Long")
    assert signed_in.post(NEW, {**typed(account, caption="x" * 1_997), **fields}).status_code == 422
    assert signed_in.post(NEW, {**typed(account, caption="x" * 1_996), **fields}).status_code == 302
    publication = settled()
    assert publication.status == Status.PUBLISHED, publication.error_message


def test_an_event_goes_out_on_google(signed_in: Client, network: Sandbox, bruno: GrantedBuffer) -> None:
    account = connect(signed_in, bruno, "google_business")
    days = {"start_date": "2027-06-01", "end_date": "2027-06-01", "start_time": "18:30", "end_time": "20:00"}
    fields = chosen(
        account, type="event", title="Open workshop", **days, button="signup", link="https://bikes.example/"
    )
    assert signed_in.post(NEW, {**typed(account), **fields}).status_code == 302
    publication = settled()
    assert publication.status == Status.PUBLISHED, publication.error_message
    page = requests.get(f"{network.url}/feeds/buffer/{account.platform_account_id}/", timeout=10).text
    # On the clocks of London, where the channel is, in summer.
    for shown in ("Open workshop", "1 June 2027, 17:30", "1 June 2027, 19:00", "Sign up", "https://bikes.example/"):
        assert shown in page
