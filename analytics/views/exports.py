"""Any table of the figures as a file, narrowed as the page that it is taken from."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

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
from analytics.filters import ALL_TIME, CampaignFilter, ComparisonFilter, Narrowing, PostFilter
from analytics.models import PlatformPost
from analytics.reports import compare
from analytics.reports.hours import best_hours
from analytics.reports.periods import DAY, USUAL, period_of
from analytics.reports.tables import Column, Table
from socialhub.guards import paced
from socialhub.http import HttpRequest
from socialhub.platforms import LABELS

Form = TypeVar("Form", bound=forms.Form)
IN_MEMORY = 4 * 1024 * 1024  # bytes of a spreadsheet; a larger one waits on disk until it is sent


class AccountForm(forms.Form):
    """What narrows the figures of accounts, as it stands in the addresses of their pages."""

    account = forms.UUIDField(required=False)
    platform = forms.ChoiceField(required=False, choices=[("", ""), *LABELS.items()])
    period = forms.CharField(required=False, max_length=10)

    def since(self, table: str) -> datetime | None:
        """Of hours exactly the period; of days one more, as they begin at other times than ours and are told late."""
        if self.cleaned_data["period"] == ALL_TIME:
            return None
        period = period_of(self.cleaned_data["period"])
        if table == "account-hours":
            return timezone.now() - period.length
        return timezone.now() - (USUAL if period.is_hourly else period).length - DAY


class PostForm(forms.Form):
    post = forms.UUIDField(required=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file: what stands in it, whose name it bears, and what it says of itself."""

    table: Table
    subject: str = ""
    facts: Sequence[tuple[str, Any]] = ()


def account_of(request: HttpRequest, form: AccountForm) -> ConnectedAccount | None:
    """The account that is asked for, of this workspace."""
    account_id = form.cleaned_data["account"]
    accounts = ConnectedAccount.objects.of(request.workspace).listed()
    return get_object_or_404(accounts, pk=account_id) if account_id else None


def read(form: Form) -> Form:
    """On pages a mistyped address is explained; a file would be of something else than was asked."""
    if not form.is_valid():
        raise Http404
    return form


def of_accounts(request: HttpRequest, key: str) -> Wanted:
    form = read(AccountForm(request.GET))
    account, platform, since = account_of(request, form), form.cleaned_data["platform"], form.since(key)
    accounts = ConnectedAccount.objects.of(request.workspace).listed()
    if account:
        accounts = accounts.filter(pk=account.pk)
    if platform:
        accounts = accounts.filter(platform=platform)
    scope = Scope(accounts, PlatformPost.objects.none(), since=since)
    facts = [
        (_("Account"), account.name if account else ""),
        (_("Network"), LABELS.get(platform, "")),
        (_("Since"), date_format(timezone.localtime(since), "DATETIME_FORMAT") if since else ""),
    ]
    return Wanted(exports.ACCOUNTS[key](scope), account.name if account else "", facts)


def of_posts(request: HttpRequest, key: str) -> Wanted:
    """As the list of posts narrows them; or one of them, whatever else is asked."""
    accounts = ConnectedAccount.objects.of(request.workspace)
    if post_id := read(PostForm(request.GET)).cleaned_data["post"]:
        found = PlatformPost.objects.filter(account__in=accounts)
        post = get_object_or_404(found.only("text"), pk=post_id)
        return Wanted(exports.POSTS[key](Scope(accounts, found.filter(pk=post.pk))), "", [(_("Post"), post.text)])
    form = read(PostFilter(request.GET, workspace=request.workspace))
    facts = [posted_within(form), *((condition.label, condition.value) for condition in form.conditions)]
    return Wanted(exports.POSTS[key](Scope(accounts, form.narrowed(), form.sorting)), "", facts)


def of_comparison(request: HttpRequest, key: str) -> Wanted:
    form = read(ComparisonFilter(request.GET, workspace=request.workspace))
    chosen, period = form.chosen_accounts, form.chosen_period or USUAL
    facts = [(_("Days"), period.word)]
    if key == "compare-days":
        table = compare.chart_of(chosen, form.drawn, period, form.span).table
        return Wanted(replace(table, columns=[named(column) for column in table.columns]), form.drawn, facts)
    return Wanted(compare.accounts_table(compare.compared(chosen, period, form.span)), "", facts)


def named(column: Column) -> Column:
    """The columns of accounts have their ids for keys, which say nothing to a person."""
    return replace(column, key=slugify(column.word) or column.key)


def of_campaigns(request: HttpRequest, _key: str) -> Wanted:
    form = read(CampaignFilter(request.GET, workspace=request.workspace))
    rows = compare.campaigns(request.workspace, [one.pk for one in form.accounts], form.span, form.sort_key)
    return Wanted(compare.campaigns_table(rows), "", [posted_within(form)])


def of_hours(request: HttpRequest, _key: str) -> Wanted:
    account = account_of(request, read(AccountForm(request.GET)))
    found = best_hours(request.workspace, account)
    facts = [(_("Account"), account.name if account else ""), (_("Posts"), found.posts), (_("Zone"), found.zone)]
    return Wanted(exports.hours_table(found), account.name if account else "", facts)


def posted_within(form: Narrowing) -> tuple[str, Any]:
    return _("Posted within"), form.chosen_period.word if form.chosen_period else _("All time")


TABLES: dict[str, Callable[[HttpRequest, str], Wanted]] = {
    **dict.fromkeys(exports.POSTS, of_posts),
    **dict.fromkeys(exports.ACCOUNTS, of_accounts),
    **dict.fromkeys(("compare", "compare-days"), of_comparison),
    "campaigns": of_campaigns,
    "hours": of_hours,
}


@require_GET
@paced("export")
def export(request: HttpRequest, table: str, ending: str) -> HttpResponseBase:
    """CSV flows while it is read; a spreadsheet is complete before it is sent."""
    answer = {"csv": as_csv, "xlsx": as_xlsx}.get(ending)
    if table not in TABLES or answer is None:
        raise Http404
    wanted = TABLES[table](request, table)
    facts = [
        (_("Table"), wanted.table.title),
        (_("Workspace"), request.workspace.name),
        (_("Made at"), f"{date_format(timezone.localtime(), 'DATETIME_FORMAT')} ({timezone.get_current_timezone()})"),
        *wanted.facts,
    ]
    response = answer(wanted.table, [(str(name), str(value)) for name, value in facts if value])
    words = (
        *(slugify(request.workspace.name)[:40], table),
        *(slugify(wanted.subject)[:40], f"{timezone.localdate():%Y-%m-%d}"),
    )
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
