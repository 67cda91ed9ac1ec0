"""Every page in German: no English is left on it, and no decimal comma gets into what programs read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import ApiKey, ConnectedAccount, Notification, User, Workspace
from analytics.models import PlatformPost, WorkspaceExport
from analytics.reports.periods import PERIODS
from publishing.models import (
    CaptionTemplate,
    HashtagGroup,
    ImageSet,
    MediaFile,
    Post,
    PostAssembly,
    Publication,
    WebhookEndpoint,
)
from socialhub.platforms.metrics import CATALOGUE
from socialhub.templatetags import ui
from tests.analytics.figures import make_days, make_month
from tests.browser.test_pages import furnished
from tests.factories import make_account
from tests.test_messages import catalogue

__all__ = ["furnished"]

GERMAN = {"Accept-Language": "de"}
MORE = (
    "publishing:calendar",
    "publishing:limits",
    "accounts:doctor",
    "analytics:workspace_data",
    "mfa_index",
    "account_reauthenticate",
)
# Words that no German sentence has.
ENGLISH = re.compile(
    r"\b(the|and|you|your|this|that|these|with|from|for|are|is|has|have|it|of|to|or|by|be|can|nothing|there|which|when"
    r"|please|choose|save|cancel|delete|post|posts|account|accounts|image|images|page|yes|show|add|edit|new)\b",
    re.I,
)
# Of networks and programs, and the same in German.
NAMES = re.compile(
    r"\b(?:posts|account|insights):\w+|@[\w.]+|#\w+|https?://\S+|\b[A-Z_]{4,}\b|\{\w+\}|For You|Google Authenticator|Europe/\w+|API setup with Instagram login"
)
FACTS = re.compile(r"<div hidden data-review-facts.*?</div>", re.S)  # what only scripts read
ATTRIBUTES = ("title", "aria-label", "placeholder", "alt")
DECIMAL_COMMA = re.compile(r'\s((?:data-[\w-]+|value|max|min|step|width|height|viewBox|d)="-?\d+,\d+")')


class Words(HTMLParser):
    """What a person reads or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_foreign = tag != "html" and ("lang", "en") in attrs  # such as the document of the API
        if tag in ("script", "style", "code", "option", "textarea", "pre") or is_foreign:
            self.silent.append(tag)
        self.found += [value or "" for name, value in attrs if name in ATTRIBUTES or name.startswith("data-text")]

    def handle_endtag(self, tag: str) -> None:
        if self.silent and tag == self.silent[-1]:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.found.append(" ".join(data.split()))


def typed_by_people() -> list[str]:
    """What is not ours to translate."""
    texts: list[str] = []
    for model, *fields in (
        (Post, "caption", "campaign", "first_comment"),
        (Publication, "caption_override", "error_message"),
        (PlatformPost, "text"),
        (ConnectedAccount, "name", "username", "pause_reason", "status_reason"),
        (ImageSet, "title"),
        (CaptionTemplate, "name", "body"),
        (HashtagGroup, "name"),
        (MediaFile, "original_name", "alt_text"),
        (Notification, "title", "body"),
        (WebhookEndpoint, "description", "pause_reason"),
        (ApiKey, "name"),
        (WorkspaceExport, "message"),
        (PostAssembly, "message"),
        (Workspace, "name"),
        (User, "email", "first_name"),
    ):
        texts += [text for row in model._default_manager.values_list(*fields) for text in row]
    for row in ImageSet.objects.all():
        texts += [word for pair in row.details for word in pair]
    texts += [" ".join(text.split()) for text in texts]
    texts += [" · ".join(text.splitlines()) for text in texts]  # as a line of a list tells it
    # How networks call their own pages about a figure.
    texts += [metric.source for metrics in CATALOGUE.values() for metric in metrics]
    return sorted({text for text in texts if text}, key=len, reverse=True)


def left_in_english(markup: str, typed: list[str]) -> list[str]:
    translated = catalogue.keys_of(catalogue.stored("de"))
    words = Words()
    words.feed(FACTS.sub("", markup))
    found = []
    for text in words.found:
        message = translated.get((None, text))
        if message is not None and text not in catalogue.strings_of(message):
            found.append(text)
            continue
        rest = text
        for own in typed:
            rest = rest.replace(own, " ")
        if match := ENGLISH.search(NAMES.sub(" ", rest)):
            found.append(f"{text} ({match[0]})")
    return found


