"""Which posts one act is for, and where in time they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from publishing.bulk import MOST, Act, Placing, Shift, SpreadOut
from publishing.forms.fields import uuids
from publishing.forms.when import WhenForm
from publishing.models import Post

INTERVALS: dict[str, tuple[Any, dict[str, int]]] = {
    "0": (gettext_lazy("All at the same time"), {}),
    "15m": (gettext_lazy("15 minutes apart"), {"minutes": 15}),
    "30m": (gettext_lazy("30 minutes apart"), {"minutes": 30}),
    "1h": (gettext_lazy("An hour apart"), {"minutes": 60}),
    "2h": (gettext_lazy("2 hours apart"), {"minutes": 120}),
    "4h": (gettext_lazy("4 hours apart"), {"minutes": 240}),
    "1d": (gettext_lazy("A day apart"), {"days": 1}),
    "2d": (gettext_lazy("2 days apart"), {"days": 2}),
    "1w": (gettext_lazy("A week apart"), {"days": 7}),
}
UNITS = {"minutes": ("minutes", 1), "hours": ("minutes", 60), "days": ("days", 1), "weeks": ("days", 7)}
LONGEST_SHIFT = timedelta(days=730)


class BulkForm(forms.Form):
    """The act and the posts. `one`, of the menu of a single row, goes before the rows that are ticked."""

    act = forms.ChoiceField(
        choices=Act.choices,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("There is no such act. Choose one of the buttons.")},
    )
    one = forms.CharField(required=False, max_length=100)
    query = forms.CharField(required=False, max_length=2000)  # of the list, to come back to it
    back = forms.CharField(required=False, max_length=10)  # anything: asked for on the page of the one post

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.ids: list[UUID] = []
        self.told = uuids(data.getlist("doubt"))  # which of them may be out, as the person has read

    def clean(self) -> dict[str, Any]:
        clean = super().clean() or self.cleaned_data
        act, _colon, pk = clean.get("one", "").partition(":")
        data: Any = self.data
        self.ids = uuids([pk] if act else data.getlist("post"))
        if act:
            clean["act"] = act
        if clean.get("act") not in Act.values:
            if "act" not in self.errors:
                self.add_error(None, _("There is no such act. Choose one of the buttons."))
        elif not self.ids:
            self.add_error(None, _("No post is chosen. Tick at least one in the list, then try again."))
        elif len(self.ids) > MOST:
            self.add_error(
                None,
                _("At most %(most)d posts can be changed at once, and %(count)d are chosen. Take some of them away.")
                % {"most": MOST, "count": len(self.ids)},
            )
        return clean

    @property
    def act_chosen(self) -> Act:
        return Act(self.cleaned_data["act"])


class PlacingForm(WhenForm):
    """A first date and time with a distance between the posts; or a step by which all of them are moved."""

    mode = forms.ChoiceField(
        label=gettext_lazy("How"),
        choices=[("spread", gettext_lazy("From a date and time on")), ("shift", gettext_lazy("Earlier or later"))],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose how the posts are moved.")},
    )
    every = forms.ChoiceField(
        label=gettext_lazy("Distance"),
        required=False,
        choices=[(key, label) for key, (label, _step) in INTERVALS.items()],
    )
    amount = forms.IntegerField(
        label=pgettext_lazy("move a post", "By"),
        required=False,
        min_value=1,
        max_value=999,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        required=False,
        choices=[
            ("minutes", gettext_lazy("minutes")),
            ("hours", gettext_lazy("hours")),
            ("days", gettext_lazy("days")),
            ("weeks", gettext_lazy("weeks")),
        ],
    )
    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        required=False,
        choices=[("later", gettext_lazy("later")), ("earlier", gettext_lazy("earlier"))],
    )

    def __init__(self, data: Mapping[str, Any], *, user: User) -> None:
        self.user = user
        super().__init__(data, auto_id="placing_%s")
        for name in ("when", "time_zone"):
            del self.fields[name]
        self.fields["day"].widget.attrs["min"] = timezone.localdate(timezone=user.zone).isoformat()

    @classmethod
    def at_first(cls, user: User, posts: Sequence[Post]) -> PlacingForm:
        """As if what stands there at first had been sent, so that the new times can be shown at once.

        One post keeps its time; several go out from tomorrow morning on, one a day.
        """
        at = datetime.combine(timezone.localdate(timezone=user.zone) + timedelta(days=1), time(9))
        if len(posts) == 1 and (planned := posts[0].scheduled_at) and planned > timezone.now():
            at = timezone.localtime(planned, user.zone)
        start = {"mode": "spread", "day": f"{at:%Y-%m-%d}", "clock": f"{at:%H:%M}", "fold": str(at.fold)}
        return cls(
            {**start, "every": "1d", "amount": "1", "unit": "days", "direction": "later"},
            user=user,
        )

    def clean(self) -> None:
        super().clean()
        values = self.cleaned_data
        if values.get("mode") == "spread":
            values |= {"when": "later", "time_zone": self.user.time_zone}
            self.judge_when()
            if "every" not in self.errors and not values.get("every"):
                values["every"] = "0"
        elif values.get("mode") == "shift":
            for name in ("day", "clock"):  # not asked now, whatever stands there
                self.errors.pop(name, None)
            self.judge_shift()

    def focus_first_error(self) -> None:
        if name := next((name for name in self.fields if name in self.errors), None):
            self.fields[name].widget.attrs["autofocus"] = True

    def judge_shift(self) -> None:
        values = self.cleaned_data
        if "amount" in self.errors:
            return
        if not values.get("amount"):
            self.add_error("amount", _("Say by how many, such as 2."))
            return
        name, size = UNITS[values.get("unit") or "days"]
        if timedelta(**{name: size * values["amount"]}) > LONGEST_SHIFT:
            self.add_error("amount", _("That is more than two years. Choose less."))

    def _refuse(self, field: str, code: str, text: str, **params: str) -> None:
        if code == "past":
            text = _("This time has passed: it is %(now)s in %(zone)s. Choose a later one.")
        super()._refuse(field, code, text, **params)

    @property
    def placing(self) -> Placing | None:
        """None while something is missing."""
        if not self.is_valid():
            return None
        values = self.cleaned_data
        if values["mode"] == "spread":
            return SpreadOut(values["at"], self.user.zone, **INTERVALS[values["every"]][1])
        name, size = UNITS[values.get("unit") or "days"]
        sign = -1 if values.get("direction") == "earlier" else 1
        return Shift(self.user.zone, **{name: sign * size * values["amount"]})
