"""The calendar: a month, a week or a day of posts, and the form that gives one of them another time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import editor_required
from publishing import schedule
from publishing.calendar import (
    MOVABLE,
    Entry,
    Slot,
    counted,
    first_of_each,
    hour_edges,
    month_before,
    month_of,
    next_month,
    page_of_day,
    pictures_of,
    platforms_of,
    start_of,
    week_of,
)
from publishing.forms.calendar import CalendarForm, RescheduleForm, ReturnForm, View
from publishing.models import Post
from publishing.states import IllegalMove, LostRace
from socialhub.http import HttpRequest

EACH_DAY = 3
AGENDA = 12  # of the chosen day, below the month of a phone
EACH_HOUR = 3
WEEK = 120
PER_PAGE = 40
USUAL_HOURS = range(7, 21)  # others are shown when something stands there, or when they are asked for
MORNING = 9  # a new post for a day


@dataclass(slots=True)
class Cell(Slot):
    """A slot with its place: a day of the month, or an hour of the week (`hour` is set then).

    is_open: a post can be put here. clock: the time of a new post, "" for none. exists: the clocks show this hour.
    """

    day: date = date.min
    hour: int | None = None
    clock: str = ""
    is_today: bool = False
    is_outside: bool = False
    is_chosen: bool = False
    is_open: bool = False
    exists: bool = True


@dataclass(slots=True)
class Column:
    """A day of the week with its hours."""

    day: date
    is_today: bool
    is_open: bool
    clock: str
    cells: list[Cell] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(cell.total for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all three views need: whose posts, in whose zone, filtered how."""

    request: HttpRequest
    form: CalendarForm
    zone: ZoneInfo
    today: date
    now: datetime
    first_weekday: int

    @classmethod
    def of(cls, request: HttpRequest, form: CalendarForm) -> Frame:
        zone, now = request.user.zone, timezone.now()
        return cls(request, form, zone, now.astimezone(zone).date(), now, int(get_format("FIRST_DAY_OF_WEEK")))

    @property
    def on(self) -> date:
        return self.form.wanted("on") or self.today

    def counts(self, edges: Sequence[datetime], end: datetime) -> tuple[list[Counter[str]], list[Counter[str]]]:
        """Per slot: what the filter lets through; and all statuses of the accounts, for the list of statuses."""
        posts = Post.objects.of(self.request.workspace)
        every = counted(self.form.of_accounts(posts), edges, end)
        if not (chosen := self.form.wanted("status")):
            return every, every
        return [Counter({key: number[key] for key in chosen if number[key]}) for number in every], every

    def first_of_each(self, edges: Sequence[datetime], end: datetime, **limits: Any) -> list[list[Entry]]:
        posts = self.form.filtered(Post.objects.of(self.request.workspace))
        return first_of_each(posts, edges, end, self.zone, **limits)

    def clock_on(self, day: date) -> str:
        """When a new post for a day would go out: in the morning, today in the next hour; "" when that is over."""
        if day < self.today:
            return ""
        hour = MORNING if day > self.today else max(MORNING, self.now.astimezone(self.zone).hour + 1)
        return f"{hour:02}:00" if hour < 24 else ""


@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    context = calendar_context(request, request.GET)
    alone = request.htmx and not request.htmx.history_restore_request
    if alone and request.htmx.target == "calendar_more":
        template = "publishing/_calendar_agenda.html"
    else:
        template = "publishing/_calendar.html" if alone else "publishing/calendar.html"
    return render(request, template, context, status=422 if context["form"].errors else 200)


def calendar_context(request: HttpRequest, query: QueryDict) -> dict[str, Any]:
    form = CalendarForm(query, workspace=request.workspace)
    form.is_valid()
    frame = Frame.of(request, form)
    view = View(form.wanted("view") or View.MONTH)
    kept = QueryDict(mutable=True)
    kept.setlist("account", [str(account.pk) for account in form.wanted("account") or ()])
    without_status = kept.urlencode()
    kept.setlist("status", form.wanted("status") or [])
    shown = {View.MONTH: month_context, View.WEEK: week_context, View.DAY: day_context}[view](frame)
    here = {"view": view.value, "on": frame.on.isoformat()}
    return {
        "form": form,
        "view": view,
        "views": View.choices,
        "on": frame.on,
        "today": frame.today,
        "zone": frame.zone.key,
        "may_edit": request.membership.may_edit,
        "accounts": form.fields["account"].queryset,  # type: ignore[attr-defined]
        "chosen_accounts": {account.pk for account in form.wanted("account") or ()},
        "chosen_statuses": form.wanted("status") or [],
        "filter": f"&{kept.urlencode()}" if kept.urlencode() else "",
        "account_filter": f"&{without_status}" if without_status else "",
        "narrowed": bool(kept.urlencode()),
        "alone": bool(request.htmx),
        "here": f"{reverse('publishing:calendar')}?{urlencoded(here)}{'&' if kept.urlencode() else ''}{kept.urlencode()}",
        "months": [date(frame.on.year, month, 1) for month in range(1, 13)],
        "year_before": date(frame.on.year - 1, frame.on.month, 1),
        "year_after": date(frame.on.year + 1, frame.on.month, 1),
        **shown,
    }


