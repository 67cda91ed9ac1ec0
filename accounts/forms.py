"""What people type about themselves, their workspace and their accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.http import QueryDict
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.language import language_of
from accounts.models import ApiKey, Membership, Notification, Role, User, Workspace
from socialhub.time_zones import known_zones

NINE = time(9)
FARTHEST_PAUSE = timedelta(days=366)


def time_zone_choices() -> list[tuple[str, Any]]:
    """By region, as people look for them: Europe › Berlin. Old aliases such as US/Eastern are left out."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(known_zones()):
        region, _slash, place = name.partition("/")
        if place and region not in ("Etc", "SystemV", "US", "Brazil", "Canada", "Chile", "Mexico"):
            regions.setdefault(region, []).append((name, place.replace("_", " ").replace("/", " / ")))
    return [("UTC", "UTC"), *regions.items()]


class TimeZoneSelect(forms.Select):
    """All zones, and an alias that was valid when somebody chose it.

    They are hundreds, the same for everybody: put together once, in which then the chosen one is marked.
    """

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        chosen, options = str(value or ""), zone_options()
        unchosen, marked = (f'value="{escape(chosen)}"{mark}>' for mark in ("", " selected"))
        if unchosen in options:
            options = options.replace(unchosen, marked)
        elif chosen in known_zones():
            options += f"<option {marked}{escape(chosen)}"
        attributes = flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})}))
        return mark_safe(f"<select{attributes}>{options}</select>")  # names of zones, and what was escaped  # nosec B703


@cache
def zone_options() -> str:
    """Without the end tags, which HTML does not ask for."""
    (first, word), *regions = time_zone_choices()
    groups = [
        format_html('<optgroup label="{}">{}</optgroup>', region, format_html_join("", '<option value="{}">{}', zones))
        for region, zones in regions
    ]
    return format_html('<option value="{}">{}', first, word) + "".join(groups)


def language_choices() -> list[tuple[str, Any]]:
    return [("", _("As the browser asks")), *settings.LANGUAGES]


