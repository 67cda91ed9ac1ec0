"""Any table of the figures as a file, narrowed as the page that it is taken from."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import FileResponse, Http404, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import ConnectedAccount
from analytics import exports, files
from analytics.exports import Scope
from analytics.filters import ALL_TIME, PostFilter
from analytics.models import PlatformPost
from analytics.reports.periods import period_of
from analytics.reports.tables import Table
from socialhub.http import HttpRequest
from socialhub.platforms import LABELS

IN_MEMORY = 4 * 1024 * 1024  # bytes of a spreadsheet; a larger one waits on disk until it is sent


class AccountForm(forms.Form):
    """What narrows the figures of accounts, as it stands in the addresses of their pages."""

    account = forms.UUIDField(required=False)
    platform = forms.ChoiceField(required=False, choices=[("", ""), *LABELS.items()])
    period = forms.CharField(required=False, max_length=10)

    @property
    def since(self) -> datetime | None:
        key = self.cleaned_data["period"]
        return None if key == ALL_TIME else timezone.now() - period_of(key).length


class PostForm(forms.Form):
    post = forms.UUIDField(required=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file: of what rows, what it is called after, and what the file says of itself."""

    scope: Scope
    subject: str = ""
    facts: Sequence[tuple[str, Any]] = ()


def wanted_of_accounts(request: HttpRequest) -> Wanted:
    form = AccountForm(request.GET)
    if not form.is_valid():
        raise Http404
    accounts = ConnectedAccount.objects.of(request.workspace).listed()
    subject = ""
    if platform := form.cleaned_data["platform"]:
        accounts = accounts.filter(platform=platform)
    if account_id := form.cleaned_data["account"]:
        accounts = accounts.filter(pk=account_id)
        subject = get_object_or_404(accounts).name
    facts = [
        (_("Account"), subject),
        (_("Network"), LABELS.get(platform, "")),
        (_("Since"), date_format(timezone.localtime(form.since), "DATETIME_FORMAT") if form.since else ""),
    ]
    return Wanted(Scope(accounts, PlatformPost.objects.none(), since=form.since), subject, facts)


def wanted_of_posts(request: HttpRequest) -> Wanted:
    """As the list of posts narrows them; or one of them, whatever else is asked."""
    accounts = ConnectedAccount.objects.of(request.workspace)
    one = PostForm(request.GET)
    if not one.is_valid():
        raise Http404
    if post_id := one.cleaned_data["post"]:
        found = PlatformPost.objects.filter(account__in=accounts)
        post = get_object_or_404(found.only("text"), pk=post_id)
        return Wanted(Scope(accounts, found.filter(pk=post.pk)), "", [(_("Post"), post.text)])
    form = PostFilter(request.GET, workspace=request.workspace)
    if not form.is_valid():
        raise Http404
    facts = [(_("Posted within"), form.chosen_period.word if form.chosen_period else _("All time"))]
    facts += [(condition.label, condition.value) for condition in form.conditions]
    return Wanted(Scope(accounts, form.narrowed(), form.sorting), "", facts)


@require_GET
def export(request: HttpRequest, table: str, ending: str) -> HttpResponseBase:
    """CSV flows while it is read; a spreadsheet is complete before it is sent."""
    made_of = {**dict.fromkeys(exports.POSTS, wanted_of_posts), **dict.fromkeys(exports.ACCOUNTS, wanted_of_accounts)}
    answer = {"csv": as_csv, "xlsx": as_xlsx}.get(ending)
    if table not in made_of or answer is None:
        raise Http404
    wanted = made_of[table](request)
    rows = exports.TABLES[table](wanted.scope)
    facts = [
        (_("Table"), rows.title),
        (_("Workspace"), request.workspace.name),
        (_("Made at"), f"{date_format(timezone.localtime(), 'DATETIME_FORMAT')} ({timezone.get_current_timezone()})"),
        *wanted.facts,
    ]
    response = answer(rows, [(str(name), str(value)) for name, value in facts if value])
    words = [
        slugify(request.workspace.name)[:40],
        table,
        slugify(wanted.subject)[:40],
        f"{timezone.localdate():%Y-%m-%d}",
    ]
    response["Content-Disposition"] = f'attachment; filename="{"-".join(filter(None, words))}.{ending}"'
    response["Cache-Control"] = "private, no-store"
    return response


def as_csv(table: Table, _facts: Sequence[tuple[str, str]]) -> HttpResponseBase:
    return StreamingHttpResponse(files.csv_of(table, timezone.get_current_timezone()), content_type=files.CSV_TYPE)


def as_xlsx(table: Table, facts: Sequence[tuple[str, str]]) -> HttpResponseBase:
    target = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  the response closes it
    files.write_xlsx(table, timezone.get_current_timezone(), target, facts)
    target.seek(0)
    return FileResponse(target, content_type=files.XLSX_TYPE)
