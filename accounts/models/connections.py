"""Connected accounts, their credentials, the grants they came from, and the tickets of running OAuth handshakes."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User, Workspace
from socialhub.fields import SecretTextField
from socialhub.platforms.buffer_errors import BUFFER_PAGE


class ConnectedAccountQuerySet(models.QuerySet["ConnectedAccount"]):
    def of(self, workspace: Workspace) -> ConnectedAccountQuerySet:
        return self.filter(workspace=workspace)

    def listed(self) -> ConnectedAccountQuerySet:
        """Those a person has connected and not taken off again, whatever their state."""
        return self.exclude(status=ConnectedAccount.Status.DISCONNECTED)

    def usable(self) -> ConnectedAccountQuerySet:
        return self.filter(status=ConnectedAccount.Status.CONNECTED)


def picture_path(account: ConnectedAccount, filename: str) -> str:
    return f"accounts/{account.workspace_id}/{uuid.uuid4()}.jpg"


class ConnectedAccount(models.Model):
    """One Page, Instagram professional account, LinkedIn member or organization, or Buffer channel to publish to."""

    class Status(models.TextChoices):
        CONNECTED = "connected", _("Connected")
        EXPIRED = "expired", _("Access expired")
        REVOKED = "revoked", _("Access withdrawn")
        ERROR = "error", _("Error")
        DISCONNECTED = "disconnected", _("Not connected")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="accounts")
    platform = models.CharField(max_length=20)  # a key of socialhub.platforms
    platform_account_id = models.CharField(max_length=100)
    account_type = models.CharField(max_length=20, default="page")  # page, professional, …
    login_kind = models.CharField(
        max_length=20, default="meta"
    )  # of accounts.providers: tokens are not interchangeable
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")

    name = models.CharField(max_length=200)
    username = models.CharField(max_length=200, blank=True)
    picture_url = models.URLField(max_length=2000, blank=True)  # at the network; many of these stop working
    picture = models.FileField(upload_to=picture_path, blank=True)  # our small copy of it
    picture_source = models.URLField(max_length=2000, blank=True)  # the picture_url that `picture` was made of
    followers_count = models.PositiveBigIntegerField(null=True, blank=True)
    following_count = models.PositiveBigIntegerField(null=True, blank=True)
    likes_count = models.PositiveBigIntegerField(null=True, blank=True)
    posts_count = models.PositiveBigIntegerField(null=True, blank=True)

    status = models.CharField(max_length=12, choices=Status, default=Status.CONNECTED)
    status_reason = models.TextField(blank=True)  # plain words: what happened, what to do
    platform_message = models.TextField(blank=True)  # the network's own words
    remark = models.TextField(blank=True)  # what the network says of it that does not stop it, such as a paused queue
    # What can be chosen for a post to it: {"boards": [{"id", "name"}], "x_subscription": "…"}.
    offers = models.JSONField(default=dict, blank=True)
    is_default = models.BooleanField(default=False)  # chosen beforehand among those of its platform
    granted_scopes = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    missing_scopes = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    tasks = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    token_expires_at = models.DateTimeField(null=True, blank=True)  # None: no expiry known
    data_access_expires_at = models.DateTimeField(null=True, blank=True)

    paused_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)  # when the pause ends by itself
    pause_reason = models.CharField(max_length=200, blank=True)
    paused_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    connected_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    connected_at = models.DateTimeField(default=timezone.now)
    disconnected_at = models.DateTimeField(null=True, blank=True)
    last_verified_at = models.DateTimeField(null=True, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)
    sync_error = models.TextField(blank=True)

    objects = ConnectedAccountQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["platform", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "platform", "platform_account_id"], name="account_once_per_workspace"
            ),
            models.UniqueConstraint(
                fields=["workspace", "platform"], condition=models.Q(is_default=True), name="one_default_per_platform"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["platform", "platform_account_id"], name="account_by_platform_id")]

    def __str__(self) -> str:
        return f"{self.name} ({self.platform})"

    @property
    def is_connected(self) -> bool:
        return self.status == self.Status.CONNECTED

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def needs_reconnect(self) -> bool:
        return self.status in (self.Status.EXPIRED, self.Status.REVOKED, self.Status.ERROR)

    @property
    def mended_at(self) -> str:
        """Where at the network its owner puts right what keeps it from publishing; "" when connecting again does."""
        return BUFFER_PAGE if self.status == self.Status.ERROR and self.login_kind == "buffer" else ""

    @property
    def type_label(self) -> str:
        kinds = {
            "page": _("Page"),
            "professional": _("Professional account"),
            "person": _("Profile"),
            "organization": _("Organization"),
            "channel": _("Channel in Buffer"),
        }
        return str(kinds.get(self.account_type, self.account_type))

    @property
    def picture_version(self) -> str:
        """Changes with the file."""
        return str(self.picture.name or "").rpartition("/")[2].partition(".")[0]

    @property
    def picture_src(self) -> str:
        """The address of our own copy of its picture; "" while there is none."""
        return reverse("accounts:picture", args=[self.pk]) + f"?v={self.picture_version}" if self.picture else ""

    @property
    def handle(self) -> str:
        return f"@{self.username}" if self.username else self.name


class Grant(models.Model):
    """What one person allowed our app at a network: the long-lived user token behind several connected accounts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    provider = models.CharField(max_length=20)  # a key of accounts.providers
    platform_user_id = models.CharField(max_length=100)
    platform_user_name = models.CharField(max_length=200, blank=True)
    access_token = SecretTextField(null=True)
    issued_at = models.DateTimeField(null=True, blank=True)  # when the network gave this access token
    expires_at = models.DateTimeField(null=True, blank=True)
    refresh_token = SecretTextField(null=True)
    refresh_expires_at = models.DateTimeField(null=True, blank=True)
    # Renewing: who has begun it and may still be at it, and whether a single-use refresh token has left the house.
    renewing_since = models.DateTimeField(null=True, blank=True)
    refresh_spent_at = models.DateTimeField(null=True, blank=True)
    data_access_expires_at = models.DateTimeField(null=True, blank=True)
    granted_scopes = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    declined_scopes = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    lapsed_scopes = ArrayField(models.CharField(max_length=80), default=list, blank=True)  # unused for 90 days (Meta)
    # Meta lets a person grant a permission for some accounts only: {"pages_manage_posts": ["<id>", …]}.
    granular_scopes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "provider", "platform_user_id"], name="grant_once_per_workspace"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.platform_user_name or self.platform_user_id}"


class Credential(models.Model):
    """The encrypted tokens of a connected account; apart, so that no list ever loads them."""

    account = models.OneToOneField(
        ConnectedAccount, on_delete=models.CASCADE, primary_key=True, related_name="credential"
    )
    grant = models.ForeignKey(Grant, on_delete=models.SET_NULL, null=True, blank=True, related_name="credentials")
    access_token = SecretTextField(null=True)  # None: the grant's own token serves
    expires_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"credential of {self.account_id}"


def ticket_expiry() -> datetime:
    return timezone.now() + timedelta(minutes=10)


class OAuthTicket(models.Model):
    """One running handshake. Its `state` is known only by its digest and redeemed at most once."""

    digest = models.CharField(max_length=64, unique=True)  # sha256 of state, hex
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=20)
    product = models.CharField(max_length=20)  # which button was pressed
    # Begun by a program: whoever comes back has no session of ours, and must say yes to what is shown to them first.
    api_key = models.ForeignKey("accounts.ApiKey", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    code_verifier = SecretTextField(null=True)  # of PKCE, where no session keeps it
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=ticket_expiry)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "OAuth ticket"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="ticket_expiry")]

    def __str__(self) -> str:
        return f"{self.provider} ticket {self.pk}"
