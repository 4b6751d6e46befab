"""A campaign that somebody built on the platform comes under governance, as it is: with a ticket that says what is known
of it, and its objects on record. What can't be known of it stays empty.

What was read counts as applied *and* as adopted: a ticket that says nothing about a field leaves it as it is. So
RENAME, PAUSE, ACTIVATE and ARCHIVE work at once; an UPDATE is refused by QA until a person has filled in what a
campaign needs, and then changes what it names only.
"""

from __future__ import annotations

import uuid
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import BudgetType, Campaign, CampaignChannel
from deploy import inventory
from deploy.models import ExistingObject
from governance.access import reach_of
from governance.actor import acting
from governance.findings import Finding, blocking, raise_blocking
from governance.governed import StaleVersion, compare_and_set, write_many
from governance.models import AdAccount, Brand, Channel, Market
from governance.models.aliases import Objective
from trafficking import requests
from trafficking import services as tickets
from trafficking.held import HELD_TYPES
from trafficking.models import Ad, AdSet, PlatformObject, Ticket
from trafficking.platforms.changes import wanted_names
from trafficking.platforms.registry import platform
from trafficking.snapshots import ticket_snapshot
from trafficking.statuses import Status
from trafficking.tree_services import AdDraft, AdSetDraft, save_tree

REASON = "imported from the platform"
SWITCHED = ("campaign", "ad_set", "ad")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person says of a campaign that is adopted; None: as its name and fields say, where they do."""

    brand: Brand | None = None
    market: Market | None = None
    channel: Channel | None = None
    name: str | None = None
    objective: str | None = None
    budget: Decimal | None = None
    budget_type: str = BudgetType.LIFETIME
    start_on: date | None = None
    end_on: date | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The same, found out and complete."""

    brand: Brand
    market: Market
    channel: Channel
    name: str
    objective: str
    budget: Decimal
    budget_type: str
    start_on: date
    end_on: date


def adopt_campaign(
    *, existing: ExistingObject, by: Any, wishes: Wishes = Wishes(), note: str = ""
) -> Ticket:  # fmt: skip
    """Bring a running campaign under governance: the ticket that stands for it, trafficked. Nothing is sent.

    Raises PermissionDenied, or ValidationError with all that is missing or illegal; then nothing has changed.
    """
    _require(by)
    rows = inventory.tree_rows(existing.ad_account, existing.external_id)
    raise_blocking(_unadoptable(existing, rows), existing)
    known, missing = _found_out(existing, wishes)
    raise_blocking(missing, existing)
    assert known is not None
    if not reach_of(by).covers(known.brand.pk, known.market.pk):
        raise PermissionDenied
    with acting(by, reason=note or REASON), transaction.atomic():
        campaign = _campaign(existing, known, by)
        ticket = _ticket(existing, known, campaign, by, note)
        tree = _Tree(rows)
        save_tree(ticket=ticket, ad_sets=tree.drafts())
        _write_ids(ticket, tree)
        _record(ticket, tree)
        _traffic(ticket, existing)
    return ticket


def _require(by: Any) -> None:
    for permission in ("campaigns.add_campaign", "trafficking.add_ticket"):
        if not by.has_perm(permission):
            raise PermissionDenied


def _unadoptable(existing: ExistingObject, rows: Sequence[ExistingObject]) -> list[Finding]:
    params = {"name": existing.name}
    if existing.object_type != "campaign":
        return [Finding("adoption.not_a_campaign", params=params)]
    if _is_governed(existing):
        return [Finding("adoption.governed", params=params)]
    watch = getattr(existing.ad_account, "watch", None)
    if len(rows) < 2 and watch is not None and existing.external_id in (watch.inventory_left or ()):
        return [Finding("adoption.no_children", params=params)]
    return []


def _is_governed(existing: ExistingObject) -> bool:
    rows = PlatformObject.objects.filter(
        ad_account=existing.ad_account, object_type="campaign", external_id=existing.external_id
    )
    return rows.exists()


# ------------------------------------------------------------------------------------- what is known


