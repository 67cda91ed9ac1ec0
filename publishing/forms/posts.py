"""What narrows the list of posts, as it stands in its address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ConnectedAccount, Workspace
from publishing.forms.fields import AccountField
from publishing.models import Post, PostAssembly, Publication
from publishing.search import matching
from socialhub.platforms import LABELS, PLATFORMS

Summary = Post.Summary

# What stands under each tab. The other statuses can still be asked for by name.
TABS: dict[str, tuple[Any, tuple[Summary, ...]]] = {
    "draft": (gettext_lazy("Drafts"), (Summary.DRAFT,)),
    "scheduled": (gettext_lazy("Scheduled"), (Summary.SCHEDULED, Summary.PUBLISHING)),
    "published": (gettext_lazy("Published"), (Summary.PUBLISHED, Summary.PARTLY_PUBLISHED)),
    "attention": (gettext_lazy("Needs attention"), (Summary.FAILED, Summary.PARTLY_FAILED, Summary.CHECKING)),
}
# When a post goes out or went out; for a draft without a time, when it was written. There is an index of exactly this.
MOMENT = Coalesce("scheduled_at", "created_at")
FEW_STUCK = 200
FEW = 10_000  # so many publications of an account are sooner looked up than all posts walked through


@dataclass(frozen=True, slots=True)
class Order:
    """How the list is sorted: by what, and whether the latest comes first."""

    label: Any
    by_moment: bool
    descending: bool

    def __call__(self, posts: QuerySet[Post]) -> QuerySet[Post]:
        sign = "-" if self.descending else ""
        if not self.by_moment:
            return posts.order_by(f"{sign}created_at", f"{sign}pk")
        return posts.order_by(MOMENT.desc() if self.descending else MOMENT.asc(), f"{sign}pk")

    def place_of(self, post: Post) -> datetime:
        return (post.scheduled_at or post.created_at) if self.by_moment else post.created_at

    def after(self, posts: QuerySet[Post], moment: datetime, pk: UUID) -> QuerySet[Post]:
        """Those that come later in the list than this place in it."""
        way = "lt" if self.descending else "gt"
        name = "moment" if self.by_moment else "created_at"
        # The first condition says nothing new, but an index can begin at it.
        return (posts.alias(moment=MOMENT) if self.by_moment else posts).filter(
            Q(**{f"{name}__{way}e": moment}), Q(**{f"{name}__{way}": moment}) | Q(**{f"pk__{way}": pk})
        )


ORDERS = {
    "newest": Order(gettext_lazy("Newest written first"), by_moment=False, descending=True),
    "late": Order(gettext_lazy("Latest time first"), by_moment=True, descending=True),
    "soon": Order(gettext_lazy("Earliest time first"), by_moment=True, descending=False),
}


class CursorField(forms.CharField):
    """The last row of the page before, as the moment that it is sorted by and its id."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        written, _separator, pk = text.rpartition("_")
        try:
            moment, key = datetime.fromisoformat(written), UUID(pk)
            if moment.tzinfo is None:
                raise ValueError("of no time zone")
            return moment.astimezone(UTC), key
        except (ValueError, OverflowError) as error:
            raise ValidationError(_("This page of the list is not there. Start again from the top.")) from error

    def run_validators(self, value: Any) -> None:
        """Parsed already."""


def stuck(workspace: Workspace) -> QuerySet[PostAssembly]:
    """Of those whose files could not be had, so that they stay drafts until somebody looks.

    There are few of them in all. Their post is looked up one by one: joined, all posts of the workspace would be read.
    """
    of = Post.objects.filter(pk=OuterRef("post")).values("workspace")
    return PostAssembly.objects.filter(failed_at__isnull=False).alias(of=Subquery(of)).filter(of=workspace.pk)


