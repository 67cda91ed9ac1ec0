"""What a person types into the composer, and the questions of a person about a stuck publication."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxLengthValidator
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import time_zone_choices
from accounts.models import ConnectedAccount, User, Workspace
from publishing import checks
from publishing.checks import Draft, Finding
from publishing.compose import Composition, Intent, Picture, Target, local_instants
from publishing.forms.fields import HashtagsField
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet, MediaFile, Post, PostMedia
from socialhub.platforms import LABELS, choices, rules
from socialhub.platforms.base import MediaKind, PostType
from socialhub.platforms.rule_types import Choice, ChoiceKind

TYPE_NAMES = {
    PostType.TEXT: gettext_lazy("Text"),
    PostType.LINK: gettext_lazy("Link with preview"),
    PostType.SINGLE: gettext_lazy("Single image"),
    PostType.MULTI_IMAGE: gettext_lazy("Several images"),
    PostType.CAROUSEL: gettext_lazy("Carousel"),
    PostType.VIDEO: gettext_lazy("Video"),
    PostType.REEL: gettext_lazy("Reel"),
    PostType.STORY: gettext_lazy("Story"),
    PostType.DOCUMENT: gettext_lazy("Document"),
}
HINTED = 3  # so many of the choices are named before they are opened
FARTHEST = timedelta(days=730)
COMMENT_MAX_LENGTH = 2000  # as Post.first_comment


def uuids(values: Iterable[Any]) -> list[UUID]:
    """Those that are UUIDs, each once, in their order."""
    found: dict[UUID, None] = {}
    for value in values:
        try:
            found[value if isinstance(value, UUID) else UUID(str(value))] = None
        except ValueError:
            continue
    return list(found)


class AccountsField(forms.ModelMultipleChoiceField):
    default_error_messages: ClassVar = {
        "invalid_choice": gettext_lazy("One of the chosen accounts is not connected here. Choose again."),
    }

    def clean(self, value: Any) -> Any:
        # What is no UUID at all would be quoted in Django's own words.
        if len(uuids(value or ())) < len(set(value or ())):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().clean(value)


class CaptionField(forms.CharField):
    """Text as it will stand at the network: browsers send CRLF, which would be counted as two."""

    def to_python(self, value: Any) -> Any:
        return (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")


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


class ComposerForm(forms.Form):
    """The whole composer. Unbound with `initial` it shows, bound it checks; `composition` is what it gives."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    set = forms.UUIDField(required=False, widget=forms.HiddenInput)
    caption = CaptionField(
        label=gettext_lazy("Caption"),
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 7, "aria-describedby": "composer_caption_notes"}),
    )
    hashtags = HashtagsField(
        label=gettext_lazy("Hashtags"),
        required=False,
        max_length=5_000,
        help_text=gettext_lazy("Added below the caption. Those that stand in it already are not repeated."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    link = forms.URLField(
        label=gettext_lazy("Link"),
        required=False,
        max_length=2000,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
        error_messages={
            "invalid": gettext_lazy("This is no complete web address. It looks like https://example.com/page.")
        },
    )
    first_comment = CaptionField(
        label=gettext_lazy("First comment"),
        required=False,
        max_length=COMMENT_MAX_LENGTH,
        help_text=gettext_lazy("Written below the post as soon as it is out, by the account itself."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    campaign = forms.CharField(
        label=gettext_lazy("Campaign"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Only for you: posts can be filtered by it."),
    )
    accounts = AccountsField(label=gettext_lazy("Publish to"), queryset=ConnectedAccount.objects.none(), required=False)
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
        label=gettext_lazy("Time zone"), required=False, max_length=64, widget=forms.Select(choices=time_zone_choices())
    )
    fold = forms.TypedChoiceField(
        label=gettext_lazy("Which of the two?"),
        choices=[(0, gettext_lazy("The earlier")), (1, gettext_lazy("The later"))],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile] | None = None,
        *,
        workspace: Workspace,
        user: User,
        post: Post | None = None,
        intent: Intent = Intent.NOW,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        tomorrow = timezone.localdate(timezone=user.zone) + timedelta(days=1)
        defaults = {
            "key": uuid.uuid4(),
            "when": "now",
            "day": tomorrow,
            "clock": time(9),
            "time_zone": user.time_zone,
        }
        super().__init__(data, files, initial={**defaults, **(initial or {})})
        self.workspace, self.user, self.post, self.intent = workspace, user, post, intent
        self.findings: list[Finding] = []
        self._told_as_findings: set[str] = set()
        self._choices: dict[UUID, dict[str, str]] = {}
        self._first_comment = ""  # kept here: an error at its field takes it out of cleaned_data
        self.asks_fold = False
        self.media_ids = uuids(data.getlist("media") if data is not None else self.initial.get("media", ()))
        owned = MediaFile.objects.filter(workspace=workspace, pk__in=self.media_ids).in_bulk() if self.media_ids else {}
        self.pictures = [owned[pk] for pk in self.media_ids if pk in owned]
        self.all_accounts = list(ConnectedAccount.objects.of(workspace))
        accounts_field: Any = self.fields["accounts"]
        accounts_field.queryset = ConnectedAccount.objects.of(workspace).select_related("credential__grant")
        self._offer_zones()
        for picture in self.pictures:
            self.fields[f"alt-{picture.pk}"] = forms.CharField(
                label=_("Alternative text"), required=False, max_length=1000, initial=picture.alt_text
            )
            if picture.kind == MediaKind.IMAGE:
                self._add_crop(picture)
        for account in self.all_accounts:
            self.fields[f"type-{account.pk}"] = forms.ChoiceField(
                label=_("Post type"), required=False, choices=[("", _("Automatic")), *TYPE_NAMES.items()]
            )
            self.fields[f"caption-{account.pk}"] = CaptionField(
                label=_("Caption for %(label)s") % {"label": f"{LABELS[account.platform]} {account.handle}"},
                required=False,
                max_length=100_000,
                widget=forms.Textarea(attrs={"rows": 5}),
            )
            for choice in rules.RULES[account.platform].choices:
                self.fields[choice_field_name(account.pk, choice)] = choice_field(choice, account)

    def _add_crop(self, picture: MediaFile) -> None:
        self.fields[f"fit-{picture.pk}"] = forms.ChoiceField(
            label=_("Where its shape does not fit"),
            required=False,
            choices=PostMedia.Fit.choices,
            initial=PostMedia.Fit.PAD,
            widget=forms.RadioSelect,
        )
        for axis, label in (("x", _("Left, %")), ("y", _("Top, %"))):
            self.fields[f"focus_{axis}-{picture.pk}"] = forms.IntegerField(
                label=label,
                required=False,
                min_value=0,
                max_value=100,
                initial=round(getattr(picture, f"focus_{axis}") * 100),
                widget=forms.NumberInput(attrs={"inputmode": "numeric", "data-focus-axis": axis}),
                error_messages={
                    "invalid": _("A whole number from 0 to 100."),
                    "min_value": _("A whole number from 0 to 100."),
                    "max_value": _("A whole number from 0 to 100."),
                },
            )

    def _offer_zones(self) -> None:
        """An alias that was valid when somebody chose it stays in the list."""
        widget: Any = self.fields["time_zone"].widget
        listed = {
            value for _label, group in widget.choices if isinstance(group, list | tuple) for value, _name in group
        }
        if (own := self.initial["time_zone"]) not in listed:
            widget.choices = [*widget.choices, (own, own)]

    # What was typed, for showing it again without judging it

    def typed(self) -> dict[str, Any]:
        """The raw values of a bound form, to start an unbound one from."""
        values: dict[str, Any] = {
            name: field.widget.value_from_datadict(self.data, self.files, name) for name, field in self.fields.items()
        }
        values = {name: value for name, value in values.items() if value is not None}
        queryset = self.data.getlist("accounts") if isinstance(self.data, QueryDict) else []
        return {**values, "accounts": uuids(queryset), "media": [picture.pk for picture in self.pictures]}

    @cached_property
    def chosen_ids(self) -> frozenset[UUID]:
        value = self["accounts"].value() or ()
        return frozenset(uuids(getattr(item, "pk", item) for item in value))

    @cached_property
    def image_set(self) -> ImageSet | None:
        ids = uuids([self["set"].value()])
        return ImageSet.objects.filter(workspace=self.workspace, pk=ids[0]).first() if ids else None

    @property
    def kinds(self) -> list[str]:
        """What each item of the post is."""
        return [picture.kind for picture in self.pictures]

    def picture_rows(self) -> list[PictureRow]:
        return [self._picture_row(picture, position) for position, picture in enumerate(self.pictures, start=1)]

    def _picture_row(self, picture: MediaFile, position: int) -> PictureRow:
        alt_field = self[f"alt-{picture.pk}"]
        if picture.kind != MediaKind.IMAGE:
            return PictureRow(picture, alt_field, position)
        focus = (self[f"focus_x-{picture.pk}"], self[f"focus_y-{picture.pk}"])
        return PictureRow(picture, alt_field, position, self[f"fit-{picture.pk}"], focus)

    def account_rows(self) -> list[AccountRow]:
        link = str(self["link"].value() or "")
        rows = []
        for account in self.all_accounts:
            chosen = account.pk in self.chosen_ids
            if account.status == ConnectedAccount.Status.DISCONNECTED and not chosen:
                continue
            against = checks.account_findings(account)
            types = checks.fitting_types(account.platform, self.kinds)
            usual = checks.usual_type(account.platform, self.kinds, link)
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
                    type_field=self[f"type-{account.pk}"],
                    caption_field=self[f"caption-{account.pk}"],
                    choices=self._choice_rows(account, self._type_for(account, self._shown_type(account), link)),
                )
            )
        return rows

    def _shown_type(self, account: ConnectedAccount) -> str:
        typed = str(self[f"type-{account.pk}"].value() or "")
        return typed if typed in set(PostType) else ""

    def _choice_rows(self, account: ConnectedAccount, post_type: PostType) -> list[ChoiceRow]:
        declared = rules.RULES[account.platform].choices
        bound = {choice.name: self[choice_field_name(account.pk, choice)] for choice in declared}
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

    @property
    def takes_comment(self) -> bool:
        """Some chosen network lets us comment, or a comment is written already."""
        chosen = [account for account in self.all_accounts if account.pk in self.chosen_ids]
        limits = [rules.RULES[account.platform].first_comment_limit for account in chosen]
        return any(limits) or bool(str(self["first_comment"].value() or "").strip())

    @property
    def has_field_errors(self) -> bool:
        return any(name != NON_FIELD_ERRORS for name in self.errors)

    def field_problems(self) -> list[tuple[str, str]]:
        """Label and sentence of each field that cannot be taken as it is; that no account is chosen is said elsewhere."""
        return [
            (str(self[name].label), str(message))
            for name, found in self.errors.items()
            if name not in (NON_FIELD_ERRORS, "accounts", "key")
            for message in found
            if message not in self._told_as_findings
        ]

    # Judging it

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"] or self.user.time_zone
        if name not in available_timezones():
            raise ValidationError(
                _("“%(name)s” is not a time zone. Choose one from the list, such as Europe/Berlin."),
                params={"name": name},
            )
        return name

    def clean(self) -> None:
        if len(self.pictures) < len(self.media_ids):
            self.add_error(
                None,
                ValidationError(
                    _("A file of this post is no longer in your library and was taken out. Look at what is left."),
                    code="media_gone",
                ),
            )
        if self.intent is not Intent.DRAFT:
            self._clean_when()
        elif self.cleaned_data.get("when") == "later" and self.cleaned_data.get("day"):
            self._clean_when(required=False)
        if self.intent is not Intent.DRAFT and "accounts" not in self.errors and not self.cleaned_data["accounts"]:
            self.add_error("accounts", ValidationError(_("Choose at least one account."), code="none_chosen"))
        self._first_comment = (self.cleaned_data.get("first_comment") or "").strip()
        link = self.cleaned_data.get("link") or ""
        for account in self.all_accounts:
            typed = self.cleaned_data.get(f"type-{account.pk}") or ""
            self._choices[account.pk] = self._clean_choices(account, self._type_for(account, typed, link))
        draft = self.composition().draft(self.workspace, self.post)
        self.findings = [*checks.check(draft), *checks.expiry_findings(draft)]
        if self.post:
            self.findings += checks.given_up_findings(draft)
        if self.intent is Intent.DRAFT:
            if not (draft.post.caption or draft.media or draft.post.link) and not self.errors:
                raise ValidationError(
                    _("There is nothing to save yet: write a caption, or add an image or a video."), code="nothing"
                )
        elif checks.blocking(self.findings):
            self._point_at_choices()
            raise ValidationError(
                _("This post cannot go out as it is. What has to change is listed under “Checks”."), code="violations"
            )

    def _clean_choices(self, account: ConnectedAccount, post_type: PostType) -> dict[str, str]:
        """What was chosen for the account's network: known names only, and of them those that are asked."""
        declared = rules.RULES[account.platform].choices
        clean = {
            choice.name: chosen_text(choice, self.cleaned_data.get(choice_field_name(account.pk, choice)))
            for choice in declared
        }
        return choices.kept(declared, clean, post_type)

    def _point_at_choices(self) -> None:
        """What stands against a choice or the first comment is said at its field too."""
        for finding in checks.blocking(self.findings):
            name = f"choice-{finding.account.pk}-{finding.field}" if finding.account else ""
            if finding.field == "first_comment":
                name = finding.field
            if name in self.fields and name not in self.errors:
                self._told_as_findings.add(str(finding.message))
                self.add_error(name, ValidationError(str(finding.message), code=finding.code))

    def _clean_when(self, *, required: bool = True) -> None:
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

    def composition(self) -> Composition:
        """What holds so far, also while other fields are still wrong: the live checks want to know."""
        clean = self.cleaned_data
        accounts = list(clean.get("accounts") or ())
        link = clean.get("link") or ""
        return Composition(
            caption=clean.get("caption") or "",
            hashtags=clean.get("hashtags") or (),
            link=link,
            first_comment=self._first_comment,
            campaign=clean.get("campaign") or "",
            image_set=self.image_set,
            pictures=[self._picture(picture) for picture in self.pictures],
            targets=[
                Target(
                    account,
                    self._type_for(account, clean.get(f"type-{account.pk}") or "", link),
                    clean.get(f"caption-{account.pk}") or "",
                    self._choices.get(account.pk, {}),
                )
                for account in accounts
            ],
            intent=self.intent if self.intent is Intent.DRAFT or clean.get("when") != "later" else Intent.SCHEDULE,
            at=clean.get("at"),
            time_zone=clean.get("time_zone") or self.user.time_zone,
            key=clean.get("key"),
        )

    def _picture(self, picture: MediaFile) -> Picture:
        clean = self.cleaned_data
        across, down = (clean.get(f"focus_{axis}-{picture.pk}") for axis in "xy")
        is_cropped = clean.get(f"fit-{picture.pk}") == PostMedia.Fit.CROP
        return Picture(
            picture,
            clean.get(f"alt-{picture.pk}") or "",
            PostMedia.Fit.CROP if is_cropped else PostMedia.Fit.PAD,
            (across / 100, down / 100) if is_cropped and across is not None and down is not None else None,
        )

    def _type_for(self, account: ConnectedAccount, typed: str, link: str) -> PostType:
        """The type that was chosen while it fits the images; they may have changed since."""
        fitting = checks.fitting_types(account.platform, self.kinds)
        if typed and PostType(typed) in fitting:
            return PostType(typed)
        return checks.usual_type(account.platform, self.kinds, link)

    def draft(self) -> Draft:
        return self.composition().draft(self.workspace, self.post)


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


def after_gap(moment: datetime, zone: ZoneInfo) -> datetime:
    """The first minute that the clocks show after the gap in which this local time falls."""
    while not local_instants(moment.date(), moment.time(), zone):
        moment += timedelta(minutes=1)
    return moment


def from_set(image_set: ImageSet, caption: str) -> dict[str, Any]:
    return {
        "set": image_set.pk,
        "caption": caption,
        "hashtags": image_set.hashtags,
        "media": [item.media_id for item in image_set.items.all()],
    }


def from_post(post: Post, *, accounts: Iterable[UUID] | None = None) -> dict[str, Any]:
    """The form as it would have looked; for editing, and for starting a new post from an old one."""
    publications = list(post.publications.all())
    chosen = {publication.account_id for publication in publications}
    values: dict[str, Any] = {
        "set": post.image_set_id,
        "caption": post.caption,
        "hashtags": post.hashtags,
        "link": post.link,
        "first_comment": post.first_comment,
        "campaign": post.campaign,
        "time_zone": post.time_zone,
        "accounts": sorted(chosen if accounts is None else chosen & set(accounts)),
        "media": [],
    }
    for item in post.post_media.all():
        values["media"].append(item.media_id)
        values[f"alt-{item.media_id}"] = item.alt_text
        values[f"fit-{item.media_id}"] = item.fit
    for publication in publications:
        values[f"type-{publication.account_id}"] = publication.post_type
        values[f"caption-{publication.account_id}"] = publication.caption_override
        for choice in rules.RULES[publication.account.platform].choices:
            if value := publication.choices.get(choice.name):
                is_flag = choice.kind is ChoiceKind.FLAG
                name = choice_field_name(publication.account_id, choice)
                values[name] = value == choices.YES if is_flag else value
    return values


def planned(post: Post) -> dict[str, Any]:
    """The time of a scheduled post, in its own zone."""
    if post.scheduled_at is None or post.scheduled_at <= timezone.now():
        return {}
    local = post.scheduled_at.astimezone(post.zone)
    return {
        "when": "later",
        "day": local.date(),
        "clock": local.time().replace(second=0, microsecond=0),
        "fold": local.fold,
    }


class ShapingForm(forms.Form):
    """The buttons of the composer that change what is on the form, and save nothing."""

    template = forms.ModelChoiceField(queryset=CaptionTemplate.objects.none(), required=False)
    group = forms.ModelChoiceField(queryset=HashtagGroup.objects.none(), required=False)
    add = forms.ModelMultipleChoiceField(queryset=MediaFile.objects.none(), required=False)

    def __init__(self, data: QueryDict | None, *, workspace: Workspace) -> None:
        super().__init__(data)
        models = {"template": CaptionTemplate, "group": HashtagGroup, "add": MediaFile}
        for name, model in models.items():
            field: Any = self.fields[name]
            field.queryset = model._default_manager.filter(workspace=workspace)


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
