"""Celery tasks of this floor: each may be delivered any number of times."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from celery import shared_task

from governance import notices, webhooks

logger = logging.getLogger(__name__)


@shared_task(name="governance.tasks.send_notices", ignore_result=True)
def send_notices() -> int:
    """Mail and webhooks that are due. The schedule calls it, too: what a lost message or a dead worker left is sent."""
    sent = webhooks.deliver_due()
    try:
        sent += notices.mail_due()
    except (OSError, SMTPException):
        logger.exception("the mail server took no notices: they are mailed again later")
    return sent
