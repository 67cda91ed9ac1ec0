"""LinkedIn: one consent for the member's own profile and, where the app may, the organizations they look after."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import operators, versions
from accounts.clients import linkedin
from accounts.doctor import Check, State
from accounts.expiry import end_of_grant
from accounts.keys import reveal
from accounts.models import ConnectedAccount, Grant
from accounts.providers.base import AccessFacts, Candidate, Consent, Person, Provider, grant_fields
from accounts.renew import usable_token
from socialhub.platforms.base import Access, Tokens
from socialhub.platforms.errors import PermissionMissingError, PlatformError, ReconnectError, RejectedError
from socialhub.platforms.linkedin_api import Member, Organization

logger = logging.getLogger(__name__)


class LinkedInProvider(Provider):
    key = "linkedin"
    label = "LinkedIn"

    def is_configured(self) -> bool:
        return bool(settings.LINKEDIN_CLIENT_ID)

    def redirect_uri(self) -> str:
        """It has to be registered at LinkedIn, letter by letter."""
        return settings.PUBLIC_BASE_URL + reverse("linkedin_callback")

    def setup_hint(self) -> str:
        return _(
            "No LinkedIn app is set up on this server yet. Whoever runs it has to create one at linkedin.com/developers, "
            "allow the redirect address %(address)s there, and set LINKEDIN_CLIENT_ID and LINKEDIN_CLIENT_SECRET."
        ) % {"address": self.redirect_uri()}

    def consent(self, token: Tokens, person: Person) -> Consent:
        return Consent(person.id, person.name, grant_fields(token, linkedin().config.scopes))

    def candidates(self, grant: Grant) -> list[Candidate]:
        token = usable_token(grant)
        found = [member_candidate(linkedin().userinfo(token))]
        if not linkedin().config.has_organizations:
            return found
        try:
            organizations = linkedin().organizations(token)
        except PermissionMissingError as error:
            logger.info("grant %s may not see organizations: %s", grant.pk, error.code)
            return found
        return found + [organization_candidate(organization) for organization in organizations]

    def found(self, number: int) -> str:
        organizations = number - 1
        if not organizations:
            return _("LinkedIn shows your own profile.")
        return ngettext(
            "LinkedIn shows your own profile and %(number)d organization.",
            "LinkedIn shows your own profile and %(number)d organizations.",
            organizations,
        ) % {"number": organizations}

    def found_nothing(self) -> str:
        return _("LinkedIn shows no account, so nothing was connected. Press Connect to try again.")

    def purposes(self) -> dict[str, str]:
        return {
            "openid": _("know who you are"),
            "profile": _("show your name and picture"),
            "email": _("know your e-mail address"),
            "w_member_social": _("publish to your profile"),
            "w_organization_social": _("publish to organizations"),
            "r_organization_social": _("read posts of organizations and their figures"),
            "rw_organization_admin": _("find the organizations that you look after"),
            "r_member_postAnalytics": _("read the figures of your posts"),
            "r_member_profileAnalytics": _("count your followers"),
            "w_member_social_feed": _("write the first comment below your posts"),
            "w_organization_social_feed": _("write the first comment below posts of organizations"),
            "r_organization_social_feed": _("find our comments below posts of organizations again"),
        }

    def inspect(self, account: ConnectedAccount, access: Access) -> AccessFacts:
        state = linkedin().introspect(access.token)
        if not state.is_active:
            raise ReconnectError(
                _("LinkedIn does not accept the access to “%(name)s” any more. Connect it again.")
                % {"name": account.name},
                revoked=state.status == "revoked",
                code=state.status,
            )
        grant = account.credential.grant
        return AccessFacts(state.scopes, end_of_grant(grant) if grant else state.expires_at)

    def app_checks(self, *, live: bool = False) -> list[Check]:
        checks = super().app_checks(live=live)
        if not self.is_configured():
            return checks
        if not settings.LINKEDIN_CLIENT_SECRET:
            missing = _("It is missing. Set LINKEDIN_CLIENT_SECRET and restart.")
            checks.insert(1, Check(_("App secret"), State.PROBLEM, missing))
        elif live:
            checks.insert(1, self.app_secret_check())
        organizations = linkedin().config.has_organizations
        return [
            *checks,
            version_check(versions.ask() if live else None, asked=live),
            self.scopes_check(
                _("Permissions asked for"),
                linkedin().config.scopes,
                _("Always all of them: asking a person for another set ends the access that they gave before."),
            ),
            Check(
                _("Who can be connected"),
                State.FACT,
                _("Profiles, and organizations that the person looks after.")
                if organizations
                else _(
                    "Profiles only. For organizations LinkedIn has to grant the app the Community Management API; then set "
                    "LINKEDIN_SCOPES to the full set."
                ),
            ),
        ]

    def app_secret_check(self) -> Check:
        """LinkedIn looks at the app before it looks at the token that it is asked about, so any text will do."""
        label = _("App id and secret")
        try:
            linkedin().introspect("connect-doctor")
        except RejectedError:
            pass  # a text that it cannot read as a token: the app was accepted
        except PlatformError as error:
            return Check(label, State.PROBLEM, " ".join(filter(None, [error.message, error.platform_message])))
        return Check(label, State.OK, _("LinkedIn accepts them."))

    def grant_checks(self, grant: Grant) -> list[Check]:
        return [renewal_check(grant), *super().grant_checks(grant)]

    def revoke(self, grant: Grant) -> None:
        """Both tokens: each is taken away on its own."""
        refused: PlatformError | None = None
        for token in (grant.refresh_token, grant.access_token):
            if token is not None:
                try:
                    linkedin().revoke(reveal(token))
                except PlatformError as error:
                    refused = error
        if refused:
            raise refused

    def connected_fields(self, grant: Grant | None) -> dict[str, Any]:
        return {"token_expires_at": end_of_grant(grant) if grant else None, "data_access_expires_at": None}


def version_check(is_served: bool | None, *, asked: bool = False) -> Check:
    """is_served: what LinkedIn has just said, None where it was not or could not be asked."""
    label = _("Version of the API")
    known = {"pinned": settings.LINKEDIN_API_VERSION, "months": operators.linkedin_version_age()}
    age = (
        ngettext(
            "%(pinned)s is set; it is %(months)d month old.",
            "%(pinned)s is set; it is %(months)d months old.",
            known["months"],
        )
        % known
    )
    if is_served is False or (is_served is None and operators.linkedin_is_refused()):
        text = _(
            "LinkedIn does not serve it, so everything to LinkedIn waits. Set LINKEDIN_API_VERSION to a newer one and restart."
        )
        return Check(label, State.PROBLEM, f"{age} {text}")
    told = _("LinkedIn serves it.") if is_served else ""
    if asked and is_served is None:
        told = _("LinkedIn could not be asked whether it serves it: that takes a connected account whose access works.")
    if known["months"] >= operators.LINKEDIN_OLD:
        soon = _("LinkedIn serves a version for about twelve months: set LINKEDIN_API_VERSION to a newer one soon.")
        return Check(label, State.WARNING, " ".join(filter(None, [age, told, soon])))
    return Check(label, State.OK if is_served else State.FACT, f"{age} {told}".strip())


def renewal_check(grant: Grant) -> Check:
    label = _("Renewed by itself")
    if grant.refresh_token is None:
        return Check(
            label,
            State.FACT,
            _("No: LinkedIn gave this app no refresh token, as it does to most. The person reconnects every 60 days."),
        )
    if grant.refresh_expires_at is None:
        return Check(label, State.OK, _("Yes: LinkedIn gave a refresh token."))
    until = date_format(timezone.localtime(grant.refresh_expires_at), "j F Y")
    return Check(label, State.OK, _("Yes, until %(date)s: LinkedIn gave a refresh token.") % {"date": until})


def member_candidate(member: Member) -> Candidate:
    return Candidate(
        platform="linkedin",
        platform_account_id=member.urn,
        name=member.name,
        account_type="person",
        picture_url=member.picture,
        about=_("Your own profile"),
    )


def organization_candidate(organization: Organization) -> Candidate:
    remark = ""
    if not organization.obstacle and not organization.may_upload:
        remark = _("With your role on it LinkedIn may refuse images. Ask for the role of a super admin to be sure.")
    elif not organization.obstacle and not organization.may_read_figures:
        remark = _("With your role on it LinkedIn shows no figures. Ask for the role of a super admin to see them.")
    return Candidate(
        platform="linkedin",
        platform_account_id=organization.urn,
        name=organization.name or organization.urn,
        account_type="organization",
        username=organization.vanity_name,
        picture_url=organization.picture,
        about=_("Organization"),
        followers_count=organization.followers,
        tasks=organization.roles,
        obstacle=organization.obstacle,
        remark=remark,
    )