def _found_out(existing: ExistingObject, wishes: Wishes) -> tuple[Known | None, list[Finding]]:
    """What the person said, else what the name says (read, or as proposed), else what the platform's fields say."""
    parts = existing.parts if existing.legal else existing.proposed_parts
    found: dict[str, Any] = {
        "brand": wishes.brand or _coded(Brand, parts.get("brand")),
        "market": wishes.market or _coded(Market, parts.get("market")),
        "channel": wishes.channel or _coded(Channel, parts.get("channel")),
        "name": wishes.name or parts.get("name"),
        "objective": wishes.objective or _objective(parts, existing.fields),
        "budget": wishes.budget,
        "budget_type": wishes.budget_type,
        "start_on": wishes.start_on or _day(existing, "start"),
        "end_on": wishes.end_on or _day(existing, "end") or _day(existing, "stop"),
    }
    missing = [
        Finding("adoption.missing", params={"name": existing.name, "field": each.name})
        for each in fields(Known)
        if not found[each.name]
    ]
    return (None if missing else Known(**found)), missing


def _coded(model: Any, code: str | None) -> Any:
    return model.objects.current().filter(code=code).first() if code else None


def _objective(parts: Mapping[str, str], read: Mapping[str, Any]) -> str:
    """The objective that the name or the platform's field of that name says, in the house's word; "" for neither.

    Platforms write it with more around it: OUTCOME_TRAFFIC, LEAD_GENERATION, WEB_CONVERSIONS.
    """
    said = [parts.get("objective", "")]
    said += [str(value) for key, value in sorted(read.items()) if "objective" in key.casefold()]
    for text in said:
        plain = text.casefold().replace("_", "")
        for objective in Objective.values:
            word = objective.casefold().replace("_", "").removesuffix("s")
            if word in plain:
                return str(objective)
        if "conversion" in plain:
            return str(Objective.SALES)
    return ""


def _day(existing: ExistingObject, word: str) -> date | None:
    """The day in the account's zone; the campaign's own field, else the earliest start or latest end below it."""
    rows = inventory.tree_rows(existing.ad_account, existing.external_id)
    found = [moment for row in rows if (moment := inventory.moment_of(row.fields, word)) is not None]
    zone = zoneinfo.ZoneInfo(existing.ad_account.time_zone)
    days = [(each.astimezone(zone) if each.tzinfo else each).date() for each in found]
    if not days:
        return None
    return min(days) if word == "start" else max(days)


# -------------------------------------------------------------------------------------- what is written


def _campaign(existing: ExistingObject, known: Known, by: Any) -> Campaign:
    """A campaign like any other, save that its flight may have begun: that is a fact and not a choice."""
    campaign = Campaign(
        name=known.name, brand=known.brand, market=known.market, objective=known.objective, budget=known.budget,
        currency=existing.ad_account.currency, budget_type=known.budget_type, start_on=known.start_on,
        end_on=known.end_on, owner=by,
    )  # fmt: skip
    campaign.clean_fields()
    raise_blocking([each for each in campaign.findings() if each.code != "flight.past"], campaign)
    campaign.validate_constraints()
    write_many([campaign])
    name = CampaignChannel(campaign=campaign, channel=known.channel)
    name.save()
    CampaignChannel.objects.filter(pk=name.pk).update(deployed_at=timezone.now())
    return campaign


def _ticket(existing: ExistingObject, known: Known, campaign: Campaign, by: Any, note: str) -> Ticket:
    ticket = Ticket(
        campaign=campaign, channel=known.channel, ad_account=existing.ad_account, start_on=known.start_on,
        end_on=known.end_on, owner=by, request_note=note or REASON,
    )  # fmt: skip
    ticket.save()
    return ticket


