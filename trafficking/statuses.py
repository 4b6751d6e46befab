"""What a ticket can be, and the ways between."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    DRAFT = "DRAFT", _("Draft")
    QA_TESTING = "QA_TESTING", _("QA running")
    QA_FAILED = "QA_FAILED", _("QA failed")
    READY_FOR_API = "READY_FOR_API", _("Ready, awaiting approval")
    APPROVED = "APPROVED", _("Approved")
    QUEUED = "QUEUED", _("Queued")
    DEPLOYING = "DEPLOYING", _("Deploying")
    IN_DOUBT = "IN_DOUBT", _("In doubt")
    TRAFFICKED_SUCCESS = "TRAFFICKED_SUCCESS", _("Trafficked")
    FAILED = "FAILED", _("Failed")
    CANCELLED = "CANCELLED", _("Cancelled")


S = Status

#: From each status to those that may follow it.
WAYS: dict[str, frozenset[str]] = {
    S.DRAFT: frozenset({S.QA_TESTING, S.CANCELLED}),
    S.QA_TESTING: frozenset({S.QA_FAILED, S.READY_FOR_API, S.DRAFT}),
    S.QA_FAILED: frozenset({S.DRAFT, S.QA_TESTING, S.CANCELLED}),
    S.READY_FOR_API: frozenset({S.APPROVED, S.DRAFT, S.QA_TESTING, S.QA_FAILED, S.CANCELLED}),
    S.APPROVED: frozenset({S.QUEUED, S.DRAFT, S.READY_FOR_API, S.QA_FAILED, S.CANCELLED}),
    # QA_FAILED: the platform has changed since the approval, which is void
    S.QUEUED: frozenset({S.DEPLOYING, S.FAILED, S.APPROVED, S.CANCELLED, S.QA_FAILED}),
    S.DEPLOYING: frozenset({S.TRAFFICKED_SUCCESS, S.FAILED, S.IN_DOUBT}),
    S.IN_DOUBT: frozenset({S.DEPLOYING, S.FAILED, S.TRAFFICKED_SUCCESS}),
    S.FAILED: frozenset({S.QUEUED, S.CANCELLED, S.DRAFT}),
    S.TRAFFICKED_SUCCESS: frozenset(),
    S.CANCELLED: frozenset(),
}

#: Content may be edited; an edit takes the ticket back to DRAFT.
EDITABLE = frozenset({S.DRAFT, S.QA_FAILED, S.READY_FOR_API, S.APPROVED})
#: The whole QA holds in `clean()`: nothing can be saved in these with a blocking finding.
GUARDED = frozenset({S.READY_FOR_API, S.APPROVED, S.QUEUED})
#: A deployment is on its way.
RUNNING = frozenset({S.QUEUED, S.DEPLOYING, S.IN_DOUBT})
