"""Google's Data Manager API: `POST /v1/events:ingest`, and what became of a request by its id.

Fail-fast: one bad record refuses the request. What is taken is processed later; diagnostics come by request id, from
half an hour after. The old click upload of the Ads API is closed to new users since June 2026.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import requests

from tracking.destinations.base import (
    DROP,
    LIMITED,
    SEND,
    Accepted,
    Answer,
    Config,
    Decision,
    Destination,
    NeedsAuth,
    Rejected,
    Request,
    RetryLater,
    Unknown,
    as_list,
    by_status,
    header,
    refused,
)
from tracking.events import Event, Problem
from trafficking.platforms import base as platforms
from trafficking.platforms import http as wire
from trafficking.platforms.http import json_or_none, retry_after_s

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105, an address
#: Google asks to wait this long before diagnostics are fetched for the first time.
DIAGNOSTICS_AFTER_S = 1800.0
_MOST_IDENTIFIERS = 10
_MARGIN_S = 120.0
_CLICKS = ("gclid", "gbraid", "wbraid")
_ROW = re.compile(r"\bevents(?:\.events)?\[(\d+)\]")
_SOURCES = {
    "website": "WEB", "app": "APP", "physical_store": "IN_STORE", "phone_call": "PHONE", "chat": "MESSAGE",
    "business_messaging": "MESSAGE",
}  # fmt: skip
_CONSENT = {"granted": "CONSENT_GRANTED", "denied": "CONSENT_DENIED"}


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What became of a request. `errors` are (reason, how many records); Google names no rows here."""

    state: Literal["processing", "success", "partial", "failed"]
    records: int = 0
    errors: tuple[tuple[str, int], ...] = ()
    warnings: tuple[tuple[str, int], ...] = ()


_STATES: Mapping[str, Literal["processing", "success", "partial", "failed"]] = {
    "SUCCESS": "success", "PROCESSING": "processing", "PARTIAL_SUCCESS": "partial", "FAILED": "failed",
}  # fmt: skip


