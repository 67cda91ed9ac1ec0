"""What only some networks ask for: offered, kept, checked and shown by the composer, and handed to the network."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ConnectedAccount, Workspace
from publishing import checks, job, publish
from publishing.claims import claim_due
from publishing.models import MediaFile, Post, Publication, PublicationEvent, Status
from publishing.schedule import publish_now
from socialhub.platforms import rules
from socialhub.platforms.base import Content, PostType
from tests.factories import make_account, make_media, make_post

NEW = reverse("publishing:post_new")
CHECK = reverse("publishing:post_check")
HTMX = {"HX-Request": "true"}
BOARDS = [{"id": "881", "name": "Workshop"}, {"id": "882", "name": "Bikes of the week"}]
GONE = "This board is not there any more. Choose another."


@pytest.fixture
def pinterest(workspace: Workspace) -> ConnectedAccount:
    return through_buffer(workspace, "pinterest", offers={"boards": BOARDS})


@pytest.fixture
def google(workspace: Workspace) -> ConnectedAccount:
    return through_buffer(workspace, "google_business", offers={"time_zone": "Europe/London"})


@pytest.fixture
def media(workspace: Workspace) -> MediaFile:
    return make_media(workspace)


def through_buffer(workspace: Workspace, platform: str, **fields: Any) -> ConnectedAccount:
    return make_account(workspace, platform=platform, login_kind="buffer", account_type="channel", **fields)


def typed(*accounts: ConnectedAccount, **fields: Any) -> dict[str, Any]:
    return {
        "key": str(uuid.uuid4()),
        "action": "publish",
        "caption": "Hello",
        "when": "now",
        "accounts": [str(account.pk) for account in accounts],
        **fields,
    }


def chosen(account: ConnectedAccount, **values: str) -> dict[str, str]:
    return {f"choice-{account.pk}-{name}": value for name, value in values.items()}


def field_of(page: str, account: ConnectedAccount, name: str) -> str:
    """The markup of one field, from its label to what stands against it."""
    marker = f'name="choice-{account.pk}-{name}"'
    start = page.rindex('<div class="composer-choice"', 0, page.index(marker))
    return page[start : page.index("</fieldset>", start)].split('<div class="composer-choice"')[1]


# What is asked


def test_a_network_is_asked_for_what_it_wants(
    signed_in: Client, workspace: Workspace, pinterest: ConnectedAccount
) -> None:
    make_account(workspace)
    page = signed_in.get(NEW).content.decode()
    assert page.count('<fieldset class="composer-choices"') == 1  # Facebook wants nothing more
    board = field_of(page, pinterest, "board_service_id")
    assert re.findall(r'<option value="(\d*)"[^>]*>([^<]+)', board) == [
        ("", "Choose…"),
        ("881", "Workshop"),
        ("882", "Bikes of the week"),
    ]
    assert "Refresh boards" in board


def test_an_account_without_boards_says_what_to_do(signed_in: Client, workspace: Workspace) -> None:
    through_buffer(workspace, "pinterest", offers={"boards": []})
    assert "We know of no boards in this account." in signed_in.get(NEW).content.decode()


def test_what_is_not_asked_yet_is_marked_for_the_script(signed_in: Client, google: ConnectedAccount) -> None:
    assert f"choice-{google.pk}-" not in signed_in.get(NEW).content.decode()  # until somebody wants to see them
    page = signed_in.post(NEW, typed(google, action=f"own:{google.pk}")).content.decode()
    shown = {name: "data-unasked" not in field_of(page, google, name) for name in ("title", "code", "button", "link")}
    assert shown == {"title": False, "code": False, "button": True, "link": True}
    response = signed_in.post(NEW, {**typed(google, action="refresh"), **chosen(google, type="offer")})
    page = response.content.decode()
    shown = {name: "data-unasked" not in field_of(page, google, name) for name in ("title", "code", "button", "link")}
    assert shown == {"title": True, "code": True, "button": False, "link": True}


def test_the_fields_of_one_account_come_alone_when_they_are_asked_for(
    signed_in: Client, google: ConnectedAccount, workspace: Workspace
) -> None:
    other = make_account(workspace)
    fields = typed(google, action=f"own:{other.pk}")
    alone = signed_in.post(NEW, fields, headers={"HX-Request": "true"}).content.decode()
    assert alone.strip().startswith('<details class="composer-override" open')
    assert f'name="caption-{other.pk}"' in alone
    assert f"caption-{google.pk}" not in alone
    whole = signed_in.post(NEW, fields).content.decode()
    assert f'name="caption-{other.pk}"' in whole
    assert f'name="caption-{google.pk}"' not in whole
    # They stay when another button brings the form back, and nobody else's are brought by a made-up id.
    again = signed_in.post(NEW, typed(google, action="refresh", shown=[str(other.pk)])).content.decode()
    assert f'name="caption-{other.pk}"' in again
    assert signed_in.post(NEW, typed(google, action="own:nonsense")).status_code == 200


def test_what_nobody_was_asked_begins_as_the_network_does(signed_in: Client, google: ConnectedAccount) -> None:
    """The fields were not on the page: that is no answer."""
    signed_in.post(NEW, typed(google))
    unseen = Publication.objects.get().choices
    signed_in.post(NEW, {**typed(google, caption="Two"), **chosen(google, type="whats_new")})
    assert unseen == Publication.objects.get(post__caption="Two").choices


# What is kept


def test_the_board_and_the_title_go_out_with_the_post(
    signed_in: Client, pinterest: ConnectedAccount, media: MediaFile
) -> None:
    fields = chosen(pinterest, board_service_id="882", title=" Red bike ", colour="red")
    response = signed_in.post(NEW, {**typed(pinterest), "media": [str(media.pk)], **fields})
    assert response.status_code == 302
    publication = Publication.objects.get()
    assert publication.choices == {"board_service_id": "882", "title": "Red bike"}
    assert publication.status == Status.SCHEDULED
    page = signed_in.get(response.url).content.decode()
    assert re.search(r"<dt>Board</dt><dd>Bikes of the week</dd>", page)
    assert re.search(r"<dt>Title</dt><dd>Red bike</dd>", page)


def test_what_is_not_asked_is_not_kept(signed_in: Client, google: ConnectedAccount) -> None:
    fields = chosen(google, type="whats_new", title="Sale", start_date="2026-12-01", code="XMAS", button="call")
    assert signed_in.post(NEW, {**typed(google), **fields}).status_code == 302
    assert Publication.objects.get().choices == {"type": "whats_new", "button": "call"}


def test_an_event_is_kept_with_its_days_and_times(signed_in: Client, google: ConnectedAccount) -> None:
    days = {"type": "event", "title": "Show", "start_date": "2026-12-01", "end_date": "2026-12-02"}
    fields = chosen(google, **days, full_day="on", start_time="10:00")
    signed_in.post(NEW, {**typed(google, action="draft"), **fields})
    assert Publication.objects.get().choices == {**days, "full_day": "yes"}
    Post.objects.all().delete()
    fields = chosen(google, **days, start_time="10:00", end_time="18:30:00")
    signed_in.post(NEW, {**typed(google, action="draft"), **fields})
    times = {"full_day": "no", "start_time": "10:00", "end_time": "18:30"}
    assert Publication.objects.get().choices == {**days, **times}


def test_a_draft_keeps_what_is_there_and_asks_for_nothing(
    signed_in: Client, pinterest: ConnectedAccount, google: ConnectedAccount
) -> None:
    fields = {
        **chosen(pinterest, title="Red bike"),
        **chosen(google, type="event", title="Show", start_date="2026-12-01"),
    }
    assert signed_in.post(NEW, {**typed(pinterest, google, action="draft"), **fields}).status_code == 302
    post = Post.objects.get()
    for address in (reverse("publishing:post_edit", args=[post.pk]), f"{NEW}?from={post.pk}"):
        form = signed_in.get(address).context["form"]
        values = {name: form[f"choice-{google.pk}-{name}"].value() for name in ("type", "title", "start_date")}
        assert values == {"type": "event", "title": "Show", "start_date": "2026-12-01"}
        assert form[f"choice-{google.pk}-full_day"].value() is False
        assert form[f"choice-{pinterest.pk}-title"].value() == "Red bike"


def test_an_edit_changes_what_was_chosen(
    signed_in: Client, workspace: Workspace, pinterest: ConnectedAccount, media: MediaFile
) -> None:
    post = make_post(workspace, pinterest, post_type=PostType.SINGLE)
    Publication.objects.update(choices={"board_service_id": "881", "title": "Old"})
    address = reverse("publishing:post_edit", args=[post.pk])
    fields = {**typed(pinterest, action="draft"), "media": [str(media.pk)]}
    signed_in.post(address, {**fields, **chosen(pinterest, board_service_id="882", title="")})
    assert Publication.objects.get().choices == {"board_service_id": "882"}


def test_buttons_of_the_form_keep_what_was_typed(signed_in: Client, google: ConnectedAccount, media: MediaFile) -> None:
    fields = chosen(google, type="event", title="Show", start_date="2026-12-01", full_day="on")
    form = signed_in.post(NEW, {**typed(google, action="add"), "add": [str(media.pk)], **fields}).context["form"]
    assert [picture.pk for picture in form.pictures] == [media.pk]
    values = {name: form[f"choice-{google.pk}-{name}"].value() for name in ("type", "title", "start_date", "full_day")}
    assert values == {"type": "event", "title": "Show", "start_date": "2026-12-01", "full_day": True}


# What is refused


def test_a_pin_without_a_board_is_refused_at_its_field(
    signed_in: Client, pinterest: ConnectedAccount, media: MediaFile
) -> None:
    fields = {**typed(pinterest), "media": [str(media.pk)], **chosen(pinterest, title="Red bike")}
    response = signed_in.post(NEW, fields)
    page = response.content.decode()
    assert response.status_code == 422
    board = field_of(page, pinterest, "board_service_id")
    assert "Pinterest puts every Pin on a board. Choose one." in board
    assert 'aria-invalid="true"' in board
    assert 'value="Red bike"' in page
    assert not Post.objects.exists()
    # Said at the field, and once among the checks.
    assert response.context["errors_count"] == 1
    assert page.count("Pinterest puts every Pin on a board") == 2


def test_a_board_that_is_gone_is_refused_at_its_field(
    signed_in: Client, pinterest: ConnectedAccount, media: MediaFile
) -> None:
    fields = {**typed(pinterest), "media": [str(media.pk)], **chosen(pinterest, board_service_id="999")}
    response = signed_in.post(NEW, fields)
    assert response.status_code == 422
    assert GONE in field_of(response.content.decode(), pinterest, "board_service_id")


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        (
            {"type": "offer", "start_date": "2026-12-01", "end_date": "2026-12-02"},
            "title",
            "have a title. Write one.",
        ),
        (
            {"type": "offer", "title": "Sale", "start_date": "2026-12-03", "end_date": "2026-12-02"},
            "end_date",
            "end before it begins",
        ),
        (
            {"type": "offer", "title": "Sale", "start_date": "soon", "end_date": "2026-12-02"},
            "start_date",
            "Choose a date",
        ),
        ({"link": "shop"}, "link", "not a web address"),
        ({"button": "order"}, "link", "This button needs a link"),
    ],
)
def test_what_google_does_not_take_is_said_at_its_field(
    signed_in: Client, google: ConnectedAccount, values: dict[str, str], field: str, said: str
) -> None:
    response = signed_in.post(NEW, {**typed(google), **chosen(google, **values)})
    assert response.status_code == 422
    assert said in field_of(response.content.decode(), google, field)


def test_an_untouched_composer_blames_nobody(signed_in: Client, pinterest: ConnectedAccount) -> None:
    assert signed_in.get(NEW).context["errors_count"] == 0


def test_the_choices_of_another_workspace_change_nothing(
    signed_in_stranger: Client, pinterest: ConnectedAccount
) -> None:
    fields = {**typed(action="draft"), **chosen(pinterest, board_service_id="881")}
    assert signed_in_stranger.post(NEW, fields).status_code == 302
    assert not Publication.objects.exists()


# What is shown


def test_a_preview_shows_the_board_and_the_title(
    signed_in: Client, pinterest: ConnectedAccount, google: ConnectedAccount, media: MediaFile
) -> None:
    fields = {
        **chosen(pinterest, board_service_id="881", title="Red bike"),
        **chosen(google, button="book", link="https://shop.example/"),
    }
    form = {**typed(pinterest, google), "media": [str(media.pk)], **fields}
    page = signed_in.post(CHECK, {**form, "preview": str(pinterest.pk)}).content.decode()
    assert '<p class="preview-told meta"><span>Board</span> Workshop</p>' in page
    assert '<p class="preview-title">Red bike</p>' in page
    page = signed_in.post(CHECK, {**form, "preview": str(google.pk)}).content.decode()
    assert '<p class="preview-button"><span>Book</span></p>' in page


def counters(response: Any) -> list[tuple[int, int]]:
    return [(one.length, one.limit) for one in response.context["counters"]]


def test_the_counter_knows_what_the_account_may_write(signed_in: Client, workspace: Workspace) -> None:
    plain = through_buffer(workspace, "x", offers={"x_subscription": ""})
    paying = through_buffer(workspace, "x", offers={"x_subscription": "Premium"})
    server = through_buffer(workspace, "mastodon", offers={"max_characters": 5000})
    response = signed_in.post(CHECK, typed(plain, paying, server, caption="x" * 300))
    assert sorted(counters(response)) == [(300, 280), (300, 5000), (300, 25_000)]
    assert [one.account for one in response.context["findings"] if one.code == "caption_too_long"] == [plain]


def test_the_counter_counts_the_link_where_it_goes_into_the_text(signed_in: Client, workspace: Workspace) -> None:
    account = through_buffer(workspace, "x")
    response = signed_in.post(CHECK, typed(account, caption="x" * 270, link="https://shop.example/"))
    (counter,) = response.context["counters"]
    (finding,) = response.context["findings"]
    assert (counter.length, counter.over) == (270 + 2 + 23, True)  # X shortens every address to 23
    assert str(counter.length) in finding.message


# Which accounts it begins with


def test_defaults_are_chosen_beforehand(signed_in: Client, workspace: Workspace) -> None:
    first = make_account(workspace, is_default=True)
    other = make_account(workspace)
    board = through_buffer(workspace, "pinterest", is_default=True)
    make_post(workspace, other)
    assert signed_in.get(NEW).context["form"].chosen_ids == {first.pk, board.pk}
    ConnectedAccount.objects.filter(pk=first.pk).update(status="expired")
    assert signed_in.get(NEW).context["form"].chosen_ids == {board.pk}


def test_an_old_post_as_a_start_asks_no_default(signed_in: Client, workspace: Workspace) -> None:
    make_account(workspace, is_default=True)
    other = make_account(workspace)
    post = make_post(workspace, other)
    assert signed_in.get(NEW, {"from": str(post.pk)}).context["form"].chosen_ids == {other.pk}


# The worker judges and sends the same


def sent_by(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> Content:
    """What the engine would hand to the network."""
    monkeypatch.setattr(job, "media_items", lambda publication: ())
    publish_now(publication.post, by=None)
    (claim,) = claim_due(1)
    return publish.Job(claim).content()


def test_the_worker_sends_and_checks_what_the_composer_checked(
    workspace: Workspace, pinterest: ConnectedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = make_post(workspace, pinterest)
    Publication.objects.update(choices={"board_service_id": "881"})
    publication = post.publications.select_related("account", "post").get()
    content = sent_by(publication, monkeypatch)
    assert (content.choices, content.offers) == ({"board_service_id": "881"}, {"boards": BOARDS})
    assert rules.check("pinterest", content) == rules.check("pinterest", checks.content_of(publication, ()))


def test_a_board_that_went_while_the_post_waited_stops_it(
    workspace: Workspace, pinterest: ConnectedAccount, media: MediaFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = make_post(workspace, pinterest, post_type=PostType.SINGLE)
    Publication.objects.update(choices={"board_service_id": "881"})
    ConnectedAccount.objects.update(offers={"boards": BOARDS[1:]})
    monkeypatch.setattr(job, "media_items", lambda publication: ())
    publish_now(post, by=None)
    (claim,) = claim_due(1)
    publish.run(claim)
    publication = Publication.objects.get()
    assert publication.status == Status.FAILED
    assert GONE in publication.error_message
    assert PublicationEvent.objects.filter(to_status=Status.FAILED).exists()
