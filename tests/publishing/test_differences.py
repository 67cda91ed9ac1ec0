"""How the text of one account is compared with the caption."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import Workspace
from publishing.differences import WORDS_MOST, difference
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet
from tests.factories import make_account, make_media, workspace_of
from tests.publishing.test_composer import typed

CHECK, NEW = reverse("publishing:post_check"), reverse("publishing:post_new")


def test_no_text_of_its_own_is_no_difference() -> None:
    assert difference("A caption", "  \n") is None


def test_the_same_text_is_called_the_same() -> None:
    found = difference("A caption", "A caption\n")
    assert found
    assert found.summary == "The same as the caption."
    assert found.pieces == ()


def test_the_sums_say_what_is_less_and_what_is_more() -> None:
    found = difference("One\nTwo #a #b\nThree", "One and a half #c")
    assert found
    assert found.summary == "2 fewer lines · 2 characters shorter · 1 fewer hashtag"
    longer = difference("One", "One\nand two #a #b")
    assert longer
    assert longer.summary == "1 more line · 14 characters longer · 2 more hashtags"


def test_other_words_of_the_same_length_are_named() -> None:
    found = difference("A red car", "A fat car")
    assert found
    assert found.summary == "As long as the caption, in other words"


def test_the_pieces_make_both_texts() -> None:
    caption, own = "From a barn find\nto the coast road", "From the coast\nto a barn"
    found = difference(caption, own)
    assert found
    assert "".join(text for kind, text in found.pieces if kind != "new") == caption
    assert "".join(text for kind, text in found.pieces if kind != "gone") == own
    assert {kind for kind, _text in found.pieces} == {"same", "gone", "new"}


def test_a_very_long_text_has_sums_only() -> None:
    found = difference("word " * WORDS_MOST, "other")
    assert found
    assert found.pieces == ()
    assert "shorter" in found.summary


def test_the_composer_shows_the_difference_while_typing(signed_in: Client, workspace: Workspace) -> None:
    account, plain = make_account(workspace), make_account(workspace)
    fields: dict[str, Any] = {
        **typed(account, plain, caption="A <b>red</b> car"),
        f"caption-{account.pk}": "A <i>red</i> car",
    }
    page = signed_in.post(CHECK, fields).content.decode()
    assert "<ins>&lt;i&gt;red&lt;/i&gt;</ins>" in page
    assert "<del>&lt;b&gt;red&lt;/b&gt;</del>" in page
    assert f'hx-swap-oob="innerHTML:#difference_{account.pk}"' in page
    assert f"#difference_{plain.pk}" not in page


def test_a_template_of_the_menu_says_what_it_gives_and_what_the_set_lacks(
    signed_in: Client, workspace: Workspace
) -> None:
    image_set = ImageSet.objects.create(workspace=workspace, title="Camaro", details=[["Engine", ""]])
    template = CaptionTemplate.objects.create(workspace=workspace, name="Full", body="{title}: {Engine}, {Price}")
    HashtagGroup.objects.create(workspace=workspace, name="Cars", hashtags=["camaro", "v8"])
    page = signed_in.get(NEW, {"set": str(image_set.pk)}).content.decode()
    assert "The set has no Price" not in page  # made when somebody looks for it
    assert f'hx-get="{NEW}?menu=template"' in page
    fetched = signed_in.get(NEW, {"set": str(image_set.pk), "menu": "template"}, headers={"HX-Request": "true"})
    plain = signed_in.post(NEW, {**typed(set=str(image_set.pk)), "action": "open:template"})
    assert "<html" not in fetched.content.decode()
    for answer in (fetched, plain):
        assert "Camaro: , {Price}" in answer.content.decode()
        assert "The set has no Price" in answer.content.decode()
        assert "Still empty in the set: Engine" in answer.content.decode()
    assert 'id="menu_template" open' in plain.content.decode()
    groups = signed_in.get(NEW, {"menu": "group"}, headers={"HX-Request": "true"})
    assert "#camaro #v8" in groups.content.decode()
    form = {**typed(set=str(image_set.pk)), "action": f"template:{template.pk}"}
    assert signed_in.post(NEW, form).context["form"]["caption"].value() == "Camaro: , {Price}"


def test_a_group_of_the_menu_adds_its_hashtags(signed_in: Client, workspace: Workspace) -> None:
    group = HashtagGroup.objects.create(workspace=workspace, name="Cars", hashtags=["camaro", "v8"])
    answer = signed_in.post(NEW, {**typed(hashtags="#mine"), "action": f"group:{group.pk}"})
    assert answer.context["form"]["hashtags"].value() == "#mine #camaro #v8"


def test_a_menu_never_takes_what_belongs_to_another_workspace(signed_in: Client, stranger: Any) -> None:
    foreign = HashtagGroup.objects.create(
        workspace=stranger.memberships.get().workspace, name="Foreign", hashtags=["secret"]
    )
    answer = signed_in.post(NEW, {**typed(hashtags="#mine"), "action": f"group:{foreign.pk}"})
    assert answer.context["form"]["hashtags"].value() == "#mine"
    assert "secret" not in answer.content.decode()


def test_a_menu_lists_nothing_of_another_workspace(signed_in: Client, stranger: Any, workspace: Workspace) -> None:
    theirs = workspace_of(stranger)
    HashtagGroup.objects.create(workspace=theirs, name="Foreign", hashtags=["secret"])
    CaptionTemplate.objects.create(workspace=theirs, name="Foreign", body="secret")
    image_set = ImageSet.objects.create(workspace=theirs, title="Foreign")
    media, mine = make_media(theirs), [make_media(workspace) for _number in range(2)]
    CaptionTemplate.objects.create(workspace=workspace, name="Ours", body="{title}")
    HashtagGroup.objects.create(workspace=workspace, name="Ours", hashtags=["ours"])
    for menu in ("template", "group", "library"):
        query = {"menu": menu, "set": str(image_set.pk), "media": str(mine[0].pk)}
        page = signed_in.get(NEW, query, headers={"HX-Request": "true"}).content.decode()
        assert not any(told in page for told in ("Foreign", "secret", str(media.pk), str(mine[0].pk)))
        assert ("Ours" in page, str(mine[1].pk) in page) == (menu != "library", menu == "library")
    assert "<html" in signed_in.get(NEW, {"menu": "group"}).content.decode()
    assert signed_in.get(NEW, {"menu": "nothing"}, headers={"HX-Request": "true"}).status_code == 200
