"""What operators see of the operation itself, and the schedule that they can slow or stop."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from kombu.exceptions import OperationalError

from socialhub.admin_actions import Lever
from socialhub.admin_books import Books, Operated, at
from socialhub.celery import app
from socialhub.models import BeatLease, Heartbeat, ProcessHeartbeat
from socialhub.schedule import PREFIX, rhythm_of, title_of


@admin.register(BeatLease)
class BeatLeaseAdmin(Books):
    list_display = ("owner", at("expires_at", _("lease ends")))


@admin.register(Heartbeat)
class HeartbeatAdmin(Books):
    list_display = ("id", at("seen_at", _("last heartbeat")))


@admin.register(ProcessHeartbeat)
class ProcessAdmin(Books):
    """Web, worker and beat processes; those that ended without saying so stay for a day."""

    list_display = ("kind", "name", "version", at("started_at", _("started")), at("seen_at", _("last heard")))
    list_filter = ("kind", "host", "version")
    search_fields = ("name", "host")


class OfJobs(Lever):
    def rows(self, queryset: QuerySet[Any]) -> list[Any]:
        return list(queryset.select_related("interval", "crontab"))

    def name_of(self, row: PeriodicTask) -> str:
        return f"{title_of(row)} · {rhythm_of(row)}"

    def switch(self, row: PeriodicTask, *, on: bool) -> bool:
        """False where somebody else was quicker. Beat sees a change only when it is told that there is one."""
        changed = PeriodicTask.objects.filter(pk=row.pk, enabled=not on).update(enabled=on)
        if changed:
            PeriodicTasks.update_changed()
        return bool(changed)


class StartJobs(OfJobs):
    name = "start_jobs"
    label = _("Let it run again")
    meaning = _("The scheduler takes the job up again within seconds, in its own rhythm.")

    def why_not(self, row: PeriodicTask) -> str:
        return gettext("it runs already") if row.enabled else ""

    def act(self, request: HttpRequest, row: PeriodicTask, fields: dict[str, Any]) -> str:
        return "" if self.switch(row, on=True) else gettext("it runs already")

    def asks(self, number: int) -> str:
        return ngettext("Let %d job run again?", "Let %d jobs run again?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d job runs again.", "%d jobs run again.", number) % number


class StopJobs(OfJobs):
    name = "stop_jobs"
    label = _("Stop")
    meaning = _(
        "Nobody does this work until the job runs again, for the whole site: without the jobs that hand over and sweep, "
        "for example, posts go out late or not at all. To hold back the posts of one workspace, stop that workspace."
    )

    def why_not(self, row: PeriodicTask) -> str:
        return "" if row.enabled else gettext("it is stopped already")

    def act(self, request: HttpRequest, row: PeriodicTask, fields: dict[str, Any]) -> str:
        return "" if self.switch(row, on=False) else gettext("it is stopped already")

    def asks(self, number: int) -> str:
        return ngettext("Stop %d job?", "Stop %d jobs?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d job is stopped.", "%d jobs are stopped.", number) % number


class RunNow(OfJobs):
    name = "run_now"
    label = _("Run now")
    meaning = _("A worker gets the message at once, besides the job's own rhythm. Two runs at a time do no harm.")

    def act(self, request: HttpRequest, row: PeriodicTask, fields: dict[str, Any]) -> str:
        try:
            app.send_task(
                row.task,
                args=json.loads(row.args),
                kwargs=json.loads(row.kwargs),
                expires=row.expire_seconds,
                retry=False,
            )
        except OperationalError:
            return gettext("Redis did not take the message")
        return ""

    def asks(self, number: int) -> str:
        return ngettext("Run %d job now?", "Run %d jobs now?", number) % number

    def did(self, number: int) -> str:
        return ngettext("%d job was handed to the workers.", "%d jobs were handed to the workers.", number) % number


admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class JobAdmin(Operated, PeriodicTaskAdmin):
    """How often a job runs, and whether; with its last run. Those of the system cannot be deleted or made into others."""

    # The template that comes with it needs a script inside the page.
    change_form_template = Operated.change_form_template
    list_display = ("title", "enabled", "rhythm", at("last_run_at", _("last run")), "total_run_count", "meaning")
    list_filter = ("enabled", "last_run_at")
    search_fields = ("name", "task")
    id_fields = ()
    date_hierarchy = None
    ordering = ("name",)
    actions = (StartJobs(), StopJobs(), RunNow())
    system_fields: ClassVar = ("title", "meaning", "task", "enabled", "interval", "crontab", "last_run_at")
    system_readonly: ClassVar = ("title", "meaning", "task", "last_run_at")

    @admin.display(description=_("job"), ordering="name")
    def title(self, row: PeriodicTask) -> str:
        return title_of(row)

    @admin.display(description=_("runs"))
    def rhythm(self, row: PeriodicTask) -> str:
        return rhythm_of(row)

    @admin.display(description=_("what it does"))
    def meaning(self, row: PeriodicTask) -> str:
        return gettext(row.description) if row.description else "–"

    @admin.display(description=SafeString('<input type="checkbox" id="action-toggle">'))
    def action_checkbox(self, obj: PeriodicTask) -> SafeString:
        """Read aloud as the job is called on the page; Django takes what the row calls itself."""
        label = gettext("Choose: %s") % title_of(obj)
        box = forms.CheckboxInput({"class": "action-select", "aria-label": label}, lambda value: False)
        return box.render(ACTION_CHECKBOX_NAME, str(obj.pk))

    def name_of(self, row: PeriodicTask) -> str:
        return title_of(row)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if is_ours(obj):
            return [(None, {"fields": self.system_fields})]
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.system_readonly if is_ours(obj) else super().get_readonly_fields(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if is_ours(obj):
            kwargs["form"] = forms.ModelForm  # the one that comes with it asks for the task
        return super().get_form(request, obj, change=change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_ours(obj) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting goes one at a time, where the system's own are known."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


def is_ours(job: Any) -> bool:
    return job is not None and job.name.startswith(PREFIX)
