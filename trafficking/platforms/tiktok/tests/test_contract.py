from __future__ import annotations

from dataclasses import replace

from trafficking.platforms.base import TicketSnapshot
from trafficking.platforms.contract import PlatformContract
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.sandbox import TikTokSandbox
from trafficking.platforms.tiktok.tests.builders import ad, ad_set, ticket


class TestTikTok(PlatformContract):
    platform = PLATFORM
    sandbox_class = TikTokSandbox

    def ticket(self) -> TicketSnapshot:
        second = replace(ad_set("s2"), name="Second", ads=(ad("a2"), replace(ad("a3"), name="Third")))
        return ticket(ad_sets=(ad_set("s1"), second))
