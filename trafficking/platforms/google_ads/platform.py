"""Google Ads as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests

from governance.findings import Finding
from trafficking.platforms.base import (
    Client,
    Compiled,
    ConfigLevel,
    Connection,
    Operation,
    Platform,
    TicketSnapshot,
)
from trafficking.platforms.google_ads.ads import MACROS
from trafficking.platforms.google_ads.client import LIVE_URL, GoogleAdsClient
from trafficking.platforms.google_ads.compile import compile_ticket
from trafficking.platforms.google_ads.messages import MESSAGES
from trafficking.platforms.google_ads.money import currency_unit
from trafficking.platforms.google_ads.reference import (
    API_VERSION,
    CONFIG,
    OPERATIONS,
    create_schema,
    envelope_schema,
)


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
    }
    ad_set_budgets = False
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

    def compile(self, ticket: TicketSnapshot) -> Compiled:
        return compile_ticket(ticket)

    def check(self, operations: Sequence[Operation]) -> list[Finding]:
        return [finding for operation in operations for finding in _check(operation)]

    def client(self, connection: Connection, session: requests.Session) -> Client:
        return GoogleAdsClient(connection, session)

    def currency_unit(self, currency: str) -> Decimal | None:
        return currency_unit(currency)


def _check(operation: Operation) -> list[Finding]:
    """The request's frame first; its creates only inside a sound frame."""
    found = envelope_schema().findings(operation.body, object_name="request", sources=operation.sources)
    if found:
        return found
    for index, mutate in enumerate(operation.body["mutateOperations"]):
        for name, change in mutate.items():
            found += create_schema(name).findings(
                change["create"],
                object_name=OPERATIONS[name],
                sources=operation.sources,
                prefix=f"/mutateOperations/{index}/{name}/create",
            )
    return found
