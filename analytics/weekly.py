"""The weekly report by e-mail: how the accounts of a workspace did, to each member who has asked for it.

It comes on Monday morning of the reader's own zone. A week is claimed in two steps: `claimed_at` keeps others away while
the mail is made, and `week` is written just before it is handed over, so that whoever dies loses one mail at most, and
sends none twice. What the mail server does not take is tried again within the next days.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from email.mime.image import MIMEImage
from smtplib import SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from accounts.language import language_of, speaking_to_person
from accounts.models import ConnectedAccount, Membership, User, Workspace
from analytics.images import HEIGHT, WIDTH, png_of
from analytics.models import PlatformPost, ReportSubscription
from analytics.reports.charts import Chart
from analytics.reports.periods import BY_KEY, DAY, Span
from analytics.reports.posts import RATE_OF, best_and_worst
from analytics.reports.series import Series, Sort, Told, load
from analytics.templatetags.charts import duration, percent, span_words, words_of
from socialhub.platforms import LABELS
from socialhub.platforms.measures import MEASURES, Unit

logger = logging.getLogger(__name__)

MORNING = timedelta(hours=7)  # on Monday, by the reader's clock
LATEST = timedelta(days=3)  # a report that could not be sent by then is old
CLAIM = timedelta(hours=1)  # a worker that has not sent the mail by then is gone
WEEK = BY_KEY["7d"]
SALT = "analytics.weekly"
TOLD = ("followers", "views", "impressions", "reach", "engagements", "profile_views", "likes")  # as far as known,
FIGURES = 4  # so many of them
DRAWN = ("views", "impressions", "engagements", "reach", "followers")  # the first of these that there is something of
ACCOUNTS = 12  # with their charts; more would make a mail that nobody reads
TEXT = 90  # characters of a post


# --- What it says -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """In words for the mail. change: against the week before, or why that cannot be said."""

    word: str
    value: str
    change: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class AccountWeek:
    account: ConnectedAccount
    network: str
    figures: Sequence[Figure] = ()
    chart: Chart | None = None
    why: str = ""  # why there is nothing
    alt: str = ""  # what the chart shows, in words
    span: str = ""

    @property
    def page(self) -> str:
        return address_of("analytics:account", self.account.pk)

    @property
    def cid(self) -> str:
        return f"chart-{self.account.pk}@socialhub"


@dataclass(frozen=True, slots=True)
class Best:
    text: str
    where: str
    page: str  # here, with all its figures
    link: str  # at the network
    figures: str


@dataclass(frozen=True, slots=True)
class Report:
    workspace: Workspace
    accounts: Sequence[AccountWeek]
    others: int  # accounts that have no place in it
    posts: int  # that were made on the accounts
    best: Sequence[Best] = field(default_factory=list)


def report_of(workspace: Workspace, now: datetime) -> Report:
    """In the language and zone that are active. Four queries for each account, and four more."""
    accounts = list(ConnectedAccount.objects.of(workspace).listed().defer("offers").order_by("platform", "name", "pk"))
    found = best_and_worst(workspace, span=Span(now - WEEK.length - DAY, now))
    return Report(
        workspace,
        accounts=[account_week(load(account, now=now)) for account in accounts[:ACCOUNTS]],
        others=max(len(accounts) - ACCOUNTS, 0),
        posts=PlatformPost.objects.filter(
            account__in=accounts, posted_at__gte=now - WEEK.length, posted_at__lt=now
        ).count(),
        best=[
            Best(
                text=shortened(row.text) or _("Post without words"),
                where=f"{LABELS.get(row.post.account.platform, '')} · {row.post.account.name}",
                page=address_of("analytics:post", row.post.pk),
                link=row.post.permalink,
                figures=_("Engagement rate %(rate)s %(of)s")
                % {"rate": percent(row.post.engagement_rate or 0), "of": RATE_OF.get(row.post.rate_of, "")},
            )
            for row in found.best
        ],
    )


def account_week(series: Series) -> AccountWeek:
    known = [MEASURES[key] for key in TOLD if key in series.known]
    told = [one for measure in known[:FIGURES] if (one := series.told(measure, WEEK)).value is not None]
    charts = (series.chart(MEASURES[key], WEEK) for key in DRAWN if key in series.known)
    chart = next((chart for chart in charts if not chart.reason), None)
    is_read = series.account.last_synced_at is not None and not series.account.needs_reconnect
    why = series.why(MEASURES["followers"])
    untold = [Figure(str(MEASURES["followers"].word), "–", change=why)] if is_read else []
    return AccountWeek(
        series.account,
        series.network,
        figures=[figure_of(one) for one in told] or untold,
        chart=chart,
        why="" if told or is_read else why,
        alt=alt_of(chart) if chart else "",
        span=span_words(chart.times, chart.is_hourly) if chart else "",
    )


def figure_of(told: Told) -> Figure:
    word = str(told.measure.word)
    return Figure(
        word=_("%(measure)s a day, on average") % {"measure": word} if told.sort is Sort.AVERAGE else word,
        value=written(told.value or 0, told.measure.unit),
        change=change_of(told),
        note=" ".join(told.notes),
    )


def change_of(told: Told) -> str:
    if told.change is None:
        return told.why_not_compared
    if told.sort is Sort.LEVEL:
        return _("%(change)s in 7 days") % {"change": signed(told.change)}
    if told.rate is None:
        return _("%(change)s against the 7 days before") % {"change": signed(told.change)}
    sign = "+" if told.rate > 0 else "−" if told.rate < 0 else "±"
    return _("%(change)s against the 7 days before") % {"change": sign + percent(abs(told.rate))}


def signed(number: float) -> str:
    sign = "+" if number > 0 else "−" if number < 0 else "±"
    return sign + number_format(abs(round(number)), force_grouping=True)


def written(value: float, unit: str) -> str:
    if unit == Unit.PERCENT:
        return percent(value)
    return duration(value) if unit == Unit.SECONDS else number_format(round(value), force_grouping=True)


def alt_of(chart: Chart) -> str:
    """The same figures as the image: "Views by day: 16 Nov 120, 17 Nov no figure"."""
    line = chart.lines[0]
    days = (
        f"{words_of(at, is_hourly=chart.is_hourly)[0]} {_('no figure') if value is None else written(value, line.unit)}"
        for at, value in zip(chart.times, line.values, strict=True)
    )
    return f"{chart.title}: {', '.join(days)}"


def address_of(name: str, *args: object) -> str:
    """For who is not in the browser."""
    return settings.PUBLIC_BASE_URL + reverse(name, args=args)


def shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= TEXT else words[: TEXT - 1].rstrip() + "…"


# --- The mail ---------------------------------------------------------------------------------------------------


class Mail(EmailMultiAlternatives):
    mixed_subtype = "related"  # images belong to the text, they are no files beside it


def mail_of(subscription: ReportSubscription, now: datetime) -> EmailMultiAlternatives | None:
    """In the language and the zone of who gets it; None where there is nothing to report on."""
    user, workspace = subscription.user, subscription.workspace
    with speaking_to_person(user, language_of(workspace)), timezone.override(user.zone):
        report = report_of(workspace, now)
        if not report.accounts:
            return None
        leave = address_of("analytics:reports_leave", token_of(subscription))
        monday = date_format(monday_of(now, user.zone), "j F Y")
        context = {
            "report": report,
            "monday": monday,
            "home": address_of("analytics:overview"),
            "settings": address_of("analytics:reports"),
            "leave": leave,
            "width": WIDTH,
            "height": HEIGHT,
        }
        subject = _("Weekly report of %(workspace)s, %(monday)s") % {"workspace": workspace.name, "monday": monday}
        mail = Mail(
            settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + " ".join(subject.split()),
            render_to_string("analytics/mail/weekly.txt", context),
            to=[user.email],
            headers={
                # Mail programs show a button for it, and press it by POST without anybody signing in (RFC 8058).
                "List-Unsubscribe": f"<{leave}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "Auto-Submitted": "auto-generated",
            },
        )
        mail.attach_alternative(render_to_string("analytics/mail/weekly.html", context), "text/html")
        for image in images_of(report):
            mail.attach(image)
    return mail


def images_of(report: Report) -> Iterator[MIMEImage]:
    for week in report.accounts:
        if week.chart:
            image = MIMEImage(png_of(week.chart), "png")
            image.add_header("Content-ID", f"<{week.cid}>")
            image.add_header("Content-Disposition", "inline", filename=f"{week.account.platform}.png")
            yield image


# --- Who gets it, and when --------------------------------------------------------------------------------------


def week_due(now: datetime, zone: tzinfo) -> date:
    """The Monday of the newest week that is reported by now: of the one before this, from Monday morning on."""
    return monday_of(now, zone) - timedelta(days=7)


def monday_of(now: datetime, zone: tzinfo) -> date:
    """The last Monday whose morning has come."""
    morning = (now.astimezone(zone).replace(tzinfo=None) - MORNING).date()
    return morning - timedelta(days=morning.weekday())


def subscribe(user: User, workspace: Workspace) -> None:
    """From the next Monday on."""
    ReportSubscription.objects.get_or_create(
        user=user, workspace=workspace, defaults={"week": week_due(timezone.now(), user.zone)}
    )


def unsubscribe(user: User, workspace: Workspace) -> None:
    ReportSubscription.objects.filter(user=user, workspace=workspace).delete()


def token_of(subscription: ReportSubscription) -> str:
    """Says who may leave without signing in. It works as long as the subscription is there."""
    return signing.dumps([subscription.user_id, str(subscription.workspace_id)], salt=SALT)


def subscription_of(token: str) -> tuple[int, UUID] | None:
    """User and workspace of a link in a mail; None for one that we have not made."""
    try:
        user_id, workspace_id = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return user_id, UUID(workspace_id)


def waiting(now: datetime) -> QuerySet[ReportSubscription]:
    """Those whose week may have come somewhere on earth, that nobody is at, of people who belong to the workspace."""
    latest = (now + timedelta(hours=14)).date()
    return ReportSubscription.objects.filter(
        Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM),
        Q(week=None) | Q(week__lt=latest - timedelta(days=7)),
        Exists(Membership.objects.open().filter(user=OuterRef("user"), workspace=OuterRef("workspace"))),
        user__is_active=True,
    ).select_related("user", "workspace")


def is_due(subscription: ReportSubscription, now: datetime) -> bool:
    zone = subscription.user.zone
    is_late = now.astimezone(zone).date() - monday_of(now, zone) > LATEST
    return not is_late and (subscription.week is None or subscription.week < week_due(now, zone))


def due(now: datetime) -> list[int]:
    """Ids of the subscriptions whose week has come. One query."""
    return [one.pk for one in waiting(now).order_by("pk") if is_due(one, now)]


def send(subscription_id: int, now: datetime | None = None) -> bool:
    """The report to one person, once a week, whoever else tries at the same time. Was it sent?"""
    now = now or timezone.now()
    subscription = waiting(now).filter(pk=subscription_id).first()
    if subscription is None or not is_due(subscription, now):
        return False
    rows = ReportSubscription.objects.filter(pk=subscription_id)
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM)
    if not rows.filter(free, week=subscription.week).update(claimed_at=now):
        return False
    before, week = subscription.week, week_due(now, subscription.user.zone)
    mail = mail_of(subscription, now)
    if not rows.filter(claimed_at=now, week=before).update(week=week):
        return False
    if mail is None:
        rows.update(claimed_at=None, failure="")
        return False
    try:
        mail.send()
    except SMTPRecipientsRefused as error:  # and so it would be within the hour
        logger.warning("the mail server refuses the address of report %s", subscription_id)
        rows.update(claimed_at=None, failure=str(error)[:500])
    except OSError as error:  # smtplib's errors are OSErrors, too
        logger.warning("report %s could not be e-mailed, it will be tried again", subscription_id, exc_info=True)
        rows.update(week=before, claimed_at=None, failure=str(error)[:500])
    else:
        rows.update(sent_at=now, claimed_at=None, failure="")
        return True
    return False
