"""The control API for LinkedIn."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ..elsewhere import furnish_organization
from ..seeds import EPOCH
from ..state import State
from ..views.control import body_of, problem
from ..world import start
from .oauth import ACCESS_SECONDS, consent, new_access, new_refresh, scopes_of_app
from .rows import Member
from .world import add_member, organizations_of


@csrf_exempt
@require_POST
def people(request: HttpRequest) -> JsonResponse:
    """Tokens without the consent page, for a new member or a standing one.

    {name?, organizations?: 1} makes a member; {person: "lena"} takes one. {scopes?} default to all that the app may ask
    for, {seconds?} to 60 days. {elsewhere?: 0}: posts on each organization that socialhub did not make.
    """
    state = start()
    values = body_of(request)
    with state.lock:
        if key := values.get("person"):
            member = next((one for one in state.linkedin_members.values() if one.key == key), None)
            if member is None:
                return problem(f"There is no member {key!r}.", 404)
        else:
            name = str(values.get("name") or "Test Member")
            member = add_member(state, name, int(values.get("organizations", 1)), EPOCH)
        if count := int(values.get("elsewhere") or 0):
            for organization in organizations_of(state, member.id):
                furnish_organization(state, organization, count)
        return JsonResponse(granted(state, member, values), status=201)


def granted(state: State, member: Member, values: dict[str, Any]) -> dict[str, Any]:
    scopes = list(values.get("scopes") or scopes_of_app(state))
    consent(state, member, scopes)
    access = new_access(state, member.id, scopes, seconds=float(values.get("seconds") or ACCESS_SECONDS))
    refresh = new_refresh(state, member.id, scopes)
    return {
        "person_id": member.id,
        "person": member.key,
        "name": member.name,
        "urn": member.urn,
        "access_token": access.value,
        "refresh_token": refresh.value if refresh else None,
        "expires_at": access.expires_at,
        "scopes": scopes,
        "organizations": [
            {
                "id": one.id,
                "urn": one.urn,
                "name": one.name,
                "vanity_name": one.vanity_name,
                "role": one.role_of(member.id),
            }
            for one in organizations_of(state, member.id)
        ],
    }


@csrf_exempt
@require_POST
def app(request: HttpRequest) -> JsonResponse:
    """{mode?: full or member, refresh_tokens?, member_limit?, app_limit?}: how the app is set up at LinkedIn."""
    state = start()
    values = body_of(request)
    with state.lock:
        row = state.linkedin_apps["app"]
        mode = str(values.get("mode", row.mode))
        if mode not in ("full", "member"):
            return problem("mode must be full or member.")
        row.mode = mode
        row.refresh_tokens = bool(values.get("refresh_tokens", row.refresh_tokens))
        row.member_limit = int(values.get("member_limit", row.member_limit))
        row.app_limit = int(values.get("app_limit", row.app_limit))
        state.changed()
        return JsonResponse(vars(row))


@csrf_exempt
@require_POST
def role(request: HttpRequest) -> JsonResponse:
    """{person, organization, role}: what a member may do on an organization from now on; "" takes the role away."""
    state = start()
    values = body_of(request)
    organization = state.linkedin_organizations.get(str(values.get("organization")))
    member = next((one for one in state.linkedin_members.values() if one.key == values.get("person")), None)
    if organization is None or member is None:
        return problem("There is no such member or organization.", 404)
    with state.lock:
        organization.roles.pop(member.id, None)
        if values.get("role"):
            organization.roles[member.id] = [str(values["role"]), str(values.get("state") or "APPROVED")]
        state.changed()
    return JsonResponse({"organization": organization.id, "roles": organization.roles})