class _Tree:
    """The rows of one campaign with the refs and intents that they get."""

    def __init__(self, rows: Sequence[ExistingObject]) -> None:
        self.rows = list(rows)
        self.campaign = next(row for row in rows if row.object_type == "campaign")
        self.intents = {row.pk: uuid.uuid4() for row in rows if row.object_type in ("ad_set", "ad")}
        self.ad_sets = [row for row in rows if row.object_type == "ad_set"]

    def ads_of(self, ad_set: ExistingObject) -> list[ExistingObject]:
        return [row for row in self.rows if row.object_type == "ad" and row.parent_id == ad_set.external_id]

    def drafts(self) -> list[AdSetDraft]:
        named = _distinct(self.ad_sets, "ad_set")
        drafts = []
        for row in self.ad_sets:
            ads, names = self.ads_of(row), _distinct(self.ads_of(row), "ad")
            drafts.append(
                AdSetDraft(
                    {"name": named[row.pk]},
                    intent_id=self.intents[row.pk],
                    ads=[
                        AdDraft(
                            {"name": names[ad.pk], "format": self.format_of(ad)},
                            intent_id=self.intents[ad.pk],
                        )
                        for ad in ads
                    ],
                )
            )
        return drafts

    def creative_of(self, ad: ExistingObject) -> ExistingObject | None:
        """The creative whose id the ad's fields hold, or the only one where there is one ad; None where unclear."""
        creatives = [
            row for row in self.rows if row.object_type == "creative" and row.parent_id == ad.parent_id
        ]
        texts = set(_texts(ad.fields))
        named = [row for row in creatives if row.external_id in texts]
        siblings = [row for row in self.rows if row.object_type == "ad" and row.parent_id == ad.parent_id]
        if not named and len(creatives) == len(siblings) == 1:
            named = creatives
        return named[0] if len(named) == 1 else None

    def format_of(self, ad: ExistingObject) -> str:
        """By what its fields speak of; an image where they speak of nothing else."""
        creative = self.creative_of(ad)
        said = " ".join(_texts([ad.fields, creative.fields if creative else {}])).casefold().replace("_", "")
        for word, found in _FORMATS:
            if word in said:
                return found
        return "IMAGE"

    def ref_of(self, row: ExistingObject) -> str:
        """As plans call it; "" for what a plan could not tell apart."""
        if row.pk in self.intents:
            return f"{row.object_type}:{self.intents[row.pk]}"
        if row.object_type == "creative":
            ads = [each for each in self.rows if each.object_type == "ad" and self.creative_of(each) == row]
            return f"creative:{self.intents[ads[0].pk]}" if ads else ""
        return row.object_type

    def parent_of(self, row: ExistingObject) -> str:
        if row.object_type == "campaign" or not row.parent_id:
            return ""
        above = [each for each in self.rows if each.external_id == row.parent_id and each.object_type != "ad"]
        return self.ref_of(above[0]) if above else ""


#: What stands in the fields of an ad -> its format, the most telling first.
_FORMATS = (
    ("responsivesearchad", "SEARCH_TEXT"), ("responsivedisplayad", "RESPONSIVE_DISPLAY"),
    ("childattachments", "CAROUSEL"), ("carousel", "CAROUSEL"), ("video", "VIDEO"),
)  # fmt: skip


def _texts(value: Any) -> Iterable[str]:
    """Every key with a value, and every value, at any depth."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if inner not in (None, "", [], {}):
                yield str(key)
                yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)


def _distinct(rows: Sequence[ExistingObject], part: str) -> dict[int, str]:
    """The free part of each name, read or proposed, else its words; two of one name are told apart by a number."""
    names: dict[int, str] = {}
    used: set[str] = set()
    for at, row in enumerate(rows, 1):
        stem = (row.parts if row.legal else row.proposed_parts).get(part) or row.name or f"Ad {at}"
        name, number = stem, 1
        while name.casefold() in used:
            number += 1
            name = f"{stem} v{number}"
        used.add(name.casefold())
        names[row.pk] = name
    return names


def _write_ids(ticket: Ticket, tree: _Tree) -> None:
    for row in tree.ad_sets:
        AdSet.objects.filter(ticket=ticket, intent_id=tree.intents[row.pk]).update(
            external_id=row.external_id
        )
        for ad in tree.ads_of(row):
            creative = tree.creative_of(ad)
            Ad.objects.filter(ad_set__ticket=ticket, intent_id=tree.intents[ad.pk]).update(
                external_id=ad.external_id,
                creative_external_id=creative.external_id if creative else "",
            )


def _record(ticket: Ticket, tree: _Tree) -> None:
    """The objects as they are. What is paused below the campaign was paused by somebody: activating the whole leaves it."""
    name = CampaignChannel.objects.get(campaign_id=ticket.campaign_id, channel_id=ticket.channel_id)
    version = platform(ticket.ad_account.platform).api_version
    refs = {row.pk: tree.ref_of(row) for row in tree.rows if row.object_type in HELD_TYPES}
    governed = wanted_names(ticket_snapshot(ticket))
    held = [
        PlatformObject(
            ad_account=ticket.ad_account, ticket=ticket, tree=name, ref=refs[row.pk], parent=tree.parent_of(row),
            object_type=row.object_type, external_id=row.external_id,
            # what has no name on its platform goes by its governed one
            name=row.name or governed.get(refs[row.pk], ""),
            intent=_intent(refs[row.pk]) or str(ticket.public_id), api_version=version,
            applied=_applied(row), live=row.fields, live_at=row.seen_at, adopted=_kept(_applied(row)), status=row.status,
            applied_status=row.status, settled={}, delivery=row.delivery,
            held_back=row.status == "PAUSED" and row.object_type != "campaign", ever_active=row.object_type in SWITCHED,
        )
        for row in tree.rows
        if refs.get(row.pk)
    ]  # fmt: skip
    write_many(held)
    by_id = {(each.object_type, each.external_id): each for each in held}
    for row in tree.rows:
        row.governed_by = by_id.get((row.object_type, row.external_id))
    ExistingObject.objects.bulk_update(tree.rows, ["governed_by"])


def _intent(ref: str) -> str:
    return ref.partition(":")[2]


def _applied(row: ExistingObject) -> dict[str, Any]:
    """A creative is told by its ad, as where we have built it."""
    return {} if row.object_type == "creative" else row.fields


def _kept(read: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A ticket that asks nothing of a field lets it be."""
    return {name: {"live": value, "over": None} for name, value in read.items() if name != "name"}