@pytest.mark.django_db
def test_pages_inside_speak_german_alone(furnished: list[str], signed_in: Client, owner: User) -> None:
    typed = typed_by_people()
    found = []
    for address in [*furnished, *(reverse(name) for name in MORE)]:
        if address == "/staff/style/":  # for designers
            continue
        response = signed_in.get(address, headers=GERMAN, follow=True)
        assert response.status_code == 200, address
        markup = response.content.decode()
        assert '<html lang="de"' in markup, address
        found += [f"{address}: {text}" for text in left_in_english(markup, typed)]
        found += [f"{address}: {match}" for match in DECIMAL_COMMA.findall(markup)]
    assert not found, "\n".join(dict.fromkeys(found))


@pytest.mark.django_db
@pytest.mark.parametrize("platform", ["facebook", "instagram", "linkedin", "youtube"])
def test_pages_of_a_month_of_figures_speak_german_alone(
    signed_in: Client, owner: User, workspace: Workspace, platform: str
) -> None:
    account, broken = (make_account(workspace, platform=platform) for _number in range(2))
    make_month(account)
    make_days(broken, 200, missing=(3, 4), changed={"views": 20}, late=2)
    typed = typed_by_people()
    page, found = reverse("analytics:account", args=[account.pk]), []
    addresses = [f"{page}?period={period.key}" for period in PERIODS]
    addresses += [f"{page}?period=7d&measure=reach", reverse("analytics:account", args=[broken.pk])]
    for address in [*addresses, reverse("analytics:overview"), reverse("analytics:compare_accounts")]:
        markup = signed_in.get(address, headers=GERMAN).content.decode()
        found += [f"{address}: {text}" for text in left_in_english(markup, typed)]
        found += [f"{address}: {match}" for match in DECIMAL_COMMA.findall(markup)]
    assert not found, "\n".join(dict.fromkeys(found))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_reset_password_done"]
)
def test_pages_outside_speak_german_alone(client: Client, name: str) -> None:
    markup = client.get(reverse(name), headers=GERMAN).content.decode()
    assert '<html lang="de"' in markup
    assert left_in_english(markup, []) == []


@pytest.mark.django_db
def test_what_forms_refuse_is_said_in_german(signed_in: Client, workspace: Workspace) -> None:
    found = []
    for name, typed in (
        ("accounts:profile", {"time_zone": "Mars/Olympus", "language": "xx", "mailed_kinds": ["x"]}),
        ("accounts:workspace_rename", {"name": ""}),
        ("accounts:member_add", {"email": "nobody", "role": "king"}),
        ("publishing:set_new", {"title": ""}),
        ("publishing:template_new", {"name": "", "body": ""}),
        ("publishing:hashtag_new", {"name": "", "hashtags": "a b!"}),
        ("publishing:post_new", {"action": "publish", "when": "later", "day": "x", "clock": "y", "link": "no"}),
        ("account_change_password", {"oldpassword": "x", "password1": "123", "password2": "456"}),
        ("account_email", {"action_add": "1", "email": "nobody"}),
    ):
        response = signed_in.post(reverse(name), typed, headers=GERMAN)
        assert response.status_code in (200, 422), name
        found += [f"{name}: {text}" for text in left_in_english(response.content.decode(), typed_by_people())]
    assert not found, "\n".join(dict.fromkeys(found))


def test_english_that_is_left_is_found() -> None:
    assert left_in_english("<p>Save draft</p>", [])
    assert left_in_english('<p title="This is not there">–</p>', [])
    assert left_in_english("<p>Beitrag with text</p>", [])
    assert left_in_english('<dl lang="en"><dt>Show one</dt></dl><p>Save draft</p>', []) == ["Save draft"]
    assert not left_in_english("<p>Entwurf speichern</p><code>the code</code><p>the own words</p>", ["the own words"])


@pytest.mark.parametrize(
    ("number", "shown", "whole"),
    [(1_204, "1.204", ""), (12_499, "12,4\xa0Tsd.", "12.499"), (3_000_000, "3\xa0Mio.", "3.000.000")],
)
def test_figures_in_german(number: int, shown: str, whole: str) -> None:
    with translation.override("de"):
        markup = ui.figure(number)
    assert f">{shown}<" in markup
    assert f'title="{whole}"' in markup or not whole


@pytest.mark.parametrize(
    ("moved", "shown"),
    [
        ({"minutes": -5}, "vor 5 Minuten"),
        ({"minutes": -60}, "vor 1 Stunde"),
        ({"hours": 3}, "in 3 Stunden"),
        ({"hours": 26}, "morgen, 14:00"),
        ({"days": -3}, "Mi, 12:00"),
        ({"days": 30}, "21. Dez"),
    ],
)
def test_times_in_german(moved: dict[str, int], shown: str) -> None:
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False), translation.override("de"):
        markup = ui.when(timezone.now() + timedelta(**moved))
    assert f">{shown}</time>" in markup