class ProfileForm(forms.ModelForm):
    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        required=False,
        help_text=_("How other members of your workspaces see you."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zone_choices,
        widget=TimeZoneSelect,
        help_text=_("Times are shown in it, and it is suggested when you schedule a post."),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=language_choices,
        required=False,
        help_text=_("Of pages, and of e-mails to you."),
    )
    mailed_kinds = forms.MultipleChoiceField(
        label=_("E-mail me about"),
        choices=Notification.Kind.choices,
        required=False,
        help_text=_(
            "Owners and admins get one e-mail per incident. On the notifications page everything stands anyway."
        ),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = User
        fields = ("time_zone", "language")

    field_order = ("name", "language", "time_zone", "mailed_kinds")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["name"] = self.instance.get_full_name()
        self.initial["mailed_kinds"] = [
            kind for kind in Notification.Kind.values if kind not in self.instance.unmailed_kinds
        ]
        known = {value for _label, group in time_zone_choices()[1:] for value, _place in group} | {"UTC"}
        if self.instance.time_zone not in known:  # an alias that was valid when it was chosen stays valid
            field = self.fields["time_zone"]
            field.choices = [(self.instance.time_zone,) * 2, *time_zone_choices()]  # type: ignore[attr-defined]

    def save(self, commit: bool = True) -> User:
        self.instance.first_name, self.instance.last_name = self.cleaned_data["name"], ""
        wanted = self.cleaned_data["mailed_kinds"]
        self.instance.unmailed_kinds = [kind for kind in Notification.Kind.values if kind not in wanted]
        if commit:
            self.instance.save(update_fields=["first_name", "last_name", "time_zone", "language", "unmailed_kinds"])
        return self.instance


class WorkspaceForm(forms.ModelForm):
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        required=False,
        help_text=_("In which reasons and notifications that are written in the background are kept for all of you."),
    )

    class Meta:
        model = Workspace
        fields = ("name", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["language"] = language_of(self.instance)


class MemberForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("A person who is new here gets a mail with a link to choose a password."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        initial=Role.EDITOR,
        help_text=_(
            "Viewers look. Editors write and publish posts. Admins also connect accounts and manage people. "
            "Owners may do everything."
        ),
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class WorkspaceSwitchForm(forms.Form):
    workspace = forms.UUIDField()


class PauseForm(forms.Form):
    """Until when nothing goes out, in the time zone of whoever asks: `until` is what it gives."""

    ends = forms.ChoiceField(
        label=_("Until"),
        choices=[
            ("open", _("Until I resume")),
            ("hour", _("For 1 hour")),
            ("tomorrow", _("Until tomorrow, 9:00")),
            ("at", _("Until a time")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    day = forms.DateField(
        label=_("Date"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    clock = forms.TimeField(
        label=_("Time"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Optional. Other members see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: QueryDict | None = None, *, zone: ZoneInfo) -> None:
        tomorrow = timezone.localdate(timezone=zone) + timedelta(days=1)
        super().__init__(data, initial={"ends": "open", "day": tomorrow, "clock": NINE})
        self.zone = zone

    def clean(self) -> None:
        if self.cleaned_data.get("ends") != "at":
            return
        for name, message in (("day", _("Choose a date.")), ("clock", _("Choose a time."))):
            if self.cleaned_data.get(name) is None and name not in self.errors:
                self.add_error(name, ValidationError(message, code="required"))
        if self.errors:
            return
        if abs(self.cleaned_data["day"] - timezone.localdate(timezone=self.zone)) > FARTHEST_PAUSE:
            self.add_error("day", ValidationError(_("Choose a date within the next year."), code="too_far"))
        elif (end := self.until) is None or end <= timezone.now():
            self.add_error("clock", ValidationError(_("This time has passed. Choose a later one."), code="past"))

    @property
    def until(self) -> datetime | None:
        """None: until somebody resumes."""
        match self.cleaned_data.get("ends"):
            case "hour":
                return timezone.now() + timedelta(hours=1)
            case "tomorrow":
                tomorrow = timezone.localdate(timezone=self.zone) + timedelta(days=1)
                return datetime.combine(tomorrow, NINE, tzinfo=self.zone).astimezone(UTC)
            case "at":
                local = datetime.combine(self.cleaned_data["day"], self.cleaned_data["clock"], tzinfo=self.zone)
                return local.astimezone(UTC)
        return None


class AccountsQuery(forms.Form):
    """Finding accounts among many. What makes no sense is passed over: it only narrows what is shown."""

    q = forms.CharField(
        label=_("Name or handle"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    platform = forms.ChoiceField(label=_("Network"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Any state")),
            ("attention", _("Needs attention")),
            ("paused", _("Paused")),
            ("connected", pgettext_lazy("accounts that are in use", "Publishing")),
        ],
    )

    def __init__(self, *args: Any, networks: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        platform: Any = self.fields["platform"]
        platform.choices = [("", _("All networks")), *networks]

    def wanted(self) -> dict[str, str]:
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class ReconnectForm(forms.Form):
    """For which account Connect was pressed, where it was for one."""

    account = forms.UUIDField(required=False)


class BufferKeyForm(forms.Form):
    key = forms.CharField(
        label=_("Personal key"),
        max_length=500,
        help_text=_("It is stored encrypted and never shown again, here or anywhere else."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class ConsentForm(forms.Form):
    """What a network sends somebody back with whom a program has sent there, and what they answer to our question."""

    state = forms.CharField(max_length=200, widget=forms.HiddenInput)
    code = forms.CharField(max_length=4000, widget=forms.HiddenInput)
    answer = forms.CharField(max_length=10, required=False, widget=forms.HiddenInput)


class ChoiceForm(forms.Form):
    """Which of the found accounts to connect; the choices are what the network shows right now."""

    account = forms.MultipleChoiceField(
        label=_("Accounts"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one account."),
            "invalid_choice": _(
                "One of the chosen accounts cannot be connected any more. Look at the list and try again."
            ),
        },
    )

    def __init__(self, *args: Any, keys: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = [(key, key) for key in keys]  # type: ignore[attr-defined]


class NotificationsQuery(forms.Form):
    before = forms.DateTimeField(required=False)


class NotificationsReadForm(forms.Form):
    """One notification, or all when none is named."""

    notification = forms.UUIDField(required=False)


class ApiKeyForm(forms.Form):
    """A new key of a person in a workspace; `expires_at` is when it ends, None for never."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What it is for, so that you know later which one to revoke."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[
            (ApiKey.Scope.READ, _("Read: posts, accounts, figures, limits")),
            (ApiKey.Scope.WRITE, _("Write: drafts, media, and connecting accounts if you may")),
            (ApiKey.Scope.PUBLISH, _("Publish: schedule posts and send them out")),
        ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    days = forms.TypedChoiceField(
        label=_("Ends"),
        choices=[
            ("30", _("in 30 days")),
            ("90", _("in 90 days")),
            ("365", _("in a year")),
            ("0", _("never, until it is revoked")),
        ],
        initial="90",
        coerce=int,
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes: Any = self.fields["scopes"]
        if not membership.may_edit:
            scopes.choices = [choice for choice in scopes.choices if choice[0] == ApiKey.Scope.READ]
            scopes.help_text = _("You may look at this workspace, so your keys may only read.")
        scopes.initial = [value for value, _label in scopes.choices]

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None
