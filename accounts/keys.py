"""Opening sealed tokens, and the keys of FERNET_KEYS for secrets that do not live in a column of ours."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _
from fernet_fields.hkdf import derive_fernet_key

from socialhub.fields import Secret
from socialhub.platforms.errors import ReconnectError


def key_ring() -> MultiFernet:
    """The first key seals, every key opens; derived as in SecretTextField."""
    return MultiFernet([opener(key) for key in settings.FERNET_KEYS])


@lru_cache(maxsize=16)
def opener(key: str) -> Fernet:
    return Fernet(derive_fernet_key(key))


def newest_key() -> Fernet:
    """The key that seals."""
    return opener(settings.FERNET_KEYS[0])


def reveal(token: Secret | str) -> str:
    """The clear text of a sealed token; one that was just assigned is clear still. Raises ReconnectError."""
    if isinstance(token, str):
        return token
    try:
        return token.reveal()
    except InvalidToken as error:
        raise ReconnectError(
            _("The stored access cannot be opened any more, because its encryption key is gone. Connect it again.")
        ) from error
