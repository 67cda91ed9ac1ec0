"""The admin, with a front page for somebody who was woken up: first what is wrong, then everything else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import unquote

from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from socialhub.incidents import engine, incidents, jobs


class StaffSite(AdminSite):
    site_header = site_title = "socialhub"
    index_title = _("Operation")

    # First what an operator looks for; what comes with Django and its libraries stands below.
    first: ClassVar[tuple[str, ...]] = ("accounts", "publishing", "analytics", "socialhub", "django_celery_beat")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's filters hand what stands in an address to the database as it is, which knows no NUL in a text."""
        guarded: Callable[..., HttpResponse] = super().admin_view(view, cacheable)

        @wraps(guarded)
        def without_nul(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if "\0" in unquote(request.get_full_path()):
                raise BadRequest("NUL in the address")
            return guarded(request, *args, **kwargs)

        return without_nul

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        found: list[Any] = super().get_app_list(request, app_label)
        order = {label: number for number, label in enumerate(self.first)}
        return sorted(found, key=lambda app: order.get(app["app_label"], len(order)))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {
            "incidents": incidents(request.user),
            "engine": engine(request.user),
            "jobs": jobs(request.user),
        }
        return super().index(request, {**context, **(extra_context or {})})
