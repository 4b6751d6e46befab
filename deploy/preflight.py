"""Is the account fit to be built in? Asked before the first call, and not again for a while."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from deploy.answers import storable
from deploy.models import AccountWatch
from governance.findings import Finding
from governance.models import AdAccount
from trafficking.platforms import base


def check_account(account: AdAccount, client: base.Client) -> list[Finding] | base.Unread:
    """All findings of the last check; the platform is asked anew where that is older than PREFLIGHT_EVERY_S or
    has found something that blocks."""
    watch = AccountWatch.objects.filter(ad_account=account).first()
    fresh = timezone.now() - timedelta(seconds=settings.PREFLIGHT_EVERY_S)
    if watch and watch.checked_at and watch.checked_at > fresh:
        known = [Finding.from_dict(each) for each in watch.findings]
        if not any(each.blocking for each in known):
            return known
    found = client.preflight()
    if not isinstance(found, tuple):
        unread: base.Unread = storable(found, client.connection.credentials.values())
        return unread
    AccountWatch.objects.update_or_create(
        ad_account=account,
        defaults={"checked_at": timezone.now(), "findings": [each.as_dict() for each in found]},
    )
    return list(found)
