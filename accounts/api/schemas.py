"""What is said and answered about connected accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import AfterValidator, Field, WithJsonSchema, create_model

from accounts.api.base import Input, Model, Moment
from accounts.connect import CONNECTABLE
from accounts.models import ConnectedAccount


def _connectable(key: str) -> str:
    if key not in CONNECTABLE:
        raise ValueError(_("This must be one of: %(keys)s.") % {"keys": ", ".join(CONNECTABLE)})
    return key


Connectable = Annotated[
    str, AfterValidator(_connectable), WithJsonSchema({"type": "string", "enum": list(CONNECTABLE)})
]


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Instant = Annotated[Moment, AfterValidator(_in_utc)]  # written without an offset it is in UTC
Id = Annotated[str, Field(min_length=1, max_length=100)]


class ConsentAddress(Model):
    url: str = Field(description="Send the browser of the person there.")
    expires_at: Moment = Field(description="Until then the person must have consented and said yes here.")


class ConnectIn(Input):
    grant_id: UUID | None = Field(default=None, description="A consent; else the newest one of yours at this network.")
    issued_after: Instant | None = Field(
        default=None, description="Only a consent given after this moment, for a program that waits for one."
    )
    account_ids: list[Id] | None = Field(
        default=None, max_length=500, description="The network's ids of those to connect; else everything found."
    )
    key: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="A personal key, in place of a consent. Only for networks behind Buffer."
    )


class NetworkResult(Model):
    """Of each network the first account, or why there is none."""

    connected: bool
    account_id: UUID | None = None
    account_name: str | None = None
    username: str | None = None
    profile_picture: str | None = None
    reason: str | None = None


# A network stands under its own key, as it is written everywhere else: google_business, not googleBusiness.
RESULTS: dict[str, Any] = {
    platform: (NetworkResult | None, Field(default=None, alias=platform))
    for platform in dict.fromkeys(entry.platform for entry in CONNECTABLE.values())
}
ConnectAnswer: Any = create_model("ConnectAnswer", __base__=Model, success=(bool, ...), **RESULTS)


class AccountOut(Model):
    """A connected account. Null is what is not known; tokens are never told."""

    account_id: UUID
    platform: str
    platform_account_id: str = Field(description="The network's own id of it.")
    account_type: str
    account_name: str
    username: str
    profile_picture: str | None
    is_connected: bool
    status: str = Field(description="connected, expired, revoked or error.")
    status_reason: str = Field(description="What happened and what to do; empty while all is well.")
    platform_message: str
    remark: str
    followers: int | None
    is_default: bool
    is_paused: bool
    paused_until: Moment | None
    pause_reason: str
    granted_permissions: list[str]
    missing_permissions: list[str]
    access_expires_at: Moment | None = Field(description="Null: no end is known.")
    connected_at: Moment
    last_verified_at: Moment | None
    last_synced_at: Moment | None
    sync_error: str
    parent_account_id: UUID | None = Field(description="Of an Instagram account: the Page that it is linked to.")
    offers: dict[str, Any] = Field(description="What a post to it can choose from, such as boards.")

    @classmethod
    def of(cls, account: ConnectedAccount) -> AccountOut:
        return cls(
            account_id=account.pk,
            platform=account.platform,
            platform_account_id=account.platform_account_id,
            account_type=account.account_type,
            account_name=account.name,
            username=account.username,
            profile_picture=account.picture_url or None,
            is_connected=account.is_connected,
            status=account.status,
            status_reason=account.status_reason,
            platform_message=account.platform_message,
            remark=account.remark,
            followers=account.followers_count,
            is_default=account.is_default,
            is_paused=account.is_paused,
            paused_until=account.paused_until,
            pause_reason=account.pause_reason,
            granted_permissions=account.granted_scopes,
            missing_permissions=account.missing_scopes,
            access_expires_at=account.token_expires_at,
            connected_at=account.connected_at,
            last_verified_at=account.last_verified_at,
            last_synced_at=account.last_synced_at,
            sync_error=account.sync_error,
            parent_account_id=account.parent_id,
            offers=account.offers,
        )


class AccountsOut(Model):
    accounts: list[AccountOut]
    total: int


class DisconnectIn(Input):
    account_id: UUID


class DisconnectOut(Model):
    success: bool
    account_id: UUID


class PauseIn(Input):
    reason: Annotated[str, Field(max_length=200)] = ""
    until: Instant | None = Field(default=None, description="Null: until somebody resumes it.")
