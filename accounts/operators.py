"""Telling whoever runs the server: one open row per trouble, shown to staff, and a line in the log."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from accounts.language import speaking_to_staff
from accounts.models import EncryptionKey, OperatorNotice

logger = logging.getLogger(__name__)

KEY_DAYS = 90
VERSION_QUIET = timedelta(days=2)  # a mismatch that was not seen for so long is over
SEEN_AGAIN = 3600  # seconds between two writes about the same mismatch


def warn(key: str, *, title: str, body: str) -> OperatorNotice:
    """Note a trouble; the same one again, while it is open, only moves its date. Logged when it is new."""
    notice, created = OperatorNotice.objects.get_or_create(
        key=key, resolved_at=None, defaults={"title": title[:200], "body": body}
    )
    if created:
        logger.warning("%s %s", title, body)
    else:
        OperatorNotice.objects.filter(pk=notice.pk).update(title=title[:200], body=body, last_seen_at=timezone.now())
    return notice


def mended(key: str) -> None:
    OperatorNotice.objects.filter(key=key, resolved_at=None).update(resolved_at=timezone.now())


# --- The version of Meta's API --------------------------------------------------------------------------------


def version_key(pinned: str, served: str) -> str:
    return f"meta-version:{pinned}:{served}"


def version_served(served: str) -> None:
    """Meta answered with another version than we asked for. Called in the middle of calls, so it never raises."""
    pinned = settings.META_GRAPH_VERSION
    key = version_key(pinned, served)
    try:
        if not cache.add(f"notice:{key}", True, SEEN_AGAIN):
            return
    except RedisError:
        logger.warning("Meta answered with version %s instead of %s; the cache does not answer", served, pinned)
        return
    try:
        with speaking_to_staff(), transaction.atomic():
            warn(
                key,
                title=_("Meta answers with version %(served)s instead of %(pinned)s")
                % {"served": served, "pinned": pinned},
                body=_(
                    "Meta does not serve the version that is set any more, or does not know it yet, and uses another one "
                    "without saying so. Posts and figures may change their shape. Set META_GRAPH_VERSION to a version "
                    "that Meta serves, after reading its change log, and restart."
                ),
            )
    except DatabaseError:
        logger.warning("Meta answered with version %s instead of %s", served, pinned, exc_info=True)


def served_versions() -> list[str]:
    """What Meta answered with lately instead of the version that is set."""
    prefix = version_key(settings.META_GRAPH_VERSION, "")
    open_rows = OperatorNotice.objects.filter(key__startswith=prefix, resolved_at=None).order_by("-last_seen_at")
    return [key.removeprefix(prefix) for key in open_rows.values_list("key", flat=True)]


# --- What Meta calls by itself --------------------------------------------------------------------------------


DEAUTHORIZE, DATA_DELETION = "deauthorize", "data-deletion"


def callback_key(provider: str, name: str) -> str:
    return f"{provider}-callback:{name}"


def note_callback(provider: str, name: str) -> None:
    """Meta has called one of our addresses, with a good signature: kept as a notice that nobody has to act on."""
    now = timezone.now()
    OperatorNotice.objects.update_or_create(
        key=callback_key(provider, name),
        defaults={
            "title": _("Meta called the address for %(name)s") % {"name": name},
            "body": _("Nothing is to be done. The connect doctor shows when it was."),
            "last_seen_at": now,
            "resolved_at": now,
        },
    )


def callback_seen_at(provider: str, name: str) -> datetime | None:
    rows = OperatorNotice.objects.filter(key=callback_key(provider, name))
    return rows.values_list("last_seen_at", flat=True).first()


# --- The version of LinkedIn's API ----------------------------------------------------------------------------

LINKEDIN_OLD = 10  # months; LinkedIn serves a version for at least twelve


def linkedin_refused_key(pinned: str) -> str:
    return f"linkedin-version:refused:{pinned}"


def linkedin_old_key(pinned: str) -> str:
    return f"linkedin-version:old:{pinned}"


def linkedin_version_told(is_served: bool) -> None:
    """LinkedIn answered a versioned call, or refused the version. Called in the middle of calls, so it never raises."""
    pinned = settings.LINKEDIN_API_VERSION
    key = linkedin_refused_key(pinned)
    marks = {served: f"notice:{key}:{served}" for served in (True, False)}
    try:
        cache.delete(marks[not is_served])
        if not cache.add(marks[is_served], True, SEEN_AGAIN):
            return
    except RedisError:
        if not is_served:
            logger.warning("LinkedIn refuses version %s; the cache does not answer", pinned)
        return
    try:
        with speaking_to_staff(), transaction.atomic():
            if is_served:
                mended(key)
            else:
                _linkedin_refuses(key, pinned)
    except DatabaseError:
        logger.warning("LinkedIn %s version %s", "serves" if is_served else "refuses", pinned, exc_info=True)
        forget_mark(marks[is_served])


def forget_mark(mark: str) -> None:
    """What could not be written is written by the next answer."""
    try:
        cache.delete(mark)
    except RedisError:
        logger.warning("the cache does not answer")


def _linkedin_refuses(key: str, pinned: str) -> None:
    warn(
        key,
        title=_("LinkedIn does not serve version %(pinned)s") % {"pinned": pinned},
        body=_(
            "Each version lives about a year. Posts to LinkedIn wait, and no figures are read; accounts and posts are not "
            "touched. Set LINKEDIN_API_VERSION to a version that LinkedIn serves, after reading its change log, and "
            "restart: what waits goes on by itself."
        ),
    )


def linkedin_is_refused() -> bool:
    key = linkedin_refused_key(settings.LINKEDIN_API_VERSION)
    return OperatorNotice.objects.filter(key=key, resolved_at=None).exists()


def linkedin_version_age() -> int:
    """Months since the version that is set came out."""
    pinned, today = settings.LINKEDIN_API_VERSION, timezone.now()
    return (today.year - int(pinned[:4])) * 12 + today.month - int(pinned[4:])


def look_at_linkedin_version() -> None:
    """Say when the version that is set has grown old; what was said of other ones is over."""
    pinned = settings.LINKEDIN_API_VERSION
    ours = (linkedin_refused_key(pinned), linkedin_old_key(pinned))
    OperatorNotice.objects.filter(key__startswith="linkedin-version:", resolved_at=None).exclude(key__in=ours).update(
        resolved_at=timezone.now()
    )
    if not settings.LINKEDIN_CLIENT_ID or linkedin_version_age() < LINKEDIN_OLD:
        mended(linkedin_old_key(pinned))
        return
    warn(
        linkedin_old_key(pinned),
        title=_("Version %(pinned)s of LinkedIn ends soon") % {"pinned": pinned},
        body=_(
            "It is %(months)d months old, and LinkedIn serves a version for about twelve. Set LINKEDIN_API_VERSION to a "
            "newer one, after reading LinkedIn's change log, and restart. When it ends, posts to LinkedIn have to wait."
        )
        % {"months": linkedin_version_age()},
    )


CAN_STOP = ("linkedin",)


def stopped() -> dict[str, str]:
    """Providers whose accounts cannot do anything until whoever runs this server acts, with the words for people."""
    if not linkedin_is_refused():
        return {}
    return {
        "linkedin": _(
            "Waits for whoever runs this server: LinkedIn does not serve the version of its interface that is set here."
        )
    }


# --- Encryption keys ------------------------------------------------------------------------------------------


def fingerprint(key: str) -> str:
    """Tells keys apart without giving anything away: they are long and random."""
    return hashlib.sha256(b"socialhub encryption key:" + key.encode()).hexdigest()


def look_at_keys() -> None:
    """Remember each key of FERNET_KEYS when it is seen first, and say when the one that seals has grown old."""
    for key in settings.FERNET_KEYS:
        EncryptionKey.objects.get_or_create(fingerprint=fingerprint(key))
    first = EncryptionKey.objects.get(fingerprint=fingerprint(settings.FERNET_KEYS[0]))
    if timezone.now() - first.first_seen_at <= timedelta(days=KEY_DAYS):
        mended("encryption-key")
        return
    warn(
        "encryption-key",
        title=_("The encryption key is older than %(days)d days") % {"days": KEY_DAYS},
        body=_(
            "It has sealed the access tokens since %(date)s. Put a new key in front of FERNET_KEYS and keep the old one "
            "behind it, restart, and run: manage.py rotate_token_keys. When it says that nothing remains, take the old "
            "key out."
        )
        % {"date": date_format(first.first_seen_at, "j F Y")},
    )


def settle_old() -> int:
    """Mismatches of versions say nothing when they are over; silence does."""
    return OperatorNotice.objects.filter(
        key__startswith="meta-version:", resolved_at=None, last_seen_at__lt=timezone.now() - VERSION_QUIET
    ).update(resolved_at=timezone.now())


def open_notices() -> list[OperatorNotice]:
    return list(OperatorNotice.objects.filter(resolved_at=None))
