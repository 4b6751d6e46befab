"""Whether the account can be built in: TikTok's answers about it, as findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from governance.findings import Finding, Severity
from trafficking.platforms.base import Account

#: Advertiser statuses in which TikTok still looks at the account; all others but STATUS_ENABLE are refusals.
PENDING = frozenset(
    {"STATUS_PENDING_CONFIRM", "STATUS_PENDING_CONFIRM_MODIFY", "STATUS_PENDING_VERIFIED",
     "STATUS_WAIT_FOR_BPM_AUDIT", "STATUS_WAIT_FOR_PUBLIC_AUTH", "STATUS_SELF_SERVICE_UNAUDITED",
     "STATUS_CONTRACT_PENDING"}
)  # fmt: skip
FIELDS = ("advertiser_id", "name", "status", "currency", "timezone", "balance", "role", "rejection_reason")


def account_findings(account: Account, rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """From `/advertiser/info/`."""
    row = next((each for each in rows if str(each.get("advertiser_id")) == account.external_id), None)
    if row is None:
        return [_found("account_unknown", "external_id", id=account.external_id)]
    return [*_status(row), *_currency(account, row), *_time_zone(account, row), *_balance(account, row)]


def _status(row: Mapping[str, Any]) -> list[Finding]:
    status = str(row.get("status") or "")
    if status in ("", "STATUS_ENABLE"):
        return []
    reason = str(row.get("rejection_reason") or "").strip() or "no reason given"
    if status in PENDING:
        return [_found("account_pending", "external_id", status=status)]
    return [_found("account_closed", "external_id", status=status, reason=reason)]


def _currency(account: Account, row: Mapping[str, Any]) -> list[Finding]:
    told = str(row.get("currency") or "")
    if told in ("", account.currency):
        return []
    return [_found("currency", "currency", ours=account.currency, theirs=told)]


def _time_zone(account: Account, row: Mapping[str, Any]) -> list[Finding]:
    """Names may differ for one clock (Etc/GMT+5 and America/Panama): the zones are compared by what they are."""
    told = str(row.get("timezone") or "")
    if not told or told == account.time_zone or _zone(told) is None:
        return []
    if _offsets(told) == _offsets(account.time_zone):
        return []
    return [_found("time_zone", "time_zone", ours=account.time_zone, theirs=told)]


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _offsets(name: str) -> list[Any]:
    """The zone's offset in each month of a year: two clocks that agree here are one for our purpose."""
    from datetime import datetime

    zone = _zone(name)
    return [datetime(2027, month, 15, tzinfo=zone).utcoffset() for month in range(1, 13)] if zone else []


def _balance(account: Account, row: Mapping[str, Any]) -> list[Finding]:
    """Accounts that are invoiced show no balance; nothing and zero both mean "ask"."""
    try:
        balance = Decimal(str(row["balance"]))
    except (KeyError, InvalidOperation):
        return []
    if balance > 0:
        return []
    return [_found("no_balance", "external_id", "warn", balance=str(balance), currency=account.currency)]


def identity_findings(account: Account, row: Mapping[str, Any] | None) -> list[Finding]:
    """From `/identity/info/`; None: TikTok knows no such identity."""
    if row is None:
        return [_found("identity_unknown", "identity_id", id=account.identity_id, type=account.identity_type)]
    if row.get("available_status", "AVAILABLE") != "AVAILABLE":
        return [_found("identity_closed", "identity_id", "warn", id=account.identity_id)]
    return []


def pixel_findings(account: Account, rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """From `/pixel/list/`."""
    if any(str(row.get("pixel_id")) == account.pixel_id for row in rows):
        return []
    return [_found("pixel_unknown", "pixel_id", id=account.pixel_id)]


def _found(code: str, field: str, severity: Severity = "block", **params: Any) -> Finding:
    return Finding(f"preflight.tiktok.{code}", field, severity, params)