def urlencoded(values: dict[str, str]) -> str:
    query = QueryDict(mutable=True)
    query.update(values)
    return query.urlencode()


def month_context(frame: Frame) -> dict[str, Any]:
    weeks = month_of(frame.on, frame.first_weekday)
    days = [day for week in weeks for day in week]
    edges = [start_of(day, frame.zone) for day in days]
    end = start_of(days[-1] + timedelta(days=1), frame.zone)
    counts, every = frame.counts(edges, end)
    chosen = days.index(frame.on)
    entries = frame.first_of_each(edges, end, each=EACH_DAY, most=EACH_DAY * len(days) + AGENDA, wide=(chosen, AGENDA))
    found = signed(entries, pictures_for=entries[chosen])
    cells = [
        Cell(
            counts=counts[number],
            entries=found[number],
            day=day,
            clock=frame.clock_on(day),
            is_today=day == frame.today,
            is_outside=(day.year, day.month) != (frame.on.year, frame.on.month),
            is_chosen=number == chosen,
            is_open=day >= frame.today,
        )
        for number, day in enumerate(days)
    ]
    agenda = replace(cells[chosen])
    cells[chosen].entries = agenda.entries[:EACH_DAY]
    inside = [number for number, cell in enumerate(cells) if not cell.is_outside]
    return {
        "title": date_format(frame.on, "F Y"),
        "weeks": [cells[number : number + 7] for number in range(0, len(cells), 7)],
        "numbered": frame.first_weekday == 1,
        "weekdays": days[:7],
        "agenda": agenda,
        "statuses": summed(every[number] for number in inside),
        "total": sum(counts[number].total() for number in inside),
        "previous": month_before(frame.on),
        "next": next_month(frame.on),
    }


def week_context(frame: Frame) -> dict[str, Any]:
    days = week_of(frame.on, frame.first_weekday)
    marks = hour_edges(days, frame.zone)
    edges = [edge for edge, _day, _hour in marks]
    end = start_of(days[-1] + timedelta(days=1), frame.zone)
    counts, every = frame.counts(edges, end)
    found = signed(frame.first_of_each(edges, end, each=EACH_HOUR, most=WEEK))
    cells = {(day, hour): Cell(day=day, hour=hour, exists=False) for day in days for hour in range(24)}
    for number, (edge, day, hour) in enumerate(marks):
        cell = cells[day, hour]
        cell.counts += counts[number]
        cell.entries = [*cell.entries, *found[number]]
        cell.exists = True
        cell.is_open = edge > frame.now
        cell.clock = f"{hour:02}:00" if cell.is_open else ""
    hours = hours_shown(cells.values(), all_of_them=bool(frame.form.wanted("hours")))
    columns = [
        Column(day, day == frame.today, day >= frame.today, frame.clock_on(day), [cells[day, hour] for hour in hours])
        for day in days
    ]
    return {
        "title": span_title(days[0], days[-1]),
        "hours": hours,
        "is_folded": len(hours) < 24,
        "columns": columns,
        "statuses": summed(every),
        "total": sum(number.total() for number in counts),
        "previous": frame.on - timedelta(days=7),
        "next": frame.on + timedelta(days=7),
    }


def hours_shown(cells: Iterable[Cell], *, all_of_them: bool) -> range:
    """The usual hours, and all between them and the outermost with something in it."""
    if all_of_them:
        return range(24)
    taken = [cell.hour for cell in cells if cell.total and cell.hour is not None]
    return range(min([USUAL_HOURS.start, *taken]), max([USUAL_HOURS.stop, *(hour + 1 for hour in taken)]))


def day_context(frame: Frame) -> dict[str, Any]:
    day = frame.on
    edges, end = [start_of(day, frame.zone)], start_of(day + timedelta(days=1), frame.zone)
    counts, every = frame.counts(edges, end)
    posts = frame.form.filtered(Post.objects.of(frame.request.workspace))
    entries, has_more = page_of_day(posts, day, frame.zone, PER_PAGE, frame.form.wanted("after"))
    (entries,) = signed([entries], pictures_for=entries)
    last = entries[-1] if has_more else None
    return {
        "title": date_format(day, "D j F Y"),
        "agenda": Cell(
            counts=counts[0],
            entries=entries,
            day=day,
            clock=frame.clock_on(day),
            is_today=day == frame.today,
            is_open=day >= frame.today,
        ),
        "after": f"{last.at.isoformat()}_{last.pk}" if last else "",
        "statuses": summed(every),
        "total": counts[0].total(),
        "previous": day - timedelta(days=1),
        "next": day + timedelta(days=1),
    }


