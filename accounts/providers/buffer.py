"""Buffer: one consent, or a personal key, for the channels of all organizations of a Buffer account."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.clients import buffer
from accounts.doctor import Check, State
from accounts.expiry import end_of_grant
from accounts.keys import reveal
from accounts.models import ConnectedAccount, Grant
from accounts.providers.base import AccessFacts, Candidate, Consent, Person, Provider, grant_fields
from accounts.renew import usable_token
from socialhub.platforms import LABELS
from socialhub.platforms.base import Access, Tokens
from socialhub.platforms.buffer import ChannelFound, Organization
from socialhub.platforms.buffer_errors import ChannelDisconnectedError
from socialhub.platforms.buffer_networks import offers_of
from socialhub.platforms.errors import NotFoundError, PlatformError, ReconnectError, RejectedError

# What every channel needs; a personal key may do everything that its owner may.
NEEDED_SCOPES = ("account:read", "posts:read", "posts:write")
FIGURES_SCOPE = "insights:read"
KEY_FORM = re.compile(r"[\x21-\x7e]{8,500}")


class BufferProvider(Provider):
    key = "buffer"
    label = "Buffer"
    revokes_everything = False

    def is_configured(self) -> bool:
        return bool(settings.BUFFER_CLIENT_ID)

    def redirect_uri(self) -> str:
        """It has to be registered at Buffer, letter by letter."""
        return settings.PUBLIC_BASE_URL + reverse("buffer_callback")

    def setup_hint(self) -> str:
        return _(
            "No Buffer app is set up on this server yet. Whoever runs it has to create one at developers.buffer.com, allow "
            "the redirect address %(address)s there, and set BUFFER_CLIENT_ID. A personal key of Buffer works without that."
        ) % {"address": self.redirect_uri()}

    def consent(self, token: Tokens, person: Person) -> Consent:
        return Consent(person.id, person.name, grant_fields(token, buffer().config.scopes))

    def consent_by_key(self, key: str) -> Consent:
        """What a personal key opens. Raises RejectedError for one that is none, else what Buffer says."""
        if not KEY_FORM.fullmatch(key):
            raise RejectedError(not_a_key())
        try:
            account = buffer().account(key)
        except ReconnectError as error:
            raise RejectedError(not_a_key(), platform_message=error.platform_message, code=error.code) from error
        return Consent(account.id, account.name or account.email, grant_fields(Tokens(key), NEEDED_SCOPES))

    def candidates(self, grant: Grant) -> list[Candidate]:
        token = usable_token(grant)
        organizations = buffer().account(token).organizations
        several = len(organizations) > 1
        found = [
            candidate_of(channel, organization.name if several else "")
            for organization in organizations
            for channel in buffer().channels(token, organization.id)
        ]
        return sorted(found, key=lambda one: (bool(one.obstacle), one.name.casefold(), one.platform))

    def found(self, number: int) -> str:
        return ngettext("Buffer shows %(number)d channel.", "Buffer shows %(number)d channels.", number) % {
            "number": number
        }

    def found_nothing(self) -> str:
        return _(
            "Buffer shows no channel in this account, so nothing was connected. Add your channels in Buffer first, then "
            "connect again."
        )

    def purposes(self) -> dict[str, str]:
        return {
            "posts:read": _("see what became of a post"),
            "posts:write": _("publish to your channels"),
            "account:read": _("see your channels"),
            "insights:read": _("read the figures of your posts"),
            "offline_access": _("keep the connection without asking you every hour"),
        }

    def inspect(self, account: ConnectedAccount, access: Access) -> AccessFacts:
        """Read the channel again: Buffer may have lost it, or locked it."""
        try:
            channel = buffer().channel(access.token, access.account_id)
        except NotFoundError as error:
            raise ReconnectError(error.message, revoked=True, code=error.code) from error
        if channel.obstacle:
            raise ChannelDisconnectedError(channel.obstacle)
        grant = account.credential.grant
        return AccessFacts(
            expires_at=end_of_grant(grant) if grant else None, remark=remark_of(channel), offers=offers_of(channel)
        )

    def revoke(self, grant: Grant) -> None:
        """The refresh token takes the whole consent with it. A personal key is its owner's: it stays."""
        if grant.refresh_token is not None:
            buffer().revoke(reveal(grant.refresh_token))
        elif grant.expires_at is not None:
            buffer().revoke(reveal(grant.access_token))

    def app_checks(self, *, live: bool = False) -> list[Check]:
        checks = super().app_checks(live=live)
        if self.is_configured():
            checks.append(self.scopes_check(_("Permissions asked for"), buffer().config.scopes))
        by_key = _("A person may also connect with a personal key of Buffer; that needs no app.")
        return [*checks, Check(_("Personal keys"), State.FACT, by_key)]

    def grant_checks(self, grant: Grant) -> list[Check]:
        is_key = grant.refresh_token is None and grant.expires_at is None
        kind = (
            _("A personal key: it may do everything that its owner may, and has no end.")
            if is_key
            else _("Consent by OAuth; the access is renewed every hour.")
        )
        checks = [Check(_("Connected by"), State.FACT, kind)]
        if not is_key and FIGURES_SCOPE not in grant.granted_scopes:
            text = _("It is not granted, so figures of posts stay empty. Add it to BUFFER_SCOPES and connect again.")
            checks.append(Check(FIGURES_SCOPE, State.WARNING, text))
        return [*checks, *self.organization_checks(grant), *super().grant_checks(grant)]

    def organization_checks(self, grant: Grant) -> list[Check]:
        """What the plan of each organization allows, as far as Buffer tells."""
        try:
            organizations = buffer().account(usable_token(grant)).organizations
        except PlatformError as error:
            text = " ".join(filter(None, [error.message, error.platform_message]))
            return [Check(_("Organizations"), State.PROBLEM, text)]
        return [
            Check(_("Organization %(name)s") % {"name": one.name or one.id}, *plan_of(one)) for one in organizations
        ]

    def connected_fields(self, grant: Grant | None) -> dict[str, Any]:
        return {"token_expires_at": end_of_grant(grant) if grant else None, "data_access_expires_at": None}


