"""What a new installation finds: somebody who can sign in, and something to publish."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import User
from publishing.captions import fill
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet
from socialhub.demo import PICTURES, TITLE
from socialhub.management.commands.first_admin import create_first_admin
from tests.factories import workspace_of

pytestmark = pytest.mark.django_db


def test_the_first_admin_signs_in_at_once_with_the_printed_password() -> None:
    password = create_first_admin()
    client = Client()
    answer = client.post(reverse("account_login"), {"login": "admin@localhost", "password": password})
    assert answer.status_code == 302, answer.content.decode()
    assert client.get("/admin/", follow=False).status_code == 200
    assert workspace_of(User.objects.get()).name


def test_nobody_is_created_where_there_are_users(owner: User) -> None:
    assert create_first_admin() is None
    assert User.objects.count() == 1


def test_the_command_prints_the_password_once() -> None:
    first, second = StringIO(), StringIO()
    call_command("first_admin", stdout=first)
    call_command("first_admin", stdout=second)
    user = User.objects.get()
    assert user.check_password(first.getvalue().split("the password ")[1].split()[0])
    assert "nobody was created" in second.getvalue()


def test_the_demo_holds_eight_described_pictures_within_the_ratios_of_instagram() -> None:
    create_first_admin()
    call_command("demo", stdout=StringIO())
    image_set = ImageSet.objects.get()
    items = list(image_set.items.select_related("media"))
    assert [item.media.original_name for item in items] == [f"{name}.jpg" for name in PICTURES]
    for item in items:
        assert item.media.alt_text == PICTURES[item.media.original_name.removesuffix(".jpg")]
        with item.media.file.open("rb") as file, Image.open(file) as image:
            assert min(image.size) >= 1000
            assert max(image.size) >= 1600
            assert 0.8 <= image.width / image.height <= 1.91


def test_each_caption_of_the_demo_finds_all_it_names() -> None:
    create_first_admin()
    call_command("demo", stdout=StringIO())
    image_set = ImageSet.objects.get()
    for template in CaptionTemplate.objects.all():
        filled = fill(template.body, image_set)
        assert (filled.unknown, filled.missing) == ((), ())
        assert "1969 Chevrolet Camaro" in filled.text


def test_the_demo_twice_changes_nothing_and_keeps_what_people_changed() -> None:
    create_first_admin()
    call_command("demo", stdout=StringIO())
    ImageSet.objects.update(hashtags=["mine"])
    call_command("demo", stdout=StringIO())
    assert ImageSet.objects.get(title=TITLE).hashtags == ["mine"]
    assert ImageSet.objects.get().items.count() == len(PICTURES)
    assert (CaptionTemplate.objects.count(), HashtagGroup.objects.count()) == (2, 1)


def test_the_demo_without_an_admin_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="first_admin"):
        call_command("demo")
