"""When a post goes out: now, or at a time that the clocks of a named zone show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import TimeZoneSelect
from accounts.models import User
from publishing.compose import local_instants
from publishing.schedule import FARTHEST
from socialhub.time_zones import known_zones

MORNING = time(9)
PICKS = {  # times that are chosen with one press
    "hour": gettext_lazy("In an hour"),
    "tomorrow": gettext_lazy("Tomorrow, 09:00"),
    "monday": gettext_lazy("Next Monday, 09:00"),
}


class WhenForm(forms.Form):
    """The fields of a time, and their meaning: `judge_when` puts the moment as `at` among the cleaned values.

    user: whose zone stands for one that was not chosen. asks_fold: the time comes twice on that day.
    """

    user: User
    asks_fold = False

    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[("now", gettext_lazy("Now")), ("later", gettext_lazy("At a time"))],
        required=False,
        widget=forms.RadioSelect,
    )
    day = forms.DateField(
        label=gettext_lazy("Date"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    clock = forms.TimeField(
        label=gettext_lazy("Time"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        required=False,
        max_length=64,
        widget=TimeZoneSelect,
    )
    fold = forms.TypedChoiceField(
        label=gettext_lazy("Which of the two?"),
        choices=[(0, gettext_lazy("The earlier")), (1, gettext_lazy("The later"))],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"] or self.user.time_zone
        if name not in known_zones():
            raise ValidationError(
                _("“%(name)s” is not a time zone. Choose one from the list, such as Europe/Berlin."),
                params={"name": name},
            )
        return name

    def judge_when(self, *, required: bool = True) -> None:
        if self.cleaned_data.get("when") != "later":
            return
        if required:
            for name, message in (("day", _("Choose a date.")), ("clock", _("Choose a time."))):
                if not self.cleaned_data.get(name) and name not in self.errors:
                    self.add_error(name, ValidationError(message, code="required"))
        day, clock, zone_name = (self.cleaned_data.get(name) for name in ("day", "clock", "time_zone"))
        if not (day and clock is not None and zone_name):
            return
        now = timezone.now()
        if abs(day - now.date()) > FARTHEST:
            self.add_error("day", ValidationError(_("Choose a date within the next two years."), code="too_far"))
            return
        at = self._instant(day, clock, ZoneInfo(zone_name))
        if at is None:
            return
        if at <= now and required:
            self._refuse(
                "clock",
                "past",
                _("This time has passed: it is %(now)s in %(zone)s. Choose a later one, or publish now."),
                now=date_format(now.astimezone(ZoneInfo(zone_name)), "H:i, j F Y"),
                zone=zone_name,
            )
            return
        self.cleaned_data["at"] = at

    def _instant(self, day: date, clock: time, zone: ZoneInfo) -> datetime | None:
        """When the clocks of the zone show that; None, with the reason at the field, when that is never or unclear."""
        instants = local_instants(day, clock, zone)
        words = {"day": date_format(day, "j F Y"), "zone": zone.key, "clock": time_format(clock, "H:i")}
        if not instants:
            self._refuse(
                "clock",
                "no_such_time",
                _(
                    "On %(day)s the clocks in %(zone)s are put forward: %(clock)s does not exist. Choose %(next)s or later."
                ),
                next=time_format(after_gap(datetime.combine(day, clock), zone), "H:i"),
                **words,
            )
            return None
        if len(instants) == 1:
            return instants[0]
        self.asks_fold = True
        if (fold := self.cleaned_data.get("fold")) is None:
            text = _("On %(day)s the clocks in %(zone)s are put back: %(clock)s comes twice. Which one?")
            self._refuse("fold", "twice", text, **words)
            return None
        return instants[fold]

    def _refuse(self, field: str, code: str, text: str, **params: str) -> None:
        self.add_error(field, ValidationError(text, code=code, params=params))


class SlotForm(forms.Form):
    """A place in the calendar, as the address of a new post names it."""

    day = forms.DateField(input_formats=["%Y-%m-%d"])
    time = forms.TimeField(required=False, input_formats=["%H:%M"])


def from_slot(query: Mapping[str, Any], user: User) -> dict[str, Any]:
    """The fields of a time for the place that was chosen, in the zone of the user; none for what is no time to come."""
    form = SlotForm(query)
    if not form.is_valid():
        return {}
    now = timezone.localtime(timezone=user.zone).replace(tzinfo=None)
    day, clock = form.cleaned_data["day"], form.cleaned_data["time"]
    if clock is None:
        later_today = day == now.date() and now.time() >= MORNING
        clock = (now + timedelta(hours=1)).time().replace(minute=0, second=0, microsecond=0) if later_today else MORNING
    if not now < datetime.combine(day, clock) < now + FARTHEST:
        return {}
    return {"when": "later", "day": day, "clock": clock, "time_zone": user.time_zone}


def picked(name: str, zone: ZoneInfo) -> dict[str, Any]:
    """The fields of a time after one press, in the zone that is chosen on the form."""
    now = timezone.localtime(timezone=zone).replace(tzinfo=None)
    days = {"tomorrow": 1, "monday": 7 - now.weekday()}
    if name in days:
        return {"when": "later", "day": now.date() + timedelta(days=days[name]), "clock": MORNING}
    near = now + timedelta(hours=1)
    near += timedelta(minutes=-near.minute % 5)
    return {"when": "later", "day": near.date(), "clock": near.time().replace(second=0, microsecond=0)}


def after_gap(moment: datetime, zone: ZoneInfo) -> datetime:
    """The first minute that the clocks show after the gap in which this local time falls."""
    while not local_instants(moment.date(), moment.time(), zone):
        moment += timedelta(minutes=1)
    return moment
