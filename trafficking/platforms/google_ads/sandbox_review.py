"""What the sandboxed Google says of an ad and a campaign by the hour: review, serving, primary status.

An ad is reviewed from the moment when it is first switched on, and again after each edit. Sandbox convention: one whose
texts contain REJECTME is disapproved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Body = Mapping[str, Any]
REJECTED = {"topic": "REJECTME", "type": "PROHIBITED"}


def serving_status(campaign: Body, now: float) -> str:
    """`CampaignServingStatus` by the dates of the campaign, read as UTC."""
    if campaign.get("status") != "ENABLED":
        return "NONE"
    today = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if str(campaign.get("startDateTime", "")) > today:
        return "PENDING"
    if campaign.get("endDateTime") and str(campaign["endDateTime"]) < today:
        return "ENDED"
    return "SERVING"


def review(ad: Body, group: Body, campaign: Body, now: float, review_s: float) -> dict[str, Any]:
    """Policy summary and primary status of an `AdGroupAd`."""
    summary = ad.get("policySummary") or _summary(ad, now, review_s)
    reasons = _reasons(ad, group, campaign, summary, now)
    return {"policySummary": summary, "primaryStatus": _primary(reasons), "primaryStatusReasons": reasons}


def _summary(ad: Body, now: float, review_s: float) -> dict[str, Any]:
    since = ad.get("reviewFrom")
    if since is None:
        return {}
    if now < float(since) + review_s:
        return {"reviewStatus": "REVIEW_IN_PROGRESS"}
    if "REJECTME" in json.dumps(ad.get("ad", {})):
        return {"reviewStatus": "REVIEWED", "approvalStatus": "DISAPPROVED", "policyTopicEntries": [REJECTED]}
    return {"reviewStatus": "REVIEWED", "approvalStatus": "APPROVED"}


def _reasons(ad: Body, group: Body, campaign: Body, summary: Body, now: float) -> list[str]:
    serving = serving_status(campaign, now)
    told = {
        "CAMPAIGN_PAUSED": campaign.get("status") == "PAUSED",
        "CAMPAIGN_PENDING": serving == "PENDING",
        "CAMPAIGN_ENDED": serving == "ENDED",
        "AD_GROUP_PAUSED": group.get("status") == "PAUSED",
        "AD_GROUP_AD_PAUSED": ad.get("status") == "PAUSED",
        "AD_GROUP_AD_DISAPPROVED": summary.get("approvalStatus") == "DISAPPROVED",
        "AD_GROUP_AD_UNDER_REVIEW": summary.get("reviewStatus") == "REVIEW_IN_PROGRESS",
    }
    return [name for name, holds in told.items() if holds]


def _primary(reasons: list[str]) -> str:
    if "AD_GROUP_AD_DISAPPROVED" in reasons or "CAMPAIGN_ENDED" in reasons:
        return "NOT_ELIGIBLE"
    if any(reason.endswith("PAUSED") for reason in reasons):
        return "PAUSED"
    return "PENDING" if reasons else "ELIGIBLE"


def group_review(
    group: Body, assets: list[Any], campaign: Body, now: float, review_s: float
) -> dict[str, Any]:
    """Primary status of an asset group, which is reviewed as a whole here."""
    summary = _summary({**group, "ad": assets}, now, review_s)
    serving = serving_status(campaign, now)
    told = {
        "CAMPAIGN_PAUSED": campaign.get("status") == "PAUSED",
        "CAMPAIGN_PENDING": serving == "PENDING",
        "CAMPAIGN_ENDED": serving == "ENDED",
        "ASSET_GROUP_PAUSED": group.get("status") == "PAUSED",
        "ASSET_GROUP_DISAPPROVED": summary.get("approvalStatus") == "DISAPPROVED",
        "ASSET_GROUP_UNDER_REVIEW": summary.get("reviewStatus") == "REVIEW_IN_PROGRESS",
    }
    reasons = [name for name, holds in told.items() if holds]
    refused = {"ASSET_GROUP_DISAPPROVED", "CAMPAIGN_ENDED"} & set(reasons)
    return {
        "primaryStatus": "NOT_ELIGIBLE" if refused else _primary(reasons),
        "primaryStatusReasons": reasons,
    }
