"""What the admins of all apps share: read-only books, their columns and filters, and lists that stay cheap when they grow."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property, reduce
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from socialhub.admin_actions import levers_for
from socialhub.admin_panels import Panel
from socialhub.platforms import LABELS
from socialhub.platforms.errors import PlatformError
from socialhub.templatetags.ui import platform_glyph, said, status_badge, when

# What may be done next, as the engine sorts errors, in words for lists and filters.
ERROR_KINDS = {
    "account_blocked": _("account held back"),
    "given_up": _("given up by hand"),
    "limited": _("limit reached"),
    "missed": _("missed its time"),
    "not_found": _("gone at the network"),
    "operator": _("waits for this server"),
    "our_bug": _("called wrongly by us"),
    "outcome_unknown": _("outcome unknown"),
    "permission": _("permission missing"),
    "reconnect": _("access lost"),
    "refresh_lost": _("renewal without an answer"),
    "rejected": _("refused by the network"),
    "temporary": _("passing trouble"),
}
OUTCOMES = {
    "published": _("published"),
    "accepted": _("taken by the network"),
    "waiting": _("waiting"),
    "absent": _("not there yet"),
    "unknowable": _("cannot be known"),
    "paused": _("paused"),
    "lost": _("worker died"),
    **ERROR_KINDS,
}

Column = Callable[[Any], Any]


def link(address_name: str, pk: object, text: object) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{address_name}_change", args=[pk]), text)


def list_address(address_name: str, **query: object) -> str:
    return reverse(f"admin:{address_name}_changelist", query=query or None)


def list_link(address_name: str, text: object, **query: object) -> SafeString:
    return format_html('<a href="{}">{}</a>', list_address(address_name, **query), text)


def address_of(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def as_json(value: object) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def short(text: str, length: int = 80) -> str:
    return Truncator(text).chars(length)


def error_word(kind: str) -> str:
    return str(ERROR_KINDS.get(kind, kind.replace("_", " "))) if kind else ""


def outcome_word(kind: str) -> str:
    return str(OUTCOMES.get(kind, kind.replace("_", " "))) if kind else ""


# --- Columns --------------------------------------------------------------------------------------------------


def _value(row: Any, path: str) -> Any:
    return reduce(lambda value, name: None if value is None else getattr(value, name), path.split("__"), row)


def _column(path: str, title: object, draw: Callable[[Any], Any]) -> Column:
    def column(row: Any) -> Any:
        return draw(_value(row, path))

    column.__name__ = path
    return admin.display(description=title, ordering=path)(column)  # type: ignore[call-overload, no-any-return]


def at(path: str, title: object) -> Column:
    """A moment: how long ago or how soon, with the exact time on hover."""
    return _column(path, title, when)


def badge(path: str, title: object) -> Column:
    """A state as the product shows it: word, icon and colour."""
    return _column(path, title, lambda value: status_badge(value) if value else "–")


def network(path: str, title: object) -> Column:
    return _column(path, title, platform_glyph)


def row_of(path: str, title: object, address_name: str) -> Column:
    """Another row, with the way to its page."""
    return _column(path, title, lambda row: link(address_name, row.pk, row) if row else "–")


def account_of(path: str) -> Column:
    """Which account, by handle and network."""
    return _column(path, _("account"), account_link)


def account_link(account: Any) -> SafeString:
    return format_html(
        '<span class="nowrap">{} {}</span>',
        platform_glyph(account.platform),
        link("accounts_connectedaccount", account.pk, account.handle),
    )


def kept_words(path: str, title: object) -> Column:
    """What the engine has written into many rows at once, and kept as a message: in the language of the reader."""
    return _column(path, title, lambda text: said(text) or "–")


def error(path: str) -> Column:
    return _column(path, _("kind of error"), lambda kind: error_word(kind) or "–")


# --- Filters --------------------------------------------------------------------------------------------------


class ChoiceFilter(admin.SimpleListFilter):
    """By one column whose values are known, without asking the table which there are."""

    path: ClassVar[str]
    choices_of: ClassVar[dict[str, Any]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.choices_of.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if self.value() in self.choices_of else queryset


class PlatformFilter(ChoiceFilter):
    title = _("platform")
    parameter_name = "platform"
    path = "account__platform"
    choices_of: ClassVar[dict[str, Any]] = LABELS


class PlatformOfPublicationFilter(PlatformFilter):
    path = "publication__account__platform"


class ErrorFilter(ChoiceFilter):
    """By what may be done next, as the engine sorts errors."""

    title = _("kind of error")
    parameter_name = "error"
    path = "error_kind"
    choices_of: ClassVar[dict[str, Any]] = ERROR_KINDS


class OutcomeFilter(ChoiceFilter):
    title = _("outcome")
    parameter_name = "outcome"
    path = "outcome"
    choices_of: ClassVar[dict[str, Any]] = OUTCOMES


class RecentFilter(admin.SimpleListFilter):
    """By age, in the steps in which somebody asks."""

    title = _("changed")
    parameter_name = "changed"
    path = "updated_at"
    AGES: ClassVar[dict[str, tuple[Any, timedelta]]] = {
        "hour": (_("In the last hour"), timedelta(hours=1)),
        "day": (_("In the last 24 hours"), timedelta(days=1)),
        "week": (_("In the last 7 days"), timedelta(days=7)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, word) for key, (word, _age) in self.AGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (value := self.value()) not in self.AGES:
            return queryset
        return queryset.filter(**{f"{self.path}__gte": timezone.now() - self.AGES[value][1]})


def kinds_of_errors() -> set[str]:
    """All that a network's answer can be sorted into."""
    found, waiting = set(), [PlatformError]
    while waiting:
        kind = waiting.pop()
        found.add(kind.kind)
        waiting += kind.__subclasses__()
    return found - {PlatformError.kind}


