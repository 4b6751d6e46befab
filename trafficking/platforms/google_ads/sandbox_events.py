"""Google's Data Manager played: `events:ingest`, fail-fast with field violations, and `requestStatus:retrieve`.

A transaction id that holds REJECTME passes the ingest and is refused later, in the diagnostics: a convention of this
sandbox. Rules: the REST reference of v1 and its pages on formatting and errors.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from trafficking.platforms.sandbox_base import Response, Store
from trafficking.platforms.sandbox_events import AHEAD_S, EventLog, number

INGEST, RETRIEVE = "/v1/events:ingest", "/v1/requestStatus:retrieve"
MOST, MOST_IDENTIFIERS = 2000, 10
_TOP = frozenset({"destinations", "consent", "encoding", "events", "validateOnly", "encryptionInfo"})
_EVENT = frozenset(
    [
        "destinationReferences",
        "transactionId",
        "eventTimestamp",
        "lastUpdatedTimestamp",
        "userData",
        "consent",
        "adIdentifiers",
        "currency",
        "conversionValue",
        "eventSource",
        "eventDeviceInfo",
        "cartData",
        "customVariables",
        "userProperties",
    ]
)
_ADDRESS = frozenset({"givenName", "familyName", "regionCode", "postalCode"})
_CLICKS = frozenset({"gclid", "gbraid", "wbraid", "sessionAttributes", "landingPageDeviceInfo"})
_SOURCES = frozenset({"WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"})
_CONSENT = frozenset({"CONSENT_GRANTED", "CONSENT_DENIED"})
_HEX = re.compile(r"[0-9a-f]{64}")

#: (field, reason, description)
Violation = tuple[str, str, str]


def ingest(body: Mapping[str, Any], store: Store, log: EventLog, now: float) -> Response:
    found = list(_wrong(body, now))
    if found:
        return _refused(found)
    if body.get("validateOnly"):
        return Response.json(200, {})
    request_id = uuid.uuid4().hex
    for destination in body["destinations"]:
        events = [(event["transactionId"], event) for event in body["events"]]
        log.keep(str(destination["productDestinationId"]), events, now)
    later = sum("REJECTME" in event["transactionId"] for event in body["events"])
    kept = {"records": len(body["events"]), "rejected": later, "destination": body["destinations"][0]}
    store.add("ingest", "", "", request_id, kept, lambda _number: request_id, now)
    return Response.json(200, {"requestId": request_id})


def retrieve(request_id: str, store: Store, now: float, processing_s: float) -> Response:
    kept = store.get("ingest", request_id)
    if kept is None:
        return _status(400, "INVALID_ARGUMENT", "There was a problem with the request.", [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "INVALID_REQUEST_ID",
             "domain": "datamanager.googleapis.com"},
        ])  # fmt: skip
    answer: dict[str, Any] = {"destination": kept["destination"], "requestStatus": "PROCESSING"}
    if now >= kept["_created"] + processing_s:
        answer["eventsIngestionStatus"] = {"recordCount": str(kept["records"])}
        answer["requestStatus"] = "SUCCESS"
        if kept["rejected"]:
            whole = kept["rejected"] == kept["records"]
            answer["requestStatus"] = "FAILED" if whole else "PARTIAL_SUCCESS"
            reason = "PROCESSING_ERROR_REASON_INVALID_GCLID"
            answer["errorInfo"] = {"errorCounts": [{"recordCount": str(kept["rejected"]), "reason": reason}]}
    return Response.json(200, {"requestStatusPerDestination": [answer]})


def _wrong(body: Mapping[str, Any], now: float) -> Iterator[Violation]:
    for name in sorted(set(body) - _TOP):
        yield name, "INVALID_FIELD", f"Unknown name {name}."
    destinations, events = body.get("destinations"), body.get("events")
    if not isinstance(destinations, list) or not destinations:
        yield "destinations", "REQUIRED_FIELD_MISSING", "Required field is missing."
        return
    for place, each in enumerate(destinations):
        account = (each.get("operatingAccount") or {}) if isinstance(each, dict) else {}
        whole = account.get("accountType") and str(account.get("accountId", "")).isdigit()
        if not whole or not each.get("productDestinationId"):
            yield (
                f"destinations[{place}]",
                "REQUIRED_FIELD_MISSING",
                "An account and a product id are required.",
            )
    if not isinstance(events, list) or not 1 <= len(events) <= MOST:
        yield "events", "TOO_MANY_EVENTS", f"Between 1 and {MOST} events are required."
        return
    for place, event in enumerate(events):
        for name, reason, words in _event(event, body, now):
            yield f"events[{place}]{name}", reason, words


def _event(event: Any, body: Mapping[str, Any], now: float) -> Iterator[Violation]:
    if not isinstance(event, dict) or set(event) - _EVENT:
        yield "", "INVALID_FIELD", "Unknown field."
        return
    if not isinstance(event.get("transactionId"), str) or not event["transactionId"]:
        yield ".transaction_id", "REQUIRED_FIELD_MISSING", "Required field is missing."
    yield from _time(event.get("eventTimestamp"), now)
    if event.get("eventSource", "WEB") not in _SOURCES:
        yield ".event_source", "INVALID_ENUM_VALUE", "Unknown event source."
    consent = event.get("consent") or body.get("consent") or {}
    if set(consent) - {"adUserData", "adPersonalization"} or set(consent.values()) - _CONSENT:
        yield ".consent", "INVALID_ENUM_VALUE", "Unknown consent."
    people = (event.get("userData") or {}).get("userIdentifiers") or []
    clicks = event.get("adIdentifiers") or {}
    if set(clicks) - _CLICKS:
        yield ".ad_identifiers", "INVALID_FIELD", "Unknown ad identifier."
    if not people and not clicks:
        yield "", "NO_IDENTIFIERS_PROVIDED", "No identifiers were provided for the event."
    if people and body.get("encoding") not in ("HEX", "BASE64"):
        yield ".user_data", "INVALID_ENCODING", "encoding is required with user data."
    if len(people) > MOST_IDENTIFIERS:
        yield ".user_data", "TOO_MANY_USER_IDENTIFIERS", f"More than {MOST_IDENTIFIERS} identifiers."
    for place, each in enumerate(people):
        for name, reason, words in _identifier(each):
            yield f".user_data.user_identifiers[{place}]{name}", reason, words
    value, currency = event.get("conversionValue"), event.get("currency")
    if value is not None and not number(value):
        yield ".conversion_value", "INVALID_NUMBER", "Not a number."
    if (value is not None or currency) and not re.fullmatch("[A-Z]{3}", str(currency or "")):
        yield ".currency", "INVALID_CURRENCY_CODE", "Not an ISO 4217 code."


def _time(text: Any, now: float) -> Iterator[Violation]:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        yield ".event_timestamp", "INVALID_TIMESTAMP", "RFC 3339 with an offset is required."
    elif time.timestamp() > now + AHEAD_S:
        yield ".event_timestamp", "EVENT_TIME_INVALID", "The event lies in the future."


def _identifier(each: Any) -> Iterator[Violation]:
    if not isinstance(each, dict) or len(each) != 1:
        yield "", "INVALID_USER_IDENTIFIER", "Exactly one of emailAddress, phoneNumber, address."
        return
    ((kind, value),) = each.items()
    if kind in ("emailAddress", "phoneNumber"):
        if not _HEX.fullmatch(str(value)):
            yield f".{kind}", "INVALID_HEX_ENCODING", "Not a SHA-256 in hex."
        return
    if kind != "address" or not isinstance(value, dict) or set(value) - _ADDRESS:
        yield f".{kind}", "INVALID_FIELD", "Unknown user identifier."
        return
    for name in sorted(_ADDRESS - set(value)):
        yield f".address.{name}", "REQUIRED_FIELD_MISSING", "Required field is missing."
    for name in ("givenName", "familyName"):
        if name in value and not _HEX.fullmatch(str(value[name])):
            yield f".address.{name}", "INVALID_HEX_ENCODING", "Not a SHA-256 in hex."
    if "regionCode" in value and not re.fullmatch("[A-Z]{2}", str(value["regionCode"])):
        yield ".address.regionCode", "INVALID_COUNTRY_CODE", "Not ISO 3166-1 alpha-2."


def _refused(found: list[Violation]) -> Response:
    violations = [{"field": field, "description": words, "reason": reason} for field, reason, words in found]
    return _status(400, "INVALID_ARGUMENT", "There was a problem with the request.", [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "INVALID_ARGUMENT",
         "domain": "datamanager.googleapis.com"},
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations},
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": uuid.uuid4().hex},
    ])  # fmt: skip


def _status(code: int, status: str, message: str, details: list[dict[str, Any]]) -> Response:
    error = {"code": code, "message": message, "status": status, "details": details}
    return Response.json(code, {"error": error})
