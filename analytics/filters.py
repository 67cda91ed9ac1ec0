"""What narrows and sorts the pages of figures, as it stands in their addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import ConnectedAccount, Workspace
from analytics.models import PlatformPost
from analytics.reports.kinds import KINDS
from analytics.reports.periods import BY_KEY, DAY, PERIODS, USUAL, Period, Span
from publishing.models import Publication
from socialhub.platforms import LABELS, PLATFORMS
from socialhub.platforms.measures import MEASURES

ALL_TIME = "all"
YEAR = Period("365d", gettext_lazy("12 months"), gettext_lazy("the 12 months before"), 365 * DAY)
POST_PERIODS = {period.key: period for period in (*PERIODS[1:], YEAR)}  # within an hour nobody posts enough to compare
RATE = "engagement_rate"
FIGURES = ("views", "impressions", "reach", "likes", "comments", "shares", "saves", "clicks", "engagements")
NEWEST = "-posted_at"
NOTHING = "none"  # in a cursor: the last row of the page before had no such figure
LARGEST = 2**63 - 1

DRAWN = ("views", "reach", "engagements", "followers")  # what the chart of the comparison can show
CAMPAIGN_WORDS: dict[str, Any] = {
    "name": gettext_lazy("Campaign"),
    "posts": gettext_lazy("Posts"),
    "last": gettext_lazy("Last post"),
    "views": MEASURES["views"].word,
    "reach": gettext_lazy("Reach per post"),
    "engagements": MEASURES["engagements"].word,
    RATE: gettext_lazy("Engagement rate"),
}
WORDS: dict[str, Any] = {
    RATE: gettext_lazy("Engagement rate"),
    **{name: MEASURES[name].word for name in FIGURES},
}


@dataclass(frozen=True, slots=True)
class Sort:
    """By what a list of posts is sorted. Posts without the figure come last, whichever way."""

    name: str
    descending: bool

    def __call__(self, posts: QuerySet[PlatformPost]) -> QuerySet[PlatformPost]:
        way = F(self.name).desc(nulls_last=True) if self.descending else F(self.name).asc(nulls_last=True)
        return posts.order_by(way, "-pk" if self.descending else "pk")

    def after(self, posts: QuerySet[PlatformPost], value: Any, pk: UUID) -> QuerySet[PlatformPost]:
        """Those that come later in the list than this place in it."""
        way = "lt" if self.descending else "gt"
        later = Q(**{self.name: value, f"pk__{way}": pk})
        if value is None:
            return posts.filter(Q(**{f"{self.name}__isnull": True, f"pk__{way}": pk}))
        beyond = Q(**{f"{self.name}__{way}": value}) | later
        return posts.filter(beyond if self.name == "posted_at" else beyond | Q(**{f"{self.name}__isnull": True}))

    def place_of(self, post: PlatformPost) -> str:
        value = getattr(post, self.name)
        told = NOTHING if value is None else value.isoformat() if isinstance(value, datetime) else repr(value)
        return f"{told}_{post.pk}"

    def read(self, text: str) -> tuple[Any, UUID]:
        """A place in the list as `place_of` has written it. Raises ValueError, OverflowError."""
        written, _separator, pk = text.rpartition("_")
        key = UUID(pk)
        if self.name == "posted_at":
            moment = datetime.fromisoformat(written)
            if moment.tzinfo is None:
                raise ValueError("of no time zone")
            return moment.astimezone(UTC), key
        if written == NOTHING:
            return None, key
        number = float(written) if self.name == RATE else int(written)
        if not abs(number) <= LARGEST:  # also what is no number
            raise ValueError("larger than any figure")
        return number, key

    @property
    def key(self) -> str:
        return f"-{self.name}" if self.descending else self.name


def sort_of(key: str) -> Sort:
    return Sort(key.removeprefix("-"), key.startswith("-"))


def sort_choices() -> list[tuple[str, Any]]:
    choices: list[tuple[str, Any]] = [("", gettext_lazy("Newest first")), ("posted_at", gettext_lazy("Oldest first"))]
    for name, word in WORDS.items():
        choices.append((f"-{name}", _("%(figure)s: most first") % {"figure": word}))
        choices.append((name, _("%(figure)s: least first") % {"figure": word}))
    return choices


def span_of(period: Period | None) -> Span:
    """The last so many days up to now; without a period everything."""
    now = timezone.now()
    return Span(now - period.length if period else datetime(2000, 1, 1, tzinfo=UTC), now)


class Narrowing(forms.Form):
    """Fields of an address: what is not understood is said, what is left out is the usual."""

    usual_period = USUAL

    period = forms.ChoiceField(label=gettext_lazy("Posted within"), required=False)

    # Not a part of what is asked for, only a place in its list.
    PLACES: ClassVar[tuple[str, ...]] = ("after", "page")

    def __init__(self, data: QueryDict, *, workspace: Workspace) -> None:
        super().__init__(data, auto_id="figures_%s")
        self.workspace = workspace
        self.accounts = list(ConnectedAccount.objects.of(workspace).defer("offers").order_by("platform", "name", "pk"))
        period: Any = self.fields["period"]
        period.choices = [(key, period.word) for key, period in POST_PERIODS.items()]
        self.query = data.copy()
        if not self.query.get("period"):
            self.query["period"] = self.usual_period.key
        self.data = self.query

    @property
    def chosen_period(self) -> Period | None:
        """None: everything."""
        return POST_PERIODS.get(self.cleaned_data["period"])

    @property
    def span(self) -> Span:
        return span_of(self.chosen_period)

    def address(self, **changed: str) -> str:
        """The query of the page with something else, from its top; "" takes a condition away."""
        query = QueryDict(mutable=True)
        for name in self.fields:
            values = [changed[name]] if name in changed else self.query.getlist(name)
            if name in self.PLACES and name not in changed:
                continue
            if name == "period" and values == [self.usual_period.key]:
                continue
            if kept := [value for value in values if value]:
                query.setlist(name, kept)
        return f"?{query.urlencode()}" if query else "?"

    @property
    def base_address(self) -> str:
        """To which one more condition can be joined by "&"."""
        return self.address()

    @property
    def is_narrowing(self) -> bool:
        apart = {*self.PLACES, "sort", "period", "measure"}
        return any(self.data.get(name) for name in self.fields if name not in apart)

    @property
    def periods(self) -> list[tuple[str, Any, str, bool]]:
        """Key, word, address and whether it is the one that is looked at."""
        field: Any = self.fields["period"]
        current = self.data.get("period")
        return [(key, word, self.address(period=key), key == current) for key, word in field.choices]


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that narrows the list, and the address of the list without it."""

    label: str
    value: str
    without: str


