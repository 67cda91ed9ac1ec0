"""What operators see of the operation itself, and the schedule that they can slow or stop."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask

from socialhub.admin_books import Books, at
from socialhub.models import BeatLease, Heartbeat, ProcessHeartbeat
from socialhub.schedule import PREFIX


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


admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class JobAdmin(PeriodicTaskAdmin):
    """How often a job runs, and whether; with its last run. Those of the system cannot be deleted, only stopped."""

    change_form_template = "admin/change_form.html"  # the one that comes with it needs a script inside the page
    list_display = ("name", "enabled", "scheduler", at("last_run_at", _("last run")), "total_run_count", "description")
    list_filter = ("enabled", "last_run_at")
    search_fields = ("name", "task")
    date_hierarchy = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.name.startswith(PREFIX):
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting goes one at a time, where the system's own are known."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
