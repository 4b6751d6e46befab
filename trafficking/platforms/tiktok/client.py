"""Few HTTP calls per method. The token travels in the header `Access-Token` and nowhere else."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from governance.findings import Finding
from trafficking.platforms.base import (
    Applied,
    Client,
    InDoubt,
    Live,
    NeedsAuth,
    NotFound,
    Operation,
    Outcome,
    PlannedObject,
    ReadBack,
    Rejected,
    RetryLater,
    RunStatus,
    Unread,
    Usage,
    stand_in,
)
from trafficking.platforms.http import send
from trafficking.platforms.tiktok import doors, preflight, readings, words
from trafficking.platforms.tiktok.doors import BASE, PARENTS
from trafficking.platforms.tiktok.errors import PARTIAL, failure
from trafficking.platforms.tiktok.updates import SWITCHES

PAGE_SIZE = 1000  # the most that a get door gives at once
LIBRARY_PAGE = 100
PROCESSING_S = 30.0  # "wait for 30 seconds to five minutes" ("Upload a video")
IDS_AT_ONCE = 100  # the most ids in one filter
#: TikTok names no waiting time when it throttles; its limits count by the second (from practice).
THROTTLED_S = 2.0


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a get door, and the last page as received."""

    rows: Sequence[Mapping[str, Any]]
    content: Any


Read = Rows | RetryLater | InDoubt | NeedsAuth


