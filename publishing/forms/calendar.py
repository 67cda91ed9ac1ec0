"""What the address of the calendar says, and the form that gives a post another time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ConnectedAccount, User, Workspace
from publishing.forms.fields import AccountsField
from publishing.forms.posts import CursorField
from publishing.forms.when import WhenForm
from publishing.models import Post, Publication
from publishing.schedule import is_too_far
from socialhub.platforms import LABELS

FIRST_YEAR, LAST_YEAR = 2000, 2100
LONGEST_ADDRESS = 4000


class View(models.TextChoices):
    MONTH = "month", gettext_lazy("Month")
    WEEK = "week", gettext_lazy("Week")
    DAY = "day", gettext_lazy("Day")


class CalendarForm(forms.Form):
    """What does not hold is left out, so that the calendar can still be shown: see `wanted`."""

    view = forms.ChoiceField(
        choices=View.choices,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("The calendar shows a month, a week or a day. Choose one.")},
    )
    on = forms.DateField(
        label=gettext_lazy("Go to a date"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("That is not a date. Choose one, such as 2026-11-21.")},
    )
    account = AccountsField(label=gettext_lazy("Accounts"), required=False, queryset=ConnectedAccount.objects.none())
    status = forms.MultipleChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=Post.Summary.choices,
        error_messages={"invalid_choice": gettext_lazy("No post has such a status. Choose one of the list.")},
    )
    hours = forms.ChoiceField(choices=[("all", "all")], required=False)
    after = CursorField(required=False)

    def __init__(self, data: QueryDict, *, workspace: Workspace) -> None:
        super().__init__(data, auto_id="calendar_%s")
        account: Any = self.fields["account"]
        account.queryset = ConnectedAccount.objects.of(workspace).order_by("platform", "name", "pk")
        account.label_from_instance = lambda row: f"{LABELS[row.platform]} {row.handle}"

    def clean_on(self) -> date | None:
        on: date | None = self.cleaned_data["on"]
        if on and not FIRST_YEAR <= on.year < LAST_YEAR:
            raise ValidationError(
                _("The calendar goes from %(first)d to %(last)d. Choose a date in between."),
                params={"first": FIRST_YEAR, "last": LAST_YEAR - 1},
            )
        return on

    def wanted(self, name: str) -> Any:
        """The value of a field, nothing where it does not hold."""
        return getattr(self, "cleaned_data", {}).get(name)

    def of_accounts(self, posts: QuerySet[Post]) -> QuerySet[Post]:
        if accounts := self.wanted("account"):
            posts = posts.filter(Exists(Publication.objects.filter(post=OuterRef("pk"), account__in=list(accounts))))
        return posts

    def filtered(self, posts: QuerySet[Post]) -> QuerySet[Post]:
        posts = self.of_accounts(posts)
        if statuses := self.wanted("status"):
            posts = posts.filter(status__in=statuses)
        return posts


class ReturnForm(forms.Form):
    """Where to go afterwards: an address of our own, or none."""

    # No CharField: an address that does not hold is left out, and must not stand in the way of what is done.
    next = forms.Field(required=False, widget=forms.HiddenInput)

    def clean_next(self) -> str:
        address = str(self.cleaned_data["next"] or "")
        is_ours = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
        return address if is_ours and address.isprintable() and len(address) <= LONGEST_ADDRESS else ""


class MomentField(forms.CharField):
    """An instant with its zone, as we wrote it ourselves."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ValidationError(_("That is no point in time. Choose a date and a time instead."))
        return moment

    def run_validators(self, value: Any) -> None:
        """Parsed already."""


class RescheduleForm(ReturnForm, WhenForm):
    """A date and a time; or a step of some days; or, to take a move back, the instant itself.

    Without a time the post keeps its time of day. Times are those of the person, not of the post.
    """

    STEPS = (
        (-1, gettext_lazy("A day earlier")),
        (1, gettext_lazy("A day later")),
        (7, gettext_lazy("A week later")),
    )

    step = forms.TypedChoiceField(choices=STEPS, coerce=int, empty_value=None, required=False)
    instant = MomentField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, post: Post, user: User, **options: Any) -> None:
        self.post, self.user = post, user
        super().__init__(data, auto_id="reschedule_%s", **options)
        del self.fields["when"]
        self.fields["day"].widget.attrs["min"] = timezone.localdate(timezone=user.zone).isoformat()

    @property
    def local(self) -> datetime | None:
        """When it is due now, as the clocks of the person show it."""
        return self.post.scheduled_at and self.post.scheduled_at.astimezone(self.user.zone)

    def clean(self) -> None:
        super().clean()
        values = self.cleaned_data
        if self.errors.keys() & {"instant", "step"}:
            return
        if values.get("instant"):
            self._take(values["instant"])
            return
        step = values.get("step")
        if step and self.local:
            values["day"] = self.local.date() + timedelta(days=step)
            values["clock"] = None
            self._show(values["day"])
        if values.get("clock") is None and "clock" not in self.errors and self.local:
            values["clock"] = self.local.time()
        values |= {"when": "later", "time_zone": self.user.time_zone}
        self.judge_when()

    def full_clean(self) -> None:
        super().full_clean()
        for name in ("day", "clock", "fold"):
            if name in self.errors:
                self.fields[name].widget.attrs["autofocus"] = True
                break

    def _take(self, moment: datetime) -> None:
        now = timezone.now()
        if is_too_far(moment):
            self._refuse("day", "too_far", _("Choose a date within the next two years."))
        elif moment > now:
            self.cleaned_data["at"] = moment
        else:
            zone = self.user.time_zone
            self._refuse("clock", "past", "", now=date_format(now.astimezone(ZoneInfo(zone)), "H:i, j F Y"), zone=zone)

    def _show(self, day: date) -> None:
        """The day that a button stood for, in the field, should the form come back."""
        self.data = {**self.data.dict(), "day": day.isoformat()}  # type: ignore[attr-defined]

    def _refuse(self, field: str, code: str, text: str, **params: str) -> None:
        if code == "past":
            text = _("A post cannot be moved into the past: it is %(now)s in %(zone)s. Choose a later time.")
        super()._refuse(field, code, text, **params)