def account_label(account: ConnectedAccount) -> str:
    return f"{LABELS.get(account.platform, account.platform)} {account.handle}"


@dataclass(frozen=True, slots=True)
class Heading:
    """A column by which a list can be sorted, and the address that does it; a second press turns the order round."""

    name: str
    word: Any
    address: str
    order: str  # "ascending", "descending"; "" when the list is sorted by something else


class PostFilter(Narrowing):
    """Which platform posts: the list of posts with figures, and its export."""

    platform = forms.ChoiceField(label=gettext_lazy("Network"), required=False)
    account = forms.ChoiceField(
        label=gettext_lazy("Account"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This account is not connected here. Choose one of the list.")},
    )
    kind = forms.ChoiceField(label=gettext_lazy("Type"), required=False)
    campaign = forms.CharField(label=gettext_lazy("Campaign"), required=False, max_length=100)
    made = forms.ChoiceField(
        label=pgettext_lazy("posts", "Made"),
        required=False,
        choices=[
            ("", gettext_lazy("Anywhere")),
            ("here", gettext_lazy("With socialhub")),
            ("elsewhere", gettext_lazy("Elsewhere")),
        ],
    )
    sort = forms.ChoiceField(label=gettext_lazy("Order"), required=False)
    after = forms.CharField(required=False, widget=forms.HiddenInput, max_length=120)

    FOLDED: ClassVar = ("platform", "account", "kind", "campaign", "made")

    def __init__(self, data: QueryDict, *, workspace: Workspace) -> None:
        super().__init__(data, workspace=workspace)
        fields: Any = self.fields
        fields["period"].choices = [*fields["period"].choices, (ALL_TIME, gettext_lazy("All time"))]
        there = {account.platform for account in self.accounts}
        any_one = ("", gettext_lazy("Any"))
        fields["platform"].choices = [any_one, *((key, LABELS[key]) for key in PLATFORMS if key in there)]
        fields["account"].choices = [any_one, *((str(one.pk), account_label(one)) for one in self.accounts)]
        fields["kind"].choices = [any_one, *((kind.key, kind.word) for kind in KINDS.values())]
        fields["sort"].choices = [*sort_choices(), (NEWEST, gettext_lazy("Newest first"))]

    @property
    def shown_sorts(self) -> list[tuple[str, Any]]:
        """Without the second name of the usual one."""
        field: Any = self.fields["sort"]
        return field.choices[:-1]

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        if clean.get("after") and "sort" in clean:
            try:
                clean["after"] = sort_of(clean["sort"] or NEWEST).read(clean["after"])
            except (ValueError, OverflowError) as error:
                raise ValidationError(
                    {"after": _("This page of the list is not there. Start again from the top.")}
                ) from error
        return clean

    @property
    def sorting(self) -> Sort:
        return sort_of(self.cleaned_data.get("sort") or NEWEST)

    def headings(self, names: Iterable[str]) -> list[Heading]:
        found, current = [], self.sorting
        for name in names:
            is_current = current.name == name
            order = ("descending" if current.descending else "ascending") if is_current else ""
            turned = Sort(name, descending=order != "descending")
            found.append(Heading(name, WORDS[name], self.address(sort=turned.key), order))
        return found

    @property
    def folded_count(self) -> int:
        return sum(bool(self.data.get(name)) for name in self.FOLDED)

    @property
    def is_unfolded(self) -> bool:
        """What is folded away has an error, which must not stay hidden."""
        return any(name in self.errors for name in self.FOLDED)

    @property
    def conditions(self) -> list[Condition]:
        """What narrows the list, each to be taken away alone."""
        found = []
        for name in self.FOLDED:
            if value := self.cleaned_data.get(name):
                field: Any = self.fields[name]
                words = dict(getattr(field, "choices", ())).get(value, value)
                found.append(Condition(str(field.label), str(words), self.address(**{name: ""})))
        return found

    @property
    def chosen_accounts(self) -> list[ConnectedAccount]:
        wanted = self.cleaned_data
        return [
            account
            for account in self.accounts
            if wanted.get("platform") in ("", None, account.platform)
            and wanted.get("account") in ("", None, str(account.pk))
        ]

    def narrowed(self) -> QuerySet[PlatformPost]:
        """The posts that fit, in no order, from the first to the last."""
        wanted, span = self.cleaned_data, self.span
        posts: QuerySet[PlatformPost] = PlatformPost.objects.filter(
            account__in=[account.pk for account in self.chosen_accounts], posted_at__lt=span.end
        )
        if self.chosen_period:
            posts = posts.filter(posted_at__gte=span.start)
        if wanted.get("kind"):
            posts = posts.filter(KINDS[wanted["kind"]].condition)
        if wanted.get("made"):
            posts = posts.filter(publication__isnull=wanted["made"] == "elsewhere")
        if wanted.get("campaign"):
            # `iexact`, written so that it finds its index.
            made = Publication.objects.filter(
                post__workspace=self.workspace, post__campaign__gt="", post__campaign__iexact=wanted["campaign"]
            )
            posts = posts.filter(publication__in=made.values("pk"))
        return posts

    def page(self) -> QuerySet[PlatformPost]:
        """The posts that fit, in their order, from the place where the page before ended."""
        posts = self.narrowed()
        if place := self.cleaned_data.get("after"):
            posts = self.sorting.after(posts, *place)
        return self.sorting(posts)


class ComparisonFilter(Narrowing):
    """Which accounts are laid beside each other, over which days."""

    period = forms.ChoiceField(label=gettext_lazy("Days"), required=False)
    account = forms.MultipleChoiceField(
        label=gettext_lazy("Accounts"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("This account is not connected here. Choose one of the list.")},
    )
    measure = forms.ChoiceField(label=gettext_lazy("Drawn"), required=False)

    def __init__(self, data: QueryDict, *, workspace: Workspace) -> None:
        super().__init__(data, workspace=workspace)
        self.accounts = [one for one in self.accounts if one.status != ConnectedAccount.Status.DISCONNECTED]
        fields: Any = self.fields
        fields["period"].choices = [(period.key, period.word) for period in PERIODS if not period.is_hourly]
        fields["account"].choices = [(str(one.pk), account_label(one)) for one in self.accounts]
        fields["measure"].choices = [(name, MEASURES[name].word) for name in DRAWN]

    @property
    def drawn(self) -> str:
        return self.cleaned_data.get("measure") or DRAWN[0]

    @property
    def chosen_accounts(self) -> list[ConnectedAccount]:
        """Those that are ticked; all where none is."""
        wanted = set(self.cleaned_data.get("account") or ())
        return [one for one in self.accounts if not wanted or str(one.pk) in wanted]


class CampaignFilter(Narrowing):
    """Campaigns of the posts of a span."""

    usual_period = BY_KEY["90d"]

    sort = forms.ChoiceField(label=gettext_lazy("Order"), required=False)

    def __init__(self, data: QueryDict, *, workspace: Workspace) -> None:
        super().__init__(data, workspace=workspace)
        fields: Any = self.fields
        fields["sort"].choices = [
            (f"{sign}{name}", word) for name, word in CAMPAIGN_WORDS.items() for sign in ("", "-")
        ]

    @property
    def sort_key(self) -> str:
        return self.cleaned_data.get("sort") or f"-{RATE}"

    @property
    def headings(self) -> list[Heading]:
        current, found = sort_of(self.sort_key), []
        for name, word in CAMPAIGN_WORDS.items():
            order = ("descending" if current.descending else "ascending") if current.name == name else ""
            turned = Sort(name, descending=name != "name" if not order else order == "ascending")
            found.append(Heading(name, word, self.address(sort=turned.key), order))
        return found
