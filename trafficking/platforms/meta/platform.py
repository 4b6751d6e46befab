"""Meta as the registry knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import requests

from governance.findings import Finding
from governance.findings import gettext_noop as _
from trafficking.platforms.base import (
    Account,
    Budget,
    BudgetKind,
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
from trafficking.platforms.changes import compile_request
from trafficking.platforms.meta import fields, goals, media, reference, updates
from trafficking.platforms.meta.client import MetaClient
from trafficking.platforms.meta.compile import compile_ticket
from trafficking.platforms.meta.creative import MACROS
from trafficking.platforms.meta.messages import MESSAGES
from trafficking.platforms.meta.money import currency_unit
from trafficking.platforms.schema import Schema

#: Fields that hold amounts in the currency's smallest unit.
MONEY = frozenset({"daily_budget", "lifetime_budget", "bid_amount", "spend_cap", "daily_min_spend_target",
                   "daily_spend_cap", "lifetime_min_spend_target", "lifetime_spend_cap"})  # fmt: skip
#: Formats that `creative.py` builds.
FORMATS = ("IMAGE", "VIDEO", "CAROUSEL")
#: Whole platforms, and single positions of them as `targeting.py` reads them.
PLACEMENTS = (
    *reference.PLACEMENTS,
    *(f"{name}:{position}" for name, positions in reference.PLACEMENTS.items() for position in positions),
)
BUDGETS: Mapping[str, BudgetKind] = {"daily_budget": "DAILY", "lifetime_budget": "LIFETIME"}


class Meta(Platform):
    """Facebook and Instagram through the Marketing API."""

    key = "meta"
    label = "Meta"
    api_version = reference.API_VERSION
    live_url = "https://graph.facebook.com"
    buying_types: ClassVar[Mapping[str, str]] = {
        "AUCTION": _("Auction"),
        "ADVANTAGE_PLUS": _("Advantage+ (automated sales, app and leads campaigns)"),
    }
    credential_fields: ClassVar[Mapping[str, str]] = {
        "access_token": _("System user token with ads_management on this ad account. Required."),
        "app_secret": _(
            "The app's secret; if given, every call carries a proof made with it (appsecret_proof)."
        ),
    }
    #: Full ("standard") access. An app with development access has 300 and 40 more for each active ad: such an
    #: account is given that figure by hand. Meta's headers slow the engine down in either case.
    rate_limit = RateLimit(100_000, 3600.0)
    messages = MESSAGES
    macros = MACROS
    config_schema = reference.CONFIG_JSON["campaign"]

    def config_schema_for(self, level: ConfigLevel) -> Mapping[str, Any]:
        return reference.CONFIG_JSON[level]

    def known_values(
        self, field: str, *, objective: str = "", buying_type: str = ""
    ) -> tuple[str, ...] | None:
        lists: dict[str, tuple[str, ...]] = {
            "goal": goals.goals_of(objective),
            "format": FORMATS,
            "call_to_action": tuple(reference.CALLS_TO_ACTION),
            "conversion_event": tuple(reference.CONVERSION_EVENTS),
            "placements": PLACEMENTS,
            "countries": tuple(sorted(reference.COUNTRIES)),
            "languages": tuple(reference.LOCALES),
            "keywords": (),
        }
        return lists.get(field)

    def payload_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        return reference.PAYLOAD_SCHEMAS

    def compile(self, ticket: TicketSnapshot, held: Sequence[Held] = ()) -> Compiled:
        known = media.with_uploaded(ticket, held)
        return compile_request(self, known, held, create=compile_ticket, updates=updates.update_operations)

    def bought_as(self, fields: Mapping[str, Any]) -> str:
        """Meta marks no campaign as automated: what it automates is told by its parts. A person corrects the guess."""
        return super().bought_as(fields) or "AUCTION"

    def media_findings(self, file: File, kind: str) -> list[Finding]:
        return media.file_findings(file, kind)

    def wanted(self, operations: Sequence[Operation]) -> tuple[Wanted, ...]:
        return fields.wanted(operations)

    def fields_of(self, object_type: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return fields.fields_of(object_type, raw)

    def change_kind(self, object_type: str, field: str, before: Any, after: Any) -> ChangeKind:
        return updates.change_kind(object_type, field, before, after)

    def status_operation(self, account: Account, held: Held, status: RunStatus) -> Operation:
        return updates.status_operation(held, status)

    def rename_operation(self, account: Account, held: Held, name: str) -> Operation:
        return updates.rename_operation(held, name)

    def check(self, operations: Sequence[Operation]) -> list[Finding]:
        found: list[Finding] = []
        for operation in operations:
            found += _schema(operation).findings(
                operation.body, object_name=operation.objects[0].name, sources=operation.sources
            )
        return found

    def client(self, connection: Connection, session: requests.Session) -> Client:
        return MetaClient(connection, session)

    def currency_unit(self, currency: str) -> Decimal | None:
        return currency_unit(currency)

    def money_unit(self, field: str, currency: str) -> Decimal | None:
        return currency_unit(currency) if field in MONEY else None

    def budget_of(self, fields: Mapping[str, Any], currency: str) -> Budget | None:
        unit = currency_unit(currency)
        for field, kind in BUDGETS.items():
            if unit is not None and fields.get(field):
                return Budget(Decimal(str(fields[field])) * unit, kind)
        return None


def _schema(operation: Operation) -> Schema:
    if operation.object_type == "media":
        return reference.MEDIA_SCHEMAS[operation.action]
    schemas = reference.OPERATION_SCHEMAS if operation.action == "create" else reference.UPDATE_SCHEMAS
    return schemas[operation.object_type]