def plan_of(organization: Organization) -> tuple[State, str]:
    count, limit, posts = organization.channel_count, organization.channel_limit, organization.scheduled_post_limit
    said = []
    if count is not None and limit is not None:
        said.append(_("%(count)d of %(limit)d channels.") % {"count": count, "limit": limit})
    elif count is not None:
        said.append(ngettext("%(count)d channel.", "%(count)d channels.", count) % {"count": count})
    if posts is not None:
        said.append(_("At most %(number)d scheduled posts for each channel.") % {"number": posts})
    is_over = count is not None and limit is not None and count > limit
    if is_over:
        said.append(
            _("That is more than the plan allows: Buffer locks some, until channels are removed or the plan grows.")
        )
    return State.WARNING if is_over else State.FACT, " ".join(said) or _("Buffer tells nothing of its plan.")


def not_a_key() -> str:
    return _(
        "Buffer does not accept this key. Copy it again, whole and without anything around it, from Buffer's settings, or "
        "make a new one there."
    )


def candidate_of(channel: ChannelFound, organization: str) -> Candidate:
    return Candidate(
        platform=channel.platform,
        platform_account_id=channel.id,
        name=channel.display_name or channel.name,
        account_type="channel",
        username=channel.handle,
        picture_url=channel.avatar,
        # The same name stands on many networks.
        about=" · ".join(word for word in (LABELS.get(channel.platform, channel.service), organization) if word),
        obstacle=channel.obstacle,
        remark=remark_of(channel),
        offers=offers_of(channel),
    )


def remark_of(channel: ChannelFound) -> str:
    """What is said beside the obstacle."""
    return " ".join(notice for notice in channel.notices if notice != channel.obstacle)
