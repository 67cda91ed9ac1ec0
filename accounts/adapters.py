"""Where allauth asks us."""

from __future__ import annotations

import base64
import logging
import secrets
from contextlib import nullcontext
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, ProviderException
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.connect import store_grant
from accounts.keys import key_ring
from accounts.language import speaking_to_person
from accounts.models import User
from accounts.outcome import remember_error, return_address, sentence
from accounts.people import create_workspace
from accounts.providers import PROVIDERS
from accounts.providers.base import Person
from socialhub.http import HttpRequest
from socialhub.platforms import INSTAGRAM_LOGIN
from socialhub.platforms.errors import PlatformError

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.ACCOUNT_SIGNUP_OPEN)

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """A new person and their workspace come into being together, or not at all."""
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit)
            if commit:
                create_workspace(saved)
        return saved

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """With our own address: the name that a request calls us by must not decide where a secret link leads."""
        home = urlsplit(settings.PUBLIC_BASE_URL)
        links = {
            name: urlsplit(value)._replace(scheme=home.scheme, netloc=home.netloc).geturl()
            for name, value in context.items()
            if name.endswith("_url") and value
        }
        site = {"domain": home.netloc, "name": home.netloc}
        reader = context.get("user")
        language = get_language() or settings.LANGUAGE_CODE  # of the page, for mails to somebody who is no user
        with speaking_to_person(reader, language) if isinstance(reader, User) else nullcontext():
            super().send_mail(template_prefix, email, {**context, **links, "current_site": site})


class MfaAdapter(DefaultMFAAdapter):
    """Seals TOTP secrets and recovery seeds with the same keys as the tokens of connected accounts."""

    def encrypt(self, text: str) -> str:
        return key_ring().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return key_ring().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # Fails closed: with a secret that nobody knows, every code is wrong.
            logger.error("a two-factor secret cannot be opened: its key is missing from FERNET_KEYS")  # noqa: TRY400
            return base64.b32encode(secrets.token_bytes(20)).decode()


class SocialAdapter(DefaultSocialAccountAdapter):
    """Networks are connected for publishing only: nothing here ever signs a person in or stores a login."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """From the settings as they are now, never from the database."""
        apps = [
            SocialApp(provider=key, name=PROVIDERS[key].label, client_id=client_id, secret=secret)
            for key, client_id, secret in (
                ("meta", settings.META_APP_ID, settings.META_APP_SECRET),
                (INSTAGRAM_LOGIN, settings.INSTAGRAM_APP_ID, settings.INSTAGRAM_APP_SECRET),
                ("linkedin", settings.LINKEDIN_CLIENT_ID, settings.LINKEDIN_CLIENT_SECRET),
                ("buffer", settings.BUFFER_CLIENT_ID, settings.BUFFER_CLIENT_SECRET),
            )
        ]
        return [
            app
            for app in apps
            if app.client_id and provider in (None, app.provider) and client_id in (None, app.client_id)
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if not request.user.is_authenticated:
            raise PermissionDenied
        # Taken off the login before anything can put it into the session.
        token, sociallogin.token = sociallogin.token, None
        account = sociallogin.account
        try:
            person = Person(account.uid, account.extra_data.get("name", ""))
            consent = PROVIDERS[account.provider].consent(token, person)
        except PlatformError as error:
            raise ProviderException(error.message) from error
        grant = store_grant(request.workspace, request.user, account.provider, consent)
        raise ImmediateHttpResponse(redirect("accounts:select", grant.pk))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Back to the page of the button, with a sentence. Nothing that stands in the query is repeated there."""
        state = (extra_context or {}).get("state")
        cause = exception.__cause__ if exception else None
        if state is None:
            told = _(
                "This attempt to connect is not valid any more: it was already used, is older than ten minutes, or was "
                "begun by somebody else or in another workspace. Nothing was changed. Press Connect again."
            )
        elif error == AuthError.CANCELLED or request.GET.get("error") in provider.oauth2_adapter_class.cancel_words:
            told = _(
                "Consent was not given at %(provider)s, so nothing was connected. Press Connect again whenever you like."
            ) % {"provider": PROVIDERS[provider.id].label}
        elif isinstance(cause, PlatformError):
            told = sentence(cause, PROVIDERS[provider.id].label)
        else:
            told = _("%(provider)s broke off with an error, so nothing was connected. Press Connect to try again.") % {
                "provider": PROVIDERS[provider.id].label
            }
        remember_error(
            request,
            told,
            platform=state["product"] if state else "",
            platform_message=cause.platform_message if isinstance(cause, PlatformError) else "",
        )
        raise ImmediateHttpResponse(redirect(return_address(request)))
