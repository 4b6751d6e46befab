"""A ticket as TikTok operations: campaign, ad groups, ads. Pure; everything is created disabled.

One operation per ad, so that each has its own ref and a lost answer can be looked up by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from governance.findings import Finding
from trafficking.platforms.base import (
    AdSetSnapshot,
    AdSnapshot,
    Compiled,
    Held,
    Operation,
    PlannedObject,
    Platform,
    TicketSnapshot,
    stand_in,
)
from trafficking.platforms.changes import compile_request
from trafficking.platforms.tiktok import doors, reference, smart
from trafficking.platforms.tiktok.ad_group import AdGroup, ad_group_of, budget_mode
from trafficking.platforms.tiktok.creative import Place, creative_of
from trafficking.platforms.tiktok.draft import Body, Notes
from trafficking.platforms.tiktok.goals import OBJECTIVES
from trafficking.platforms.tiktok.media import file_bindings, upload_operations, with_uploaded
from trafficking.platforms.tiktok.money import budget_number
from trafficking.platforms.tiktok.options import (
    Options,
    checked,
    ticket_with_checked_config,
    zone_of,
)
from trafficking.platforms.tiktok.texts import check_text
from trafficking.platforms.tiktok.updates import fixed_fields, update_operations

#: special ad category -> special_industries; the several names are those in use for financial products.
SPECIAL_INDUSTRIES = {
    "HOUSING": "HOUSING",
    "EMPLOYMENT": "EMPLOYMENT",
    "CREDIT": "CREDIT",
    "FINANCIAL": "CREDIT",
    "FINANCIAL_PRODUCTS": "CREDIT",
    "FINANCIAL_PRODUCTS_SERVICES": "CREDIT",
}
POLITICAL_CATEGORIES = frozenset({"POLITICAL", "POLITICS", "ISSUES_ELECTIONS_POLITICS"})


def compile_any(platform: Platform, ticket: TicketSnapshot, held: Sequence[Held]) -> Compiled:
    """Any request type; what was uploaded before is used by its id."""
    known = with_uploaded(ticket, held)
    compiled = compile_request(platform, known, held, create=compile_ticket, updates=update_operations)
    return _with_fixed_fields(_with_fixed_bids(compiled, known), known)


def _with_fixed_fields(compiled: Compiled, ticket: TicketSnapshot) -> Compiled:
    """The automated form's update doors take less than the usual ones."""
    if not _is_smart(ticket):
        return compiled
    fixed = [
        Finding("tiktok.smart.fixed", each.source, params={"name": each.name, "field": each.field})
        for each in compiled.changes
        if each.kind in ("update", "learning") and fixed_fields(each.type, [each.field])
    ]
    return replace(compiled, findings=(*compiled.findings, *fixed)) if fixed else compiled


def _with_fixed_bids(compiled: Compiled, ticket: TicketSnapshot) -> Compiled:
    """Under a campaign budget the ad groups' bid strategy can't be changed ("Update an ad group", `bid_type`)."""
    if ticket.budget_level != "CAMPAIGN":
        return compiled
    fixed = [
        Finding("tiktok.bid.fixed_by_campaign_budget", each.source, params={"name": each.name})
        for each in compiled.changes
        if each.type == "ad_set" and each.field == "bid_type" and each.kind != "replace"
    ]
    return replace(compiled, findings=(*compiled.findings, *fixed)) if fixed else compiled


def compile_ticket(ticket: TicketSnapshot) -> Compiled:
    """The whole tree. With a blocking finding on an object, it and what hangs on it are left out."""
    notes = Notes()
    ticket = ticket_with_checked_config(ticket, notes)
    _check_account(ticket, notes)
    objective = OBJECTIVES.get(ticket.objective)
    campaign = _campaign(ticket, objective, notes)
    operations = [campaign] if campaign else []
    if not ticket.ad_sets:
        notes.block("ad_sets.missing", "ad_sets")
    if objective is None:
        return Compiled((), tuple(notes.found))
    groups = []
    for index, ad_set in enumerate(ticket.ad_sets):
        group, below = _ad_set_operations(ticket, objective, ad_set, f"ad_sets[{index}]", notes)
        groups.append(group)
        operations += below if campaign else []
    if ticket.budget_level == "CAMPAIGN" or _is_smart(ticket):
        _check_groups_agree(groups, notes)
    uploads = upload_operations(ticket, operations)
    return Compiled((*uploads, *operations), tuple(notes.found))


