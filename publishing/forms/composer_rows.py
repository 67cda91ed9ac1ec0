"""The composer's form in rows, as its page shows it: one for each account, one for each image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from accounts.models import ConnectedAccount
from publishing import checks
from publishing.forms.choices import choice_field_name, chosen_text
from publishing.forms.composer import ComposerForm
from publishing.models import MediaFile, PostMedia
from publishing.post_types import TYPE_NAMES
from socialhub.platforms import LABELS, choices, rules
from socialhub.platforms.base import MediaKind, PostType
from socialhub.platforms.rule_types import Choice

HINTED = 3  # so many of the choices are named before they are opened


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """One thing that an account's network wants to be told, as the composer shows it.

    rule: when it is asked, as JSON for the script that shows and hides it; is_fitting: the post type has a place for it;
    lacks: the account offers nothing to choose from.
    """

    choice: Choice
    field: BoundField
    is_asked: bool
    is_fitting: bool
    is_changed: bool
    rule: str
    lacks: bool


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as the composer shows it."""

    account: ConnectedAccount
    label: str
    chosen: bool
    usable: bool
    reason: str
    types: list[tuple[str, str]]  # what may be chosen, the automatic choice first; empty where there is only one
    type_name: str
    type_field: BoundField
    caption_field: BoundField
    choices: list[ChoiceRow]
    is_wanted: bool = False  # somebody has asked for the fields

    @property
    def asks_at_once(self) -> bool:
        """No post goes there without an answer, so that the questions stand open."""
        return any(row.choice.required and not row.rule and not row.choice.default for row in self.choices)

    @property
    def hint(self) -> str:
        """What can be said besides the text, for the line that opens it."""
        names = [str(row.choice.label) for row in self.choices if row.is_asked and row.is_fitting]
        return "" if self.asks_at_once else ", ".join(names[:HINTED])

    @property
    def is_light(self) -> bool:
        """Nothing of its own stands here: its fields are made when somebody asks for them."""
        return not self.is_open and not self.is_wanted

    @property
    def is_open(self) -> bool:
        """Something of its own stands here, or is wrong."""
        chosen = () if self.asks_at_once else self.choices
        return bool(self.caption_field.value()) or any(row.is_changed or row.field.errors for row in chosen)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """An item of the post. An image also has what becomes of it where a network does not take its shape."""

    media: MediaFile
    alt_field: BoundField
    position: int
    fit_field: BoundField | None = None
    focus_fields: tuple[BoundField, BoundField] | None = None

    @property
    def radius(self) -> int:
        """Of the mark for the focus point, in pixels of the image."""
        return round(max(self.media.width, self.media.height) * 0.035)

    @property
    def fit(self) -> str:
        return str(self.fit_field.value() or PostMedia.Fit.PAD) if self.fit_field else ""

    @property
    def focus(self) -> tuple[int, int]:
        """In pixels of the image, for the picture on which the point is shown."""
        shares = [percent(field.value()) for field in self.focus_fields or ()] or [50, 50]
        return round(self.media.width * shares[0] / 100), round(self.media.height * shares[1] / 100)


def percent(value: Any) -> int:
    """What was typed for a focus point; the middle for what is none."""
    try:
        return min(max(round(float(value)), 0), 100)
    except (TypeError, ValueError, OverflowError):
        return 50


def picture_rows(form: ComposerForm) -> list[PictureRow]:
    return [picture_row(form, picture, position) for position, picture in enumerate(form.pictures, start=1)]


def picture_row(form: ComposerForm, picture: MediaFile, position: int) -> PictureRow:
    alt_field = form[f"alt-{picture.pk}"]
    if picture.kind != MediaKind.IMAGE:
        return PictureRow(picture, alt_field, position)
    focus = (form[f"focus_x-{picture.pk}"], form[f"focus_y-{picture.pk}"])
    return PictureRow(picture, alt_field, position, form[f"fit-{picture.pk}"], focus)


def account_rows(form: ComposerForm) -> list[AccountRow]:
    link = str(form["link"].value() or "")
    rows = []
    for account in form.all_accounts:
        chosen = account.pk in form.chosen_ids
        if account.status == ConnectedAccount.Status.DISCONNECTED and not chosen:
            continue
        against = checks.account_findings(account)
        types = checks.fitting_types(account.platform, form.kinds)
        usual = checks.usual_type(account.platform, form.kinds, link)
        rows.append(
            AccountRow(
                account=account,
                label=str(LABELS[account.platform]),
                chosen=chosen,
                usable=not checks.blocking(against),
                reason=" ".join(str(finding.message) for finding in against),
                types=[("", _("Automatic")), *((kind.value, str(TYPE_NAMES[kind])) for kind in types)]
                if len(types) > 1
                else [],
                type_name=str(TYPE_NAMES[usual]),
                type_field=form[f"type-{account.pk}"],
                caption_field=form[f"caption-{account.pk}"],
                is_wanted=account.pk in form.wanted_ids,
                choices=choice_rows(form, account, form.type_for(account, shown_type(form, account), link)),
            )
        )
    return rows


def shown_type(form: ComposerForm, account: ConnectedAccount) -> str:
    typed = str(form[f"type-{account.pk}"].value() or "")
    return typed if typed in set(PostType) else ""


def choice_rows(form: ComposerForm, account: ConnectedAccount, post_type: PostType) -> list[ChoiceRow]:
    declared = rules.RULES[account.platform].choices
    bound = {choice.name: form[choice_field_name(account.pk, choice)] for choice in declared}
    shown = {choice.name: chosen_text(choice, bound[choice.name].value()) for choice in declared}
    return [
        ChoiceRow(
            choice=choice,
            field=bound[choice.name],
            is_asked=choices.is_asked(declared, choice, shown),
            is_fitting=choices.fits(choice, post_type),
            is_changed=shown[choice.name] != choice.default and choice in choices.asked(declared, shown, post_type),
            rule=json.dumps({bound[name].html_name: values for name, values in choice.shown_when.items()})
            if choice.shown_when
            else "",
            lacks=bool(choice.offer) and not choices.options_of(choice, account.offers),
        )
        for choice in declared
    ]
