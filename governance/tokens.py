"""Making, using and ending API tokens. The secret is given out once; its hash is kept by knox."""

from __future__ import annotations

from datetime import timedelta
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS

from governance.actor import acting
from governance.models.tokens import SHOWN, ApiToken, may_manage_all
from governance.scopes import Scope

#: The last use is written no oftener: reading with a token should not write.
USE_IS_NOTED_EVERY = timedelta(hours=1)


def make_token(
    *, user: Any, name: str, scopes: list[str], days: int | None = None, within: ApiToken | None = None
) -> tuple[ApiToken, str]:
    """(the row, the secret: shown now and never again). `days` defaults to API_TOKEN_DAYS.

    `within` is the token that asks for it: the new one has no other scopes and lives no longer. Raises ValidationError
    by field.
    """
    now = timezone.now()
    expires = now + timedelta(days=settings.API_TOKEN_DAYS if days is None else days)
    if within is not None:
        _require_within(within, scopes)
        expires = min(expires, within.expires_at)
    scopes = [each for each in Scope.values if each in scopes] + [
        each for each in scopes if each not in Scope.values
    ]
    with transaction.atomic(), acting(user):
        row = ApiToken(user=user, name=name.strip(), scopes=scopes, created_at=now, expires_at=expires, created_by=user, starts_with="-")  # fmt: skip
        row.full_clean(exclude=["secret"])
        row.secret, secret = AuthToken.objects.create(user=user, expiry=expires - timezone.now())
        row.starts_with = secret[:SHOWN]
        row.save()
    return row, secret


def _require_within(within: ApiToken, scopes: list[str]) -> None:
    wider = [str(each) for each in scopes if each in Scope.values and each not in within.scopes]
    if wider:
        text = _("The token that you are using lacks %(scopes)s: it makes none that may do more than itself.")
        error = ValidationError(text, code="wider_scope", params={"scopes": ", ".join(wider)})
        raise ValidationError({"scopes": error})


def revoke_token(*, token: ApiToken, by: Any, reason: str = "") -> None:
    """It is refused from now on; the row stays, to be read. Revoking twice changes nothing."""
    if token.user_id != by.pk and not may_manage_all(by):
        raise PermissionDenied
    if token.revoked_at is not None:
        return
    with transaction.atomic(), acting(by, reason=reason):
        secret, token.secret = token.secret, None
        token.revoked_at = timezone.now()
        token.save()
        if secret is not None:
            secret.delete()


def find_token(secret: str) -> ApiToken | None:
    """The usable token of this secret with its person, in one query. ValueError where the text can't be one."""
    rows = ApiToken.objects.usable().select_related("secret", "user")
    digest = hash_token(secret)
    for row in rows.filter(secret__token_key=secret[: CONSTANTS.TOKEN_KEY_LENGTH]):
        if row.secret is not None and compare_digest(digest, row.secret.digest):
            return row
    return None


def note_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USE_IS_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
