"""Meta as the registry knows it."""

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
from trafficking.platforms.meta import reference
from trafficking.platforms.meta.client import MetaClient
from trafficking.platforms.meta.compile import compile_ticket
from trafficking.platforms.meta.creative import MACROS
from trafficking.platforms.meta.messages import MESSAGES
from trafficking.platforms.meta.money import currency_unit


class Meta(Platform):
    """Facebook and Instagram through the Marketing API."""

    key = "meta"
    label = "Meta"
    api_version = reference.API_VERSION
    live_url = "https://graph.facebook.com"
    buying_types: ClassVar[Mapping[str, str]] = {"AUCTION": _("Auction")}
    credential_fields: ClassVar[Mapping[str, str]] = {
        "access_token": _("System user token with ads_management on this ad account. Required."),
        "app_secret": _(
            "The app's secret; if given, every call carries a proof made with it (appsecret_proof)."
        ),
    }
    messages = MESSAGES
    macros = MACROS
    config_schema = reference.CONFIG_JSON["campaign"]

    def config_schema_for(self, level: ConfigLevel) -> Mapping[str, Any]:
        return reference.CONFIG_JSON[level]

    def compile(self, ticket: TicketSnapshot) -> Compiled:
        return compile_ticket(ticket)

    def check(self, operations: Sequence[Operation]) -> list[Finding]:
        found: list[Finding] = []
        for operation in operations:
            schema = reference.OPERATION_SCHEMAS[operation.object_type]
            found += schema.findings(
                operation.body, object_name=operation.objects[0].name, sources=operation.sources
            )
        return found

    def client(self, connection: Connection, session: requests.Session) -> Client:
        return MetaClient(connection, session)

    def currency_unit(self, currency: str) -> Decimal | None:
        return currency_unit(currency)
