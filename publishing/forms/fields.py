"""Form fields that several pages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import ConnectedAccount
from publishing import captions

HASHTAGS_MOST = 60


def uuids(values: Iterable[Any]) -> list[UUID]:
    """Those that are UUIDs, each once, in their order."""
    found: dict[UUID, None] = {}
    for value in values:
        try:
            found[value if isinstance(value, UUID) else UUID(str(value))] = None
        except ValueError:
            continue
    return list(found)


class CaptionField(forms.CharField):
    """Text as it will stand at the network: browsers send CRLF, which would be counted as two."""

    def to_python(self, value: Any) -> Any:
        return (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")


class AccountsField(forms.ModelMultipleChoiceField):
    default_error_messages: ClassVar = {
        "invalid_choice": _("One of the chosen accounts is not connected here. Choose again."),
    }

    def clean(self, value: Any) -> Any:
        # What is no UUID at all would be quoted in Django's own words.
        if len(uuids(value or ())) < len(set(value or ())):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().clean(value)


class AccountField(forms.ModelChoiceField):
    default_error_messages: ClassVar = {
        "invalid_choice": _("This account is not connected here. Choose one of the list."),
    }

    def clean(self, value: Any) -> Any:
        # What is no UUID at all would be quoted in Django's own words.
        return super().clean(value if not value or uuids([value]) else UUID(int=0))


class KnownAccountsField(forms.MultipleChoiceField):
    """Accounts out of `accounts`, which were read before; cleans to a list of them."""

    accounts: Sequence[ConnectedAccount] = ()
    default_error_messages = AccountsField.default_error_messages

    def clean(self, value: Any) -> list[ConnectedAccount]:
        wanted = set(uuids(value or ()))
        chosen = [account for account in self.accounts if account.pk in wanted]
        if len(chosen) < len(set(value or ())):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return chosen


class HashtagsField(forms.CharField):
    """Hashtags typed freely, with or without #, apart by spaces, commas or lines. Cleans to a list without #."""

    default_error_messages = {  # noqa: RUF012 (Django's own way to declare them)
        "required": _("Write at least one hashtag."),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Hashtags"))
        kwargs.setdefault("help_text", _("With or without #, separated by spaces or commas."))
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 2, "autocapitalize": "none", "spellcheck": "false"}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return " ".join(f"#{hashtag}" for hashtag in value)
        return value

    def clean(self, value: Any) -> list[str]:
        words = list(captions.hashtags(super().clean(value)))
        if self.required and not words:
            raise ValidationError(self.error_messages["required"], code="required")
        if bad := [word for word in words if not captions.is_hashtag(word)]:
            raise ValidationError(
                ngettext(
                    "%(words)s cannot be a hashtag. Use letters, digits and underscores only, at most %(most)d.",
                    "These cannot be hashtags: %(words)s. Use letters, digits and underscores only, at most %(most)d.",
                    len(bad),
                ),
                params={"words": ", ".join(f"“{word[:40]}”" for word in bad), "most": captions.HASHTAG_MAX_LENGTH},
                code="hashtag",
            )
        if len(words) > HASHTAGS_MOST:
            raise ValidationError(
                _("These are %(count)d hashtags; keep at most %(most)d."),
                params={"count": len(words), "most": HASHTAGS_MOST},
                code="too_many",
            )
        return words

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(captions.hashtags(self.prepare_value(initial) or "")) != list(captions.hashtags(data or ""))


# What a file chooser offers. Some devices know HEIC and MOV only by how the name ends.
ACCEPT_IMAGES = "image/jpeg,image/png,image/webp,image/gif,image/heic,image/heif,.heic,.heif"
ACCEPT_VIDEOS = "video/mp4,video/quicktime,.mp4,.m4v,.mov"
ACCEPT_DOCUMENTS = "application/pdf,.pdf"


class MediaInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class MediaField(forms.FileField):
    """Several images and videos at once; cleans to a list. What they hold is judged one by one when they are stored."""

    default_error_messages = {  # noqa: RUF012
        "required": _("Choose at least one image or video."),
        "invalid": _("The files did not arrive. Choose them again."),
    }

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        self.most = most
        attrs = {"multiple": True, "accept": f"{ACCEPT_IMAGES},{ACCEPT_VIDEOS}"}
        kwargs.setdefault("widget", MediaInput(attrs=attrs))
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if self.required and not files:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(files) > self.most:
            raise ValidationError(
                _("These are %(count)d files; at most %(most)d can be sent at once. Send them in several goes."),
                params={"count": len(files), "most": self.most},
                code="too_many",
            )
        return list(files)
