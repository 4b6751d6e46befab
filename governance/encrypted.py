"""Secrets at rest: a JSON value encrypted with Fernet, newest key first, older keys for reading."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


class EncryptedJSONField(models.TextField):
    """A dict of secrets. A wrong key raises; look-ups are refused; it is excluded from history."""

    def get_prep_value(self, value: Any) -> str:
        if not value:
            return ""
        return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(json.dumps(value).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> dict[str, str]:
        if not value:
            return {}
        try:
            return json.loads(_cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(value.encode()))
        except InvalidToken:
            raise ImproperlyConfigured(
                f"{self.model.__name__}.{self.name} was encrypted with a key that ENCRYPTION_KEYS lacks"
            ) from None

    def to_python(self, value: Any) -> Any:
        # a text comes from a dump (`value_to_string`)
        return self.from_db_value(value, None, None) if isinstance(value, str) else value or {}

    def value_to_string(self, obj: models.Model) -> str:
        """What `dumpdata` writes: encrypted, as in the database."""
        return self.get_prep_value(self.value_from_object(obj))

    def get_lookup(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.name} is encrypted and can't be searched")
