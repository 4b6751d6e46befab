"""Many campaigns at once: the same rules as one campaign's `save`, read once, and a few statements for all.

`campaigns/tests/test_bulk_campaigns.py` holds this door and `services.save_campaign` against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import rules
from campaigns.models import Campaign, CampaignChannel
from governance import naming
from governance.findings import Finding, raise_blocking
from governance.governed import write_many
from governance.models import Channel, Market, NamingConvention

#: References are looked up by whoever made the campaigns; clean_fields would ask for each of them again.
_REFERENCES = frozenset({"brand", "market", "owner"})
_CHUNK = 400


class RowErrors(Exception):
    """Position in what was given -> its ValidationError. Nothing was written."""

    def __init__(self, errors: Mapping[int, ValidationError]) -> None:
        super().__init__(f"{len(errors)} rows")
        self.errors = dict(sorted(errors.items()))


@dataclass(slots=True)
class _Batch:
    convention: NamingConvention | None
    rule: naming.Convention | None
    today: dict[int, date] = field(default_factory=dict)
    errors: dict[int, ValidationError] = field(default_factory=dict)
    names: dict[int, list[CampaignChannel]] = field(default_factory=dict)

    def day_in(self, market: Market) -> date:
        if market.pk not in self.today:
            self.today[market.pk] = market.today()
        return self.today[market.pk]


def create_campaigns(*, drafts: Sequence[tuple[Campaign, Sequence[Channel]]]) -> list[Campaign]:
    """Save new campaigns with their governed names, all or none.

    Brand, market and owner of each are saved rows. Raises RowErrors with everything that is wrong in every row.
    """
    convention = NamingConvention.in_force_or_none()
    batch = _Batch(convention, convention.as_rules() if convention else None)
    for at, (campaign, channels) in enumerate(drafts):
        try:
            batch.names[at] = _checked(campaign, channels, batch)
        except ValidationError as error:
            batch.errors[at] = error
    _refuse_taken(drafts, batch)
    if batch.errors:
        raise RowErrors(batch.errors)
    with transaction.atomic():
        write_many([campaign for campaign, _channels in drafts])
        names = [name for each in batch.names.values() for name in each]
        for name in names:
            name.campaign_id = name.campaign.pk
        write_many(names)
    return [campaign for campaign, _channels in drafts]


def _checked(campaign: Campaign, channels: Sequence[Channel], batch: _Batch) -> list[CampaignChannel]:
    errors = _Errors()
    errors.collect(lambda: campaign.clean_fields(exclude=_REFERENCES))
    errors.collect(lambda: raise_blocking(_findings(campaign, batch), campaign))
    if not channels:
        errors.add("channels", ValidationError(_("Choose at least one channel."), code="required"))
    if len({channel.pk for channel in channels}) != len(channels):
        errors.add("channels", ValidationError(_("A channel stands there twice."), code="duplicate"))
    errors.raise_any()
    names = []
    for channel in channels:
        errors.collect(lambda channel=channel: names.append(_named(campaign, channel, batch)))
    errors.raise_any()
    return names


def _findings(campaign: Campaign, batch: _Batch) -> list[Finding]:
    return [
        *rules.name_findings(campaign.name or "", batch.rule),
        *rules.flight_findings(campaign.start_on, campaign.end_on, today=batch.day_in(campaign.market)),
        *rules.budget_findings(campaign.budget, campaign.currency or ""),
    ]


def _named(campaign: Campaign, channel: Channel, batch: _Batch) -> CampaignChannel:
    assert batch.rule is not None  # _findings has refused a campaign without a convention
    if not channel.active:
        text = _("%(channel)s is inactive. Choose an active channel.")
        error = ValidationError(text, code="channel_inactive", params={"channel": channel.code})
        raise ValidationError({"channels": error})
    values, findings = campaign.name_values(channel, batch.rule)
    built = rules.built_name(batch.rule, "campaign", values, findings)
    raise_blocking(built.findings, campaign)
    return CampaignChannel(
        campaign=campaign, channel=channel, governed_name=built.name, parts=built.parts,
        name_key=naming.name_key(built.name), convention=batch.convention,
    )  # fmt: skip


def _refuse_taken(drafts: Sequence[Any], batch: _Batch) -> None:
    """Two campaigns never get one name: neither within the batch nor with what stands."""
    holders: dict[str, list[int]] = defaultdict(list)
    for at, names in batch.names.items():
        for name in names:
            holders[name.name_key].append(at)
    standing = _standing(list(holders))
    for key, rows in holders.items():
        other = standing.get(key) or drafts[rows[0]][0].name
        for at in rows if key in standing else rows[1:]:
            batch.errors.setdefault(at, _taken(batch.names[at], key, other))


def _standing(keys: Sequence[str]) -> dict[str, str]:
    """Name key -> the campaign that holds it."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), _CHUNK):
        rows = CampaignChannel.objects.filter(name_key__in=keys[start : start + _CHUNK])
        found.update(rows.values_list("name_key", "campaign__name"))
    return found


def _taken(names: Sequence[CampaignChannel], key: str, other: str) -> ValidationError:
    name = next(each for each in names if each.name_key == key)
    params = {"name": name.governed_name, "other": other, "suggestion": f"{name.campaign.name} 2"}
    finding = Finding("naming.taken", "name", params=params)
    text = f"{finding.message} {finding.remedy}".replace("%", "%%")
    return ValidationError({"name": ValidationError(text, code=finding.code, params=params)})


class _Errors:
    """ValidationErrors of one row, gathered by field."""

    def __init__(self) -> None:
        self.by_field: dict[str, list[ValidationError]] = defaultdict(list)

    def __bool__(self) -> bool:
        return bool(self.by_field)

    def add(self, field_name: str, error: ValidationError) -> None:
        self.by_field[field_name].append(error)

    def collect(self, check: Any) -> None:
        try:
            check()
        except ValidationError as error:
            by_field = (
                error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
            )
            for name, errors in by_field.items():
                self.by_field[name].extend(errors)

    def raise_any(self) -> None:
        if self.by_field:
            raise ValidationError(dict(self.by_field))
