"""The Google Ads API over REST: JSON in camelCase, a bearer token and a developer token in headers.

A duplicate name answers `Rejected` with `campaignError.DUPLICATE_CAMPAIGN_NAME` (or
`campaignBudgetError.DUPLICATE_NAME`). For a request that was sent before without an answer this means that it
landed: `find` tells.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import requests

from governance.findings import Finding
from trafficking.platforms import http
from trafficking.platforms.base import (
    Applied,
    Client,
    Connection,
    InDoubt,
    Live,
    NeedsAuth,
    NotFound,
    Operation,
    Outcome,
    ReadBack,
    Rejected,
    RetryLater,
    RunStatus,
    Unread,
    Usage,
)
from trafficking.platforms.changes import SWITCHED_TYPES
from trafficking.platforms.google_ads import criteria, live, media, preflight
from trafficking.platforms.google_ads.errors import refusal
from trafficking.platforms.google_ads.landed import agrees, match, new_refs
from trafficking.platforms.google_ads.reference import API_VERSION
from trafficking.platforms.google_ads.request import mutate_of, switch
from trafficking.platforms.google_ads.resources import customer_id, external_id, resource_name
from trafficking.platforms.google_ads.tree import made_at, with_asset_names

LIVE_URL = "https://googleads.googleapis.com"
GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105, an address
#: A token is renewed this long before it ends.
MARGIN_S = 60.0
#: Kinds of rows that can be paused.
SWITCHED = ("campaign", "adGroup", "adGroupAd", "assetGroup")
#: Resource names in one query for assets.
ASSETS_AT_ONCE = 500
#: Actions whose mutate Google can try without doing it.
DRY = ("create", "update", "pause", "activate", "archive")

#: object type -> what it is read as in a query
RESOURCES = {
    "campaign": ("campaign", "campaign", live.CAMPAIGN_LEAVES),
    "budget": ("campaign_budget", "campaignBudget", live.BUDGET_LEAVES),
    "ad_set": ("ad_group", "adGroup", live.AD_GROUP_LEAVES),
    "ad": ("ad_group_ad", "adGroupAd", live.AD_LEAVES),
    "asset": ("asset", "asset", live.ASSET_LEAVES),
    "media": ("asset", "asset", live.ASSET_LEAVES),
}
ASSET_GROUP = ("asset_group", "assetGroup", live.GROUP_LEAVES)
#: A removal of what is gone already.
REMOVED = "contextError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"


class GoogleAdsClient(Client):
    """One customer of Google Ads. The OAuth token that it fetches lives as long as this object."""

    def __init__(self, connection: Connection, session: requests.Session) -> None:
        super().__init__(connection, session)
        self.customer = customer_id(connection.account)
        self._token = ""
        self._token_ends = 0.0

    # -------------------------------------------------------------------------------- contract

    def apply(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        if operation.action == "upload":
            return self._upload(operation)
        if operation.action == "await":
            return self._await(operation, external_ids)
        body = self._body(operation, external_ids)
        if not isinstance(body, dict):
            return body
        if not body["mutateOperations"]:
            return Applied({each.ref: each.external_id for each in operation.objects})
        answer = self._post(operation.path, body)
        if not isinstance(answer, requests.Response):
            return answer
        return self._applied(operation, body, answer)

    def validate(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome | None:
        """`validateOnly`; None while a file that it shows is not uploaded yet."""
        if set(operation.parents) - external_ids.keys() or operation.action not in DRY:
            return None
        body = self._body(operation, external_ids)
        if not isinstance(body, dict):
            return body
        answer = self._post(operation.path, {**body, "validateOnly": True})
        if not isinstance(answer, requests.Response):
            return answer
        if answer.status_code != 200:
            return refusal(answer, body)
        return Applied({}, http.json_or_none(answer), 200)

    def find(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        if operation.action in ("upload", "await"):
            return self._find_uploaded(operation)
        if operation.action == "create":
            return self._find_created(operation, external_ids)
        if _concerns_one(operation):
            return self._find_switched(operation)
        return self._find_changed(operation, external_ids)

    def read(
        self, object_type: str, external_id: str
    ) -> ReadBack | NotFound | RetryLater | NeedsAuth | InDoubt:
        name = resource_name(self.customer, object_type, external_id)
        if name is None:
            return NotFound()
        resource, kind, leaves = _resource(object_type, external_id)
        rows = self._search(live.query(resource, leaves, f"{resource}.resource_name = {quoted(name)}"))
        if not isinstance(rows, list):
            return rows
        if not rows:
            return NotFound()
        return _read_back(object_type, external_id, kind, rows[0])

    def set_status(self, object_type: str, external_id: str, status: RunStatus) -> Outcome:
        name = resource_name(self.customer, object_type, external_id)
        if name is None or object_type not in SWITCHED_TYPES:
            return Rejected("no_status", f"{object_type} {external_id} has no status to change")
        path, body = mutate_of(self.customer, [switch(object_type, name, status)])
        answer = self._post(path, body)
        if not isinstance(answer, requests.Response):
            return answer
        if answer.status_code != 200:
            return _gone_already(refusal(answer, body), object_type, external_id, status)
        if len(_resource_names(http.json_or_none(answer))) != 1:
            return InDoubt("the answer does not name the object", http_status=200)
        return Applied({object_type: external_id}, http.json_or_none(answer), 200)

    def preflight(self) -> tuple[Finding, ...] | Unread:
        answers: dict[str, list[dict[str, Any]]] = {}
        for name, query in preflight.queries(self.connection.account).items():
            rows = self._search(query)
            if not isinstance(rows, list):
                return rows
            answers[name] = rows
        return preflight.findings(self.connection.account, answers)

    def read_tree(self, campaign_id: str) -> tuple[Live, ...] | NotFound | Unread:
        found = self._tree(campaign_id)
        return found[0] if isinstance(found, tuple) else found

    def list_campaigns(self, *, active_only: bool = False) -> tuple[Live, ...] | Unread:
        where = "campaign.status = 'ENABLED'" if active_only else "campaign.status IN ('ENABLED', 'PAUSED')"
        rows = self._search(live.campaign_query(where))
        if not isinstance(rows, list):
            return rows
        return tuple(live.campaign_live(row) for row in rows)

    # ------------------------------------------------------------------------------ what is sent

    def _body(self, operation: Operation, external_ids: Mapping[str, str]) -> dict[str, Any] | Unread:
        """The body with ids of uploads as resource names, and criteria that go by their ids."""
        body = with_asset_names(operation.bound_body(external_ids), self.customer)
        if not criteria.speaks_of_any(body):
            return body  # type: ignore[no-any-return]
        campaign = next(each.external_id for each in operation.objects if each.type == "campaign")
        rows: list[dict[str, Any]] = []
        queries = live.criterion_queries(campaign)
        if criteria.speaks_of_parts(body):
            queries = [queries[0], *live.part_queries(campaign)]
        for query in queries:
            found = self._search(query)
            if not isinstance(found, list):
                return found
            rows += found
        return criteria.with_ids(body, rows)

    def _applied(self, operation: Operation, body: Any, answer: requests.Response) -> Outcome:
        if answer.status_code != 200:
            return refusal(answer, body)
        received = http.json_or_none(answer)
        names = _resource_names(received)
        if len(names) != len(body["mutateOperations"]) or None in map(external_id, names):
            return InDoubt("the answer does not name every object", received, 200)
        sent = dict(enumerate(names))
        known = {each.ref: each.external_id for each in operation.objects if each.external_id}
        made = {ref: str(external_id(sent[index])) for ref, index in made_at(operation, body).items()}
        return Applied({**known, **made}, received, 200)

    # ----------------------------------------------------------------------------------- uploads

    def _upload(self, operation: Operation) -> Outcome:
        file = operation.body["file"]
        try:
            if self.connection.open_file is None:
                raise LookupError("no way to open files here")
            with self.connection.open_file(file["sha256"]) as opened:
                if operation.path.startswith(media.UPLOADS):
                    return self._upload_video(operation, opened)
                return self._upload_image(operation, media.with_image(operation.body, opened))
        except LookupError as gone:
            return Rejected("media.file_gone", f"{file['name']}: {gone}", "/file")

    def _upload_image(self, operation: Operation, body: dict[str, Any]) -> Outcome:
        answer = self._post(operation.path, body)
        if not isinstance(answer, requests.Response):
            return answer
        if answer.status_code != 200:
            return refusal(answer, body)
        received = http.json_or_none(answer)
        names = [external_id(name) for name in _resource_names(received)]
        if len(names) != 1 or names[0] is None:
            return InDoubt("the answer does not name the asset", received, 200)
        return Applied({operation.ref: names[0]}, received, 200)

    def _upload_video(self, operation: Operation, opened: BinaryIO) -> Outcome:
        """Two requests: one that opens the upload and says where to send the bytes, one with all of them."""
        body = {key: value for key, value in operation.body.items() if key != "file"}
        started = self._post(operation.path, body, media.start_headers(operation.body["file"]))
        if not isinstance(started, requests.Response):
            return started
        target = urljoin(
            f"{self.connection.base_url.rstrip('/')}/", started.headers.get("X-Goog-Upload-URL", "")
        )
        if started.status_code != 200:
            return refusal(started, body)
        if not self._is_ours(target):
            return InDoubt("the upload was opened, but nowhere to send the bytes to", http_status=200)
        answer = self._send_bytes(target, opened)
        if not isinstance(answer, requests.Response):
            return answer
        if answer.status_code != 200:
            return refusal(answer, body)
        received = http.json_or_none(answer)
        name = received.get("resourceName", "") if isinstance(received, dict) else ""
        stored = external_id(str(name))
        if stored is None:
            return InDoubt("the answer does not name the upload", received, 200)
        return Applied({operation.ref: stored}, received, 200)

    def _is_ours(self, url: str) -> bool:
        """Bytes and token go to the API's own host only."""
        there, base = urlsplit(url), urlsplit(self.connection.base_url)
        return (there.scheme, there.netloc) == (base.scheme, base.netloc) and there.path not in ("", "/")

    def _send_bytes(self, url: str, opened: BinaryIO) -> requests.Response | Unread:
        headers = self._headers()
        if not isinstance(headers, dict):
            return headers
        self.before_call()
        answer = http.send(
            self.session, "POST", url, timeout_s=self.connection.timeout_s, data=opened,
            headers={**headers, **media.FINISH_HEADERS},
        )  # fmt: skip
        if isinstance(answer, requests.Response):
            self._learn_from(answer)
        return answer

    def _await(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        """Whether YouTube is done with a video; its id when it is."""
        upload = str(operation.bound_body(external_ids)["youTubeVideoUpload"])
        rows = self._search(media.state_query(self.customer, upload))
        if not isinstance(rows, list):
            return rows
        if not rows:
            return RetryLater("YouTube does not show the upload yet", media.AGAIN_S)
        found = rows[0]["youTubeVideoUpload"]
        state = str(found.get("state", "UNSPECIFIED"))
        if state == "PROCESSED" and found.get("videoId"):
            return Applied({operation.ref: str(found["videoId"])}, found, 200)
        if state in media.STATES_IN_WORK or state == "PROCESSED":
            return RetryLater(f"YouTube is working on the video: {state}", media.AGAIN_S, found, 200)
        return Rejected(
            f"youTubeVideoUpload.{state}", f"YouTube did not take the video: {state}", "", found, 200
        )

    def _find_uploaded(self, operation: Operation) -> Applied | NotFound | Unread:
        """An image by its name, which holds its content's hash. Uploads to YouTube can't be searched by title."""
        if operation.action == "await" or operation.path.startswith(media.UPLOADS):
            return NotFound()
        name = operation.body["mutateOperations"][0]["assetOperation"]["create"]["name"]
        rows = self._search(live.query("asset", live.ASSET_LEAVES, f"asset.name = {quoted(name)}"))
        if not isinstance(rows, list):
            return rows
        if not rows:
            return NotFound()
        return Applied({operation.ref: str(rows[0]["asset"]["id"])}, rows[0])

    # ------------------------------------------------------------------------------ what is there

    def _tree(self, campaign_id: str) -> tuple[tuple[Live, ...], dict[str, str]] | NotFound | Unread:
        """Campaign and all under it, and the labels of the assets that its ads show."""
        if not campaign_id.isdigit():
            return NotFound()
        campaigns = self._search(live.campaign_query(f"campaign.id = {int(campaign_id)}"))
        if not isinstance(campaigns, list):
            return campaigns
        if not campaigns:
            return NotFound()
        rows: list[dict[str, Any]] = []
        automated = campaigns[0]["campaign"].get("advertisingChannelType") == "PERFORMANCE_MAX"
        queries = live.group_queries if automated else live.tree_queries
        for query in queries(campaign_id):
            found = self._search(query)
            if not isinstance(found, list):
                return found
            rows += found
        labels = self._labels(rows)
        if not isinstance(labels, dict):
            return labels
        return live.tree(campaigns[0], rows, labels), labels

    def _labels(self, rows: list[dict[str, Any]]) -> dict[str, str] | Unread:
        names = sorted(live.assets_shown(rows))
        labels: dict[str, str] = {}
        for start in range(0, len(names), ASSETS_AT_ONCE):
            found = self._search(live.asset_query(names[start : start + ASSETS_AT_ONCE]))
            if not isinstance(found, list):
                return found
            labels |= live.labels_of(found)
        return labels

    def _find_created(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | Unread:
        """The campaign by its name; a campaign of the name with other contents is in doubt."""
        name = next(each.name for each in operation.objects if each.type == "campaign")
        rows = self._search(live.campaign_query(f"campaign.name = {quoted(name)}"))
        if not isinstance(rows, list):
            return rows
        taken = set(external_ids.values())
        ids = [str(row["campaign"]["id"]) for row in rows if str(row["campaign"]["id"]) not in taken]
        if not ids:
            return NotFound()
        found = self._tree(ids[0])
        if not isinstance(found, tuple):
            return found
        landed = match(operation, *found, taken)
        if new_refs(operation) - landed.keys():
            return InDoubt("a campaign of this name is there, but with other contents", {"campaign": ids[0]})
        return Applied(landed, {"campaign": ids[0]})

    def _find_switched(self, operation: Operation) -> Applied | NotFound | Unread:
        (planned,) = operation.objects
        found = self.read(planned.type, planned.external_id)
        if not isinstance(found, ReadBack):
            gone = isinstance(found, NotFound) and planned.expect.get("status") == "ARCHIVED"
            return Applied({planned.ref: planned.external_id}) if gone else found
        kind = _resource(planned.type, planned.external_id)[1]
        now = {"status": live.status_of(found.raw[kind]), "name": found.name}
        if all(now[name] == value for name, value in planned.expect.items()):
            return Applied({planned.ref: planned.external_id}, dict(found.raw))
        return NotFound()

    def _find_changed(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | Unread:
        """New objects tell by being there; without any, what was changed tells by its fields."""
        campaign = next(each for each in operation.objects if each.type == "campaign")
        found = self._tree(campaign.external_id)
        if not isinstance(found, tuple):
            return found
        known = {each.ref: each.external_id for each in operation.objects if each.external_id}
        new = new_refs(operation)
        made = match(operation, *found, {*known.values(), *external_ids.values()})
        by_id = {(each.type, each.external_id): each for each in found[0]}
        agreed = all(agrees(each, by_id) for each in operation.objects if each.external_id)
        shown = {ref for ref in new if not ref.startswith("asset:")}
        if new == made.keys() and (shown or agreed):
            return Applied({**known, **made}, {"campaign": campaign.external_id})
        if shown & made.keys():
            return InDoubt("a part of it is there, though it goes out as a whole", {"found": sorted(made)})
        return NotFound()

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

    def _post(
        self, path: str, body: Any, more: Mapping[str, str] | None = None
    ) -> requests.Response | Unread:
        headers = self._headers()
        if not isinstance(headers, dict):
            return headers
        self.before_call()
        answer = http.send(
            self.session, "POST", f"{self.connection.base_url.rstrip('/')}{path}",
            timeout_s=self.connection.timeout_s, json=body, headers={**headers, **(more or {})},
        )  # fmt: skip
        if isinstance(answer, requests.Response):
            self._learn_from(answer)
        return answer

    def _learn_from(self, answer: requests.Response) -> None:
        """Google tells nothing of a limit until it is reached."""
        if answer.status_code == 401:
            self._token = ""
        if answer.status_code == 429:
            refused = refusal(answer)
            self.usage = Usage(1.0, refused.after if isinstance(refused, RetryLater) else None)

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


def _read_back(object_type: str, stored: str, kind: str, row: Mapping[str, Any]) -> ReadBack:
    """Name and status in neutral words. Only campaigns, ad groups, asset groups and ads can be paused."""
    thing = row[kind]
    name = thing.get("ad", {}).get("name") if object_type == "ad" else thing.get("name")
    paused = thing.get("status") == "PAUSED" if kind in SWITCHED else None
    return ReadBack(stored, name, paused, dict(row))


def _resource(object_type: str, stored: str) -> tuple[str, str, Sequence[str]]:
    """Ad sets and ads of Performance Max are asset groups."""
    return ASSET_GROUP if stored.startswith("assetGroups/") else RESOURCES[object_type]


def _concerns_one(operation: Operation) -> bool:
    """A switch or a new name of one object."""
    if len(operation.objects) != 1:
        return False
    (planned,) = operation.objects
    return bool(planned.external_id) and planned.expect.keys() <= {"status", "name"}


def _gone_already(outcome: Outcome, object_type: str, stored: str, status: RunStatus) -> Outcome:
    """To remove what is removed is harmless."""
    if status == "ARCHIVED" and isinstance(outcome, Rejected) and outcome.code == REMOVED:
        return Applied({object_type: stored}, outcome.response, outcome.http_status)
    return outcome
