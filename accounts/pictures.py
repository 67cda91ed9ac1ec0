"""Our own small copy of an account's picture: the networks' addresses stop working, and tell them who looks."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from PIL import Image

from accounts.models import ConnectedAccount
from accounts.wake import wake
from socialhub import pixels
from socialhub.outside import Fetch, NotFetched, fetch, origin_of

logger = logging.getLogger(__name__)

TASK = "accounts.tasks.fetch_picture"
MOST_BYTES = 5 * 1024 * 1024
SECONDS = 10
SIDE = 256
FRESH = timedelta(days=1)


def refresh_later(*accounts: ConnectedAccount) -> None:
    """After the commit a worker fetches the pictures that are new."""
    for account in accounts:
        if account.picture_url and account.picture_url != account.picture_source:
            transaction.on_commit(partial(wake, TASK, args=(str(account.pk),)))


def refresh(account_id: UUID) -> bool:
    """Fetch the picture if it is another one than ours; says whether there is a new copy. The old one stays else."""
    account = ConnectedAccount.objects.listed().filter(pk=account_id).first()
    if account is None or not account.picture_url or is_fresh(account):
        return False
    url = account.picture_url
    try:
        content = small(fetch(url, how()))
    except (NotFetched, pixels.NotAnImage) as error:
        logger.info("the picture of account %s could not be had: %s", account.pk, error)
        return False
    return keep(account, url, content)


def how() -> Fetch:
    """From the internet; with simulated networks from those alone."""
    return Fetch(
        MOST_BYTES, SECONDS, origins=(origin_of(settings.SANDBOX_URL),) * settings.SANDBOX, only=settings.SANDBOX
    )


def is_fresh(account: ConnectedAccount) -> bool:
    """It is the same one. Networks sign the same address anew with every answer: then once a day is enough."""
    if not account.picture or not account.picture_source:
        return False
    if account.picture_source == account.picture_url:
        return True
    ours, theirs = urlsplit(account.picture_source), urlsplit(account.picture_url)
    return ours.path == theirs.path and (made_at(account) or timezone.now() - FRESH) > timezone.now() - FRESH


def made_at(account: ConnectedAccount) -> datetime | None:
    try:
        return default_storage.get_modified_time(str(account.picture.name))
    except (FileNotFoundError, NotImplementedError):
        return None


def small(content: bytes) -> bytes:
    """A JPEG of nothing but pixels, at most SIDE a side. Raises NotAnImage."""
    image = pixels.on_white(pixels.read(content)).copy()
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return pixels.encode(image, quality=88).content


def keep(account: ConnectedAccount, url: str, content: bytes) -> bool:
    """Store it in place of the old copy, unless another worker was faster or the account is gone."""
    old = str(account.picture.name or "")
    account.picture.save("picture.jpg", ContentFile(content), save=False)
    new = str(account.picture.name)
    unchanged = ConnectedAccount.objects.listed().filter(pk=account.pk, picture_url=url, picture=old)
    if not unchanged.update(picture=new, picture_source=url):
        default_storage.delete(new)
        return False
    if old:
        default_storage.delete(old)
    return True


def forget(account: ConnectedAccount) -> None:
    """Delete our copy and the address of theirs; the file goes with the commit."""
    name = str(account.picture.name or "")
    ConnectedAccount.objects.filter(pk=account.pk).update(picture="", picture_source="", picture_url="")
    account.picture, account.picture_source, account.picture_url = "", "", ""
    if name:
        transaction.on_commit(lambda: default_storage.delete(name))
