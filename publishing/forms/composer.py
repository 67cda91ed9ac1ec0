"""What a person types into the composer: the whole form, and what it makes of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ConnectedAccount, User, Workspace
from publishing import checks
from publishing.checks import Draft, Finding
from publishing.compose import Composition, Intent, Picture, Target
from publishing.forms.choices import choice_field, choice_field_name, chosen_text
from publishing.forms.fields import CaptionField, HashtagsField, KnownAccountsField, uuids
from publishing.forms.when import WhenForm
from publishing.models import ImageSet, MediaFile, Post, PostMedia
from publishing.post_types import TYPE_NAMES
from socialhub.platforms import LABELS, choices, rules
from socialhub.platforms.base import MediaKind, PostType

COMMENT_MAX_LENGTH = 2000  # as Post.first_comment


def accounts_of(workspace: Workspace) -> list[ConnectedAccount]:
    """All accounts with what their limits depend on, but without a token."""
    accounts = ConnectedAccount.objects.of(workspace).select_related("credential__grant")
    secrets = ("credential__access_token", "credential__grant__access_token", "credential__grant__refresh_token")
    return list(accounts.defer(*secrets))


class ComposerForm(WhenForm):
    """The whole composer. Unbound with `initial` it shows, bound it checks; `composition` is what it gives."""

    pictures: list[MediaFile]
    all_accounts: list[ConnectedAccount]
    field_order = ("key", "based_on", "set", "caption", "hashtags", "link", "first_comment", "campaign", "accounts")

    key = forms.UUIDField(widget=forms.HiddenInput)
    based_on = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
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
    accounts = KnownAccountsField(label=gettext_lazy("Publish to"), required=False)

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
        accounts: Sequence[ConnectedAccount] | None = None,
        like: ComposerForm | None = None,
    ) -> None:
        """accounts: all of the workspace, if they were read already. like: a form whose rows may serve this one too.

        Besides values of fields, `initial` may hold rows that were read for them: image_set, pictures.
        """
        tomorrow = timezone.localdate(timezone=user.zone) + timedelta(days=1)
        defaults = {
            "key": uuid.uuid4(),
            "when": "now",
            "day": tomorrow,
            "clock": time(9),
            "time_zone": user.time_zone,
        }
        super().__init__(data, files, initial={**defaults, **(initial or {})})
        accounts_field: Any = self.fields["accounts"]
        self.workspace, self.user, self.post, self.intent = workspace, user, post, intent
        self.findings: list[Finding] = []
        self._told_as_findings: set[str] = set()
        self._choices: dict[UUID, dict[str, str]] = {}
        self._first_comment = ""  # kept here: an error at its field takes it out of cleaned_data
        self.media_ids = uuids(data.getlist("media") if data is not None else self.initial.get("media", ()))
        owned = {picture.pk: picture for picture in like.pictures} if like else self._owned()
        self.pictures = [owned[pk] for pk in self.media_ids if pk in owned]
        if accounts is None:
            accounts = like.all_accounts if like else accounts_of(workspace)
        self.all_accounts = accounts_field.accounts = list(accounts)
        self._like = like
        if data is not None:
            self.data = self._with_usual_choices(data)
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

    def _with_usual_choices(self, data: QueryDict) -> QueryDict:
        """The choices of accounts whose fields were not on the page are those that a network begins with."""
        filled, shown = data.copy(), set(uuids(data.getlist("shown")))
        for account in self.all_accounts:
            declared = rules.RULES[account.platform].choices
            usual = [one for one in declared if one.default and one.default != choices.NO]
            if account.pk not in shown and not any(choice_field_name(account.pk, one) in data for one in declared):
                filled.update({choice_field_name(account.pk, one): one.default for one in usual})
        return filled

    def begin_anew(self) -> None:
        """What was sent gets a key of its own, as if it had been typed into another form."""
        data: Any = self.data
        self.data = data.copy()
        self.data["key"] = str(uuid.uuid4())  # type: ignore[index]

    def is_based_on(self, mark: str) -> None:
        """Sent once more, it replaces what the post says now."""
        data: Any = self.data
        self.data = data.copy()
        self.data["based_on"] = mark  # type: ignore[index]

    @cached_property
    def wanted_ids(self) -> frozenset[UUID]:
        """The accounts whose own fields somebody has asked for."""
        data: Any = self.data
        return frozenset(uuids(data.getlist("shown") if self.is_bound else self.initial.get("shown", ())))

    def _owned(self) -> dict[UUID, MediaFile]:
        if not self.media_ids:
            return {}
        if read := self.initial.get("pictures"):
            return {picture.pk: picture for picture in read}
        return MediaFile.objects.filter(workspace=self.workspace, pk__in=self.media_ids).in_bulk()

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

    # What was typed, for showing it again without judging it

    def typed(self) -> dict[str, Any]:
        """The raw values of a bound form, to start an unbound one from."""
        values: dict[str, Any] = {
            name: field.widget.value_from_datadict(self.data, self.files, name) for name, field in self.fields.items()
        }
        values = {name: value for name, value in values.items() if value is not None}
        queryset = self.data.getlist("accounts") if isinstance(self.data, QueryDict) else []
        lists = {"accounts": uuids(queryset), "shown": list(self.wanted_ids)}
        return {**values, **lists, "media": [picture.pk for picture in self.pictures]}

    @cached_property
    def chosen_ids(self) -> frozenset[UUID]:
        value = self["accounts"].value() or ()
        return frozenset(uuids(getattr(item, "pk", item) for item in value))

    @cached_property
    def image_set(self) -> ImageSet | None:
        if self._like:
            return self._like.image_set
        if read := self.initial.get("image_set"):
            found: ImageSet = read
            return found
        ids = uuids([self["set"].value()])
        return ImageSet.objects.filter(workspace=self.workspace, pk=ids[0]).first() if ids else None

    @property
    def kinds(self) -> list[str]:
        """What each item of the post is."""
        return [picture.kind for picture in self.pictures]

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
            if name not in (NON_FIELD_ERRORS, "accounts", "key", "based_on")
            for message in found
            if message not in self._told_as_findings
        ]

    # Judging it

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
            self.judge_when()
        elif self.cleaned_data.get("when") == "later" and self.cleaned_data.get("day"):
            self.judge_when(required=False)
        if self.intent is not Intent.DRAFT and "accounts" not in self.errors and not self.cleaned_data["accounts"]:
            self.add_error("accounts", ValidationError(_("Choose at least one account."), code="none_chosen"))
        self._first_comment = (self.cleaned_data.get("first_comment") or "").strip()
        link = self.cleaned_data.get("link") or ""
        for account in self.all_accounts:
            typed = self.cleaned_data.get(f"type-{account.pk}") or ""
            self._choices[account.pk] = self._clean_choices(account, self.type_for(account, typed, link))
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
                    self.type_for(account, clean.get(f"type-{account.pk}") or "", link),
                    clean.get(f"caption-{account.pk}") or "",
                    self._choices.get(account.pk, {}),
                )
                for account in accounts
            ],
            intent=self.intent if self.intent is Intent.DRAFT or clean.get("when") != "later" else Intent.SCHEDULE,
            at=clean.get("at"),
            time_zone=clean.get("time_zone") or self.user.time_zone,
            key=clean.get("key"),
            based_on=clean.get("based_on") or "",
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

    def type_for(self, account: ConnectedAccount, typed: str, link: str) -> PostType:
        """The type that was chosen while it fits the images; they may have changed since."""
        fitting = checks.fitting_types(account.platform, self.kinds)
        if typed and PostType(typed) in fitting:
            return PostType(typed)
        return checks.usual_type(account.platform, self.kinds, link)

    def draft(self) -> Draft:
        return self.composition().draft(self.workspace, self.post)
