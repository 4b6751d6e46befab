"""Files in a platform's library: each once per account and content, whichever deployment needs it first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from deploy.models import Deployment, MediaUpload
from trafficking.platforms import base


class BeingUploaded(Exception):
    """Another deployment is at it."""


def known_id(account_id: int, ref: str) -> str:
    """The platform's id of a file that is there already, else ""."""
    row = MediaUpload.objects.filter(ad_account_id=account_id, ref=ref).first()
    return row.external_id if row else ""


def is_ready(account_id: int, refs: list[str]) -> bool:
    """Whether all of these are known to have been processed."""
    return MediaUpload.objects.filter(ad_account_id=account_id, ref__in=refs, ready=True).count() == len(refs)


def claim(account_id: int, ref: str, deployment: Deployment) -> None:
    """This deployment uploads it. Raises BeingUploaded while another one's claim is younger than a lease."""
    mine = str(deployment.public_id)
    try:
        with transaction.atomic():
            MediaUpload.objects.create(ad_account_id=account_id, ref=ref, claimed_by=mine)
    except IntegrityError:
        stale = timezone.now() - timedelta(seconds=settings.DEPLOY_LEASE_S)
        rows = MediaUpload.objects.filter(ad_account_id=account_id, ref=ref, external_id="")
        free = rows.filter(claimed_by=mine) | rows.filter(created_at__lt=stale)
        if not free.update(claimed_by=mine, created_at=timezone.now()):
            raise BeingUploaded from None


def record(account_id: int, planned: base.Operation, external_ids: dict[str, str]) -> None:
    """After an upload its id; after a wait that it can be used."""
    if planned.action == "upload":
        for ref, external_id in external_ids.items():
            MediaUpload.objects.update_or_create(
                ad_account_id=account_id, ref=ref, defaults={"external_id": external_id}
            )
    if planned.action == "await":
        MediaUpload.objects.filter(ad_account_id=account_id, ref__in=planned.parents).update(ready=True)


def uploaded_ids(account_id: int, refs: Iterable[str]) -> dict[str, str]:
    """The platform's ids, by ref, of those that are in the account's library."""
    rows = MediaUpload.objects.filter(ad_account_id=account_id, ref__in=list(refs)).exclude(external_id="")
    return dict(rows.values_list("ref", "external_id"))
