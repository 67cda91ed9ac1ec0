"""A column that is encrypted at rest and opened only on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fernet_fields import EncryptedTextField


class Secret:
    """What a loaded row holds instead of the clear text: it prints as dots and opens on `reveal()`."""

    def __init__(self, opener: Callable[[bytes], str], sealed: bytes) -> None:
        self._opener = opener
        self.sealed = sealed

    def reveal(self) -> str:
        """The clear text. Raises cryptography.fernet.InvalidToken when the key is gone or the bytes are damaged."""
        return self._opener(self.sealed)

    def __str__(self) -> str:
        return "••••"

    __repr__ = __str__


class SecretTextField(EncryptedTextField):
    """Fernet-encrypted text that loads as a `Secret`.

    Opening lazily means that one row with a lost key cannot break a list, and that neither the admin,
    a form, `dumpdata` nor a log line can print the value by accident.
    """

    def _open(self, sealed: bytes) -> str:
        return self.fernet.decrypt(sealed).decode()

    def from_db_value(self, value: Any, *args: Any) -> Secret | None:
        return None if value is None else Secret(self._open, bytes(value))

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, Secret) else super().to_python(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        # An untouched row keeps its bytes, even those that no key opens any more.
        if isinstance(value, Secret):
            return connection.Database.Binary(value.sealed)
        return super().get_db_prep_save(value, connection)

    def value_to_string(self, obj: Any) -> str:
        return ""

    def formfield(self, **kwargs: Any) -> None:  # type: ignore[override]
        return None