def midnight(first: Any, days: int = 0) -> datetime:
    """Midnight of a day, in the time zone of the reader."""
    step = timedelta(days=days)
    return datetime.combine(min(first, date.max - step) + step, time.min, tzinfo=timezone.get_current_timezone())


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that narrows the list, and the address of the list without it."""

    label: str
    value: str
    without: str


class PostFilterForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Words"), required=False, max_length=200)
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[("", gettext_lazy("All")), *((key, label) for key, (label, _among) in TABS.items()), *Summary.choices],
        error_messages={"invalid_choice": gettext_lazy("There is no such status. Choose one of the tabs.")},
        widget=forms.HiddenInput,
    )
    platform = forms.ChoiceField(label=gettext_lazy("Network"), required=False)
    account = AccountField(
        label=gettext_lazy("Account"),
        required=False,
        queryset=ConnectedAccount.objects.none(),
        empty_label=gettext_lazy("Any"),
    )
    campaign = forms.CharField(label=gettext_lazy("Campaign"), required=False, max_length=100)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    order = forms.ChoiceField(
        label=gettext_lazy("Order"),
        required=False,
        choices=[("", gettext_lazy("As fits the list")), *((key, order.label) for key, order in ORDERS.items())],
    )
    after = CursorField(required=False, widget=forms.HiddenInput)

    FOLDED: ClassVar = ("platform", "account", "campaign", "since", "until", "order")

    def __init__(self, data: QueryDict, *, workspace: Workspace) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.workspace = workspace
        account: Any = self.fields["account"]
        account.queryset = ConnectedAccount.objects.of(workspace)
        account.label_from_instance = lambda row: f"{LABELS[row.platform]} {row.handle}"
        platform: Any = self.fields["platform"]
        platform.choices = [("", gettext_lazy("Any")), *((key, LABELS[key]) for key in PLATFORMS)]

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        since, until = clean.get("since"), clean.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first. Exchange the two, or clear one."))
        return clean

    def is_valid(self) -> bool:
        valid = super().is_valid()
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["autofocus"] = True
                break
        return valid

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields if name not in ("after", "order"))

    @property
    def is_unfolded(self) -> bool:
        """What is folded away has an error, which must not stay hidden."""
        return any(name in self.errors for name in self.FOLDED)

    @property
    def folded_count(self) -> int:
        return sum(bool(self.data.get(name)) for name in self.FOLDED)

    @property
    def sorting(self) -> Order:
        """What waits for its time is listed in the order in which it goes out."""
        chosen = self.cleaned_data.get("order")
        return ORDERS[chosen or ("soon" if self.cleaned_data.get("status") == "scheduled" else "newest")]

    def address(self, **changed: str) -> str:
        """The query of the list with something else, from its top; "" takes a condition away."""
        query = QueryDict(mutable=True)
        for name in self.fields:
            value = changed.get(name, "" if name == "after" else self.data.get(name, ""))
            if value:
                query[name] = value
        return f"?{query.urlencode()}" if query else ""

    @property
    def tabs(self) -> list[tuple[str, str, str, bool]]:
        """Key, label, address and whether it is the one that is looked at."""
        current = self.data.get("status", "")
        tabs = [("", _("All")), *((key, str(label)) for key, (label, _among) in TABS.items())]
        return [(key, label, self.address(status=key), key == current) for key, label in tabs]

    @property
    def conditions(self) -> list[Condition]:
        """What narrows the list beyond its tab, each to be taken away alone."""
        clean = self.cleaned_data
        shown = {
            "q": clean.get("q"),
            "platform": LABELS.get(clean.get("platform") or ""),
            "account": clean.get("account") and f"{LABELS[clean['account'].platform]} {clean['account'].handle}",
            "campaign": clean.get("campaign"),
            "since": clean.get("since") and date_format(clean["since"], "DATE_FORMAT"),
            "until": clean.get("until") and date_format(clean["until"], "DATE_FORMAT"),
        }
        if clean.get("status") and clean["status"] not in TABS:
            shown["status"] = Summary(clean["status"]).label
        return [
            Condition(str(self.fields[name].label), str(value), self.address(**{name: ""}))
            for name, value in shown.items()
            if value
        ]

    def narrowed(self) -> QuerySet[Post]:
        """The posts that fit, in their order, from the place where the page before ended."""
        posts: QuerySet[Post] = Post.objects.of(self.workspace)
        wanted = self.cleaned_data
        if wanted["q"]:
            posts = matching(posts, self.workspace.pk, wanted["q"])
        if wanted["status"]:
            among = TABS[wanted["status"]][1] if wanted["status"] in TABS else (wanted["status"],)
            found = Q(status__in=among)
            # Named one by one, as there are few: with a subquery every post would be looked at.
            if wanted["status"] == "attention" and (few := list(stuck(self.workspace)[:FEW_STUCK])):
                found |= Q(pk__in=[one.pk for one in few])
            posts = posts.filter(found)
        if wanted["campaign"]:
            # `iexact`, written so that it finds its index.
            posts = posts.filter(campaign__gt="", campaign__iexact=wanted["campaign"])
        if wanted["platform"] or wanted["account"]:
            posts = self.on_accounts(posts)
        if wanted["since"]:
            posts = posts.filter(GreaterThanOrEqual(MOMENT, midnight(wanted["since"])))
        if wanted["until"]:
            posts = posts.filter(LessThan(MOMENT, midnight(wanted["until"], 1)))
        if wanted["after"]:
            posts = self.sorting.after(posts, *wanted["after"])
        return self.sorting(posts)

    def on_accounts(self, posts: QuerySet[Post]) -> QuerySet[Post]:
        wanted = self.cleaned_data
        accounts = ConnectedAccount.objects.of(self.workspace)
        if wanted["platform"]:
            accounts = accounts.filter(platform=wanted["platform"])
        if wanted["account"]:
            accounts = accounts.filter(pk=wanted["account"].pk)
        publications = Publication.objects.filter(account__in=list(accounts.values_list("pk", flat=True)))
        few = publications.values("post")[: FEW + 1]
        # Walking through the newest posts is quick when many fit; of few, all of them may be years old.
        if few.count() > FEW:
            return posts.filter(Exists(publications.filter(post=OuterRef("pk"))))
        return posts.filter(pk__in=few)
