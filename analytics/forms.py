"""What people send to the first run, whether they want the weekly report, and that they mean it."""

from __future__ import annotations

from typing import Any

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


class WorkspaceDeleteForm(forms.Form):
    """The name of what is to be deleted, written by hand."""

    confirm = forms.CharField(
        label=_("Name of the workspace"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if " ".join(typed.split()) != " ".join(self.name.split()):
            raise forms.ValidationError(_("This is not the name of the workspace. Write it as it stands above."))
        return typed
