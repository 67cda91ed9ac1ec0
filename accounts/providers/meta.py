"""Meta: one consent for Facebook Pages and the Instagram accounts linked to them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.clients import meta
from accounts.doctor import Check, State, end_check, scope_check
from accounts.expiry import CONSENT_WARN
from accounts.keys import reveal
from accounts.models import ConnectedAccount, Grant
from accounts.operators import served_versions
from accounts.providers.base import AccessFacts, Candidate, Consent, Person, Provider, callback_checks, scopes_on
from accounts.usage import APP, HOLD_PERCENT, told_of
from socialhub.platforms.base import Access
from socialhub.platforms.errors import PlatformError, ReconnectError
from socialhub.platforms.meta import InstagramFound, PageFound, Permissions, TokenInfo, UserToken, page_of

logger = logging.getLogger(__name__)

PAGE_FIELDS_OF_ITSELF = (
    "id,name,category,username,picture{url},followers_count,"
    "instagram_business_account{id,username,name,profile_picture_url,followers_count}"
)


class MetaProvider(Provider):
    key = "meta"
    label = "Facebook"

    def is_configured(self) -> bool:
        return bool(settings.META_APP_ID)

    def redirect_uri(self) -> str:
        """It has to be registered at Meta, letter by letter."""
        return settings.PUBLIC_BASE_URL + reverse("meta_callback")

    def setup_hint(self) -> str:
        return _(
            "No Meta app is set up on this server yet. Whoever runs it has to create one at developers.facebook.com, "
            "allow the redirect address %(address)s there, and set META_APP_ID and META_APP_SECRET."
        ) % {"address": self.redirect_uri()}

    def consent(self, token: UserToken, person: Person) -> Consent:
        """Make the token of a handshake long-lived and read what was granted."""
        long_lived = meta().long_lived(token.token)
        permissions = meta().permissions(long_lived.token)
        inspected = meta().debug_token(long_lived.token)
        return Consent(
            person.id,
            person.name,
            {
                "access_token": long_lived.token,
                "expires_at": long_lived.expires_at,
                "data_access_expires_at": inspected.data_access_expires_at,
                **permission_fields(permissions, inspected),
            },
        )

    def candidates(self, grant: Grant) -> list[Candidate]:
        if grant.expires_at and grant.expires_at <= timezone.now():
            raise ReconnectError(_("The consent given at Facebook has run out. Press Connect and consent again."))
        pages = [with_limits(candidate_of(page), grant) for page in meta().pages(reveal(grant.access_token))]
        return sorted(pages, key=lambda page: (bool(page.obstacle), page.name.casefold(), page.platform_account_id))

    def found(self, number: int) -> str:
        pages = ngettext("Facebook shows %(number)d Page.", "Facebook shows %(number)d Pages.", number)
        return " ".join(
            [
                pages % {"number": number},
                _("With each Page the Instagram account that is linked to it is connected, too."),
            ]
        )

    def found_nothing(self) -> str:
        return _(
            "Facebook shows no Page that you manage, so nothing was connected. Connect again and tick your Pages in "
            "the dialog; if you have none yet, create one at facebook.com/pages/create first."
        )

    def inspect(self, account: ConnectedAccount, access: Access) -> AccessFacts:
        token = meta().debug_token(access.token)
        if not token.is_valid:
            raise ReconnectError(
                _("Facebook does not accept the access to “%(name)s” any more. Connect it again.")
                % {"name": account.name},
                platform_message=token.error_message,
            )
        grant = account.credential.grant
        taken: set[str] = set()
        granular = token.granular
        if grant and not (grant.expires_at and grant.expires_at <= timezone.now()):
            try:
                self.refresh_scopes(grant)
            except PlatformError as error:
                # The Page's own token outlives that of the person.
                logger.info("permissions of grant %s could not be read: %s", grant.pk, error.kind)
            else:
                taken = {*grant.declined_scopes, *grant.lapsed_scopes}
                granular = granular or grant.granular_scopes
        held = scopes_on((name for name in token.scopes if name not in taken), granular, ids_of(account))
        return AccessFacts(tuple(held), token.expires_at, token.data_access_expires_at)

    def revoke(self, grant: Grant) -> None:
        meta().revoke(reveal(grant.access_token))

    def refresh_scopes(self, grant: Grant) -> None:
        """Permissions may have been given or taken since the consent."""
        token = reveal(grant.access_token)
        fields = permission_fields(meta().permissions(token), meta().debug_token(token))
        for name, value in fields.items():
            setattr(grant, name, value)
        # Not `updated_at`: it tells when the person consented, or the token changed.
        Grant.objects.filter(pk=grant.pk).update(**fields)

    def app_checks(self, *, live: bool = False) -> list[Check]:
        checks = super().app_checks(live=live)
        if not self.is_configured():
            return checks
        if not settings.META_APP_SECRET:
            checks.insert(
                1, Check(_("App secret"), State.PROBLEM, _("It is missing. Set META_APP_SECRET and restart."))
            )
        elif live:
            checks.insert(1, self.app_token_check())
        served = served_versions()
        checks += [
            Check(
                _("Version of the API"),
                State.PROBLEM if served else State.OK,
                _("%(pinned)s is set, but Meta answers with %(served)s. Set META_GRAPH_VERSION to one that is served.")
                % {"pinned": settings.META_GRAPH_VERSION, "served": ", ".join(served)}
                if served
                else _("%(pinned)s is set and served.") % {"pinned": settings.META_GRAPH_VERSION},
            ),
            self.asked_check(),
            *callback_checks(self, reverse("accounts:meta_deauthorize"), reverse("accounts:meta_data_deletion")),
            Check(
                _("Webhooks"), State.FACT, _("None are used, so there is nothing to enter: posts and figures are read.")
            ),
        ]
        if used := told_of(APP):
            state = State.WARNING if used.percent >= HOLD_PERCENT else State.OK
            checks.append(
                Check(_("Calls of the app this hour"), state, _("%(percent)d %% used") % {"percent": used.percent})
            )
        return checks

    def app_token_check(self) -> Check:
        """Do id and secret belong together? Meta says so when asked about the app's own token."""
        label = _("App id and secret")
        try:
            info = meta().debug_token(f"{settings.META_APP_ID}|{settings.META_APP_SECRET}")
        except PlatformError as error:
            return Check(label, State.PROBLEM, " ".join(filter(None, [error.message, error.platform_message])))
        if info.app_id and info.app_id != settings.META_APP_ID:
            return Check(label, State.PROBLEM, _("Meta knows them as those of another app. Check META_APP_ID."))
        return Check(label, State.OK, _("Meta accepts them, and the proof of the secret that goes with every call."))

    def asked_check(self) -> Check:
        label = _("Permissions asked for")
        if settings.META_CONFIG_ID:
            held = _("What the configuration %(id)s holds. It should hold these:") % {"id": settings.META_CONFIG_ID}
            return self.scopes_check(label, meta().config.asked_scopes, held)
        return self.scopes_check(label, meta().config.asked_scopes)

    def grant_checks(self, grant: Grant) -> list[Check]:
        """With the permissions and dates as Meta tells them now."""
        checks: list[Check] = []
        try:
            self.refresh_scopes(grant)
        except PlatformError as error:
            checks.append(Check(_("Permissions"), State.PROBLEM, error.message))
        known = {*grant.granted_scopes, *grant.declined_scopes, *grant.lapsed_scopes}
        missing = [name for name in meta().config.asked_scopes if name not in known]
        again = _("Press Reconnect and confirm at Facebook.")
        lapsed = _("Meta takes back what an app does not use for 90 days.")
        checks += filter(
            None,
            [
                scope_check(_("Permissions missing"), missing, State.WARNING, again),
                scope_check(_("Permissions lapsed"), grant.lapsed_scopes, State.WARNING, f"{lapsed} {again}"),
                end_check(_("Access to data ends"), grant.data_access_expires_at, CONSENT_WARN.days, again),
            ],
        )
        limited = [name for name in grant.granted_scopes if name in grant.granular_scopes]
        if limited:
            counts = tuple(f"{name}: {len(grant.granular_scopes[name])}" for name in limited)
            text = _("For the Pages and accounts that the person ticked, so many of them:")
            checks.append(Check(_("Permissions for some accounts only"), State.FACT, text, details=counts))
        return [*checks, *super().grant_checks(grant)]

    def purposes(self) -> dict[str, str]:
        return {
            "pages_show_list": _("see which Pages you manage"),
            "pages_read_engagement": _("read posts of your Pages and their reactions"),
            "pages_manage_posts": _("publish to your Pages"),
            "read_insights": _("read the figures of your Pages"),
            "instagram_basic": _("see the Instagram account of a Page"),
            "instagram_content_publish": _("publish to Instagram"),
            "instagram_manage_insights": _("read the figures of Instagram"),
            "business_management": _("find Pages of a business portfolio"),
            "pages_read_user_content": _("count reactions and comments"),
            "pages_manage_engagement": _("write first comments on your Pages"),
            "instagram_manage_comments": _("write first comments on Instagram"),
            "public_profile": _("know your name"),
            "email": _("know your e-mail address"),
        }

    def by_page_token(self, token: str) -> tuple[Candidate, tuple[str, ...]]:
        """The Page that a token from elsewhere belongs to, and its scopes."""
        inspected = meta().debug_token(token)
        if not inspected.is_valid or inspected.type != "PAGE":
            raise ReconnectError(
                _("This is no valid Page token of this app."), platform_message=inspected.error_message
            )
        # Read with the token itself, a Page answers as `me`; its own token does not stand in the answer.
        answer: dict[str, Any] = meta().get("me", token, {"fields": PAGE_FIELDS_OF_ITSELF})
        candidate = candidate_of(replace(page_of(answer), token=token, obstacle=""))
        return candidate, tuple(scopes_on(inspected.scopes, inspected.granular, candidate.ids))