class Google(Destination):
    """`config` holds either `access_token` or client_id, client_secret and refresh_token of the scope datamanager."""

    key: ClassVar[str] = "google"
    name: ClassVar[str] = "Google"
    limit: ClassVar[int] = 2000
    fields = ("account_id", "conversion_action_id")
    secret_fields = ("client_secret", "refresh_token", "access_token")
    live_url: ClassVar[str] = "https://datamanager.googleapis.com"

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, float]] = {}  # by a hash of the refresh token; in memory only
        self._lock = threading.Lock()

    def problems(self, event: Event) -> list[Problem]:
        found = []
        if not (_clicks(event) or _user_identifiers(event)):
            words = "Google needs a click id (gclid, gbraid, wbraid), an email, a phone, or a whole address."
            found.append(Problem("user", "too_few_keys", words))
        if event.value is not None and not event.currency:
            found.append(Problem("currency", "missing", "Google needs the currency of a value."))
        return found

    def build(self, events: Sequence[Event], config: Config, *, test_code: str | None = None) -> Request:
        """A `test_code` of any text sets `validateOnly`: Google checks the events and keeps none."""
        destination: dict[str, Any] = {
            "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": _digits(config["account_id"])},
            "productDestinationId": str(config["conversion_action_id"]),
        }
        if config.get("login_account_id"):
            login = {"accountType": "GOOGLE_ADS", "accountId": _digits(config["login_account_id"])}
            destination["loginAccount"] = login
        payload: dict[str, Any] = {
            "destinations": [destination],
            "encoding": "HEX",
            "events": [event_data(event) for event in events],
        }
        if test_code:
            payload["validateOnly"] = True
        return Request(
            "POST",
            f"{self.url(config)}/v1/events:ingest",
            {"Authorization": f"Bearer {config['access_token']}", "Content-Type": "application/json"},
            json.dumps(payload, separators=(",", ":")).encode(),
        )

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            answer = json.loads(body)
        except ValueError:
            return by_status(status, headers) or Unknown(f"unreadable answer with HTTP {status}")
        error = answer.get("error") if isinstance(answer, dict) else None
        if isinstance(error, dict):
            return _error(error, status, headers)
        early = by_status(status, headers)
        if early is not None:
            return early
        if status >= 300 or not isinstance(answer, dict):
            return Unknown(f"HTTP {status}")
        return Accepted(str(answer.get("requestId", "")))  # validateOnly answers without an id

    def decide(self, consent: Mapping[str, Any], policy: str, region: str | None) -> Decision:
        """Without consent to user data only the click id goes, with the denial; without storage nothing does."""
        why = refused(consent, policy, "ad_user_data")
        if not why:
            return SEND
        if refused(consent, policy, "ad_storage"):
            return DROP(f"{why} and ad_storage not granted")
        return LIMITED

    # ------------------------------------------------------------------------------- credentials

    def authorise(self, config: Config, http: requests.Session) -> Config | RetryLater | NeedsAuth:
        """`config` with an access token: the stored one, or one bought with the refresh token and kept in memory."""
        whole = super().authorise(config, http)
        if not isinstance(whole, Mapping) or config.get("access_token"):
            return whole
        missing = [name for name in ("client_id", "client_secret", "refresh_token") if not config.get(name)]
        if missing:
            return NeedsAuth(f"the destination lacks {', '.join(missing)}")
        key = hashlib.sha256(f"{config['client_id']} {config['refresh_token']}".encode()).hexdigest()
        with self._lock:
            token, ends = self._tokens.get(key, ("", 0.0))
            if time.monotonic() >= ends:
                bought = self._bought(config, http)
                if not isinstance(bought, tuple):
                    return bought
                self._tokens[key] = token, _ = bought
        return {**config, "access_token": token}

    def forget_tokens(self) -> None:
        """After a NeedsAuth: the next `authorise` buys a new token."""
        with self._lock:
            self._tokens.clear()

    def _bought(self, config: Config, http: requests.Session) -> tuple[str, float] | RetryLater | NeedsAuth:
        base = self.url(config)
        url = config.get("token_url") or (TOKEN_URL if base == self.live_url else f"{base}/token")
        form = {name: config[name] for name in ("client_id", "client_secret", "refresh_token")}
        answer = wire.send(http, "POST", url, timeout_s=30.0, data={**form, "grant_type": "refresh_token"})
        if isinstance(answer, platforms.RetryLater | platforms.InDoubt):
            return RetryLater(None, f"token endpoint: {answer.reason}")
        received = json_or_none(answer)
        if answer.status_code == 200 and isinstance(received, dict) and received.get("access_token"):
            ends = time.monotonic() + float(received.get("expires_in", 0)) - _MARGIN_S
            return str(received["access_token"]), ends
        if answer.status_code >= 500 or answer.status_code == 429 or not isinstance(received, dict):
            wait_s = retry_after_s(answer.headers.get("Retry-After"))
            return RetryLater(wait_s, f"token endpoint: HTTP {answer.status_code}")
        # Only the error's name: token endpoints may echo what they were sent.
        return NeedsAuth(f"token endpoint: {received.get('error', answer.status_code)}")

    # ------------------------------------------------------------------------------- diagnostics

    def ask(self, request_id: str, config: Config) -> Request:
        """The request for the diagnostics of an accepted one; `config` as `authorise` gave it."""
        url = f"{self.url(config)}/v1/requestStatus:retrieve?requestId={request_id}"
        return Request("GET", url, {"Authorization": f"Bearer {config['access_token']}"}, b"")

    def diagnostics(
        self, request: Request, http: requests.Session, *, timeout_s: float = 30.0
    ) -> Diagnostics | Answer:
        """Send what `ask` built. Anything but `Diagnostics` means: ask again later, or mend the credentials."""
        answer = wire.send(http, "GET", request.url, timeout_s=timeout_s, headers=dict(request.headers))
        if isinstance(answer, platforms.RetryLater | platforms.InDoubt):
            return RetryLater(None, answer.reason)
        received = json_or_none(answer)
        if answer.status_code != 200 or not isinstance(received, dict):
            return self.read(answer.status_code, answer.headers, answer.content)
        return _diagnosed(received)


