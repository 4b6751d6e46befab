"""The names that saving a ticket's tree would build, by the very functions that saving uses; reads, writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, CampaignChannel, naming_result
from campaigns.rules import BuiltName
from governance import naming
from governance.findings import Finding
from governance.models import NamingConvention
from governance.nearest import OWN_PART, Vocabulary, nearest
from trafficking.models import Ticket
from trafficking.models.tree import ad_name, ad_set_name
from trafficking.tree_services import AdDraft, AdSetDraft

PART_LABELS = {
    "brand": _("Brand"), "market": _("Market"), "channel": _("Channel"), "year": _("Year"), "month": _("Month"),
    "objective": _("Objective"), "name": _("Campaign"), "ad_set": _("Ad set"), "ad": _("Ad"), "format": _("Format"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NamePreview:
    """`name` is what will be saved, "" where `reasons` stand in its way. `proposal` is a text to write instead, and
    `proposed` the name that it gives; both "" where nothing legal is near. `path` is that of the error, too."""

    path: str
    level: str
    name: str
    parts: Mapping[str, str]
    reasons: Sequence[str] = ()
    proposal: str = ""
    proposed: str = ""
    #: nothing is wrong yet: it is not filled in
    waits: bool = False

    def as_dict(self) -> dict[str, Any]:
        parts = [
            {"part": part, "label": str(PART_LABELS.get(part, part)), "value": value}
            for part, value in self.parts.items()
        ]
        return {
            "path": self.path, "level": self.level, "name": self.name, "legal": bool(self.name), "parts": parts,
            "reasons": list(self.reasons), "proposal": self.proposal, "proposed": self.proposed, "waits": self.waits,
        }  # fmt: skip


@dataclass(slots=True)
class _Scene:
    """One ticket that is being named."""

    ticket: Ticket
    rule: naming.Convention
    #: the coded parts, and the campaign's own where it is legal
    values: dict[str, str]
    names: list[NamePreview] = field(default_factory=list)

    def tell(
        self, path: str, level: str, text: str, built: BuiltName, known: Mapping[str, str], taken: set[str]
    ) -> NamePreview:
        findings = built.findings
        if built.name and naming.name_key(built.name) in taken:
            findings = [Finding("naming.taken", "name", params=_taken_params(built.name, text))]
        if not findings:
            shown = NamePreview(path, level, built.name, built.parts)
        else:
            near = nearest(self.rule, level, text, Vocabulary({}), known=known, taken=taken)
            own = near.parts.get(OWN_PART[level], "") if near.name else ""
            reasons = [f"{each.message} {each.remedy}".strip() for each in findings]
            parts = {part: known[part] for part in self.rule.parts(level) if known.get(part)}
            shown = NamePreview(
                path, level, "", parts, list(dict.fromkeys(reasons)), own, near.name, waits=not text.strip()
            )
        self.names.append(shown)
        return shown


def _taken_params(name: str, text: str) -> dict[str, str]:
    return {"name": name, "other": text, "suggestion": f"{text} 2"}


def preview_names(ticket: Ticket, ad_sets: Sequence[AdSetDraft]) -> list[NamePreview]:
    """Campaign first, then each ad set followed by its ads. `ticket` and its campaign may be unsaved and incomplete."""
    convention = NamingConvention.in_force_or_none()
    if convention is None:
        return [
            NamePreview("campaign.name", "campaign", "", {}, [gettext("No naming convention is in force.")])
        ]
    campaign = ticket.campaign
    lacking = _lacking(campaign, ticket)
    if lacking:
        reason = gettext("Choose first: %(what)s.") % {"what": ", ".join(lacking)}
        return [NamePreview("campaign.name", "campaign", "", {}, [reason], waits=True)]
    rule = convention.as_rules()
    values, findings = campaign.name_values(ticket.channel, rule)
    scene = _Scene(ticket, rule, {part: value for part, value in values.items() if value})
    _name_campaign(scene, campaign, findings)
    _name_ad_sets(scene, ad_sets)
    return scene.names


def _lacking(campaign: Campaign, ticket: Ticket) -> list[str]:
    wanted = {
        gettext("brand"): campaign.brand_id, gettext("market"): campaign.market_id,
        gettext("channel"): ticket.channel_id, gettext("first day"): campaign.start_on,
    }  # fmt: skip
    return [label for label, value in wanted.items() if not value]


def _name_campaign(scene: _Scene, campaign: Campaign, findings: list[Finding]) -> None:
    standing = _standing_name(campaign, scene.ticket.channel_id)
    if standing is not None and standing.deployed_at:  # the platform knows it: it stays as it is
        scene.names.append(
            NamePreview("campaign.name", "campaign", standing.governed_name, dict(standing.parts))
        )
        return
    built = naming_result(campaign, scene.ticket.channel, scene.rule)
    known = {part: value for part, value in scene.values.items() if part != "name"}
    taken = _taken_campaign_names(built.name, campaign)
    scene.tell("campaign.name", "campaign", campaign.name, built, known, taken)


def _standing_name(campaign: Campaign, channel_id: int | None) -> CampaignChannel | None:
    if campaign.pk is None or channel_id is None:
        return None
    return CampaignChannel.objects.filter(campaign_id=campaign.pk, channel_id=channel_id).first()


def _taken_campaign_names(name: str, campaign: Campaign) -> set[str]:
    """The key of this name where another campaign holds it, with those of its next numbers."""
    if not name:
        return set()
    keys = [
        naming.name_key(name + suffix)
        for suffix in ("", *map(str, range(2, 10)), *(f"v{n}" for n in range(2, 10)))
    ]
    held = CampaignChannel.objects.filter(name_key__in=keys).exclude(campaign_id=campaign.pk)
    return set(held.values_list("name_key", flat=True))


def _name_ad_sets(scene: _Scene, ad_sets: Sequence[AdSetDraft]) -> None:
    taken: set[str] = set()
    for at, draft in enumerate(ad_sets):
        path, text = f"ad_sets[{at}]", str(draft.values.get("name") or "")
        built = ad_set_name(scene.ticket, text, scene.rule)
        known = {part: value for part, value in scene.values.items() if part != "ad_set"}
        told = scene.tell(f"{path}.name", "ad_set", text, built, known, taken)
        if told.name:
            taken.add(naming.name_key(told.name))
        _name_ads(scene, path, text, draft.ads or ())


def _name_ads(scene: _Scene, path: str, ad_set: str, ads: Sequence[AdDraft]) -> None:
    taken: set[str] = set()
    upper, _findings = naming.name_part(scene.rule, ad_set, part="ad_set")
    for at, draft in enumerate(ads):
        text, format_ = str(draft.values.get("name") or ""), str(draft.values.get("format") or "")
        built = ad_name(scene.ticket, ad_set, text, format_, scene.rule)
        known = {**scene.values, "ad_set": upper, "format": format_.replace("_", "")}
        told = scene.tell(f"{path}.ads[{at}].name", "ad", text, built, known, taken)
        if told.name:
            taken.add(naming.name_key(told.name))
