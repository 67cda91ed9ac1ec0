"""From the networks to rows: fetch, then upsert. Everything here may run twice without a trace.

What a network does not say stays unknown; it never becomes 0. No call is made inside a transaction. Each account is
read by one worker at a time (`AccountSync`), and each post that is due by one (`claim_posts`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import pictures
from accounts.clients import client_of
from accounts.language import speaking_to
from accounts.models import ConnectedAccount, Notification
from accounts.notify import settle, tell
from accounts.tokens import with_access
from accounts.usage import held_until
from analytics.models import AccountSync, InsightWindow, PlatformPost, PostSnapshot
from publishing import limits
from publishing.models import Publication, Status
from socialhub.platforms import PLATFORMS
from socialhub.platforms.base import Access, Platform, PostFigures, RemotePost
from socialhub.platforms.errors import (
    AccountBlockedError,
    LimitedError,
    OperatorError,
    OurBugError,
    PlatformError,
    PutOffError,
    ReconnectError,
    TemporaryError,
)

logger = logging.getLogger(__name__)

FIGURES = ("likes", "comments", "shares", "saves", "views", "reach", "clicks")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# An hourly reading of the totals costs one call. The rest costs more and changes less; together that stays below two
# calls per account and hour.
FULL_EVERY = timedelta(hours=3)
FULL_SLACK = timedelta(minutes=10)  # the hourly job is not punctual to the second
CLAIM = timedelta(minutes=15)  # longer than any worker needs
IMPORT_SPAN = timedelta(days=90)
IMPORT_LIMIT = 25
ADOPT_SPAN = timedelta(days=2)  # older publications are adopted when their account is read

# When the figures of a post are read, by its age: soon, so that something shows, then ever more seldom.
AGES = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    *(timedelta(hours=hours) for hours in range(24, 72, 6)),
    *(timedelta(hours=hours) for hours in range(72, 7 * 24, 12)),
    *(timedelta(days=days) for days in range(7, 29)),
)
APPEARS_WITHIN = timedelta(minutes=10)  # a fresh post may be missing from an answer without being gone
POSTS_PER_CLAIM = 200
MOST_FAILURES = 6  # readings in a row that came to nothing, about as many hours, before people are told
AFTER_TROUBLE = timedelta(minutes=15)
AFTER_REFUSAL = timedelta(hours=6)  # without a change by a person the answer will be the same

Part = Callable[[ConnectedAccount, Platform, Access], None]


# --- One account ----------------------------------------------------------------------------------------------


def sync(account_id: UUID, *, full: bool = False) -> bool:
    """Read one account and those of its posts that are due; what the jobs and "Sync now" run.

    full: everything, however lately it was read, because a person asks. Returns False when there is nothing to do:
    another worker is at it, the account cannot be read or is near a limit, or its totals of this hour are known.
    """
    account = (
        ConnectedAccount.objects.usable().select_related("workspace", "credential__grant").filter(pk=account_id).first()
    )
    if account is None:
        return False
    with speaking_to(account.workspace):
        return _sync(account, full=full)


def _sync(account: ConnectedAccount, *, full: bool) -> bool:
    if until := held_until(account, asked_for=full):
        # What is left of the network's limit is for people who publish or look, and at its end for posts alone.
        if full:
            _say_until_when(account, until)
        return False
    row, _made = AccountSync.objects.get_or_create(account=account)
    if not (until := _claim(account)):
        return False
    try:
        if not full and InsightWindow.objects.filter(**_hour_of(account, timezone.now())).exists():
            return False  # the same message came twice
        old = timezone.now() - FULL_EVERY + FULL_SLACK
        sync_account(account, full=full or row.full_at is None or row.full_at <= old)
        if account.is_connected:
            sync_posts(account, claim_posts(POSTS_PER_CLAIM, account=account, recent=full))
    finally:
        AccountSync.objects.filter(account=account, claimed_until=until).update(claimed_until=None)
    return True


def _say_until_when(account: ConnectedAccount, until: datetime) -> None:
    """Somebody has asked for it, and shall not wait in vain."""
    account.sync_error = _(
        "Its network's limit of calls is nearly used up, so it is not read before %(when)s. Posts still go out."
    ) % {"when": date_format(timezone.localtime(until), "DATETIME_FORMAT")}
    ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=account.sync_error)


def _claim(account: ConnectedAccount) -> datetime | None:
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    until = now + CLAIM
    return until if AccountSync.objects.filter(free, account=account).update(claimed_until=until) else None


def sync_account(account: ConnectedAccount, *, full: bool = True) -> None:
    """Totals of the account; with `full` also the figures of its days and its newest posts.

    Trouble is written to `sync_error` in plain words; what was read before or in spite of it counts. `last_synced_at`
    says when the totals were read last.
    """
    troubles: list[str] = []
    parts: list[Part] = [_read_totals]
    if full:
        parts += [_read_yesterday, _read_today, _read_posts, _read_quota]
    platform = client_of(account)

    def read(access: Access) -> None:
        while parts:  # with a renewed access it goes on where it stood
            try:
                parts[0](account, platform, access)
            except (ReconnectError, LimitedError, TemporaryError, AccountBlockedError, OperatorError):
                raise  # the next part would meet the same
            except PlatformError as error:
                _log(account, error)
                troubles.append(error.message)
            del parts[0]

    try:
        with_access(account, read)
    except PlatformError as error:
        troubles.append(error.message)
        _log(account, error)
        # A lost access has a word of its own; what we put off ourselves is no failure; what only whoever runs the server
        # can mend has been told to them.
        if not isinstance(error, ReconnectError | PutOffError | OperatorError):
            _count_failure(account, error.message)
    else:
        _read_through(account, troubles, full=full)
    account.sync_error = " ".join(dict.fromkeys(troubles))
    ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=account.sync_error)


def _read_through(account: ConnectedAccount, troubles: list[str], *, full: bool) -> None:
    """Nothing ended the reading; single parts may have had their trouble."""
    if troubles:
        _count_failure(account, " ".join(dict.fromkeys(troubles)))
    elif full:
        _readable_again(account)
    if full:
        AccountSync.objects.update_or_create(account=account, defaults={"full_at": timezone.now()})


def incident_of(account: ConnectedAccount) -> str:
    return f"insights:{account.pk}"


def _count_failure(account: ConnectedAccount, reason: str) -> None:
    """After some readings that came to nothing, or to less than they should, its people are told."""
    row, _made = AccountSync.objects.get_or_create(account=account)
    AccountSync.objects.filter(account=account).update(failures=F("failures") + 1)
    if row.failures + 1 < MOST_FAILURES:
        return
    tell(
        account.workspace,
        Notification.Kind.INSIGHTS,
        incident_of(account),
        title=_("No new figures of %(name)s") % {"name": account.name},
        body=_(
            "The figures could not be read %(count)d times in a row. %(reason)s What was read before stays; publishing "
            "is not touched. It is tried again every hour."
        )
        % {"count": row.failures + 1, "reason": reason},
        url=reverse("accounts:social"),
        account=account,
    )


def _readable_again(account: ConnectedAccount) -> None:
    AccountSync.objects.filter(account=account).exclude(failures=0).update(failures=0)
    settle(account.workspace, incident_of(account))


def _log(account: ConnectedAccount, error: PlatformError) -> None:
    level = logging.ERROR if isinstance(error, OurBugError) else logging.WARNING
    if isinstance(error, PutOffError):
        level = logging.INFO
    logger.log(
        level,
        "figures of account %s: %s %s/%s request %s: %s",
        account.pk,
        error.kind,
        error.code,
        error.subcode,
        error.request_id,
        error.platform_message or error.message,
    )


def _read_totals(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    profile = platform.profile(access)
    now = timezone.now()
    shown = {
        "name": profile.name[:200],
        "username": profile.username[:200],
        "picture_url": _address(profile.picture_url),
    }
    totals = {
        "followers": profile.followers_count,
        "following": profile.following_count,
        "likes": profile.likes_count,
        "posts": profile.posts_count,
    }
    fields: dict[str, Any] = {name: value for name, value in shown.items() if value}
    fields.update({f"{name}_count": value for name, value in totals.items()})
    fields["last_synced_at"] = now
    ConnectedAccount.objects.filter(pk=account.pk).update(**fields)
    for name, value in fields.items():
        setattr(account, name, value)
    pictures.refresh_later(account)
    known = {name: value for name, value in totals.items() if value is not None}
    if not known:
        return
    before = (
        InsightWindow.objects.filter(
            account=account, period=InsightWindow.Period.HOUR, window_start__lt=_hour_start(now)
        )
        .order_by("-window_start")
        .first()
    )
    _put_window(_hour_of(account, now), known, now, before=before)


def _read_quota(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    """What the network allows this account corrects the books of its limits before a post needs them."""
    if platform.quota_group and (quota := platform.quota(access)):
        limits.read_quota(account, platform.quota_group, quota)


def _hour_start(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _hour_of(account: ConnectedAccount, at: datetime) -> dict[str, Any]:
    return {"account": account, "period": InsightWindow.Period.HOUR, "window_start": _hour_start(at)}


def _read_yesterday(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    """Networks hand in the figures of a day late, so yesterday is read again all day long."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    _read_day(account, platform, access, today - DAY, today)