class TikTokClient(Client):
    # ------------------------------------------------------------------------------------- sending

    def apply(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        body = operation.bound_body(external_ids)
        if operation.action == "upload":
            return self._upload(operation, body)
        if operation.action == "await":
            return self._await(operation, body)
        answer = self._call(operation.method, operation.path, body=body)
        if not isinstance(answer, requests.Response):
            return answer
        content = answer.json()
        if content["code"] == PARTIAL:  # one object was sent, so a part is nothing
            return _partial(content, answer.status_code)
        (planned,) = operation.objects
        if operation.action != "create":
            return Applied({planned.ref: planned.external_id}, content, answer.status_code)
        created = _created_id(operation, content.get("data"))
        if created:
            return Applied({planned.ref: created}, content, answer.status_code)
        return InDoubt("answered OK without an id", content, answer.status_code)

    def set_status(self, object_type: str, external_id: str, status: RunStatus) -> Outcome:
        """TikTok may ignore `operation_status` when creating (an allowlist feature there), and archives by deleting.

        An id does not tell its form, so an automated campaign's own door is tried where the usual one refuses.
        """
        outcome = self._switch(object_type, external_id, status, smart=False)
        if isinstance(outcome, Rejected):
            other = self._switch(object_type, external_id, status, smart=True)
            outcome = other if isinstance(other, Applied) else outcome
        if isinstance(outcome, Rejected) and status == "ARCHIVED" and self._gone(object_type, external_id):
            return Applied({object_type: external_id}, outcome.response, outcome.http_status)
        return outcome

    def _switch(self, object_type: str, external_id: str, status: RunStatus, *, smart: bool) -> Outcome:
        body = {
            "advertiser_id": self.connection.account.external_id,
            f"{doors.id_key(object_type, smart=smart)}s": [external_id],
            "operation_status": SWITCHES[status],
        }
        answer = self._call("POST", doors.door(object_type, "status/update", smart=smart), body=body)
        if not isinstance(answer, requests.Response):
            return answer
        content = answer.json()
        if content["code"] == PARTIAL:
            return _partial(content, answer.status_code)
        return Applied({object_type: external_id}, content, answer.status_code)

    def _gone(self, object_type: str, external_id: str) -> bool:
        row = self._row(object_type, external_id)
        return row is None or (isinstance(row, Mapping) and readings.status_of(row) == "ARCHIVED")

    # ---------------------------------------------------------------------------------------- media

    def _upload(self, operation: Operation, body: Mapping[str, Any]) -> Outcome:
        """Multipart with the file's MD5. The whole file is in memory while it is sent."""
        content = self._bytes(str(body["sha256"]))
        if isinstance(content, Rejected):
            return content
        word = "video" if operation.path == doors.VIDEO_UPLOAD else "image"
        form = {key: value for key, value in body.items() if key != "sha256"}
        form[f"{word}_signature"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
        files = {f"{word}_file": (str(body["file_name"]), content)}
        answer = self._call(operation.method, operation.path, body=form, files=files)
        if not isinstance(answer, requests.Response):
            return answer
        told = answer.json()
        data = told.get("data")
        row = data[0] if isinstance(data, list) and data else data
        file_id = str(row.get(f"{word}_id") or "") if isinstance(row, dict) else ""
        if not file_id:
            return InDoubt("answered OK without an id", told, answer.status_code)
        return Applied({operation.objects[0].ref: file_id}, told, answer.status_code)

    def _bytes(self, sha256: str) -> bytes | Rejected:
        opener = self.connection.open_file
        if opener is None:
            return Rejected("file_missing", "no store of files is connected", "/sha256")
        try:
            with opener(sha256) as file:
                content = file.read()
        except (LookupError, OSError) as error:
            return Rejected("file_missing", f"the file is gone: {type(error).__name__}", "/sha256")
        if hashlib.sha256(content).hexdigest() != sha256:
            return Rejected("file_changed", "the file is not the one that was approved", "/sha256")
        return content

    def _await(self, operation: Operation, body: Mapping[str, Any]) -> Outcome:
        """TikTok transcodes for 30 seconds to five minutes; until then it shows the id alone, or nothing."""
        (video_id,) = body["video_ids"]
        answer = self._call("GET", operation.path, query={**body, "video_ids": json.dumps([video_id])})
        if not isinstance(answer, requests.Response):
            return answer
        content = answer.json()
        rows = (content.get("data") or {}).get("list") or []
        row: Mapping[str, Any] = next((each for each in rows if each.get("video_id") == video_id), {})
        if not row.get("duration"):
            return RetryLater("TikTok is processing the video", PROCESSING_S, content, answer.status_code)
        if row.get("displayable") is False:
            told = "TikTok has processed the video and can't show it"
            return Rejected("video_not_displayable", told, "", content, answer.status_code)
        return Applied({operation.objects[0].ref: video_id}, content, answer.status_code)

    def _find_upload(self, operation: Operation) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        """By the library name, which holds the content's hash. TikTok's search is fuzzy, and lags."""
        video = operation.path == doors.VIDEO_UPLOAD
        path, key = (doors.VIDEO_SEARCH, "video_id") if video else (doors.IMAGE_SEARCH, "image_id")
        (planned,) = operation.objects
        found = self._list(path, {"video_name": planned.name} if video else {}, page_size=LIBRARY_PAGE)
        if not isinstance(found, Rows):
            return found
        for row in found.rows:
            if row.get("file_name") == planned.name and row.get(key):
                return Applied({planned.ref: str(row[key])}, dict(row), 200)
        return NotFound()

    # ------------------------------------------------------------------------------- after a lost answer

    def find(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        if operation.action == "create":
            return self._find_created(operation, external_ids)
        if operation.action == "upload":
            return self._find_upload(operation)
        if operation.action == "await":
            return NotFound()
        (planned,) = operation.objects
        return self._find_changed(operation, planned, external_ids)

    def _find_created(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        """By the exact governed name under its parent: the filter of TikTok is a fuzzy search."""
        kind, smart = operation.object_type, doors.is_smart(operation.path)
        (planned,) = operation.objects
        filtering: dict[str, Any] = {} if smart and kind == "ad" else {words.NAMES[kind]: planned.name}
        if kind in PARENTS:
            filter_name, key = PARENTS[kind]
            filtering[filter_name] = [operation.bound_body(external_ids)[key]]
        found = self._list(doors.door(kind, "get", smart=smart), filtering)
        if not isinstance(found, Rows):
            return found
        known, id_key = set(external_ids.values()), doors.id_key(kind, smart=smart)
        ids = [
            str(row[id_key])
            for row in found.rows
            if _same(row.get(words.NAMES[kind]), planned.name) and str(row[id_key]) not in known
        ]
        if not ids:
            return NotFound()
        if len(ids) == 1:
            return Applied({planned.ref: ids[0]}, found.content, 200)
        told = f"{len(ids)} objects of this name under the same parent: {', '.join(ids)}"
        return InDoubt(told, found.content, ambiguous=True)

    def _find_changed(
        self, operation: Operation, planned: PlannedObject, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        """Whether the object is as the operation leaves it; deleted ones are asked for too."""
        row = self._row(planned.type, planned.external_id, smart=doors.is_smart(operation.path))
        if not isinstance(row, Mapping):
            return NotFound() if row is None else row
        now = {**words.fields_of(planned.type, row), "status": readings.status_of(row)}
        expect = _bound(dict(planned.expect), external_ids)
        if all(now.get(name) == value for name, value in expect.items()):
            return Applied({planned.ref: planned.external_id}, dict(row), 200)
        return NotFound()

    # -------------------------------------------------------------------------------------- reading

    def read(
        self, object_type: str, external_id: str
    ) -> ReadBack | NotFound | RetryLater | NeedsAuth | InDoubt:
        row = self._row(object_type, external_id)
        if not isinstance(row, Mapping):
            return NotFound() if row is None else row
        status = readings.status_of(row)
        if status == "ARCHIVED":
            return NotFound()
        return ReadBack(
            external_id, row.get(words.NAMES[object_type]), status == "PAUSED" if status else None, row
        )

    def read_tree(self, campaign_id: str) -> tuple[Live, ...] | NotFound | Unread:
        """Three calls, more where there are pages of a thousand, one more for the reasons of refused ads."""
        campaigns = self._list(doors.door("campaign", "get"), {"campaign_ids": [campaign_id]})
        if not isinstance(campaigns, Rows):
            return campaigns
        campaign = next((row for row in campaigns.rows if str(row.get("campaign_id")) == campaign_id), None)
        if campaign is None or readings.status_of(campaign) == "ARCHIVED":
            return NotFound()
        smart = campaign.get(words.MARK) == doors.SMART_TYPE
        groups = self._list(doors.door("ad_set", "get", smart=smart), {"campaign_ids": [campaign_id]})
        if not isinstance(groups, Rows):
            return groups
        ads = self._list(doors.door("ad", "get", smart=smart), {"campaign_ids": [campaign_id]})
        if not isinstance(ads, Rows):
            return ads
        reviews = self._reviews(readings.refused_ads(ads.rows), smart)
        if not isinstance(reviews, dict):
            return reviews
        return tuple(_tree(campaign, groups.rows, ads.rows, reviews, smart))

    def list_campaigns(self, *, active_only: bool = False) -> tuple[Live, ...] | Unread:
        """Both forms: the usual door lists automated campaigns too, and marks them."""
        found = self._list(doors.door("campaign", "get"), {})
        if not isinstance(found, Rows):
            return found
        lives = [readings.live_of("campaign", row) for row in found.rows]
        return tuple(
            live
            for live in lives
            if live.status != "ARCHIVED" and (live.status == "ACTIVE" or not active_only)
        )

    def _reviews(self, ad_ids: Sequence[str], smart: bool) -> dict[str, Mapping[str, Any]] | Unread:
        """Ad id -> what the review door says of it."""
        found: dict[str, Mapping[str, Any]] = {}
        name = "smart_plus_ad_ids" if smart else "ad_ids"
        path = f"{BASE}{doors.SMART if smart else '/'}ad/review_info/"
        for ids in _slices(ad_ids, IDS_AT_ONCE):
            answer = self._get(path, {name: json.dumps(ids)})
            if not isinstance(answer, dict):
                return answer
            data = answer.get("data") or {}
            found |= data.get("ad_review_map") or data.get("smart_plus_ad_review_map") or {}
        return found

    def _row(
        self, object_type: str, external_id: str, smart: bool | None = None
    ) -> Mapping[str, Any] | RetryLater | InDoubt | NeedsAuth | None:
        """One object, deleted or not; None where there is none. An id does not tell its form: both are asked."""
        for form in (False, True) if smart is None else (smart,):
            key = doors.id_key(object_type, smart=form)
            wish = {f"{key}s": [external_id], "primary_status": "STATUS_ALL"}
            found = self._list(doors.door(object_type, "get", smart=form), wish)
            if not isinstance(found, Rows):
                return found
            for row in found.rows:
                if str(row.get(key)) == external_id:
                    return row
        return None

    # ------------------------------------------------------------------------------------ preflight

    def preflight(self) -> tuple[Finding, ...] | Unread:
        """Account, identity and pixel; each only where our account names one."""
        account, findings = self.connection.account, []
        wish = {"advertiser_ids": json.dumps([account.external_id]), "fields": json.dumps(preflight.FIELDS)}
        answer = self._get(f"{BASE}/advertiser/info/", wish, whose="")
        if not isinstance(answer, dict):
            return answer
        findings += preflight.account_findings(account, (answer.get("data") or {}).get("list") or [])
        if (
            account.identity_id and account.identity_type != "BC_AUTH_TT"
        ):  # that one's Business Center is on the ads
            identity = self._identity()
            if not isinstance(identity, dict | None):
                return identity
            findings += preflight.identity_findings(account, identity)
        if account.pixel_id:
            answer = self._get(f"{BASE}/pixel/list/", {"pixel_id": account.pixel_id})
            if not isinstance(answer, dict):
                return answer
            findings += preflight.pixel_findings(account, (answer.get("data") or {}).get("pixels") or [])
        return tuple(findings)

    def _identity(self) -> dict[str, Any] | Unread | None:
        """The account's identity; None where TikTok says that there is none of this id."""
        account = self.connection.account
        query = {"advertiser_id": account.external_id, "identity_id": account.identity_id}
        answer = self._call(
            "GET", f"{BASE}/identity/info/", query={**query, "identity_type": account.identity_type}
        )
        if isinstance(answer, requests.Response):
            return dict((answer.json().get("data") or {}).get("identity_info") or {})
        return None if isinstance(answer, Rejected) else answer

    # ----------------------------------------------------------------------------------------- calls

    def _list(self, path: str, filtering: Mapping[str, Any], page_size: int = PAGE_SIZE) -> Read:
        """Every page of a get door."""
        rows: list[Mapping[str, Any]] = []
        content: Any = None
        for page in range(1, 10_001):
            query = {"filtering": json.dumps(filtering), "page": str(page), "page_size": str(page_size)}
            answer = self._get(path, query)
            if not isinstance(answer, dict):
                return answer
            content, data = answer, answer.get("data")
            if not isinstance(data, dict):
                data = {}
            listed = data.get("list")
            if not isinstance(listed, list):
                return InDoubt("look-up answered without a list", content, 200)
            rows += [_marked(row, path) for row in listed]
            if page >= _pages(data):
                break
        return Rows(rows, content)

    def _get(
        self, path: str, query: Mapping[str, str], whose: str = "advertiser_id"
    ) -> dict[str, Any] | RetryLater | InDoubt | NeedsAuth:
        own = {whose: self.connection.account.external_id} if whose else {}
        answer = self._call("GET", path, query={**own, **query})
        if isinstance(answer, requests.Response):
            return dict(answer.json())
        if isinstance(answer, Rejected):  # a look-up that fails says nothing about the object
            told = f"look-up refused: {answer.code} {answer.message}"
            return InDoubt(told, answer.response, answer.http_status)
        return answer

    def _call(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> requests.Response | Rejected | RetryLater | InDoubt | NeedsAuth:  # fmt: skip
        """The answer where its code is 0 or 20001, else what went wrong."""
        token = self.connection.credentials.get("access_token", "")
        if not token:
            return NeedsAuth("the account has no access token")
        self.before_call()
        answer = send(
            self.session,
            method,
            self.connection.base_url.rstrip("/") + path,
            timeout_s=self.connection.timeout_s,
            headers={"Access-Token": token},
            json=None if files else body,
            data=body if files else None,
            files=files,
            params=query,
        )
        if not isinstance(answer, requests.Response):
            return answer
        wrong = failure(answer, body)
        # the only time that TikTok says anything of its limits is when they are reached
        self.usage = Usage(1.0, wrong.after or THROTTLED_S) if isinstance(wrong, RetryLater) else None
        return wrong or answer


def _tree(
    campaign: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], ads: Sequence[Mapping[str, Any]],
    reviews: Mapping[str, Mapping[str, Any]], smart: bool,
) -> Iterator[Live]:  # fmt: skip
    yield readings.live_of("campaign", campaign)
    for row in groups:
        if readings.status_of(row) != "ARCHIVED":
            yield readings.live_of("ad_set", row, str(campaign["campaign_id"]))
    key = doors.id_key("ad", smart=smart)
    for row in ads:
        if readings.status_of(row) != "ARCHIVED":
            yield readings.live_of("ad", row, str(row.get("adgroup_id")), reviews.get(str(row.get(key))))


def _marked(row: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Rows of the automated form's doors carry its mark, which the campaign doors answer by themselves."""
    return {**row, words.MARK: doors.SMART_TYPE} if doors.is_smart(path) else row


def _pages(data: Mapping[str, Any]) -> int:
    return int((data.get("page_info") or {}).get("total_page") or 1)


def _slices(items: Sequence[str], size: int) -> Iterable[list[str]]:
    return (list(items[at : at + size]) for at in range(0, len(items), size))


def _partial(content: Mapping[str, Any], status: int) -> Rejected:
    return Rejected(str(PARTIAL), str(content.get("message") or ""), "", content, status)


def _created_id(operation: Operation, data: Any) -> str:
    """`campaign_id`, `adgroup_id`, `smart_plus_ad_id`, or the only one of `ad_ids`."""
    if not isinstance(data, dict):
        return ""
    smart = doors.is_smart(operation.path)
    if operation.object_type == "ad" and not smart:
        ids = data.get("ad_ids") or []
        return str(ids[0]) if len(ids) == 1 else ""
    return str(data.get(doors.id_key(operation.object_type, smart=smart)) or "")


def _bound(value: Any, external_ids: Mapping[str, str]) -> Any:
    """The value with every stand-in replaced by the id that it stands for."""
    if isinstance(value, dict):
        return {key: _bound(each, external_ids) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_bound(each, external_ids) for each in value]
    if isinstance(value, str) and value.startswith("<"):
        return {stand_in(ref): found for ref, found in external_ids.items()}.get(value, value)
    return value


def _same(found: Any, wanted: str) -> bool:
    return isinstance(found, str) and unicodedata.normalize("NFC", found) == unicodedata.normalize(
        "NFC", wanted
    )