def event_data(event: Event) -> dict[str, Any]:
    """One entry of `events`. A limited event goes without anything of the person but the click id."""
    data: dict[str, Any] = {
        "transactionId": event.order_id or event.event_id,
        "eventTimestamp": event.time.isoformat().replace("+00:00", "Z"),
        "eventSource": _SOURCES.get(event.action_source, "OTHER"),
    }
    clicks = _clicks(event)
    if clicks:
        data["adIdentifiers"] = clicks
    people = _user_identifiers(event)
    if people:
        data["userData"] = {"userIdentifiers": people}
    if event.value is not None:
        data["conversionValue"] = float(event.value)
    if event.currency:
        data["currency"] = event.currency
    device = {"userAgent": event.user_agent, "ipAddress": event.ip}
    if not event.limited and any(device.values()):
        data["eventDeviceInfo"] = {name: value for name, value in device.items() if value}
    consent = _consent(event)
    if consent:
        data["consent"] = consent
    return data


def _consent(event: Event) -> dict[str, str]:
    user_data = "denied" if event.limited else event.consent.get("ad_user_data")
    personal = "denied" if event.consent.get("ldu") else event.consent.get("ad_personalization")
    given = {"adUserData": _CONSENT.get(user_data or ""), "adPersonalization": _CONSENT.get(personal or "")}
    return {name: value for name, value in given.items() if value}


def _clicks(event: Event) -> dict[str, Any]:
    sent = event.identifiers.get("google", {})
    return {name: sent[name] for name in _CLICKS if name in sent}


def _user_identifiers(event: Event) -> list[dict[str, Any]]:
    """Emails, phones and the address; an address lacking one of its four parts is left out."""
    if event.limited:
        return []
    sent = event.identifiers.get("google", {})
    found: list[dict[str, Any]] = [{"emailAddress": each} for each in as_list(sent.get("email", []))]
    found += [{"phoneNumber": each} for each in as_list(sent.get("phone", []))]
    parts = {
        "givenName": "first_name", "familyName": "last_name", "regionCode": "region_code",
        "postalCode": "postal_code",
    }  # fmt: skip
    address = {name: as_list(sent[field])[0] for name, field in parts.items() if field in sent}
    if len(address) == len(parts):
        found.insert(0, {"address": address})
    return found[:_MOST_IDENTIFIERS]


def _digits(account: object) -> str:
    return str(account).replace("-", "")


def _error(error: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> Answer:
    name, message = str(error.get("status", "")), str(error.get("message", ""))
    details = [each for each in error.get("details") or [] if isinstance(each, dict)]
    violations = [each for detail in details for each in detail.get("fieldViolations") or []]
    told = "; ".join(f"{each.get('field', '')}: {each.get('description', '')}" for each in violations[:3])
    reason = f"{name}: {told or message}"
    if status in (401, 403):
        return NeedsAuth(f"{name}: {message}")
    if status == 429 or name == "RESOURCE_EXHAUSTED":
        return RetryLater(_retry_s(details, headers), reason)
    if status >= 500:
        return RetryLater(_retry_s(details, headers), reason) if status == 503 else Unknown(reason)
    rows = sorted({int(row) for each in violations for row in _ROW.findall(str(each.get("field", "")))})
    return Rejected(reason, rows or None, name)


def _retry_s(details: list[dict[str, Any]], headers: Mapping[str, str]) -> float | None:
    """`google.rpc.RetryInfo`, else `Retry-After`."""
    for detail in details:
        delay = str(detail.get("retryDelay", ""))
        if re.fullmatch(r"[\d.]+s", delay):
            return float(delay[:-1])
    return retry_after_s(header(headers, "Retry-After"))


def _diagnosed(received: Mapping[str, Any]) -> Diagnostics:
    """One destination was asked for, so one is answered."""
    each: Mapping[str, Any] = next(iter(received.get("requestStatusPerDestination") or []), {})
    errors = (each.get("errorInfo") or {}).get("errorCounts") or []
    warnings = (each.get("warningInfo") or {}).get("warningCounts") or []
    return Diagnostics(
        _STATES.get(each.get("requestStatus", ""), "processing"),
        int((each.get("eventsIngestionStatus") or {}).get("recordCount", 0)),
        tuple((str(one.get("reason", "")), int(one.get("recordCount", 0))) for one in errors),
        tuple((str(one.get("reason", "")), int(one.get("recordCount", 0))) for one in warnings),
    )


GOOGLE = Google()
