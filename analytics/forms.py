"""What people send to the first run, and whether they want the weekly report."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from analytics.first_run import STEPS

EVERYTHING = "all"


class SkipForm(forms.Form):
    step = forms.ChoiceField(
        choices=[(key, key) for key in (*STEPS, EVERYTHING)],
        error_messages={
            "required": _("Choose which step to skip."),
            "invalid_choice": _("There is no such step to skip."),
        },
    )

    def steps(self) -> tuple[str, ...]:
        step = self.cleaned_data["step"]
        return STEPS if step == EVERYTHING else (step,)


class WeeklyReportForm(forms.Form):
    wanted = forms.BooleanField(
        label=_("Send me the weekly report of this workspace by e-mail"),
        help_text=_("To your own address. Each mail has a link that ends it at once."),
        required=False,
    )