def _read_today(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    now = timezone.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if now - today >= timedelta(minutes=1):
        _read_day(account, platform, access, today, now)


def _read_day(account: ConnectedAccount, platform: Platform, access: Access, since: datetime, until: datetime) -> None:
    figures = platform.account_figures(access, since=since, until=until)
    if figures.metrics:
        key = {"account": account, "period": InsightWindow.Period.DAY, "window_start": since}
        raw = {**figures.raw, **({"dead_metrics": list(figures.dead_metrics)} if figures.dead_metrics else {})}
        _put_window(key, figures.metrics, timezone.now(), raw=raw)


def _put_window(
    key: dict[str, Any],
    metrics: Mapping[str, Any],
    now: datetime,
    *,
    raw: Mapping[str, Any] | None = None,
    before: InsightWindow | None = None,
) -> None:
    """Newer figures replace older ones of the same window; one that is missing this time keeps its last value."""
    with transaction.atomic():
        window, _made = InsightWindow.objects.select_for_update().get_or_create(**key, defaults={"fetched_at": now})
        window.metrics = {**window.metrics, **metrics}
        window.raw = dict(raw or {})
        window.fetched_at = now
        window.derived = _difference(before, window) if before else {}
        window.save(update_fields=["metrics", "raw", "fetched_at", "derived"])


def _difference(before: InsightWindow, window: InsightWindow) -> dict[str, Any]:
    """What changed since the window before, and over how many minutes: hours may be missing in between."""
    both = window.metrics.keys() & before.metrics.keys()
    if not both:
        return {}
    minutes = round((window.fetched_at - before.fetched_at).total_seconds() / 60)
    return {**{name: window.metrics[name] - before.metrics[name] for name in sorted(both)}, "span_minutes": minutes}


def accounts_due() -> list[UUID]:
    """Connected accounts whose totals of this hour are not known yet, or where that is seldom, of this day."""
    known = InsightWindow.objects.filter(
        account=OuterRef("pk"), period=InsightWindow.Period.HOUR, window_start=_hour_start(timezone.now())
    )
    usable = ConnectedAccount.objects.usable()
    for key, platform in PLATFORMS.items():
        if every := platform.figures_every_seconds:
            read = timezone.now() - timedelta(seconds=every) + FULL_SLACK
            usable = usable.exclude(platform=key, last_synced_at__gt=read)
    return list(usable.filter(~Exists(known)).order_by("last_synced_at", "pk").values_list("pk", flat=True))


def accounts_never_synced(limit: int = 20) -> list[UUID]:
    """Just connected. One whose first reading failed waits for its hour like all others."""
    now = timezone.now()
    fresh = ConnectedAccount.objects.usable().filter(last_synced_at=None, sync_error="")
    free = Q(sync=None) | Q(sync__claimed_until=None) | Q(sync__claimed_until__lte=now)
    return list(fresh.filter(free).order_by("connected_at").values_list("pk", flat=True)[:limit])


# --- Posts found on an account --------------------------------------------------------------------------------


def _read_posts(account: ConnectedAccount, platform: Platform, access: Access) -> None:
    """Take in the newest posts, whoever made them; their figures are due at once."""
    adopt_published(account)
    now = timezone.now()
    remote = platform.recent_posts(access, since=now - IMPORT_SPAN, limit=IMPORT_LIMIT)
    found = {post.platform_post_id: post for post in remote if post.platform_post_id}
    known = {
        post.platform_post_id: post
        for post in PlatformPost.objects.filter(account=account, platform_post_id__in=found).defer("raw")
    }
    PlatformPost.objects.bulk_create(
        [_row(account, post, known.get(key), now) for key, post in sorted(found.items())],
        update_conflicts=True,
        unique_fields=["account", "platform_post_id"],
        update_fields=["text", "permalink", "thumbnail_url", "media_type", "posted_at"],
    )
    back = [post.pk for post in known.values() if post.gone_at]
    PlatformPost.objects.filter(pk__in=back).update(gone_at=None, next_fetch_at=now)
    _link(PlatformPost.objects.filter(account=account, platform_post_id__in=found))


def _row(account: ConnectedAccount, post: RemotePost, known: PlatformPost | None, now: datetime) -> PlatformPost:
    return PlatformPost(
        account=account,
        platform_post_id=post.platform_post_id,
        text=post.text,
        permalink=_address(post.permalink) or (known.permalink if known else ""),
        thumbnail_url=_address(post.thumbnail_url),
        media_type=post.media_type[:30],
        posted_at=post.posted_at,
        next_fetch_at=now,
    )


def adopt_published(account: ConnectedAccount | None = None) -> int:
    """Publications that are out get their platform post, due at once. Returns how many it were.

    Without an account: the lately published ones of all, for the job that runs every minute.
    """
    now = timezone.now()
    waiting = Publication.objects.filter(
        status=Status.PUBLISHED, platform_post=None, published_at__isnull=False
    ).exclude(Q(platform_post_id="") | Q(platform_post_id__startswith="http"))  # an address that a person pasted
    if account is not None:
        waiting = waiting.filter(account=account)
    else:
        waiting = waiting.filter(published_at__gte=now - ADOPT_SPAN)
    publications: list[Any] = list(waiting.select_related("post", "account").order_by("pk")[:500])
    PlatformPost.objects.bulk_create(
        [
            PlatformPost(
                account_id=publication.account_id,
                platform_post_id=publication.platform_post_id,
                text=publication.text,
                permalink=publication.permalink,
                posted_at=publication.published_at,
                next_fetch_at=now + timedelta(seconds=PLATFORMS[publication.account.platform].figures_every_seconds),
            )
            for publication in publications
        ],
        ignore_conflicts=True,
    )
    keys = [publication.platform_post_id for publication in publications]
    accounts = {publication.account_id for publication in publications}
    _link(PlatformPost.objects.filter(account__in=accounts, platform_post_id__in=keys))
    return len(publications)


def _link(posts: Any) -> None:
    """Tie platform posts to the publications that made them: by id, or by the address that a person pasted."""
    same = Q(platform_post_id=OuterRef("platform_post_id")) | (
        Q(platform_post_id=OuterRef("permalink")) & Q(platform_post_id__startswith="http")
    )
    makers = Publication.objects.filter(same, account=OuterRef("account"), platform_post=None)
    posts.filter(Exists(makers), publication=None).update(publication=Subquery(makers.values("pk")[:1]))
    # An address that could not be read right after publishing is told later.
    known = PlatformPost.objects.filter(publication=OuterRef("pk")).exclude(permalink="")
    Publication.objects.filter(Exists(known), permalink="", platform_post__in=posts).update(
        permalink=Subquery(known.values("permalink")[:1])
    )


def _address(url: str) -> str:
    """Half an address is none."""
    return url if len(url) <= 2000 else ""


# --- Figures of posts -----------------------------------------------------------------------------------------


def next_fetch(posted_at: datetime, now: datetime, every_seconds: float = 0) -> datetime | None:
    """When the figures of a post are read next, not before `every_seconds` have passed; None once it is 28 days old."""
    soonest = now + timedelta(seconds=every_seconds)
    return next((posted_at + age for age in AGES if posted_at + age > now and posted_at + age >= soonest), None)


def claim_posts(limit: int, *, account: ConnectedAccount | None = None, recent: bool = False) -> list[PlatformPost]:
    """Take posts whose figures are due; another worker does not get them before the claim has run out.

    recent: those of the last 28 days, due or not.
    """
    now = timezone.now()
    if recent:
        posts = PlatformPost.objects.filter(gone_at=None).filter(
            Q(next_fetch_at__lte=now) | Q(next_fetch_at__isnull=False, posted_at__gte=now - AGES[-1])
        )
    else:
        posts = PlatformPost.objects.due(now)
    if account is not None:
        posts = posts.filter(account=account)
    with transaction.atomic():
        claimed = list(
            posts.select_for_update(skip_locked=True, of=("self",)).defer("raw").order_by("next_fetch_at")[:limit]
        )
        PlatformPost.objects.filter(pk__in=[post.pk for post in claimed]).update(next_fetch_at=now + CLAIM)
    return claimed


def sync_posts(account: ConnectedAccount, posts: Sequence[PlatformPost]) -> None:
    """Read the figures of these posts of one account, in as few calls as its network offers."""
    if not posts:
        return
    try:
        platform, ids = client_of(account), [post.platform_post_id for post in posts]
        answer = with_access(account, lambda access: platform.post_figures(access, ids))
    except PlatformError as error:
        _log(account, error)
        _put_off(posts, error)
        ConnectedAccount.objects.filter(pk=account.pk).update(sync_error=error.message)
        return
    _put_figures(posts, {figures.platform_post_id: figures for figures in answer}, platform.figures_every_seconds)


def _put_off(posts: Iterable[PlatformPost], error: PlatformError) -> None:
    now = timezone.now()
    if isinstance(error, LimitedError):
        again = max(error.until or now + HOUR, now + timedelta(minutes=1))
    else:
        again = now + (AFTER_TROUBLE if isinstance(error, TemporaryError | ReconnectError) else AFTER_REFUSAL)
    PlatformPost.objects.filter(pk__in=[post.pk for post in posts], gone_at=None).update(next_fetch_at=again)


def _put_figures(posts: Sequence[PlatformPost], answer: Mapping[str, PostFigures], every_seconds: float) -> None:
    """The newest known figures to the posts, exactly what was read to their snapshots."""
    now = timezone.now()
    answered, snapshots = [], []
    gone: list[PlatformPost] = []
    not_there_yet: list[PlatformPost] = []
    for post in sorted(posts, key=lambda post: post.pk):
        figures = answer.get(post.platform_post_id)
        if figures is None:
            (not_there_yet if now - post.posted_at < APPEARS_WITHIN else gone).append(post)
            continue
        read = {name: value for name in FIGURES if (value := getattr(figures, name)) is not None}
        for name, value in read.items():
            setattr(post, name, value)
        post.raw = dict(figures.raw)
        post.fetched_at = now
        post.next_fetch_at = next_fetch(post.posted_at, now, every_seconds)
        answered.append(post)
        if read:
            snapshots.append(PostSnapshot(platform_post=post, fetched_at=now, **read))
    for post in not_there_yet:
        post.next_fetch_at = next_fetch(post.posted_at, now)
    with transaction.atomic():
        PlatformPost.objects.bulk_update(answered, [*FIGURES, "raw", "fetched_at", "next_fetch_at"])
        PlatformPost.objects.bulk_update(not_there_yet, ["next_fetch_at"])
        PlatformPost.objects.filter(pk__in=[post.pk for post in gone]).update(gone_at=now, next_fetch_at=None)
        PostSnapshot.objects.bulk_create(snapshots, ignore_conflicts=True)


def sync_due(seconds: float = 45) -> int:
    """Adopt what was published and read the figures of posts that are due. Returns how many it were.

    Claims in small portions and stops after `seconds`, so that the run of the next minute can go on.
    """
    adopt_published()
    end = timezone.now() + timedelta(seconds=seconds)
    number = 0
    while timezone.now() < end and (posts := claim_posts(POSTS_PER_CLAIM)):
        number += len(posts)
        posts.sort(key=lambda post: (post.account_id, post.platform_post_id))
        accounts = ConnectedAccount.objects.select_related("workspace", "credential").in_bulk(
            {post.account_id for post in posts}
        )
        for account_id, group in groupby(posts, key=lambda post: post.account_id):
            _sync_posts_alone(accounts[account_id], list(group))
    return number


def _sync_posts_alone(account: ConnectedAccount, posts: Sequence[PlatformPost]) -> None:
    if until := held_until(account):
        _put_off(posts, LimitedError(_("The limit of the network is nearly used up."), until=until))
        return
    try:
        with speaking_to(account.workspace):
            sync_posts(account, posts)
    except Exception:
        logger.exception("figures of the posts of account %s", account.pk)