def signed(slots: list[list[Entry]], pictures_for: Sequence[Entry] = ()) -> list[list[Entry]]:
    """The entries with their networks, and some of them with a picture: one statement for each."""
    platforms = platforms_of([entry.pk for entries in slots for entry in entries])
    pictures = pictures_of([entry.pk for entry in pictures_for])
    return [
        [replace(entry, platforms=platforms.get(entry.pk, ()), media=pictures.get(entry.pk)) for entry in entries]
        for entries in slots
    ]


def summed(counters: Iterable[Counter[str]]) -> list[tuple[str, int]]:
    """Each status with its number, in the order in which a post goes through them."""
    total: Counter[str] = Counter()
    for counter in counters:
        total += counter
    return [(status, total[status]) for status in Post.Summary.values if total[status]]


def span_title(first: date, last: date) -> str:
    start = "j" if first.month == last.month else "j F" if first.year == last.year else "j F Y"
    words = pgettext("two days of one month", "%(first)s – %(last)s") if start == "j" else _("%(first)s – %(last)s")
    return words % {"first": date_format(first, start), "last": date_format(last, "j F Y")}


# Another time


@editor_required
@require_http_methods(["GET", "POST"])
def post_reschedule(request: HttpRequest, post_id: UUID) -> HttpResponse:
    post = get_object_or_404(Post.objects.of(request.workspace), pk=post_id)
    back = address_after(request, post)
    if post.status not in MOVABLE:
        return refused(request, why_not(post), back)
    if request.method == "GET":
        local = post.scheduled_at and post.scheduled_at.astimezone(request.user.zone)
        initial = {"next": back, "day": local and local.date(), "clock": local and local.time()}
        return reschedule_page(request, RescheduleForm(None, post=post, user=request.user, initial=initial), back)
    form = RescheduleForm(request.POST, post=post, user=request.user)
    if not form.is_valid():
        return reschedule_page(request, form, back, status=422)
    before, at = post.scheduled_at, form.cleaned_data["at"]
    try:
        schedule.reschedule(post, at, by=request.user)
    except (LostRace, IllegalMove):
        sentence = _("Publishing has begun meanwhile, so the post was not moved. Open it to see how it is going.")
        return refused(request, sentence, back)
    messages.success(request, moved_sentence(request, post, before, at, back))
    if request.htmx and is_calendar(back):
        context = calendar_context(request, QueryDict(urlsplit(back).query))
        response = render(request, "publishing/_calendar.html", {**context, "oob": True})
        response["HX-Trigger-After-Settle"] = f'{{"calendar:moved": {{"post": "{post.pk}"}}}}'
        return response
    return redirect(back)


def address_after(request: HttpRequest, post: Post) -> str:
    """Where the person came from, else the month in which the post stands."""
    form = ReturnForm(request.POST if request.method == "POST" else request.GET)
    if form.is_valid() and (address := form.cleaned_data["next"]):
        return str(address)
    local = post.scheduled_at and post.scheduled_at.astimezone(request.user.zone)
    return reverse("publishing:calendar") + (f"?on={local.date().isoformat()}" if local else "")


def is_calendar(address: str) -> bool:
    return urlsplit(address).path == reverse("publishing:calendar")


def why_not(post: Post) -> str:
    if post.status in (Post.Summary.PUBLISHING, Post.Summary.CHECKING):
        return _("This post is on its way, so it can no longer be moved. Nothing was changed.")
    if post.status == Post.Summary.FAILED:
        return _("This post has failed, so it waits for no time. Open it to try again or to edit it.")
    return _("This post is out already, so it can no longer be moved. Nothing was changed.")


def refused(request: HttpRequest, sentence: str, back: str) -> HttpResponse:
    messages.error(request, sentence)
    if request.htmx:
        return HttpResponse(status=422)  # the sentence goes along out of band; what is shown stays
    return redirect(back)


def reschedule_page(request: HttpRequest, form: RescheduleForm, back: str, *, status: int = 200) -> HttpResponse:
    template = "publishing/_reschedule.html" if request.htmx else "publishing/reschedule.html"
    context = {"form": form, "post": form.post, "back": back, "zone": request.user.time_zone, "steps": form.STEPS}
    return render(request, template, context, status=status)


def moved_sentence(request: HttpRequest, post: Post, before: datetime | None, at: datetime, back: str) -> str:
    """Where the post stands now, with a button that takes it back where the calendar can carry it out."""
    undo = before if before and before > timezone.now() and is_calendar(back) else None
    local = at.astimezone(request.user.zone)
    return render_to_string("publishing/_calendar_moved.html", {"post": post, "at": local, "undo": undo, "back": back})