# --- Lists ----------------------------------------------------------------------------------------------------


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # Django itself has no parameters here
    """Counts to ten thousand and no further: nobody turns two hundred pages, and millions take seconds to count."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)

    @property
    def is_capped(self) -> bool:
        return self._counted > self.most

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[: self.most + 1].count() if isinstance(rows, QuerySet) else len(rows)


class PageOfRows(ChangeList):
    """The rows of a page are known all together, so that one more query can fetch what belongs to each of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        if isinstance(self.model_admin, Operated):
            self.model_admin.complete(self.result_list)


class Operated(admin.ModelAdmin):
    """The page of a kind of rows with the levers that operators have, and what else belongs to a row."""

    change_form_template = "admin/operated_change_form.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count for each choice of each filter
    view_on_site = False  # staff belong to few workspaces; for the others it would be a page that they may not see
    list_per_page = 50
    list_max_show_all = 200
    paginator = CappedPaginator
    id_fields: ClassVar[tuple[str, ...]] = ("pk",)  # a pasted id is looked up here, by index
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.URLField: {"assume_scheme": "https"}}
    # Floors above add their panels here: imports go the other way.
    panels_from_above: ClassVar[tuple[Callable[[HttpRequest, Any], list[Panel]], ...]] = ()

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """May they press the levers? Whoever may change such rows in principle."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageOfRows

    def complete(self, rows: Sequence[Any]) -> None:
        """Fetch what the columns of these rows need beside them."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.strip()
        try:
            wanted = UUID(words)
        except ValueError:
            # People name an account as the network writes it; the @ is not part of what we keep.
            return super().get_search_results(request, queryset, " ".join(word.lstrip("@") for word in words.split()))
        found = queryset.none()
        for name in self.id_fields:
            found |= queryset.filter(**{name: wanted})
        return found, True

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """What is no id of such rows cannot be looked up; a made-up one just finds nothing."""
        try:
            for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(key)
        except ValidationError:
            self.message_user(request, _("These rows are not there. Choose some of the list."), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    def panels(self, request: HttpRequest, row: Any) -> list[Panel]:
        """What is shown above the fields of a row."""
        return []

    def name_of(self, row: Any) -> str:
        return str(row)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context["subtitle"] = self.name_of(obj)
            context["levers"] = levers_for(self, request, obj)
            above = [panel for panels in self.panels_from_above for panel in panels(request, obj)]
            context["panels"] = sorted([*self.panels(request, obj), *above], key=lambda panel: panel.order)
        return super().render_change_form(request, context, add, change, form_url, obj)


class Books(Operated):
    """What only the program writes: nobody adds, changes or deletes it by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BooksInline(admin.TabularInline):
    """The books of one row, on its page."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
