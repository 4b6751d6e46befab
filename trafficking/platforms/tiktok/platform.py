"""TikTok as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import requests

from governance.findings import Finding
from governance.findings import gettext_noop as _
from trafficking.platforms.base import (
    Client,
    Compiled,
    ConfigLevel,
    Connection,
    Operation,
    Platform,
    TicketSnapshot,
)
from trafficking.platforms.tiktok import reference
from trafficking.platforms.tiktok.client import TikTokClient
from trafficking.platforms.tiktok.compile import compile_ticket
from trafficking.platforms.tiktok.creative import MACROS
from trafficking.platforms.tiktok.messages import MESSAGES


class TikTok(Platform):
    key = "tiktok"
    label = "TikTok"
    api_version = "v1.3"
    live_url = "https://business-api.tiktok.com"
    buying_types: ClassVar[Mapping[str, str]] = {"AUCTION": "Auction"}
    credential_fields: ClassVar[Mapping[str, str]] = {
        "access_token": _(
            "Long-term access token of an app that the advertiser has authorised (header Access-Token)."
        ),
    }
    messages = MESSAGES
    macros = MACROS
    config_schema = reference.CONFIG

    def config_schema_for(self, level: ConfigLevel) -> Mapping[str, Any]:
        return reference.CONFIG if level == "campaign" else reference.CONFIG["$defs"][level]

    def compile(self, ticket: TicketSnapshot) -> Compiled:
        return compile_ticket(ticket)

    def check(self, operations: Sequence[Operation]) -> list[Finding]:
        return [
            finding
            for operation in operations
            for finding in reference.SCHEMAS[operation.object_type].findings(
                operation.body, object_name=operation.ref, sources=operation.sources
            )
        ]

    def client(self, connection: Connection, session: requests.Session) -> Client:
        return TikTokClient(connection, session)

    def currency_unit(self, currency: str) -> Decimal | None:
        return reference.currency_unit(currency)
