"""The Google Ads API over REST: JSON in camelCase, a bearer token and a developer token in headers.

A duplicate name answers `Rejected` with `campaignError.DUPLICATE_CAMPAIGN_NAME` (or
`campaignBudgetError.DUPLICATE_NAME`). For a request that was sent before without an answer this means that it
landed: `find` tells.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests

from trafficking.platforms import http
from trafficking.platforms.base import (
    Applied,
    Client,
    Connection,
    InDoubt,
    NeedsAuth,
    NotFound,
    Operation,
    Outcome,
    ReadBack,
    Rejected,
    RetryLater,
)
from trafficking.platforms.google_ads.errors import refusal
from trafficking.platforms.google_ads.landed import match, take_stock
from trafficking.platforms.google_ads.reference import API_VERSION
from trafficking.platforms.google_ads.resources import external_id, resource_name

LIVE_URL = "https://googleads.googleapis.com"
GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105, an address
#: A token is renewed this long before it ends.
MARGIN_S = 60.0
NOT_REMOVED = "campaign.status != 'REMOVED'"

Unread = RetryLater | NeedsAuth | InDoubt

#: object type -> (resource of GAQL, fields that are read back)
READS = {
    "campaign": (
        "campaign",
        "campaign.resource_name, campaign.id, campaign.name, campaign.status, campaign.advertising_channel_type, "
        "campaign.start_date_time, campaign.end_date_time, campaign.campaign_budget, "
        "campaign.bidding_strategy_type, campaign.contains_eu_political_advertising",
    ),
    "budget": (
        "campaign_budget",
        "campaign_budget.resource_name, campaign_budget.id, campaign_budget.name, campaign_budget.amount_micros, "
        "campaign_budget.total_amount_micros, campaign_budget.period, campaign_budget.explicitly_shared",
    ),
    "ad_set": (
        "ad_group",
        "ad_group.resource_name, ad_group.id, ad_group.name, ad_group.status, ad_group.type, ad_group.campaign, "
        "ad_group.cpm_bid_micros",
    ),
    "ad": (
        "ad_group_ad",
        "ad_group_ad.resource_name, ad_group_ad.status, ad_group_ad.ad_group, ad_group_ad.ad.id, "
        "ad_group_ad.ad.name, ad_group_ad.ad.final_urls, ad_group_ad.ad.final_url_suffix, "
        "ad_group_ad.ad.responsive_search_ad.headlines, ad_group_ad.ad.responsive_search_ad.descriptions, "
        "ad_group_ad.ad.responsive_display_ad.headlines, ad_group_ad.ad.responsive_display_ad.descriptions",
    ),
    "asset": (
        "asset",
        "asset.resource_name, asset.id, asset.name, asset.type, asset.youtube_video_asset.youtube_video_id, "
        "asset.call_to_action_asset.call_to_action",
    ),
}
_CRITERION = (
    "{0}.resource_name, {0}.{1}, {0}.negative, {0}.type, {0}.keyword.text, {0}.keyword.match_type, "
    "{0}.location.geo_target_constant, {0}.language.language_constant"
)
CAMPAIGN_CRITERION = (
    _CRITERION.format("campaign_criterion", "campaign")
    + ", campaign_criterion.ad_schedule.day_of_week, campaign_criterion.ad_schedule.start_hour, "
    "campaign_criterion.ad_schedule.start_minute, campaign_criterion.ad_schedule.end_hour, "
    "campaign_criterion.ad_schedule.end_minute"
)
AD_GROUP_CRITERION = (
    _CRITERION.format("ad_group_criterion", "ad_group")
    + ", ad_group_criterion.status, ad_group_criterion.age_range.type, ad_group_criterion.gender.type, "
    "ad_group_criterion.user_interest.user_interest_category, ad_group_criterion.user_list.user_list, "
    "ad_group_criterion.custom_audience.custom_audience, "
    "ad_group_criterion.combined_audience.combined_audience, ad_group_criterion.audience.audience, "
    "ad_group_criterion.placement.url"
)
#: object type -> operation of a mutate that changes its status
SWITCHES = {"campaign": "campaignOperation", "ad_set": "adGroupOperation", "ad": "adGroupAdOperation"}


class GoogleAdsClient(Client):
    """One customer of Google Ads. The OAuth token that it fetches lives as long as this object."""

    def __init__(self, connection: Connection, session: requests.Session) -> None:
        super().__init__(connection, session)
        self.customer = connection.account.external_id.replace("-", "").strip()
        self._token = ""
        self._token_ends = 0.0

    # -------------------------------------------------------------------------------- contract

    def apply(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        body = operation.bound_body(external_ids) if operation.bindings else operation.body
        answer = self._post(operation.path, body)
        if not isinstance(answer, requests.Response):
            return answer
        return self._applied(operation, body, answer)

    def find(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        planned = next((each for each in operation.objects if each.type == "campaign"), None)
        if planned is None:
            return NotFound()
        rows = self._search(
            gaql(
                "campaign", READS["campaign"][1], f"campaign.name = {quoted(planned.name)} AND {NOT_REMOVED}"
            )
        )
        if not isinstance(rows, list):
            return rows
        if not rows:
            return NotFound()
        return self._find_tree(operation, rows[0]["campaign"])

    def read(
        self, object_type: str, external_id: str
    ) -> ReadBack | NotFound | RetryLater | NeedsAuth | InDoubt:
        name = resource_name(self.customer, object_type, external_id)
        if name is None:
            return NotFound()
        resource, fields = _reading(object_type, external_id)
        rows = self._search(gaql(resource, fields, f"{resource}.resource_name = {quoted(name)}"))
        if not isinstance(rows, list):
            return rows
        if not rows:
            return NotFound()
        return _read_back(external_id, _camel(resource), rows[0])

    def set_paused(self, object_type: str, external_id: str) -> Outcome:
        name = resource_name(self.customer, object_type, external_id)
        if name is None or object_type not in SWITCHES:
            return Rejected("no_status", f"{object_type} {external_id} has no status to change")
        change = {"update": {"resourceName": name, "status": "PAUSED"}, "updateMask": "status"}
        body = {"mutateOperations": [{SWITCHES[object_type]: change}], "partialFailure": False}
        answer = self._post(f"/{API_VERSION}/customers/{self.customer}/googleAds:mutate", body)
        if not isinstance(answer, requests.Response):
            return answer
        if answer.status_code != 200:
            return refusal(answer, body)
        if len(_resource_names(http.json_or_none(answer))) != 1:
            return InDoubt("the answer does not name the object", http_status=200)
        return Applied({object_type: external_id}, http.json_or_none(answer), 200)

    # ------------------------------------------------------------------------------------ parts

    def _applied(self, operation: Operation, body: Any, answer: requests.Response) -> Outcome:
        if answer.status_code != 200:
            return refusal(answer, body)
        received = http.json_or_none(answer)
        ids = [external_id(name) for name in _resource_names(received)]
        if len(ids) != len(operation.objects) or None in ids:
            return InDoubt("the answer does not name every object", received, 200)
        refs = [planned.ref for planned in operation.objects]
        return Applied(dict(zip(refs, map(str, ids), strict=True)), received, 200)

    def _find_tree(self, operation: Operation, campaign: Mapping[str, Any]) -> Applied | NotFound | Unread:
        """Everything under the campaign; `InDoubt` where the tree there is not the planned one."""
        rows: list[dict[str, Any]] = []
        for query in _tree_queries(operation, campaign["id"]):
            found = self._search(query)
            if not isinstance(found, list):
                return found
            rows += found
        names = match(operation, campaign, take_stock(rows))
        if names is None:
            return InDoubt(
                "a campaign of this name is there, but with other contents", {"campaign": campaign}
            )
        ids = {ref: str(external_id(name)) for ref, name in names.items()}
        return Applied(ids, {"campaign": campaign})

    def _search(self, query: str) -> list[dict[str, Any]] | Unread:
        """All rows of a GAQL query, page by page."""
        rows: list[dict[str, Any]] = []
        page: dict[str, str] = {}
        while True:
            path = f"/{API_VERSION}/customers/{self.customer}/googleAds:search"
            answer = self._post(path, {"query": query, **page})
            if not isinstance(answer, requests.Response):
                return answer
            received = http.json_or_none(answer)
            if answer.status_code != 200 or not isinstance(received, dict):
                return _unread(answer)
            rows += received.get("results", [])
            if not received.get("nextPageToken"):
                return rows
            page = {"pageToken": received["nextPageToken"]}

    def _post(self, path: str, body: Any) -> requests.Response | Unread:
        headers = self._headers()
        if not isinstance(headers, dict):
            return headers
        answer = http.send(
            self.session, "POST", f"{self.connection.base_url.rstrip('/')}{path}",
            timeout_s=self.connection.timeout_s, json=body, headers=headers,
        )  # fmt: skip
        if isinstance(answer, requests.Response) and answer.status_code == 401:
            self._token = ""
        return answer

    # ------------------------------------------------------------------------------ credentials

    def _headers(self) -> dict[str, str] | Unread:
        credentials = self.connection.credentials
        if not credentials.get("developer_token"):
            return NeedsAuth("the account has no developer token")
        token = self._bearer()
        if not isinstance(token, str):
            return token
        headers = {"Authorization": f"Bearer {token}", "developer-token": credentials["developer_token"]}
        manager = self.connection.account.login_customer_id.replace("-", "").strip()
        return {**headers, "login-customer-id": manager} if manager else headers

    def _bearer(self) -> str | Unread:
        """The stored access token, or one bought with the refresh token and kept until shortly before its end."""
        credentials = self.connection.credentials
        if credentials.get("access_token"):
            return credentials["access_token"]
        if not all(credentials.get(name) for name in ("client_id", "client_secret", "refresh_token")):
            return NeedsAuth("the account has neither an access token nor a complete refresh token")
        if self._token and time.monotonic() < self._token_ends:
            return self._token
        return self._fetch_token()

    def _fetch_token(self) -> str | Unread:
        credentials = self.connection.credentials
        form = {name: credentials[name] for name in ("client_id", "client_secret", "refresh_token")}
        answer = http.send(
            self.session, "POST", self._token_url(), timeout_s=self.connection.timeout_s,
            data={**form, "grant_type": "refresh_token"},
        )  # fmt: skip
        if not isinstance(answer, requests.Response):
            return RetryLater(f"token endpoint: {answer.reason}")  # nothing was asked of Google Ads yet
        received = http.json_or_none(answer)
        if answer.status_code == 200 and isinstance(received, dict) and received.get("access_token"):
            self._token = str(received["access_token"])
            self._token_ends = time.monotonic() + float(received.get("expires_in", 0)) - MARGIN_S
            return self._token
        return _no_token(answer, received)

    def _token_url(self) -> str:
        """Google's own endpoint for Google's own API; anything else brings or has its own."""
        stated = self.connection.credentials.get("token_url")
        base = self.connection.base_url.rstrip("/")
        return stated or (GOOGLE_TOKEN_URL if base == LIVE_URL else f"{base}/token")


def _no_token(answer: requests.Response, received: Any) -> RetryLater | NeedsAuth:
    """RFC 6749, 5.2. The answer is not kept: token endpoints may echo what they were sent."""
    status = answer.status_code
    if status == 429 or status >= 500 or not isinstance(received, dict):
        after = http.retry_after_s(answer.headers.get("Retry-After"))
        return RetryLater(f"token endpoint: HTTP {status}", after, http_status=status)
    return NeedsAuth(f"token endpoint: {received.get('error', status)}", http_status=status)


def gaql(resource: str, fields: str, where: str) -> str:
    """A query of the Google Ads Query Language; values in `where` are `quoted`."""
    return " ".join(("SELECT", fields, "FROM", resource, "WHERE", where))


def quoted(text: str) -> str:
    """A GAQL string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _unread(answer: requests.Response) -> Unread:
    """A failed read. A rejected query is our mistake, and no reason to send the write again."""
    found = refusal(answer)
    if isinstance(found, Rejected):
        return InDoubt(
            f"the look-up was rejected: {found.code}: {found.message}", found.response, found.http_status
        )
    return found


