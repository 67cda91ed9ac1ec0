"""Fields for what a network wants to be told besides text and media, as its rules declare it."""

from __future__ import annotations

from datetime import date, time
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount
from publishing.forms.fields import CaptionField
from socialhub.platforms import choices
from socialhub.platforms.rule_types import Choice, ChoiceKind


def choice_field_name(account_id: UUID, choice: Choice) -> str:
    return f"choice-{account_id}-{choice.name}"


def choice_field(choice: Choice, account: ConnectedAccount) -> forms.Field:
    """The form field of something that a network asks; whether the value holds, the rules say."""
    usual: dict[str, Any] = {"label": choice.label, "help_text": choice.help, "required": False}
    attrs: dict[str, Any] = {"aria-required": "true"} if choice.required else {}
    match choice.kind:
        case ChoiceKind.FLAG:
            return forms.BooleanField(**usual, initial=choice.default == choices.YES)
        case ChoiceKind.CHOICE:
            first = [] if choice.default else [("", _("Choose…") if choice.required else _("Automatic"))]
            options = choices.options_of(choice, account.offers)
            widget = forms.Select(attrs, choices=[*first, *options])
            # What is not in the list any more is the rules' to judge, with words of the network.
            longest = MaxLengthValidator(200)  # as a validator: a list has no maxlength
            return forms.CharField(**usual, widget=widget, initial=choice.default, validators=[longest])
        case ChoiceKind.DATE:
            day = forms.DateInput({**attrs, "type": "date"}, format="%Y-%m-%d")
            return forms.DateField(**usual, widget=day, error_messages={"invalid": _("Choose a date.")})
        case ChoiceKind.TIME:
            clock = forms.TimeInput({**attrs, "type": "time"}, format="%H:%M")
            return forms.TimeField(**usual, widget=clock, error_messages={"invalid": _("Choose a time.")})
        case ChoiceKind.LINES:
            return CaptionField(**usual, max_length=10_000, widget=forms.Textarea({**attrs, "rows": 3}))
        case ChoiceKind.LINK:
            link = forms.URLInput({**attrs, "placeholder": "https://", "autocomplete": "off"})
            return forms.CharField(**usual, max_length=2_000, widget=link)
    # Longer is refused by the rules, with the number; the browser would cut it off without a word.
    return forms.CharField(**usual, max_length=2_000, widget=forms.TextInput({**attrs, "autocomplete": "off"}))


def chosen_text(choice: Choice, value: Any) -> str:
    """A value of the form as `Publication.choices` keeps it."""
    match value:
        case bool():
            return choices.YES if value else choices.NO
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
    if choice.kind is ChoiceKind.FLAG:
        return choices.YES if value in ("on", "True", choices.YES) else choices.NO
    return str(value or "")
