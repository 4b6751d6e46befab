"""Names follow: when a campaign's governed name is built again, so are those of its ad sets and ads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.models import CampaignChannel
from trafficking.models import Ticket
from trafficking.statuses import EDITABLE, RUNNING, Status


def rename_parts(sender: Any, names: Iterable[CampaignChannel], **_kwargs: Any) -> None:
    """Receiver of `campaigns.signals.names_rebuilt`. Tickets that are facts keep their names."""
    for name in names:
        tickets = Ticket.objects.filter(campaign_id=name.campaign_id, channel_id=name.channel_id)
        _refuse_under_way(name, tickets)
        for ticket in tickets.filter(status__in=EDITABLE):
            save_names(ticket)


def _refuse_under_way(name: CampaignChannel, tickets: QuerySet[Ticket]) -> None:
    """The platform is being told the old name: a new one would no longer be what is there."""
    if tickets.filter(status__in=[*RUNNING, Status.FAILED]).exists():
        text = _(
            "%(name)s is being deployed or has failed half-way: its name can't change until that has ended."
        )
        raise ValidationError(text, code="name_under_way", params={"name": name.governed_name})


def save_names(ticket: Ticket) -> None:
    """Save each ad set and ad again: saving builds the name, and takes the ticket back to DRAFT."""
    for ad_set in ticket.ad_sets.select_related("ticket__campaign", "ticket__channel"):
        ad_set.save()
        for ad in ad_set.ads.select_related("ad_set__ticket__campaign", "ad_set__ticket__channel"):
            ad.save()
