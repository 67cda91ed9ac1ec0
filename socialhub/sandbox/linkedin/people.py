"""Who am I, and which organizations are there."""

from __future__ import annotations

from typing import Any

from ..figures import followers_at
from .call import READING_SCOPES, Call, Reply, answers
from .errors import denied, invalid, missing
from .rows import Organization
from .world import organizations_of

ROLES = {
    "ADMINISTRATOR",
    "CONTENT_ADMIN",
    "CONTENT_ADMINISTRATOR",
    "DIRECT_SPONSORED_CONTENT_POSTER",
    "ANALYST",
    "RECRUITING_POSTER",
    "LEAD_GEN_FORMS_MANAGER",
}
STATES = {"APPROVED", "REJECTED", "REQUESTED", "REVOKED"}


@answers("GET", "userinfo")
def userinfo(call: Call) -> Reply:
    call.need("openid")
    member = call.member
    body: dict[str, Any] = {"sub": member.id}
    if call.has("profile"):
        given, _, family = member.name.partition(" ")
        body.update(
            name=member.name,
            given_name=given,
            family_name=family,
            locale={"country": "US", "language": "en"},
            picture=f"{call.base_url}/media/portraits/{member.id}.png",
        )
    if call.has("email"):
        body.update(email=member.email, email_verified=True)
    return Reply(body=body)


@answers("GET", "organizationAcls")
def acls(call: Call) -> Reply:
    call.need("rw_organization_admin", "r_organization_admin")
    if call.text("q") != "roleAssignee":
        raise invalid("ILLEGAL_ARGUMENT", "The sandbox knows organizationAcls by q=roleAssignee only")
    role, status = call.text("role"), call.text("state")
    if role and role not in ROLES:
        raise invalid("ILLEGAL_ARGUMENT", f"Parameter 'role' is invalid: {role}")
    if status and status not in STATES:
        raise invalid("ILLEGAL_ARGUMENT", f"Parameter 'state' is invalid: {status}")
    rows = []
    for organization in organizations_of(call.state, call.token.member_id):
        its_role, its_state = organization.roles[call.token.member_id]
        if role in ("", its_role) and status in ("", its_state):
            # The network has used both names for the same thing.
            name = "organization" if int(organization.id) % 2 else "organizationTarget"
            rows.append({name: organization.urn, "role": its_role, "state": its_state, "roleAssignee": call.member.urn})
    elements, paging = call.page(rows)
    return Reply(body={"elements": elements, "paging": paging})


def public(organization: Organization) -> dict[str, Any]:
    return {
        "id": int(organization.id),
        "localizedName": organization.name,
        "vanityName": organization.vanity_name,
        "logoV2": {"original": logo_urn(organization)},
    }


def logo_urn(organization: Organization) -> str:
    return f"urn:li:image:LOGO{organization.id}"


@answers("GET", "organizations/*")
def organization(call: Call) -> Reply:
    """For those with a role on it; everybody else gets 403."""
    call.need(*READING_SCOPES)
    found = call.state.linkedin_organizations.get(call.path[1])
    if found is None:
        raise missing(f"organization {call.path[1]}")
    if not call.role_on(found):
        raise denied("organizations.GET")
    body = {
        **public(found),
        "$URN": found.urn,
        "localizedDescription": found.about,
        "localizedWebsite": "",
        "organizationStatus": "OPERATING",
        "created": {"time": int(found.created_at * 1000)},
    }
    return Reply(body=body)


@answers("GET", "organizations")
def organizations(call: Call) -> Reply:
    call.need(*READING_SCOPES)
    if call.text("q") != "vanityName":
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'q' must be vanityName")
    rows = [
        public(one) for one in call.state.linkedin_organizations.values() if one.vanity_name == call.text("vanityName")
    ]
    elements, paging = call.page(rows)
    return Reply(body={"elements": elements, "paging": paging})


@answers("GET", "organizationsLookup")
def lookup(call: Call) -> Reply:
    call.need(*READING_SCOPES)
    ids = call.names("ids")
    if not ids:
        raise invalid("MISSING_FIELD", "Parameter 'ids' is required")
    results, statuses, errors = {}, {}, {}
    for organization_id in ids:
        if found := call.state.linkedin_organizations.get(organization_id):
            results[organization_id], statuses[organization_id] = public(found), 200
        else:
            statuses[organization_id] = 404
            errors[organization_id] = missing(f"organization {organization_id}").envelope()
    return Reply(body={"results": results, "statuses": statuses, "errors": errors})


@answers("GET", "networkSizes/*")
def network_size(call: Call) -> Reply:
    call.need(*READING_SCOPES)
    if call.text("edgeType") != "COMPANY_FOLLOWED_BY_MEMBER":
        raise invalid("ILLEGAL_ARGUMENT", "Parameter 'edgeType' must be COMPANY_FOLLOWED_BY_MEMBER")
    return Reply(body={"firstDegreeSize": followers_at(call.organization(call.path[1]), call.now)})
