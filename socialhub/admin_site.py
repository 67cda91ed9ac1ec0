"""The admin, with a front page for somebody who was woken up: first what is wrong, then everything else."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from socialhub.incidents import engine, incidents, jobs


class StaffSite(AdminSite):
    site_header = site_title = "socialhub"
    index_title = _("Operation")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {
            "incidents": incidents(request.user),
            "engine": engine(request.user),
            "jobs": jobs(request.user),
        }
        return super().index(request, {**context, **(extra_context or {})})