def permission_fields(permissions: Permissions, inspected: TokenInfo) -> dict[str, Any]:
    """Fields of the Grant that say what is allowed, and for which accounts."""
    return {
        "granted_scopes": sorted(permissions.granted),
        "declined_scopes": sorted(permissions.declined),
        "lapsed_scopes": sorted(permissions.lapsed),
        "granular_scopes": {name: sorted(ids) for name, ids in inspected.granular.items() if ids},
    }


def ids_of(account: ConnectedAccount) -> set[str]:
    """Its own, and those of the Page or the Instagram accounts linked to it."""
    linked = account.children.values_list("platform_account_id", flat=True)
    parents = [account.parent.platform_account_id] if account.parent else []
    return {account.platform_account_id, *parents, *linked}


def candidate_of(page: PageFound) -> Candidate:
    obstacle = page.obstacle
    if not page.token and not obstacle:
        obstacle = _("Facebook gives no access to this Page. Ask somebody who manages it for a role.")
    return Candidate(
        platform="facebook",
        platform_account_id=page.id,
        name=page.name,
        account_type="page",
        username=page.username,
        picture_url=page.picture,
        about=page.category,
        followers_count=page.followers,
        tasks=page.tasks,
        token=page.token,
        obstacle=obstacle,
        linked=(linked_of(page.instagram, page),) if page.instagram else (),
        unlinked=_("No Instagram professional account is linked to this Page."),
    )


def with_limits(page: Candidate, grant: Grant) -> Candidate:
    """With a word where the person allowed something for other Pages only."""
    elsewhere = [
        name
        for name in grant.granted_scopes
        if (page.linked or not name.startswith("instagram_"))
        and name not in scopes_on([name], grant.granular_scopes, page.ids)
    ]
    if page.obstacle or not elsewhere:
        return page
    remark = _("Allowed for other accounts only: %(names)s. Connect again and tick this Page for everything.")
    return replace(page, remark=remark % {"names": ", ".join(elsewhere)})


def linked_of(found: InstagramFound, page: PageFound) -> Candidate:
    return Candidate(
        platform="instagram",
        platform_account_id=found.id,
        name=found.name or found.username,
        account_type="professional",
        username=found.username,
        picture_url=found.picture,
        followers_count=found.followers,
        tasks=page.tasks,
        token=page.token,
    )
