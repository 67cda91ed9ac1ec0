"""Settings → Profile and Settings → Workspace: the person, the workspace, and who belongs to it."""

from __future__ import annotations

from typing import Any

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import pauses, people
from accounts.access import manager_required
from accounts.forms import MemberForm, PauseForm, ProfileForm, RoleForm, WorkspaceForm, WorkspaceSwitchForm
from accounts.language import speaking_to_person
from accounts.middleware import SESSION_KEY
from accounts.models import Membership, Role
from socialhub.http import HttpRequest


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST":
        if form.is_valid():
            person = form.save()
            with speaking_to_person(person, get_language_from_request(request)):  # the page that follows speaks it
                messages.success(request, _("Your profile is saved."))
            return redirect("accounts:profile")
        return render(request, "accounts/profile.html", {"form": form}, status=422)
    return render(request, "accounts/profile.html", {"form": form})


def workspace_context(request: HttpRequest, **forms: Any) -> dict[str, Any]:
    members = request.workspace.memberships.select_related("user").order_by("created_at", "pk")
    return {
        "members": members,
        "form": WorkspaceForm(instance=request.workspace),
        "member_form": MemberForm(),
        "roles": Role.choices,
        "pause_form": PauseForm(zone=request.user.zone),
        "closing": Membership.objects.closing().filter(user=request.user).select_related("workspace"),
        "waiting": pauses.waiting_in(request.workspace) if request.membership.may_manage else None,
        **forms,
    }


@require_GET
def workspace(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/workspace.html", workspace_context(request))


@require_POST
@manager_required
def workspace_rename(request: HttpRequest) -> HttpResponse:
    shown = request.workspace.name
    form = WorkspaceForm(request.POST, instance=request.membership.workspace)
    if not form.is_valid():
        request.workspace.name = shown  # the frame goes on showing the name that is stored
        return render(request, "accounts/workspace.html", workspace_context(request, form=form), status=422)
    form.save()
    messages.success(request, _("The workspace is saved."))
    return redirect("accounts:workspace")


@require_http_methods(["GET", "HEAD", "POST"])
@manager_required
def workspace_pause(request: HttpRequest) -> HttpResponse:
    """The switch that stops all publishing. By GET it is asked, on a page of its own; by POST it is pressed."""
    workspace = request.membership.workspace
    form = PauseForm(request.POST if request.method == "POST" else None, zone=request.user.zone)
    if not form.is_valid():
        context = {"pause_form": form, "waiting": pauses.waiting_in(workspace)}
        return render(request, "accounts/workspace_pause.html", context, status=422 if form.is_bound else 200)
    pauses.pause(workspace, by=request.user, reason=form.cleaned_data["reason"], until=form.until)
    messages.success(request, _("Publishing is stopped for the whole workspace. What has begun already is finished."))
    return redirect("accounts:workspace")


@require_POST
@manager_required
def workspace_resume(request: HttpRequest) -> HttpResponse:
    pauses.resume(request.membership.workspace)
    messages.success(
        request,
        _("Publishing goes on. What waited goes out now, where it is not too late for it or its account is paused."),
    )
    return redirect("accounts:workspace")


@require_POST
def workspace_new(request: HttpRequest) -> HttpResponse:
    """For people who belong to none, such as one created by staff."""
    if not Membership.objects.open().filter(user=request.user).exists():
        people.create_workspace(request.user)
    return redirect("analytics:dashboard")


@require_POST
def workspace_switch(request: HttpRequest) -> HttpResponse:
    """To another of the person's own workspaces; always to its front page, as the page they are on belongs to this."""
    form = WorkspaceSwitchForm(request.POST)
    chosen = form.cleaned_data["workspace"] if form.is_valid() else None
    membership = get_object_or_404(Membership.objects.open(), user=request.user, workspace=chosen)
    request.session[SESSION_KEY] = str(membership.workspace_id)
    return redirect("analytics:dashboard")


@require_POST
@manager_required
def member_add(request: HttpRequest) -> HttpResponse:
    form = MemberForm(request.POST)
    if form.is_valid() and not ratelimit.consume(request, action="invite", user=request.user):
        form.add_error("email", _("You have added many people within an hour. Go on a little later."))
    if form.is_valid():
        try:
            membership = people.add_member(
                request.workspace,
                form.cleaned_data["email"],
                form.cleaned_data["role"],
                by=request.membership,
            )
        except people.Refused as refusal:
            form.add_error("email" if form.cleaned_data["role"] != Role.OWNER else None, str(refusal))
        else:
            messages.success(
                request, _("%(who)s is a member now, and has been told by e-mail.") % {"who": membership.user.email}
            )
            return redirect("accounts:workspace")
    return render(request, "accounts/workspace.html", workspace_context(request, member_form=form), status=422)


def find_member(request: HttpRequest, member_id: int) -> Membership:
    return get_object_or_404(request.workspace.memberships.select_related("user"), pk=member_id)


@require_POST
@manager_required
def member_role(request: HttpRequest, member_id: int) -> HttpResponse:
    membership = find_member(request, member_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        refusal = _("Choose one of the roles in the list.")
        return render(request, "accounts/workspace.html", workspace_context(request, refusal=refusal), status=422)
    try:
        people.change_role(membership, form.cleaned_data["role"], by=request.membership)
    except people.Refused as refused:
        return render(request, "accounts/workspace.html", workspace_context(request, refusal=str(refused)), status=422)
    messages.success(request, _("The role of %(who)s is changed.") % {"who": membership.user})
    return redirect("accounts:workspace")


@require_POST
def member_remove(request: HttpRequest, member_id: int) -> HttpResponse:
    """Managers remove others; everybody may leave."""
    membership = find_member(request, member_id)
    if membership.user_id == request.user.pk:
        return leave(request, membership)
    return remove_other(request, membership)


@manager_required
def remove_other(request: HttpRequest, membership: Membership) -> HttpResponse:
    try:
        people.remove_member(membership, by=request.membership)
    except people.Refused as refused:
        return render(request, "accounts/workspace.html", workspace_context(request, refusal=str(refused)), status=422)
    messages.success(request, _("%(who)s is not a member any more.") % {"who": membership.user})
    return redirect("accounts:workspace")


def leave(request: HttpRequest, membership: Membership) -> HttpResponse:
    name = request.workspace.name
    try:
        people.remove_member(membership, by=membership)
    except people.Refused as refused:
        return render(request, "accounts/workspace.html", workspace_context(request, refusal=str(refused)), status=422)
    request.session.pop(SESSION_KEY, None)
    messages.success(request, _("You have left the workspace “%(name)s”.") % {"name": name})
    return redirect("analytics:dashboard")
