"""The keys of FERNET_KEYS, for secrets that do not live in a column of ours."""

from __future__ import annotations

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from fernet_fields.hkdf import derive_fernet_key


def key_ring() -> MultiFernet:
    """The first key seals, every key opens; derived as in SecretTextField."""
    return MultiFernet([Fernet(derive_fernet_key(key)) for key in settings.FERNET_KEYS])
