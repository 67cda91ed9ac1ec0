"""A workspace as a whole: taken along as a folder, or deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.access import manager_required
from accounts.middleware import SESSION_KEY
from accounts.models import Membership, Role
from analytics import workspace_end, workspace_export
from analytics.forms import WorkspaceDeleteForm
from analytics.models import WorkspaceExport
from publishing.views.media import files_away
from socialhub.guards import paced
from socialhub.http import HttpRequest

LOOK_SECONDS = 3


def page_context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    exports = list(WorkspaceExport.objects.filter(workspace=request.workspace).select_related("requested_by")[:20])
    is_working = any(export.status == WorkspaceExport.Status.WAITING for export in exports)
    return {
        "exports": exports,
        "is_working": is_working,
        "delay": LOOK_SECONDS if is_working else None,
        "is_owner": request.membership.role == Role.OWNER,
        "days": workspace_export.KEPT.days,
        "grace_days": settings.WORKSPACE_GRACE_DAYS,
        "form": WorkspaceDeleteForm(name=request.workspace.name),
        **more,
    }


@require_GET
@manager_required
def workspace_data(request: HttpRequest) -> HttpResponse:
    """By HTMX only the list of exports, which asks for itself while one is being made."""
    template = "analytics/_workspace_exports.html" if request.htmx else "analytics/workspace_data.html"
    return render(request, template, page_context(request))


@require_POST
@manager_required
@paced("workspace_export")
def export_new(request: HttpRequest) -> HttpResponse:
    workspace_export.ask(request.membership.workspace, request.user)
    messages.success(
        request, _("The folder is being made. You get an e-mail when it is ready; you may close this page.")
    )
    return redirect("analytics:workspace_data")


@require_safe
@manager_required
def export_file(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    export = workspace_export.readable(request.workspace, export_id)
    if export is None:
        raise Http404
    try:
        stored = default_storage.open(str(export.file.name), "rb")
    except FileNotFoundError as error:
        raise Http404 from error
    except OSError as error:
        return files_away(error)
    name = slugify(request.workspace.name)[:40] or "workspace"
    day = timezone.localtime(export.finished_at)
    response = FileResponse(stored, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}-{day:%Y-%m-%d}.zip"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@manager_required
def export_remove(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Also one that is still being made: its worker finds nothing to store it for."""
    workspace_export.remove(get_object_or_404(WorkspaceExport, workspace=request.workspace, pk=export_id))
    messages.success(request, _("The export is removed."))
    return redirect("analytics:workspace_data")


@require_POST
@manager_required
def workspace_delete(request: HttpRequest) -> HttpResponse:
    """For owners, who must write the name of what they delete."""
    if request.membership.role != Role.OWNER:
        raise PermissionDenied(_("Only an owner may delete the workspace. Ask one of them."))
    workspace = request.membership.workspace
    form = WorkspaceDeleteForm(request.POST, name=workspace.name)
    if not form.is_valid():
        return render(request, "analytics/workspace_data.html", page_context(request, form=form), status=422)
    workspace_end.begin(workspace, request.user)
    if workspace.deletion_due_at:
        return redirect("analytics:workspace_deleted", workspace.pk)
    messages.success(
        request,
        _("The workspace “%(name)s” is deleted. Its files and accesses are being removed now.")
        % {"name": workspace.name},
    )
    return redirect("analytics:dashboard")


@require_safe
def workspace_deleted(request: HttpRequest, workspace_id: UUID) -> HttpResponse:
    """Outside of any workspace: until when it can be brought back, and by whom."""
    membership = find_closing(request, workspace_id)
    if membership.workspace.deleting_at is None:
        return redirect("accounts:workspace")
    owners = [one.user for one in membership.workspace.memberships.filter(role=Role.OWNER).select_related("user")]
    context = {"closing": membership.workspace, "may_bring_back": membership.role == Role.OWNER, "owners": owners}
    return render(request, "analytics/workspace_deleted.html", context)


@require_POST
def workspace_bring_back(request: HttpRequest, workspace_id: UUID) -> HttpResponse:
    membership = find_closing(request, workspace_id)
    if membership.role != Role.OWNER:
        raise PermissionDenied(_("Only an owner may bring the workspace back. Ask one of them."))
    if workspace_end.bring_back(membership.workspace, request.user):
        messages.success(
            request,
            _(
                "The workspace “%(name)s” is back, with everything in it. Publishing stays stopped until you resume it: look "
                "first at what was planned meanwhile."
            )
            % {"name": membership.workspace.name},
        )
    request.session[SESSION_KEY] = str(membership.workspace_id)
    return redirect("accounts:workspace")


def find_closing(request: HttpRequest, workspace_id: UUID) -> Membership:
    """In one that can still be brought back, or has been: the mail about it leads there."""
    there = Membership.objects.closing() | Membership.objects.open()
    return get_object_or_404(there.select_related("workspace"), user=request.user, workspace=workspace_id)
