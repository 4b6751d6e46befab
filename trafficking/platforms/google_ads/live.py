"""A campaign and all that hangs under it, as Google has it now: few queries, and what their rows say.

A Search, Display or Demand Gen tree takes five or six queries, each paged: the campaign with its budget, criteria of
campaign and ad groups, ad groups, ads, and the assets that the ads show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trafficking.platforms.base import Live
from trafficking.platforms.google_ads.fields import asset_label, fields_of, selected, snake
from trafficking.platforms.google_ads.resources import external_id

Row = Mapping[str, Any]

STATUSES = {"ENABLED": "ACTIVE", "PAUSED": "PAUSED", "REMOVED": "ARCHIVED"}
ALIVE = "{0}.status != 'REMOVED'"
CRITERION_LEAVES = (
    "keyword.text", "keyword.match_type", "location.geo_target_constant", "language.language_constant",
)  # fmt: skip
CAMPAIGN_CRITERION_LEAVES = (
    *CRITERION_LEAVES, "ad_schedule.day_of_week", "ad_schedule.start_hour", "ad_schedule.start_minute",
    "ad_schedule.end_hour", "ad_schedule.end_minute",
)  # fmt: skip
AD_GROUP_CRITERION_LEAVES = (
    *CRITERION_LEAVES, "status", "age_range.type", "gender.type", "user_interest.user_interest_category",
    "user_list.user_list", "custom_audience.custom_audience", "combined_audience.combined_audience",
    "audience.audience", "placement.url",
)  # fmt: skip
ASSET_LEAVES = (
    "resource_name", "id", "name", "type", "youtube_video_asset.youtube_video_id",
    "call_to_action_asset.call_to_action", "text_asset.text",
)  # fmt: skip


def query(resource: str, leaves: Iterable[str], where: str) -> str:
    """GAQL over one resource; a leaf with the resource's own name in front may also be another's."""
    fields = [leaf if leaf.startswith("/") else f"{resource}.{leaf}" for leaf in leaves]
    fields = list(dict.fromkeys(field.removeprefix("/") for field in fields))
    return " ".join(("SELECT", ", ".join(fields), "FROM", resource, "WHERE", where))


def _leaves(object_type: str, prefix: str = "") -> list[str]:
    return [f"{prefix}{snake(path)}" for path in selected(object_type)]


CAMPAIGN_LEAVES = (
    "resource_name", "id", "status", "campaign_budget", "bidding_strategy_type", "serving_status",
    *_leaves("campaign"),
)  # fmt: skip
BUDGET_LEAVES = ("resource_name", "id", "name", "status", *_leaves("budget"))
AD_GROUP_LEAVES = ("resource_name", "id", "status", "campaign", *_leaves("ad_set"))
AD_LEAVES = (
    "resource_name", "status", "ad_group", "ad.id", "ad.type", "policy_summary.review_status",
    "policy_summary.approval_status", "policy_summary.policy_topic_entries", "primary_status",
    "primary_status_reasons", *_leaves("ad"),
)  # fmt: skip


def campaign_query(where: str) -> str:
    leaves = [*CAMPAIGN_LEAVES, *(f"/campaign_budget.{leaf}" for leaf in BUDGET_LEAVES)]
    return query("campaign", leaves, f"{where} AND {ALIVE.format('campaign')}")


def criterion_queries(campaign_id: str) -> list[str]:
    """The criteria of a campaign and of its ad groups."""
    under = f"campaign.id = {int(campaign_id)}"
    common = ["resource_name", "negative", "type"]
    return [
        query(
            "campaign_criterion",
            [*common, "campaign", *CAMPAIGN_CRITERION_LEAVES],
            f"{under} AND {ALIVE.format('campaign_criterion')}",
        ),
        query(
            "ad_group_criterion",
            [*common, "ad_group", *AD_GROUP_CRITERION_LEAVES],
            f"{under} AND {ALIVE.format('ad_group')} AND {ALIVE.format('ad_group_criterion')}",
        ),
    ]


def tree_queries(campaign_id: str) -> list[str]:
    """Everything under a campaign but the campaign itself and the assets."""
    groups = f"campaign.id = {int(campaign_id)} AND {ALIVE.format('ad_group')}"
    return [
        *criterion_queries(campaign_id),
        query("ad_group", AD_GROUP_LEAVES, groups),
        query("ad_group_ad", AD_LEAVES, f"{groups} AND {ALIVE.format('ad_group_ad')}"),
    ]


GROUP_LEAVES = (
    "resource_name", "id", "name", "status", "campaign", "final_urls", "final_url_suffix", "path1", "path2",
    "primary_status", "primary_status_reasons",
)  # fmt: skip


def part_queries(campaign_id: str) -> list[str]:
    """Asset links, with their assets, and signals of the asset groups of a Performance Max campaign."""
    under = f"campaign.id = {int(campaign_id)} AND {ALIVE.format('asset_group')}"
    linked = [
        "resource_name",
        "asset_group",
        "asset",
        "field_type",
        *(f"/asset.{leaf}" for leaf in ASSET_LEAVES),
    ]
    return [
        query("asset_group_asset", linked, f"{under} AND {ALIVE.format('asset_group_asset')}"),
        query(
            "asset_group_signal",
            ["resource_name", "asset_group", "audience.audience", "search_theme.text"],
            under,
        ),
    ]


def group_queries(campaign_id: str) -> list[str]:
    """Everything under a Performance Max campaign."""
    under = f"campaign.id = {int(campaign_id)} AND {ALIVE.format('asset_group')}"
    criteria = criterion_queries(campaign_id)[0]
    return [criteria, query("asset_group", GROUP_LEAVES, under), *part_queries(campaign_id)]


def asset_query(names: Iterable[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    return query("asset", ASSET_LEAVES, f"asset.resource_name IN ({listed})")


def assets_shown(value: Any) -> set[str]:
    """Resource names of all assets that rows speak of."""
    if isinstance(value, Mapping):
        own = {str(value["asset"])} if isinstance(value.get("asset"), str) else set()
        return own.union(*(assets_shown(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(assets_shown(each) for each in value))
    return set()


def labels_of(rows: Iterable[Row]) -> dict[str, str]:
    """Resource name -> label, of rows of `asset_query`."""
    found = {row["asset"]["resourceName"]: asset_label(row["asset"]) for row in rows if "asset" in row}
    return {name: text for name, text in found.items() if text}


def tree(campaign: Row, rows: Iterable[Row], labels: Mapping[str, str]) -> tuple[Live, ...]:
    """The campaign, its budget, ad groups and ads. `campaign` is a row of `campaign_query`."""
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if "assetGroupAsset" in row:
            labels = {**labels, **labels_of([row])}
        for kind in (
            "assetGroupAsset",
            "assetGroupSignal",
            "assetGroup",
            "campaignCriterion",
            "adGroupCriterion",
            "adGroupAd",
            "adGroup",
        ):
            if kind in row:
                by_kind[kind].append(row[kind])
                break
    return tuple(_tree(campaign, by_kind, labels))


def _tree(campaign: Row, rows: Mapping[str, list[Row]], labels: Mapping[str, str]) -> Iterator[Live]:
    yield campaign_live(campaign, rows.get("campaignCriterion", []))
    yield budget_live(campaign)
    criteria: dict[str, list[Row]] = defaultdict(list)
    for criterion in rows.get("adGroupCriterion", []):
        criteria[str(criterion.get("adGroup"))].append(criterion)
    for group in rows.get("adGroup", []):
        yield _ad_group(group, criteria[group["resourceName"]])
    for ad in rows.get("adGroupAd", []):
        yield _ad(ad, labels)
    for group in rows.get("assetGroup", []):
        yield from _asset_group(group, rows, labels)


def campaign_live(row: Row, criteria: list[Row] | None = None) -> Live:
    """`criteria` are left out of the fields where they were not read."""
    campaign = row["campaign"]
    raw = {"campaign": campaign} if criteria is None else {"campaign": campaign, "criteria": criteria}
    return Live(
        "campaign", _id(campaign), "", str(campaign.get("name", "")), status_of(campaign),
        fields_of("campaign", raw), delivery=_serving(campaign),
    )  # fmt: skip


def budget_live(row: Row) -> Live:
    budget = row.get("campaignBudget", {})
    raw = {"campaignBudget": budget}
    name = str(budget.get("name", ""))
    return Live("budget", _id(budget), _id(row["campaign"]), name, "", fields_of("budget", raw))


def _ad_group(group: Row, criteria: list[Row]) -> Live:
    raw = {"adGroup": group, "criteria": criteria}
    parent = str(external_id(str(group["campaign"])))
    return Live(
        "ad_set", _id(group), parent, str(group.get("name", "")), status_of(group), fields_of("ad_set", raw)
    )


def _asset_group(group: Row, rows: Mapping[str, list[Row]], labels: Mapping[str, str]) -> Iterator[Live]:
    """An asset group as ad set, and what it shows as its ad: one resource, and so one id and one status."""
    name = group["resourceName"]
    raw = {
        "assetGroup": group,
        "links": [each for each in rows.get("assetGroupAsset", []) if each.get("assetGroup") == name],
        "signals": [each for each in rows.get("assetGroupSignal", []) if each.get("assetGroup") == name],
        "assets": labels,
    }
    parent, own = str(external_id(str(group["campaign"]))), _id(group)
    text, status = str(group.get("name", "")), status_of(group)
    yield Live("ad_set", own, parent, text, status, fields_of("ad_set", raw))
    review, delivery = group_review(group)
    yield Live("ad", own, own, "", status, fields_of("ad", raw), review, (), delivery)


def _ad(ad: Row, labels: Mapping[str, str]) -> Live:
    raw = {"adGroupAd": ad, "assets": labels}
    parent = str(external_id(str(ad["adGroup"])))
    review, reasons = review_of(ad.get("policySummary", {}))
    return Live(
        "ad", _id(ad), parent, str(ad.get("ad", {}).get("name", "")), status_of(ad), fields_of("ad", raw),
        review, reasons, delivery_of(ad),
    )  # fmt: skip


def _id(thing: Row) -> str:
    return str(external_id(str(thing.get("resourceName", ""))) or "")


def status_of(thing: Row) -> str:
    return STATUSES.get(str(thing.get("status")), "")


# ----------------------------------------------------------------------- review and delivery

#: PolicyApprovalStatusEnum (v26) -> ReviewState.
APPROVALS = {
    "APPROVED": "APPROVED",
    "APPROVED_LIMITED": "LIMITED",
    "AREA_OF_INTEREST_ONLY": "LIMITED",
    "DISAPPROVED": "REJECTED",
}


def review_of(summary: Row) -> tuple[str, tuple[str, ...]]:
    """ReviewState, and Google's policy topics for what is limited or refused."""
    topics = tuple(
        f"{entry.get('topic', '')} ({entry.get('type', '')})"
        for entry in summary.get("policyTopicEntries", ())
    )
    if summary.get("reviewStatus") == "REVIEW_IN_PROGRESS":
        return "PENDING", topics
    state = APPROVALS.get(str(summary.get("approvalStatus")), "")
    return state, topics if state in ("REJECTED", "LIMITED") else ()


