"""Names follow: when a campaign's governed name is built again, so are those of its ad sets and ads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from campaigns.models import CampaignChannel
from trafficking.models import Ticket
from trafficking.statuses import EDITABLE


def rename_parts(sender: Any, names: Iterable[CampaignChannel], **_kwargs: Any) -> None:
    """Receiver of `campaigns.signals.names_rebuilt`. Tickets that are facts keep their names."""
    for name in names:
        tickets = Ticket.objects.filter(
            campaign_id=name.campaign_id, channel_id=name.channel_id, status__in=EDITABLE
        )
        for ticket in tickets:
            save_names(ticket)


def save_names(ticket: Ticket) -> None:
    """Save each ad set and ad again: saving builds the name, and takes the ticket back to DRAFT."""
    for ad_set in ticket.ad_sets.select_related("ticket__campaign", "ticket__channel"):
        ad_set.save()
        for ad in ad_set.ads.select_related("ad_set__ticket__campaign", "ad_set__ticket__channel"):
            ad.save()
