"""What a card says about the access of an account."""

from __future__ import annotations

from django import template

from accounts.expiry import consent_ends_soon
from accounts.models import ConnectedAccount
from accounts.permissions import Permission, permissions_of, tasks_of

register = template.Library()


@register.simple_tag
def permissions(account: ConnectedAccount) -> list[Permission]:
    return permissions_of(account)


@register.filter
def tasks(account: ConnectedAccount) -> list[str]:
    return tasks_of(account)


@register.filter
def needs_consent_soon(account: ConnectedAccount) -> bool:
    return consent_ends_soon(account)