def group_review(group: Row) -> tuple[str, str]:
    """ReviewState and Delivery of an asset group, by AssetGroupPrimaryStatusReason (v26)."""
    reasons, status = set(group.get("primaryStatusReasons", ())), str(group.get("primaryStatus"))
    delivery = next((name for reason, name in GROUP_REASONS if reason in reasons), "") or PRIMARY.get(
        status, ""
    )
    if "ASSET_GROUP_DISAPPROVED" in reasons:
        return "REJECTED", delivery
    if "ASSET_GROUP_UNDER_REVIEW" in reasons:
        return "PENDING", delivery
    return ("LIMITED" if status == "LIMITED" else "APPROVED" if status == "ELIGIBLE" else ""), delivery


GROUP_REASONS = (
    ("ASSET_GROUP_DISAPPROVED", "REJECTED"), ("CAMPAIGN_ENDED", "ENDED"), ("CAMPAIGN_PAUSED", "PAUSED"),
    ("ASSET_GROUP_PAUSED", "PAUSED"), ("ASSET_GROUP_UNDER_REVIEW", "IN_REVIEW"), ("CAMPAIGN_PENDING", "SCHEDULED"),
)  # fmt: skip
#: What AdGroupAdPrimaryStatusReason (v26) says, the strongest first.
REASONS = (
    ("AD_GROUP_AD_DISAPPROVED", "REJECTED"), ("CAMPAIGN_ENDED", "ENDED"), ("CAMPAIGN_PAUSED", "PAUSED"),
    ("AD_GROUP_PAUSED", "PAUSED"), ("AD_GROUP_AD_PAUSED", "PAUSED"), ("AD_GROUP_AD_UNDER_REVIEW", "IN_REVIEW"),
    ("CAMPAIGN_PENDING", "SCHEDULED"),
)  # fmt: skip
PRIMARY = {
    "ELIGIBLE": "LIVE",
    "LIMITED": "LIVE",
    "PAUSED": "PAUSED",
    "NOT_ELIGIBLE": "PROBLEM",
    "PENDING": "PROBLEM",
}


def delivery_of(ad: Row) -> str:
    """Delivery of an ad, from its primary status and the reasons for it."""
    reasons = set(ad.get("primaryStatusReasons", ()))
    named = next((delivery for reason, delivery in REASONS if reason in reasons), "")
    return named or PRIMARY.get(str(ad.get("primaryStatus")), "")


#: CampaignServingStatusEnum (v26) -> Delivery of an enabled campaign.
SERVING = {"SERVING": "LIVE", "ENDED": "ENDED", "PENDING": "SCHEDULED", "SUSPENDED": "ACCOUNT"}


def _serving(campaign: Row) -> str:
    if campaign.get("status") == "PAUSED":
        return "PAUSED"
    return SERVING.get(str(campaign.get("servingStatus")), "")
