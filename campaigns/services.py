"""Writes on campaigns: create with channels and names, rebuild names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, CampaignChannel
from campaigns.signals import names_rebuilt
from governance import naming
from governance.actor import acting
from governance.impact import MOST_BECOMES, MOST_EXAMPLES, Impact
from governance.models import Brand, Channel, Market, NamingConvention


def save_campaign(*, campaign: Campaign, channels: Iterable[Channel]) -> Campaign:
    """Save a campaign and its governed names, one per channel; all or nothing.

    Channels that are gone lose their name, unless a ticket holds it.
    """
    wanted = list(channels)
    if not wanted:
        raise ValidationError(
            {"channels": ValidationError(_("Choose at least one channel."), code="required")}
        )
    with transaction.atomic():
        campaign.save()
        present = {each.channel_id: each for each in campaign.channel_names.select_related("channel")}
        for gone in [each for pk, each in present.items() if pk not in {c.pk for c in wanted}]:
            gone.delete()
        renamed = []
        for channel in wanted:
            name = present.get(channel.pk) or CampaignChannel(campaign=campaign, channel=channel)
            name.campaign, before = campaign, name.governed_name
            name.save()
            renamed += [name] if before not in ("", name.governed_name) else []
        names_rebuilt.send(CampaignChannel, names=renamed)
    return campaign


def save_again(campaign: Campaign) -> Campaign:
    """With the channels that it has."""
    return save_campaign(campaign=campaign, channels=list(campaign.channels.all()))


def why_not_reverted(campaign: Campaign) -> str:
    """What a platform has is changed by tickets, not by going back here."""
    if campaign.channel_names.filter(deployed_at__isnull=False).exists():
        return gettext("It is on a platform. Change it by tickets that follow.")
    return ""


#: What a code stands for: where names are found by it, and its part of a name.
CODED: dict[type, tuple[str, str]] = {
    Brand: ("campaign__brand", "brand"),
    Market: ("campaign__market", "market"),
    Channel: ("channel", "channel"),
}


def names_with_code(row: Any) -> Impact:
    """What a new code of a brand, market or channel, or another convention, would mean for names.

    Registered with governance.
    """
    if isinstance(row, NamingConvention):
        return _names_under(row)
    lookup, part = CODED[type(row)]
    names = CampaignChannel.objects.filter(**{lookup: row})
    return _impact(names, lambda name: _with_part(name, part, row.code))


def _names_under(convention: NamingConvention) -> Impact:
    """What another convention in force would mean for all names."""
    before, after = NamingConvention.in_force_or_none(), convention.as_rules()

    def rebuilt(name: str) -> str:
        parts = naming.parse(before.as_rules(), "campaign", name) if before else None
        return naming.build(after, "campaign", parts)[0] if parts else ""

    return _impact(CampaignChannel.objects.all(), rebuilt)


def _impact(names: Any, rebuilt: Callable[[str], str]) -> Impact:
    fresh, kept = names.filter(deployed_at__isnull=True), names.filter(deployed_at__isnull=False)
    some = fresh.order_by("pk").values_list("governed_name", flat=True)
    return Impact(
        kept=kept.count(),
        renamed=fresh.count(),
        live=kept.filter(campaign__status=Campaign.Status.ACTIVE).values("campaign").distinct().count(),
        examples=list(names.values_list("governed_name", flat=True)[:MOST_EXAMPLES]),
        becomes=[{"before": name, "after": rebuilt(name)} for name in some[:MOST_BECOMES]],
    )


def _with_part(name: str, part: str, code: str) -> str:
    """The name with another code in it, by the convention in force; "" where that is not legal."""
    convention = NamingConvention.in_force_or_none()
    rule = convention.as_rules() if convention else None
    parts = naming.parse(rule, "campaign", name) if rule else None
    return naming.build(rule, "campaign", {**parts, part: code})[0] if rule and parts else ""


def rebuild_names_after_code(sender: Any, row: Any, **_kwargs: Any) -> None:
    lookup, _part = CODED[type(row)]
    rebuild_names(CampaignChannel.objects.filter(**{lookup: row}), reason=f"code is now {row.code}")


def rebuild_names_after_convention(sender: Any, convention: Any, **_kwargs: Any) -> None:
    rebuild_names(CampaignChannel.objects.all(), reason=f"convention {convention.number} is in force")


def rebuild_names(names: Any, *, reason: str) -> int:
    """Save again every name that no platform knows yet; what hangs on it follows by `names_rebuilt`."""
    fresh = list(
        names.filter(deployed_at__isnull=True).select_related(
            "campaign__brand", "campaign__market", "channel"
        )
    )
    with acting(reason=reason), transaction.atomic():
        for name in fresh:
            name.save()
        names_rebuilt.send(CampaignChannel, names=fresh)
    return len(fresh)
