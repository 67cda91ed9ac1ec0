"""What a person is asked about a publication whose outcome nobody knows."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class DecideForm(forms.Form):
    """The answer of a person who has looked at the network."""

    answer = forms.ChoiceField(choices=[("there", "there"), ("absent", "absent"), ("give_up", "give_up")])
    found = forms.CharField(
        label=gettext_lazy("Address or id of the post"),
        help_text=gettext_lazy("Only if it is there: open the post at the network and copy its address."),
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )

    def clean(self) -> None:
        if self.cleaned_data.get("answer") == "there" and not self.cleaned_data.get("found"):
            self.add_error("found", ValidationError(_("Paste the address or the id of the post."), code="required"))
