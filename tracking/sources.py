"""Who may report: server secrets and write keys of sources."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.models import ConversionSource

#: After a new secret, the one before works for so long: servers are changed one after the other.
OVERLAP = timedelta(days=2)


def digest_of(secret: str) -> str:
    """SHA-256 in hex; the secret has 256 random bits, so nothing slower is needed."""
    return sha256(secret.encode()).hexdigest()


def make_secret(source: ConversionSource, *, overlap: timedelta = OVERLAP) -> str:
    """A new server secret, to be shown once. The one before works until `overlap` has passed."""
    if source._state.adding:
        raise ValidationError(_("Save the source first."), code="not_saved")
    secret = f"otc_{secrets.token_urlsafe(32)}"
    now = timezone.now()
    source.previous_digest, source.previous_until = source.secret_digest, now + overlap
    source.secret_digest, source.secret_made_at = digest_of(secret), now
    source.save()
    return secret


def source_of_secret(secret: str) -> ConversionSource | None:
    """The active source that the secret belongs to."""
    if not secret:
        return None
    digest = digest_of(secret)
    now = timezone.now()
    fits = Q(secret_digest=digest) | Q(previous_digest=digest, previous_until__gt=now)
    return _active().filter(fits).first()


def source_of_write_key(key: str) -> ConversionSource | None:
    return _active().filter(write_key=key).first()


def _active() -> Any:
    rows = ConversionSource.objects.filter(active=True, archived_at__isnull=True)
    return rows.select_related("market", "brand").prefetch_related("destinations")
