"""External ids and resource names.

Stored as external id is the id part of the resource name: `123` for campaigns, budgets, ad groups and assets,
`{ad group id}~{ad id}` for ads (the id that `AdGroupAd` goes by; its last part is the ad id that reports and
`{creative}` show), and `campaignCriteria/{campaign id}~{criterion id}` or `adGroupCriteria/…` for criteria, which
live in two collections, `assetGroups/{id}` for the ad sets and ads of Performance Max. So every resource name follows from object type and external id alone, without a look-up.
"""

from __future__ import annotations

import re

from trafficking.platforms.base import Account

COLLECTIONS = {
    "campaign": "campaigns",
    "budget": "campaignBudgets",
    "ad_set": "adGroups",
    "ad": "adGroupAds",
    "asset": "assets",
    "media": "assets",
}
#: Collections that stand in the stored id, because a type alone does not tell them.
WITH_COLLECTION = ("campaignCriteria", "adGroupCriteria", "assetGroups", "youTubeVideoUploads")

_NAME = re.compile(r"customers/\d+/([A-Za-z]+)/(\d+(?:~\d+)?(?:~[A-Z_]+)?)")


def external_id(resource_name: str) -> str | None:
    """What is stored for a resource name; None for something that is none."""
    match = _NAME.fullmatch(resource_name)
    if match is None:
        return None
    collection, number = match.groups()
    return f"{collection}/{number}" if collection in WITH_COLLECTION else number


def resource_name(customer: str, object_type: str, stored: str) -> str | None:
    """The resource name behind a stored id; None for a type or id that can't be Google's."""
    path = stored if "/" in stored else f"{COLLECTIONS.get(object_type, '')}/{stored}"
    name = f"customers/{customer}/{path}"
    return name if _NAME.fullmatch(name) else None


def customer_id(account: Account) -> str:
    """The account's ten digits: people write 123-456-7890."""
    return account.external_id.replace("-", "").strip()