# ------------------------------------------------------------------------------------- the campaign


def _check_account(ticket: TicketSnapshot, notes: Notes) -> None:
    """What a person must have stated, and what the account must bring."""
    account = ticket.account
    if ticket.buying_type not in ("AUCTION", smart.BUYING_TYPE):
        notes.block("buying_type.unsupported", "channel", buying_type=ticket.buying_type)
    if not (account.external_id.isascii() and account.external_id.isdigit()):
        notes.block("account.id_invalid", "account.external_id", id=account.external_id)
    if ticket.currency != account.currency:
        notes.block(
            "currency.not_accounts",
            "currency",
            currency=ticket.currency,
            account=account.currency,
        )
    if zone_of(ticket) is None:
        notes.block("account.time_zone_unknown", "account.time_zone", zone=account.time_zone)
    if ticket.political == "UNSTATED":
        notes.block("political.unstated", "political")
    elif ticket.political == "CONTAINS":
        notes.block("political.not_accepted", "political")


def _campaign(ticket: TicketSnapshot, objective: str | None, notes: Notes) -> Operation | None:
    if objective is None:
        notes.block(
            "objective.unsupported",
            "objective",
            objective=ticket.objective,
            known=sorted(OBJECTIVES),
        )
    body = Body()
    body.put("advertiser_id", ticket.account.external_id, "account.external_id")
    check_text(ticket.name, reference.NAME_LENGTH, "name", notes)
    body.put("campaign_name", ticket.name, "name")
    if objective is not None:
        body.put("objective_type", objective, "objective")
        put_rest = smart.put_campaign if _is_smart(ticket) else _put_campaign_budget
        put_rest(body, ticket, notes)
    if objective == "APP_PROMOTION":
        kind = ticket.config.get("app_promotion_type", "APP_INSTALL")
        body.put("app_promotion_type", kind, "config.app_promotion_type")
    _put_special_industries(body, ticket, notes)
    body.put_given("po_number", ticket.config.get("po_number"), "config.po_number")
    body.put("operation_status", "DISABLE")
    if notes.blocks:  # everything above concerns the campaign or the account that all objects share
        return None
    planned = PlannedObject("campaign", "campaign", ticket.name, ticket.ticket_id)
    return _operation(ticket, planned, body.values, body.sources, {})


def _is_smart(ticket: TicketSnapshot) -> bool:
    return ticket.buying_type == smart.BUYING_TYPE


def _put_campaign_budget(body: Body, ticket: TicketSnapshot, notes: Notes) -> None:
    """Budget optimisation on with a campaign budget, else no limit at this level: always said."""
    if ticket.budget_level == "AD_SET":
        if ticket.budget is not None:
            notes.block("budget.two_levels", "budget")
        body.put("budget_optimize_on", False, "budget_level")
        body.put("budget_mode", "BUDGET_MODE_INFINITE", "budget_level")
        return
    if ticket.budget_level != "CAMPAIGN":
        notes.block("budget.level_unstated", "budget_level")
        return
    body.put("budget_optimize_on", True, "budget_level")
    if ticket.budget is None:
        notes.block("budget.missing", "budget")
        return
    body.put(
        "budget_mode",
        budget_mode(ticket.budget, OBJECTIVES[ticket.objective], ticket, "budget", notes),
        "budget",
    )
    number = budget_number(ticket.budget, ticket.currency, base_minimum=reference.CAMPAIGN_MINIMUM, days=None,
                           where="budget", notes=notes)  # fmt: skip
    if number is not None:
        body.put("budget", number, "budget")


def _put_special_industries(body: Body, ticket: TicketSnapshot, notes: Notes) -> None:
    where, stated = "special_ad_categories", ticket.special_ad_categories
    if stated is None:
        notes.block("special_industries.unstated", where)
        return
    industries: dict[str, None] = {}
    for category in stated:
        if category in POLITICAL_CATEGORIES:
            notes.block("political.not_accepted", where)
        elif category not in SPECIAL_INDUSTRIES:
            notes.block(
                "special_industries.unknown",
                where,
                category=category,
                known=sorted(SPECIAL_INDUSTRIES),
            )
        else:
            industries[SPECIAL_INDUSTRIES[category]] = None
    if industries and not ({"US", "CA"} & {c for each in ticket.ad_sets for c in each.geo.countries}):
        notes.warn("special_industries.outside_us_ca", where)
    body.put_given("special_industries", list(industries), where)


