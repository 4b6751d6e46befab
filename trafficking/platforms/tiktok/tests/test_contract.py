from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from trafficking.platforms.base import Budget, TicketSnapshot
from trafficking.platforms.contract import PlatformContract
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.sandbox import TikTokSandbox
from trafficking.platforms.tiktok.tests.builders import ad, ad_set, smart_ticket, ticket


class TestTikTok(PlatformContract):
    platform = PLATFORM
    sandbox_class = TikTokSandbox

    def ticket(self) -> TicketSnapshot:
        second = replace(ad_set("s2"), name="Second", ads=(ad("a2"), replace(ad("a3"), name="Third")))
        return ticket(ad_sets=(ad_set("s1"), second))


class TestTikTokWithACampaignBudget(PlatformContract):
    platform = PLATFORM
    sandbox_class = TikTokSandbox

    def ticket(self) -> TicketSnapshot:
        groups = (ad_set("s1", budget=None), replace(ad_set("s2", budget=None), name="Second"))
        return ticket(budget_level="CAMPAIGN", budget=Budget(Decimal("5000.01"), "LIFETIME"), ad_sets=groups)


class TestTikTokSmartPlus(PlatformContract):
    platform = PLATFORM
    sandbox_class = TikTokSandbox

    def ticket(self) -> TicketSnapshot:
        return smart_ticket()
