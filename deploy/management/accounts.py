"""How commands are told an ad account."""

from __future__ import annotations

import uuid

from django.core.management.base import CommandError

from governance.models import AdAccount
from governance.platforms import platform_key


def find_account(reference: str) -> AdAccount:
    """By public id, or as platform:account id. Raises CommandError."""
    platform, _colon, external_id = reference.partition(":")
    if external_id:
        found = AdAccount.objects.filter(
            platform=platform_key(platform) or "", external_id=external_id
        ).first()
    else:
        try:
            found = AdAccount.objects.filter(public_id=uuid.UUID(reference)).first()
        except ValueError:
            found = None
    if found is None:
        raise CommandError(f"There is no ad account {reference}.")
    return found
