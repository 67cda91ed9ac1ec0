"""What the composer begins with: an image set, a post, nothing, or what was typed and not saved yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.shortcuts import get_object_or_404

from accounts.models import ConnectedAccount
from publishing import autosave, captions, checks
from publishing.forms.fields import uuids
from publishing.forms.starts import from_post, from_set
from publishing.forms.when import from_slot
from publishing.models import CaptionTemplate, ImageSet, ImageSetItem, Post, Publication
from publishing.models.posts import held_hashtags
from socialhub.http import HttpRequest


def start(request: HttpRequest, accounts: Sequence[ConnectedAccount]) -> dict[str, Any]:
    """What a new composer begins with: an image set, another post, or nothing; and a place in the calendar, if named.

    Unknown ids answer 404.
    """
    planned = from_slot(request.GET, request.user)
    if "set" in request.GET:
        pks = uuids([request.GET["set"]])
        sets = ImageSet.objects.filter(workspace=request.workspace).prefetch_related(
            Prefetch("items", queryset=ImageSetItem.objects.select_related("media"))
        )
        image_set = get_object_or_404(sets, pk=pks[0] if pks else None)
        template = CaptionTemplate.objects.filter(workspace=request.workspace).first()
        initial = from_set(image_set, captions.fill(template.body, image_set).text if template else "")
        held = held_hashtags(initial["caption"])
        initial["hashtags"] = [tag for tag in initial["hashtags"] if tag.lower() not in held]
    elif "from" in request.GET:
        pks = uuids([request.GET["from"]])
        post = get_object_or_404(posts_with_parts(request), pk=pks[0] if pks else None)
        know_accounts(post, accounts)
        only = request.GET.getlist("account")
        initial = from_post(post, accounts=uuids(only) if only else None)
        return {**initial, "accounts": usable(request, accounts, initial["accounts"]), **planned}
    else:
        initial = {}
    return {**initial, "accounts": usable(request, accounts), **planned}


def asked_key(request: HttpRequest) -> UUID | None:
    """The form that somebody comes back to; not one of others, at whose address they came to be by signing in."""
    key = next(iter(uuids([request.GET.get("draft")])), None)
    return None if key and autosave.is_foreign(request.workspace, request.user, key) else key


def usable(
    request: HttpRequest, accounts: Sequence[ConnectedAccount], wanted: Iterable[UUID] | None = None
) -> list[UUID]:
    """The accounts to begin with, of those that can publish at once.

    Most posts go everywhere, so one account on each network means all. With more of them nobody should reach too many
    by an oversight: then it is those of the newest post. Where somebody has set defaults, it is those.
    """
    able = [
        account
        for account in accounts
        if account.status == ConnectedAccount.Status.CONNECTED and not checks.account_findings(account)
    ]
    if wanted is None and any(account.is_default for account in able):
        wanted = {account.pk for account in able if account.is_default}
    if wanted is None and len(able) > len({account.platform for account in able}):
        sent = Exists(Publication.objects.filter(post=OuterRef("pk")))
        newest = Post.objects.of(request.workspace).filter(sent).order_by("-created_at").values("pk")[:1]
        wanted = set(Publication.objects.filter(post__in=newest).values_list("account", flat=True))
    return [account.pk for account in able if wanted is None or account.pk in wanted]


def posts_with_parts(request: HttpRequest) -> QuerySet[Post]:
    return Post.objects.of(request.workspace).prefetch_related("publications", "post_media")


def know_accounts(post: Post, accounts: Iterable[ConnectedAccount]) -> None:
    """The publications have their accounts of those that were read already."""
    by_key = {account.pk: account for account in accounts}
    for publication in post.publications.all():
        publication.account = by_key[publication.account_id]
