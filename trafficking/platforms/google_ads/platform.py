"""Google Ads as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests

from governance.findings import Finding
from trafficking.platforms.base import (
    Account,
    Budget,
    ChangeKind,
    Client,
    Compiled,
    ConfigLevel,
    Connection,
    File,
    Held,
    Operation,
    Platform,
    RateLimit,
    RunStatus,
    TicketSnapshot,
    Wanted,
)
from trafficking.platforms.google_ads import media, reference
from trafficking.platforms.google_ads.ads import FORMATS, MACROS
from trafficking.platforms.google_ads.bidding import goals_of
from trafficking.platforms.google_ads.change_kinds import change_kind
from trafficking.platforms.google_ads.client import LIVE_URL, GoogleAdsClient
from trafficking.platforms.google_ads.fields import fields_of
from trafficking.platforms.google_ads.messages import MESSAGES
from trafficking.platforms.google_ads.money import currency_unit
from trafficking.platforms.google_ads.performance_max import FORMAT as PERFORMANCE_MAX_FORMAT
from trafficking.platforms.google_ads.reference import (
    API_VERSION,
    CONFIG,
    DEMAND_GEN,
    OPERATIONS,
    PERFORMANCE_MAX,
    SEARCH,
    create_schema,
    envelope_schema,
    payload_schemas,
)
from trafficking.platforms.google_ads.request import compile_request, rename_operation, status_operation
from trafficking.platforms.google_ads.wanted import wanted

#: Amounts are in millionths of the currency's major unit (CampaignBudget.amount_micros).
MICRO = Decimal("0.000001")


def formats_of(buying_type: str) -> tuple[str, ...]:
    """Ad formats of a channel; those of every channel where none is named."""
    if buying_type == PERFORMANCE_MAX:
        return (PERFORMANCE_MAX_FORMAT,)
    if buying_type:
        return tuple(FORMATS.get(buying_type, ()))
    return tuple(dict.fromkeys(each for formats in FORMATS.values() for each in formats))


class GoogleAds(Platform):
    """Search, Display and Demand Gen through the REST face of the Google Ads API."""

    key = "google_ads"
    label = "Google Ads"
    api_version = API_VERSION
    live_url = LIVE_URL
    buying_types = {
        "SEARCH": "Google Search",
        "DISPLAY": "Google Display Network",
        "DEMAND_GEN": "Google Demand Gen (YouTube, Discover, Gmail)",
        "PERFORMANCE_MAX": "Google Performance Max (all of Google's inventory)",
    }
    ad_set_budgets = False
    files_by_content = True
    sandbox_credentials = {"developer_token": "sandbox", "access_token": "sandbox"}
    credential_fields = {
        "developer_token": "Developer token of the manager account (API Centre).",
        "access_token": "OAuth access token. Leave empty where the three fields below are given.",
        "client_id": "OAuth client id, for tokens that renew themselves.",
        "client_secret": "OAuth client secret.",
        "refresh_token": "OAuth refresh token of a user who may manage the account.",
        "token_url": "OAuth token endpoint, where it is not Google's own (sandboxes, proxies).",
    }
    messages = MESSAGES
    macros = MACROS
    config_schema = CONFIG

    def config_schema_for(self, level: ConfigLevel) -> Mapping[str, Any]:
        return CONFIG if level == "campaign" else CONFIG["$defs"][level]

    #: Google publishes no figure per account: queries per second are metered per customer and developer token, and
    #: refused with QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED (from practice: five a second are well taken).
    rate_limit = RateLimit(300, 60.0)

    def known_values(
        self, field: str, *, objective: str = "", buying_type: str = ""
    ) -> tuple[str, ...] | None:
        lists: dict[str, tuple[str, ...]] = {
            "goal": goals_of(buying_type),
            "format": formats_of(buying_type),
            "call_to_action": tuple(reference.CALLS_TO_ACTION),
            "placements": tuple(reference.DEMAND_GEN_CHANNELS) if buying_type in ("", DEMAND_GEN) else (),
            "countries": tuple(sorted(reference.COUNTRIES)),
            "languages": (*(code for code in reference.REFERENCE["languages"] if "-" not in code), "zh"),
        }
        if field == "keywords" and buying_type != SEARCH:
            return ()
        return lists.get(field)

    def compile(self, ticket: TicketSnapshot, held: Sequence[Held] = ()) -> Compiled:
        return compile_request(self, ticket, held)

    def media_findings(self, file: File, kind: str) -> list[Finding]:
        return media.file_findings(file, kind)

    def payload_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        return payload_schemas()

    def wanted(self, operations: Sequence[Operation]) -> tuple[Wanted, ...]:
        return wanted(operations)

    def fields_of(self, object_type: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """`raw` as `Client.read` answers it, or a row of a query; see `fields.py` for its shape."""
        return fields_of(object_type, raw)

    def change_kind(self, object_type: str, field: str, before: Any, after: Any) -> ChangeKind:
        return change_kind(object_type, field, before, after)

    def status_operation(self, account: Account, held: Held, status: RunStatus) -> Operation:
        return status_operation(account, held, status)

    def rename_operation(self, account: Account, held: Held, name: str) -> Operation:
        return rename_operation(account, held, name)

    def check(self, operations: Sequence[Operation]) -> list[Finding]:
        return [finding for operation in operations for finding in _check(operation)]

    def client(self, connection: Connection, session: requests.Session) -> Client:
        return GoogleAdsClient(connection, session)

    def currency_unit(self, currency: str) -> Decimal | None:
        return currency_unit(currency)

    def money_unit(self, field: str, currency: str) -> Decimal | None:
        return MICRO if field.endswith("Micros") and "Fraction" not in field else None

    def budget_of(self, fields: Mapping[str, Any], currency: str) -> Budget | None:
        if fields.get("totalAmountMicros"):
            return Budget(Decimal(str(fields["totalAmountMicros"])) * MICRO, "LIFETIME")
        if fields.get("amountMicros"):
            return Budget(Decimal(str(fields["amountMicros"])) * MICRO, "DAILY")
        return None


def _check(operation: Operation) -> list[Finding]:
    """The request's frame first; its creates only inside a sound frame."""
    if operation.action not in ("create", "update"):
        return []
    found = envelope_schema().findings(operation.body, object_name="request", sources=operation.sources)
    if found:
        return found
    for index, mutate in enumerate(operation.body["mutateOperations"]):
        for name, change in mutate.items():
            if "create" not in change:
                continue
            found += create_schema(name).findings(
                change["create"],
                object_name=OPERATIONS[name],
                sources=operation.sources,
                prefix=f"/mutateOperations/{index}/{name}/create",
            )
    return found
