"""Workspaces and who belongs to them: what a manager may do, and what nobody may."""

from __future__ import annotations

import logging

from allauth.account import app_settings as allauth_settings
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.language import known, language_of, speaking_to_person
from accounts.models import Membership, Role, User, Workspace

logger = logging.getLogger(__name__)


class Refused(Exception):
    """A change of members that is not allowed; the message is for the person who tried."""


def create_workspace(user: User) -> Workspace:
    """A workspace of their own, with them as owner."""
    with transaction.atomic():
        name = user.get_full_name() or user.email.partition("@")[0]
        language = known(user.language) or known(get_language() or "")
        workspace = Workspace.objects.create(name=_("%(name)s’s workspace") % {"name": name[:100]}, language=language)
        Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    return workspace


def add_member(workspace: Workspace, email: str, role: Role, *, by: Membership) -> Membership:
    """Let somebody in. A person new to the site gets a user, and a mail with the link that sets their password.

    Raises Refused.
    """
    refuse_owners(role, by=by)
    with transaction.atomic():
        user = User.objects.filter(email__iexact=email).first()
        is_new = user is None
        if user is None:
            user = User.objects.create_user(email=email)
            EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
        membership, created = Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": role})
        if not created:
            raise Refused(_("%(email)s is already a member. Change the role in the list.") % {"email": user.email})
        transaction.on_commit(lambda: welcome(membership, by=by, is_new=is_new))
    return membership


def welcome(membership: Membership, *, by: Membership, is_new: bool) -> None:
    """The mail to a new member. A mail server that is down leaves the membership as it is."""
    user = membership.user
    if is_new:
        key = allauth_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
        url = settings.PUBLIC_BASE_URL + reverse(
            "account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key}
        )
    else:
        url = settings.PUBLIC_BASE_URL + reverse("analytics:dashboard")
    with speaking_to_person(user, language_of(membership.workspace)):
        subject, text = words_of_welcome(membership, by=by, is_new=is_new)
    try:
        send_mail(
            settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + " ".join(subject.split()), f"{text}\n{url}\n", None, [user.email]
        )
    except OSError:  # smtplib's errors are OSErrors, too
        logger.warning("the welcome of membership %s could not be e-mailed", membership.pk, exc_info=True)


def words_of_welcome(membership: Membership, *, by: Membership, is_new: bool) -> tuple[str, str]:
    """Subject and text, which ends where the address follows."""
    workspace = membership.workspace.name
    text = _("%(who)s has added you to the workspace “%(workspace)s” on socialhub, as %(role)s.") % {
        "who": by.user,
        "workspace": workspace,
        "role": membership.get_role_display(),
    }
    if is_new:
        how = _("Choose a password here, then sign in with this e-mail address:")
    else:
        how = _("Sign in and choose the workspace in the menu:")
    return _("You now belong to “%(workspace)s”") % {"workspace": workspace}, f"{text}\n\n{how}"


def change_role(membership: Membership, role: Role, *, by: Membership) -> None:
    """Raises Refused for the last owner, and for admins who touch owners."""
    with transaction.atomic():
        row = locked(membership, by=by)
        refuse_owners(role, by=by)
        if row.role == Role.OWNER and role != Role.OWNER:
            keep_an_owner(row)
        row.role = role
        row.save(update_fields=["role"])


def remove_member(membership: Membership, *, by: Membership) -> None:
    """Take somebody out; everybody may take out themselves. Raises Refused."""
    with transaction.atomic():
        row = locked(membership, by=by)
        if row.role == Role.OWNER:
            keep_an_owner(row)
        row.delete()


def locked(membership: Membership, *, by: Membership) -> Membership:
    """The row as it is now, with all memberships of its workspace locked, so that two owners cannot leave at once."""
    rows = {row.pk: row for row in Membership.objects.select_for_update().filter(workspace=membership.workspace_id)}
    row = rows.get(membership.pk)
    if row is None:
        raise Refused(_("This person is not a member any more."))
    if row.role == Role.OWNER and row.pk != by.pk:
        refuse_owners(Role.OWNER, by=rows.get(by.pk, by))
    return row


def refuse_owners(role: Role, *, by: Membership) -> None:
    if role == Role.OWNER and by.role != Role.OWNER:
        raise Refused(_("Only an owner can make, change or remove owners. Ask one of them."))


def keep_an_owner(row: Membership) -> None:
    others = Membership.objects.filter(workspace=row.workspace_id, role=Role.OWNER).exclude(pk=row.pk)
    if not others.exists():
        raise Refused(_("This is the last owner, and a workspace needs one. Make somebody else an owner first."))
