"""Rate-limit windows: what was called, what the networks said of it, and the limits that staff sets."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from publishing.models import LimitOverride, RateLimitWindow
from socialhub.admin_books import Books, Operated, PlatformFilter, account_link, account_of, at, link
from socialhub.platforms.rules import READ_WINDOWS, WINDOWS


class BlockedFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("block", _("The network said: stay away")), ("told", _("Told by the network")), ("own", _("Counted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RateLimitWindow]) -> QuerySet[RateLimitWindow]:
        match self.value():
            case "block":
                return queryset.filter(call_limit=0)
            case "told":
                return queryset.filter(told_at__isnull=False)
            case "own":
                return queryset.filter(told_at=None, call_limit__gt=0)
        return queryset


@admin.register(RateLimitWindow)
class RateLimitWindowAdmin(Books):
    """A row may be deleted: a block (limit 0) ends with it at once.

    What the network said of a window stands in a row with `told_at`; its calls are those that we had not counted.
    """

    list_display = (
        *("whose", "endpoint", "calls_made", "call_limit", "window_seconds"),
        *(at("told_at", _("told")), at("resets_at", _("resets"))),
    )
    list_filter = ("endpoint", PlatformFilter, BlockedFilter, "window_seconds")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username", "endpoint", "subject__exact")
    search_help_text = _("Handle or name of the account, id of an account or of a grant, or group of calls")
    id_fields = ("account",)
    ordering = ("-resets_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    @admin.display(description=_("whose"), ordering="subject")
    def whose(self, row: RateLimitWindow) -> object:
        """An account, or the grant by which several accounts are counted together."""
        kind, _colon, pk = row.subject.partition(":")
        if kind == "grant":
            return link("accounts_grant", pk, _("all accounts of a grant"))
        return account_link(row.account) if row.account else row.subject

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        return found | queryset.filter(subject=f"grant:{search_term.strip()}"), may_repeat


class LimitOverrideForm(forms.ModelForm):
    """Only for windows that there are: another one would change nothing, and nobody would notice."""

    class Meta:
        model = LimitOverride
        fields: ClassVar[list[str]] = ["account", "endpoint", "window_seconds", "call_limit", "reason"]

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or {}
        if account := fields.get("account"):
            windows = (*WINDOWS.get(account.platform, ()), *READ_WINDOWS.get(account.platform, ()))
            own = [window for window in windows if window.scope == "account"]
            if (fields.get("endpoint"), fields.get("window_seconds")) not in [(w.group, w.seconds) for w in own]:
                named = ", ".join(f"{window.group} ({window.seconds} s, {window.limit})" for window in own)
                raise ValidationError(_("This account has these windows: %(windows)s."), params={"windows": named})
        return fields


@admin.register(LimitOverride)
class LimitOverrideAdmin(Operated):
    """A limit for one account. It holds from the next call on; what the network itself allows is never exceeded."""

    form = LimitOverrideForm
    list_display = (
        *("endpoint", account_of("account"), "window_seconds", "call_limit", "reason"),
        at("created_at", _("set")),
    )
    list_filter = (PlatformFilter, "endpoint")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__username", "reason")
    id_fields = ("account",)
    autocomplete_fields = ("account",)
    ordering = ("-created_at",)