def _traffic(ticket: Ticket, existing: ExistingObject) -> None:
    """A fact: it is on the platform. No deployment has brought it there, and none is made up."""
    Ticket.objects.filter(pk=ticket.pk).update(external_id=existing.external_id)
    ticket.refresh_from_db()
    if not compare_and_set(
        ticket, where={"status": Status.DRAFT}, values={"status": Status.TRAFFICKED_SUCCESS}
    ):
        raise StaleVersion(ticket)


# ------------------------------------------------------------------------------------------ the names


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one campaign in a rename plan: its RENAME ticket, or why there is none. `errors` are in words."""

    existing: ExistingObject
    ticket: Ticket | None
    errors: tuple[str, ...] = ()

    @property
    def waits_for_approval(self) -> bool:
        return self.ticket is not None and self.ticket.status == Status.READY_FOR_API


def rename_plan(
    *, account: AdAccount, existing_ids: Iterable[int], by: Any, wishes: Wishes = Wishes(), note: str = ""
) -> list[Row]:  # fmt: skip
    """For each of these campaigns: adopt it where it is nobody's, and submit a ticket that gives its objects their legal
    names. One that can't be is reported and stops no other. `wishes` hold for all of them."""
    rows = ExistingObject.objects.filter(ad_account=account, pk__in=list(existing_ids)).order_by("pk")
    return [_renamed(row, by, wishes, note) for row in rows.select_related("ad_account")]


def _renamed(existing: ExistingObject, by: Any, wishes: Wishes, note: str) -> Row:
    ticket = None
    try:
        base = _base_of(existing) or adopt_campaign(existing=existing, by=by, wishes=wishes, note=note)
        ticket = start_rename(base=base, by=by, note=note)
        tickets.submit_ticket(ticket=ticket, by=by)
    except PermissionDenied:
        return Row(
            existing, ticket, (_("This brand and market are not yours, or you may not make tickets."),)
        )
    except ValidationError as error:
        return Row(existing, ticket, tuple(error.messages))
    found = blocking(ticket.all_findings)
    return Row(existing, ticket, tuple(f"{each.message} {each.remedy}".strip() for each in found))


def _base_of(existing: ExistingObject) -> Ticket | None:
    held = (
        PlatformObject.objects.filter(
            ad_account=existing.ad_account, object_type="campaign", external_id=existing.external_id
        )
        .select_related("tree")
        .first()
    )
    return requests.current_tree(held.tree.campaign_id, held.tree.channel_id) if held else None


def start_rename(*, base: Ticket, by: Any, note: str = "") -> Ticket:
    """A DRAFT ticket that gives the whole tree the names of the convention; submitted, it goes the usual way."""
    return requests.start_request(
        base=base, request_type=Ticket.RequestType.RENAME, by=by, note=note or "names by the convention"
    )
