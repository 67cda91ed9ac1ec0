"""Actions of the admin that ask first: what will be done to which rows, which are left out and why; then each on its own.

The question and the deed ask the same predicate, so that what is promised is what is done. What another person or a
worker has changed in between is left out with its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MOST_AT_ONCE = 200
NAMED = 10  # rows that a report names for each reason


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the question: what it is called, its page, and why nothing is done with it ("" when something is)."""

    row: Model
    name: str
    address: str
    why_not: str


class Lever:
    """An action with a page that asks. Subclasses say which rows it takes and what it does to one."""

    name: ClassVar[str]
    label: ClassVar[Any]
    meaning: ClassVar[Any] = ""  # what it does, for whoever presses it at night for the first time
    permissions: ClassVar[tuple[str, ...]] = ("operate",)
    most: ClassVar[int] = MOST_AT_ONCE
    is_grave: ClassVar[bool] = False  # it cannot be taken back
    do_not_call_in_templates = True

    def __init__(self) -> None:
        # What Django asks of an action.
        self.__name__ = self.name
        self.short_description = self.label
        self.allowed_permissions = list(self.permissions)

    # What subclasses say

    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        """What is acted upon, with all that the predicate and the name need."""
        return list(queryset)

    def why_not(self, row: Any) -> str:
        """Why nothing can be done with this row; "" when it can."""
        return ""

    def act(self, request: HttpRequest, row: Any, fields: dict[str, Any]) -> str:
        """Do it; the reason when it could not be done after all, "" when it is done."""
        raise NotImplementedError

    def asks(self, number: int) -> str:
        raise NotImplementedError

    def did(self, number: int) -> str:
        raise NotImplementedError

    def name_of(self, row: Any) -> str:
        return str(row)

    def form(self, data: Any = None, *, rows: Sequence[Any] = ()) -> forms.Form | None:
        """What has to be said with it."""
        return None

    def note(self, fields: dict[str, Any]) -> str:
        """What was said with it, for the history."""
        return " · ".join(str(value) for value in fields.values() if value)

    def fits(self, row: Any) -> bool:
        """Is it worth a button on the page of this row?"""
        return not self.why_not(row)

    # The question and the deed

    def __call__(self, where: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        chosen = list(queryset.values_list("pk", flat=True)[: self.most + 1])
        if len(chosen) > self.most:
            text = ngettext(
                "Choose %d row: this is done to one at a time.", "Choose at most %d rows at once.", self.most
            )
            where.message_user(request, text % self.most, messages.ERROR)
            return None
        lines = [self._line(row) for row in self.rows(queryset)]
        going = [line for line in lines if not line.why_not]
        back = self._back(where, request)
        is_answer = "confirmed" in request.POST
        form = self.form(request.POST if is_answer else None, rows=[line.row for line in going])
        if is_answer and (form is None or form.is_valid()):
            self._run(where, request, lines, form.cleaned_data if form else {})
            return HttpResponseRedirect(back)
        if form and (wrong := next((form[name] for name in form.errors if name in form.fields), None)):
            wrong.field.widget.attrs["autofocus"] = True
        context = {
            **where.admin_site.each_context(request),
            "title": self.asks(len(going)) if going else _("Nothing can be done"),
            "opts": where.opts,
            "lever": self,
            "going": going,
            "left_out": by_reason(lines),
            "form": form,
            "chosen": chosen,
            "checkbox": ACTION_CHECKBOX_NAME,
            "back": back,
            "address": request.path,
        }
        request.current_app = where.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/confirm_action.html", context, status=422 if is_answer else 200)

    def _line(self, row: Any) -> Line:
        try:
            address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        except NoReverseMatch:
            address = ""
        return Line(row, self.name_of(row), address, self.why_not(row))

    def _back(self, where: admin.ModelAdmin, request: HttpRequest) -> str:
        """Where the button was pressed; the filters of a list are kept."""
        given = request.POST.get("next", "")
        if url_has_allowed_host_and_scheme(
            given, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            return given
        return request.get_full_path()

    def _run(self, where: Any, request: HttpRequest, lines: Sequence[Line], fields: dict[str, Any]) -> None:
        who: Any = request.user  # staff are signed in
        done, left_out = 0, []
        note = " · ".join(filter(None, [str(self.label), self.note(fields)]))
        for line in lines:
            pk = line.row.pk  # some deeds end their row
            if reason := line.why_not or self.act(request, line.row, fields):
                left_out.append(Line(line.row, line.name, line.address, reason))
            else:
                done += 1
                LogEntry.objects.create(
                    user=who,
                    content_type=ContentType.objects.get_for_model(line.row),
                    object_id=pk,
                    object_repr=line.name[:200],  # as the question called it; many rows call themselves by an id
                    action_flag=CHANGE,
                    change_message=note,
                )
        if done:
            where.message_user(request, self.did(done), messages.SUCCESS)
        if left_out:
            where.message_user(request, told(left_out), messages.WARNING)


def by_reason(lines: Sequence[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.why_not:
            found[line.why_not].append(line)
    return dict(found)


def told(lines: Sequence[Line]) -> SafeString:
    """ "2 skipped: already published (this, that)", with links."""
    reasons = []
    for reason, some in by_reason(lines).items():
        names = format_html_join(", ", '<a href="{}">{}</a>', ((line.address, line.name) for line in some[:NAMED]))
        if len(some) > NAMED:
            names = format_html("{}, …", names)
        reasons.append(format_html("{} ({})", reason, names))
    text = ngettext("%d skipped:", "%d skipped:", len(lines)) % len(lines)
    return format_html("{} {}", text, format_html_join("; ", "{}", ((reason,) for reason in reasons)))


def levers_for(where: admin.ModelAdmin, request: HttpRequest, row: Any) -> list[Lever]:
    """The buttons on the page of one row: what this person may do, and what fits the row as it stands."""
    actions: list[Any] = [found[0] for found in where.get_actions(request).values() if found]
    fitting = [action for action in actions if isinstance(action, Lever) and action.fits(row)]
    return sorted(fitting, key=lambda lever: lever.is_grave)  # those that cannot be taken back stand last
