"""What people type into the library: sets with their details, caption templates, hashtag groups."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from publishing.forms.fields import HashtagsField, MediaField
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet, MediaFile

FILES_AT_ONCE = 50
DETAILS_MOST = 30
LABEL_MAX_LENGTH = 60
VALUE_MAX_LENGTH = 500

Pairs = list[list[str]]


class DetailsWidget(forms.Widget):
    """Rows of label and value, one more than there are, as plain inputs that share two names."""

    template_name = "publishing/widgets/details.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Pairs:
        labels, values = data.getlist(f"{name}_label"), data.getlist(f"{name}_value")
        return [[label.strip(), value.strip()] for label, value in zip(labels, values, strict=False)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}_label" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["rows"] = [*(pair for pair in value or () if any(pair)), ["", ""]]
        context["label_max_length"], context["value_max_length"] = LABEL_MAX_LENGTH, VALUE_MAX_LENGTH
        return context

    def format_value(self, value: Any) -> Any:
        return value

    def id_for_label(self, id_: str, index: str | int | None = None) -> str:
        return ""


class DetailsField(forms.Field):
    """Cleans to [[label, value], …] in their order, as ImageSet.details holds them."""

    widget = DetailsWidget

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("label", _("Details"))
        kwargs.setdefault("help_text", _("Caption templates name a detail by its label, as in {Vehicle}."))
        super().__init__(**kwargs)

    def clean(self, value: Pairs | None) -> Pairs:
        pairs = [pair for pair in value or [] if any(pair)]
        if len(pairs) > DETAILS_MOST:
            raise ValidationError(
                _("These are %(count)d details; a set holds at most %(most)d."),
                params={"count": len(pairs), "most": DETAILS_MOST},
            )
        seen: set[str] = set()
        problems = [problem for label, text in pairs for problem in problems_of(label, text, seen)]
        if problems:
            raise ValidationError(problems)
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        return [pair for pair in data or [] if any(pair)] != (initial or [])


def problems_of(label: str, text: str, seen: set[str]) -> list[ValidationError]:
    problems = []
    if not label:
        problems.append(ValidationError(_("Give “%(text)s” a label, or clear it."), params={"text": text[:60]}))
    elif label.casefold() in seen:
        problems.append(ValidationError(_("The label “%(label)s” is there twice."), params={"label": label}))
    seen.add(label.casefold())
    if set(label) & set("{}"):
        problems.append(
            ValidationError(_("Leave the braces out of “%(label)s”; templates add them."), params={"label": label})
        )
    if len(label) > LABEL_MAX_LENGTH or len(text) > VALUE_MAX_LENGTH:
        problems.append(
            ValidationError(
                _(
                    "“%(label)s” is too long: at most %(most_label)d characters for a label, %(most_value)d for a value."
                ),
                params={"label": label[:60], "most_label": LABEL_MAX_LENGTH, "most_value": VALUE_MAX_LENGTH},
            )
        )
    return problems


class NewSetForm(forms.ModelForm):
    class Meta:
        model = ImageSet
        fields: ClassVar = ["title"]
        help_texts: ClassVar = {"title": _("Such as “1969 Camaro Restoration”. Captions can use it as {title}.")}
        error_messages: ClassVar = {"title": {"required": _("Give the set a title.")}}


class SetForm(NewSetForm):
    details = DetailsField()
    hashtags = HashtagsField(required=False)

    class Meta(NewSetForm.Meta):
        fields: ClassVar = ["title", "details", "hashtags"]


class ImagesForm(forms.Form):
    images = MediaField(
        most=FILES_AT_ONCE,
        label=_("Add images and videos"),
        help_text=_("JPEG, PNG, WebP, GIF or HEIC; MP4 or MOV. Several at once."),
    )


class FirstSetForm(NewSetForm):
    """A whole set in one go. files_follow: a script sends them one by one when the set is there."""

    images = MediaField(
        most=FILES_AT_ONCE,
        label=_("Images and videos"),
        help_text=_("Choose several at once, in the order in which they shall stand: JPEG, PNG, WebP, GIF, HEIC, MP4."),
    )

    def __init__(self, *args: Any, files_follow: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["images"].required = not files_follow


class AltTextForm(forms.ModelForm):
    class Meta:
        model = MediaFile
        fields: ClassVar = ["alt_text"]
        widgets: ClassVar = {"alt_text": forms.Textarea(attrs={"rows": 2})}


class OrderForm(forms.Form):
    """The ids of all images of a set, in their new order."""

    image = forms.ModelMultipleChoiceField(queryset=MediaFile.objects.none())

    def __init__(self, data: Any, *, image_set: ImageSet) -> None:
        super().__init__(data)
        self.fields["image"].queryset = image_set.media.all()  # type: ignore[attr-defined]

    def ordered(self) -> list[UUID]:
        """In the order of the request, which the queryset of a cleaned field does not keep."""
        return [UUID(key) for key in self.data.getlist("image")]  # type: ignore[attr-defined]


class MoveForm(forms.Form):
    by = forms.TypedChoiceField(choices=[(-1, _("Earlier")), (1, _("Later"))], coerce=int)


class NamedForm(forms.ModelForm):
    """A row whose name is used once per workspace."""

    taken = _("There is another one of this name. Choose a different name.")

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.workspace = workspace

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        others = type(self.instance).objects.filter(workspace=self.instance.workspace).exclude(pk=self.instance.pk)
        if others.filter(name=name).exists():
            raise ValidationError(self.taken)
        return name

    def saved(self) -> bool:
        """Save if all is well; False leaves the errors on the form."""
        if not self.is_valid():
            return False
        try:
            with transaction.atomic():
                self.save()
        except IntegrityError:  # somebody else took the name between the check and now
            self.add_error("name", self.taken)
            return False
        return True


class CaptionTemplateForm(NamedForm):
    class Meta:
        model = CaptionTemplate
        fields: ClassVar = ["name", "body"]
        widgets: ClassVar = {"body": forms.Textarea(attrs={"rows": 10})}
        error_messages: ClassVar = {
            "name": {"required": _("Give the template a name.")},
            "body": {"required": _("Write the text of the template.")},
        }


class HashtagGroupForm(NamedForm):
    hashtags = HashtagsField()

    class Meta:
        model = HashtagGroup
        fields: ClassVar = ["name", "hashtags"]
        error_messages: ClassVar = {"name": {"required": _("Give the group a name.")}}


class PreviewForm(forms.Form):
    """A template's text as typed so far, and the set to fill it from."""

    body = forms.CharField(required=False, max_length=10_000)
    set = forms.ModelChoiceField(ImageSet.objects.none(), required=False, label=_("Filled from"), empty_label=None)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["set"].queryset = ImageSet.objects.filter(workspace=workspace).order_by("-updated_at")  # type: ignore[attr-defined]


class LibraryQuery(forms.Form):
    q = forms.CharField(
        required=False,
        max_length=200,
        label=_("Search sets"),
        widget=forms.TextInput(attrs={"type": "search"}),
    )

    def text(self) -> str:
        """What is looked for; "" for everything, and for what nobody types."""
        return self.cleaned_data["q"].strip() if self.is_valid() else ""


class CursorForm(forms.Form):
    """Where the next page of the library starts: behind this set."""

    before = forms.CharField(required=False)
    last = forms.UUIDField(required=False)

    def clean_before(self) -> datetime | None:
        text = self.cleaned_data["before"]
        try:
            moment = parse_datetime(text)
            return moment.astimezone(UTC) if moment and moment.tzinfo else None
        except (ValueError, OverflowError):
            return None

    def cursor(self) -> tuple[datetime, UUID] | None:
        """None for the first page, and for an address that somebody mistyped."""
        if not self.is_valid():
            return None
        before, last = self.cleaned_data["before"], self.cleaned_data["last"]
        return (before, last) if before and last else None
