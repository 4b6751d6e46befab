"""Can this account be built in: what to ask Meta before the first call, and what its answers mean.

Fields are the SDK's (`AdAccount`, `Page`, `IGUser`, `AdsPixel`). The numbers of `account_status` are those of Meta's
page "Ad Account", in copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from governance.findings import Finding
from trafficking.platforms.base import Account, NeedsAuth
from trafficking.platforms.meta.reference import API_VERSION

Answers = Mapping[str, Mapping[str, Any] | None]  # None: there is no such object, or none that we may see

_CAN_RUN, _IN_GRACE = (1, 201), 9
_STATUSES: Mapping[int | str, str] = {
    2: "DISABLED", 3: "UNSETTLED", 7: "PENDING_RISK_REVIEW", 8: "PENDING_SETTLEMENT", 100: "PENDING_CLOSURE",
    101: "CLOSED", 202: "ANY_CLOSED",
}  # fmt: skip
_ACCOUNT_FIELDS = (
    "id,account_status,disable_reason,currency,timezone_name,funding_source,is_prepay_account,user_tasks"
)
_NEEDED_PERMISSION = "ads_management"
_NEEDED_TASKS = {"ADVERTISE", "MANAGE"}
#: Meta's code for "permission denied" (10, 200 to 299); 190 and 102 are about the token itself.
_TOKEN_CODES = ("190:", "102:")


def questions(account: Account) -> Iterator[tuple[str, str, str]]:
    """(what, path, fields) of each call."""
    root = f"/{API_VERSION}"
    yield "account", f"{root}/act_{account.external_id.removeprefix('act_')}", _ACCOUNT_FIELDS
    yield "permissions", f"{root}/me/permissions", ""
    if account.page_id:
        yield "page", f"{root}/{account.page_id}", "id,name,is_published"
    if account.instagram_user_id:
        yield "instagram", f"{root}/{account.instagram_user_id}", "id,username"
    if account.pixel_id:
        yield "pixel", f"{root}/{account.pixel_id}", "id,name,is_unavailable,last_fired_time"


def is_permission(answer: NeedsAuth) -> bool:
    """Whether the token is good, and only may not see this one thing."""
    return answer.http_status is not None and not answer.reason.startswith(_TOKEN_CODES)


def findings(account: Account, seen: Answers) -> tuple[Finding, ...]:
    return (
        *_of_account(account, seen["account"]),
        *_of_permissions(seen.get("permissions")),
        *_of_page(account, seen),
        *_of_pixel(account, seen),
    )


def _finding(code: str, field: str, severity: str = "block", **params: Any) -> Finding:
    return Finding(f"preflight.meta.{code}", field, severity, params)  # type: ignore[arg-type]


def _of_account(account: Account, seen: Mapping[str, Any] | None) -> Iterator[Finding]:
    if seen is None:
        yield _finding("account_hidden", "account.external_id", account=account.external_id)
        return
    told = seen.get("account_status", 1)
    status: int | str = told if isinstance(told, int) else str(told)
    if status == _IN_GRACE:
        yield _finding("account_grace", "account", "warn")
    elif status not in _CAN_RUN:
        yield _finding("account_status", "account", status=_STATUSES.get(status, str(status)))
    for key, code, ours in (
        ("currency", "currency", account.currency),
        ("timezone_name", "time_zone", account.time_zone),
    ):
        if seen.get(key) and seen[key] != ours:
            yield _finding(code, f"account.{code}", live=seen[key], ours=ours)
    if not seen.get("funding_source") and not seen.get("is_prepay_account"):
        yield _finding("no_funding", "account", "warn")
    tasks = seen.get("user_tasks")
    if isinstance(tasks, list) and tasks and not any(task in _NEEDED_TASKS for task in map(str, tasks)):
        yield _finding("no_task", "account")


def _of_permissions(seen: Mapping[str, Any] | None) -> Iterator[Finding]:
    rows = (seen or {}).get("data")
    if not isinstance(rows, list) or not rows:
        return  # not every token may ask this; what it can't do shows at the account
    granted = [
        row.get("permission") for row in rows if isinstance(row, Mapping) and row.get("status") == "granted"
    ]
    if _NEEDED_PERMISSION not in granted:
        yield _finding("no_permission", "account", permission=_NEEDED_PERMISSION)


def _of_page(account: Account, seen: Answers) -> Iterator[Finding]:
    page = seen.get("page", {})
    if page is None:
        yield _finding("page_hidden", "account.page_id", page=account.page_id)
    elif page.get("is_published") is False:
        yield _finding("page_unpublished", "account.page_id", page=account.page_id)
    if seen.get("instagram", {}) is None:
        yield _finding("instagram_hidden", "account.instagram_user_id", instagram=account.instagram_user_id)


def _of_pixel(account: Account, seen: Answers) -> Iterator[Finding]:
    if "pixel" not in seen:
        return
    pixel = seen["pixel"]
    if pixel is None:
        yield _finding("pixel_hidden", "account.pixel_id", pixel=account.pixel_id)
    elif pixel.get("is_unavailable"):
        yield _finding("pixel_unavailable", "account.pixel_id", pixel=account.pixel_id)
    elif not pixel.get("last_fired_time"):
        yield _finding("pixel_never_fired", "account.pixel_id", "warn", pixel=account.pixel_id)