# --------------------------------------------------------------------------- ad groups and their ads


def _ad_set_operations(
    ticket: TicketSnapshot, objective: str, ad_set: AdSetSnapshot, at: str, notes: Notes
) -> tuple[AdGroup, list[Operation]]:
    ref = f"ad_set:{ad_set.intent_id}"
    for_all = Options().over(ticket.config.get("ad_set", {}), "config.ad_set")
    blocks = notes.blocks
    options = for_all.over(checked(ad_set.config, "ad_set", f"{at}.config", notes), f"{at}.config")
    if _is_smart(ticket):
        group = smart.ad_group_of(ticket, ad_set, options, at, notes)
    else:
        group = ad_group_of(ticket, objective, ad_set, options, at, notes)
    whole = notes.blocks == blocks
    if not ad_set.ads:
        notes.block("ads.missing", f"{at}.ads")
    ads = [_ad(ticket, group, ref, ad, f"{at}.ads[{index}]", notes) for index, ad in enumerate(ad_set.ads)]
    if group.body is None or not whole:
        return group, []
    body = {
        "advertiser_id": ticket.account.external_id,
        "campaign_id": stand_in("campaign"),
        **group.body.values,
    }
    planned = PlannedObject(ref, "ad_set", ad_set.name, ad_set.intent_id)
    bindings = {"/campaign_id": "campaign"}
    return group, [
        _operation(ticket, planned, body, group.body.sources, bindings),
        *filter(None, ads),
    ]


def _ad(
    ticket: TicketSnapshot,
    group: AdGroup,
    parent: str,
    ad: AdSnapshot,
    at: str,
    notes: Notes,
) -> Operation | None:
    blocks = notes.blocks
    for_all = Options().over(ticket.config.get("ad", {}), "config.ad")
    options = for_all.over(checked(ad.config, "ad", f"{at}.config", notes), f"{at}.config")
    if group.way is None:
        return None  # without a goal nobody can say what the ad needs; the goal's finding stands above
    place = Place(ticket, group.way, group.placements, at, options.values, options.where)
    creative = smart.ad_of(ad, place, notes) if _is_smart(ticket) else creative_of(ad, place, notes)
    if notes.blocks != blocks:
        return None
    body = {
        "advertiser_id": ticket.account.external_id,
        "adgroup_id": stand_in(parent),
        **(creative.values if _is_smart(ticket) else {"creatives": [creative.values]}),
    }
    planned = PlannedObject(f"ad:{ad.intent_id}", "ad", ad.name, ad.intent_id)
    bindings = {"/adgroup_id": parent, **file_bindings(body, ad)}
    return _operation(ticket, planned, body, creative.sources, bindings)


def _check_groups_agree(groups: list[AdGroup], notes: Notes) -> None:
    """Under a campaign budget all ad groups share goal, bid strategy and event with the first."""
    known = [(index, group) for index, group in enumerate(groups) if group.way is not None]
    for index, group in known[1:]:
        if group.shared != known[0][1].shared:
            notes.block(
                "ad_sets.differ",
                f"ad_sets[{index}].goal",
                first=known[0][0] + 1,
                other=index + 1,
            )


def _operation(
    ticket: TicketSnapshot, planned: PlannedObject, body: Mapping[str, Any], sources: Mapping[str, str],
    bindings: Mapping[str, str],
) -> Operation:  # fmt: skip
    full = dict(body)
    if planned.type != "ad":  # ad/create takes none
        full["request_id"] = request_id(ticket.ticket_id, planned.ref, body)
    return Operation(
        ref=planned.ref,
        action="create",
        object_type=planned.type,
        method="POST",
        path=doors.door(planned.type, "create", smart=_is_smart(ticket)),
        body=full,
        objects=(planned,),
        bindings=bindings,
        sources={"/advertiser_id": "account.external_id", **sources},
    )


def request_id(ticket_id: str, ref: str, body: Mapping[str, Any]) -> str:
    """TikTok's idempotency key: a 63-bit number as text, good for some ten seconds.

    Made from ticket, ref and content, so the same operation sent again at once is answered from TikTok's
    cache, while another object, another ticket or an edited body gets another number. It is not what
    protects after those seconds: that is the look-up by name.
    """
    content = json.dumps([ticket_id, ref, body], sort_keys=True, separators=(",", ":"))
    return str(int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big") >> 1)