def _resource_names(received: Any) -> list[str]:
    """Resource names of a `MutateGoogleAdsResponse`, in the order of its operations."""
    if not isinstance(received, dict):
        return []
    results = received.get("mutateOperationResponses") or []
    return [str(value.get("resourceName", "")) for result in results for value in result.values()]


def _reading(object_type: str, stored: str) -> tuple[str, str]:
    if object_type != "criterion":
        return READS[object_type]
    if stored.startswith("campaignCriteria/"):
        return "campaign_criterion", CAMPAIGN_CRITERION
    return "ad_group_criterion", AD_GROUP_CRITERION


def _read_back(stored: str, kind: str, row: Mapping[str, Any]) -> ReadBack:
    """Name and status in neutral words. Only campaigns, ad groups and ads can be paused."""
    thing = row[kind]
    name = thing.get("name") or thing.get("ad", {}).get("name")
    paused = thing.get("status") == "PAUSED" if kind in ("campaign", "adGroup", "adGroupAd") else None
    return ReadBack(stored, name, paused, dict(row))


def _camel(resource: str) -> str:
    first, *rest = resource.split("_")
    return first + "".join(word.title() for word in rest)


def _tree_queries(operation: Operation, campaign_id: str) -> list[str]:
    """The queries that list everything of the campaign that the operation would have made."""
    under = f"campaign.id = {int(campaign_id)}"
    queries = [
        gaql("ad_group", READS["ad_set"][1], f"{under} AND ad_group.status != 'REMOVED'"),
        gaql("ad_group_ad", READS["ad"][1], f"{under} AND ad_group_ad.status != 'REMOVED'"),
        gaql("campaign_criterion", CAMPAIGN_CRITERION, under),
        gaql("ad_group_criterion", AD_GROUP_CRITERION, f"{under} AND ad_group_criterion.status != 'REMOVED'"),
    ]
    if any(each.type == "asset" for each in operation.objects):
        queries.append(gaql("asset", READS["asset"][1], "asset.type IN ('YOUTUBE_VIDEO', 'CALL_TO_ACTION')"))
    return queries
