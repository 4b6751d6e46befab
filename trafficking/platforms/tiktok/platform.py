"""TikTok as the registry knows it."""

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
from trafficking.platforms.tiktok import doors, goals, media, reference, smart, updates, words
from trafficking.platforms.tiktok.client import TikTokClient
from trafficking.platforms.tiktok.compile import compile_any
from trafficking.platforms.tiktok.creative import MACROS
from trafficking.platforms.tiktok.messages import MESSAGES

#: Fields that hold amounts in the currency's major unit.
MONEY = frozenset({"budget", "min_budget", "bid_price", "conversion_bid_price", "deep_cpa_bid"})


class TikTok(Platform):
    key = "tiktok"
    label = "TikTok"
    api_version = "v1.3"
    live_url = "https://business-api.tiktok.com"
    buying_types: ClassVar[Mapping[str, str]] = {"AUCTION": "Auction", "SMART_PLUS": "Smart+ (automated)"}
    credential_fields: ClassVar[Mapping[str, str]] = {
        "access_token": _(
            "Long-term access token of an app that the advertiser has authorised (header Access-Token)."
        ),
    }
    #: TikTok's lowest level: 10 calls a second, which is 600 a minute (per app and door; from public copies)
    rate_limit = RateLimit(10, 1.0)
    messages = MESSAGES
    macros = MACROS
    config_schema = reference.CONFIG

    def config_schema_for(self, level: ConfigLevel) -> Mapping[str, Any]:
        return reference.CONFIG if level == "campaign" else reference.CONFIG["$defs"][level]

    def known_values(
        self, field: str, *, objective: str = "", buying_type: str = ""
    ) -> tuple[str, ...] | None:
        said = goals.OBJECTIVES.get(objective, "")
        lists: dict[str, tuple[str, ...]] = {
            "goal": tuple(goals.goals_of(said))
            if said
            else tuple(dict.fromkeys(goal for _, goal in goals.WAYS)),
            "format": ("VIDEO", "IMAGE", "CAROUSEL"),
            "call_to_action": tuple(reference.CALL_TO_ACTION),
            "conversion_event": tuple({**reference.PIXEL_EVENTS, **reference.APP_EVENTS}),
            "placements": reference.PLACEMENTS,
            "countries": tuple(sorted(reference.COUNTRIES)),
            "keywords": (),
        }
        return lists.get(field)

    def compile(self, ticket: TicketSnapshot, held: Sequence[Held] = ()) -> Compiled:
        return compile_any(self, ticket, held)

    def bought_as(self, fields: Mapping[str, Any]) -> str:
        return smart.BUYING_TYPE if fields.get(words.MARK) == doors.SMART_TYPE else "AUCTION"

    def media_findings(self, file: File, kind: str) -> list[Finding]:
        return media.file_findings(file, kind)

    def payload_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        return reference.PAYLOAD_SCHEMAS

    def wanted(self, operations: Sequence[Operation]) -> tuple[Wanted, ...]:
        return words.wanted_of(operations)

    def fields_of(self, object_type: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return words.fields_of(object_type, raw)

    def change_kind(self, object_type: str, field: str, before: Any, after: Any) -> ChangeKind:
        return updates.change_kind(object_type, field, before, after)

    def status_operation(self, account: Account, held: Held, status: RunStatus) -> Operation:
        return updates.status_operation(account, held, status)

    def rename_operation(self, account: Account, held: Held, name: str) -> Operation:
        return updates.rename_operation(account, held, name)

    def check(self, operations: Sequence[Operation]) -> list[Finding]:
        return [
            finding
            for operation in operations
            if operation.path in reference.DOORS
            for finding in reference.SCHEMAS[reference.DOORS[operation.path]].findings(
                operation.body, object_name=operation.ref, sources=operation.sources
            )
        ]

    def client(self, connection: Connection, session: requests.Session) -> Client:
        return TikTokClient(connection, session)

    def currency_unit(self, currency: str) -> Decimal | None:
        return reference.currency_unit(currency)

    def money_unit(self, field: str, currency: str) -> Decimal | None:
        return Decimal(1) if field in MONEY else None

    def budget_of(self, fields: Mapping[str, Any], currency: str) -> Budget | None:
        if not fields.get("budget"):
            return None
        lifetime = fields.get("budget_mode") == "BUDGET_MODE_TOTAL"
        return Budget(Decimal(str(fields["budget"])), "LIFETIME" if lifetime else "DAILY")
