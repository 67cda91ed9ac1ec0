"""Instagram's own login: one consent for one professional account, without a Facebook Page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.clients import instagram
from accounts.doctor import Check, State
from accounts.expiry import end_of_grant
from accounts.models import ConnectedAccount, Grant
from accounts.providers.base import AccessFacts, Candidate, Consent, Person, Provider, callback_checks, grant_fields
from accounts.renew import usable_token
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.base import Access, Tokens
from socialhub.platforms.errors import ReconnectError
from socialhub.platforms.instagram_login import InstagramUser


class InstagramLoginProvider(Provider):
    key = INSTAGRAM_LOGIN
    label = "Instagram"
    revokes_everything = False
    account_is_person = True

    def is_configured(self) -> bool:
        return bool(settings.INSTAGRAM_APP_ID)

    def redirect_uri(self) -> str:
        """It has to be registered at Meta, letter by letter."""
        return settings.PUBLIC_BASE_URL + reverse("instagram_callback")

    def setup_hint(self) -> str:
        return _(
            "Instagram's own login, without a Facebook Page, is not set up on this server yet. Whoever runs it has to add "
            "Instagram to the app at developers.facebook.com, allow the redirect address %(address)s under “API setup with "
            "Instagram login”, and set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET, which are not those of the Facebook app."
        ) % {"address": self.redirect_uri()}

    def consent(self, token: Tokens, person: Person) -> Consent:
        """Make the token of an hour a long-lived one; what was granted is told with the first one only."""
        long_lived = instagram().long_lived(token.access_token)
        tokens = Tokens(long_lived.access_token, long_lived.expires_at, scopes=token.scopes)
        return Consent(person.id, person.name, grant_fields(tokens, instagram().config.scopes))

    def candidates(self, grant: Grant) -> list[Candidate]:
        return [candidate_of(instagram().me(usable_token(grant)))]

    def found(self, number: int) -> str:
        return _("Instagram shows the account that you signed in with.")

    def found_nothing(self) -> str:
        return _("Instagram shows no account, so nothing was connected. Press Connect to try again.")

    def purposes(self) -> dict[str, str]:
        return {
            "instagram_business_basic": _("see the account and its posts"),
            "instagram_business_content_publish": _("publish to it"),
            "instagram_business_manage_insights": _("read its figures"),
            "instagram_business_manage_comments": _("read and answer comments"),
            "instagram_business_manage_messages": _("read and answer messages"),
        }

    def inspect(self, account: ConnectedAccount, access: Access) -> AccessFacts:
        """Instagram has nothing to look a token up with, so it is used."""
        user = instagram().me(access.token)
        if user.id != access.account_id:
            raise ReconnectError(
                _("The access stored for “%(name)s” belongs to another Instagram account. Connect it again.")
                % {"name": account.name}
            )
        if obstacle := obstacle_of(user):
            raise ReconnectError(obstacle)
        grant = account.credential.grant
        return AccessFacts(expires_at=end_of_grant(grant) if grant else None)

    def revoke(self, grant: Grant) -> None:
        """Instagram offers no call for it: the token is deleted here and dies there by its age."""

    def left_behind(self) -> str:
        return _(
            "Instagram cannot be told by us: the access runs out by itself within 60 days. To take it back at once, remove "
            "this app in the Instagram app under Settings, Website permissions, Apps and websites."
        )

    def connected_fields(self, grant: Grant | None) -> dict[str, Any]:
        return {"token_expires_at": end_of_grant(grant) if grant else None, "data_access_expires_at": None}

    def app_checks(self, *, live: bool = False) -> list[Check]:
        checks = super().app_checks(live=live)
        if not self.is_configured():
            return checks
        if not settings.INSTAGRAM_APP_SECRET:
            missing = _("It is missing. Set INSTAGRAM_APP_SECRET and restart.")
            checks.insert(1, Check(_("App secret"), State.PROBLEM, missing))
        elif settings.INSTAGRAM_APP_ID == settings.META_APP_ID:
            same = _(
                "It is the one of the Facebook app. Instagram has an app id and a secret of its own, under “API setup with "
                "Instagram login”."
            )
            checks.insert(1, Check(_("App id"), State.PROBLEM, same))
        asked = self.scopes_check(_("Permissions asked for"), instagram().config.scopes)
        addresses = callback_checks(
            self, reverse("accounts:instagram_deauthorize"), reverse("accounts:instagram_data_deletion")
        )
        return [*checks, asked, *addresses]


def obstacle_of(user: InstagramUser) -> str:
    if user.is_professional:
        return ""
    return _(
        "@%(username)s is a personal account, and Instagram lets apps publish to professional ones only. In the Instagram "
        "app open Settings, Account type and tools, Switch to professional account, then connect it again."
    ) % {"username": user.username}


def candidate_of(user: InstagramUser) -> Candidate:
    return Candidate(
        platform="instagram",
        platform_account_id=user.id,
        name=user.name or user.username,
        account_type="professional",
        username=user.username,
        picture_url=user.picture,
        about=_("Professional account, without a Facebook Page") if user.is_professional else _("Personal account"),
        followers_count=user.followers,
        obstacle=obstacle_of(user),
    )
