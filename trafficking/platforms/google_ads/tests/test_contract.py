from __future__ import annotations

from dataclasses import replace

import pytest

from trafficking.platforms.base import TicketSnapshot
from trafficking.platforms.contract import PlatformContract
from trafficking.platforms.google_ads import PLATFORM
from trafficking.platforms.google_ads.sandbox import GoogleAdsSandbox
from trafficking.platforms.google_ads.tests.builders import (
    demand_gen_ad_set,
    display_ad_set,
    search_ad_set,
    ticket,
)

AD_SETS = {"SEARCH": search_ad_set, "DISPLAY": display_ad_set, "DEMAND_GEN": demand_gen_ad_set}


class TestGoogleAds(PlatformContract):
    platform = PLATFORM
    sandbox_class = GoogleAdsSandbox

    @pytest.fixture(autouse=True, params=sorted(AD_SETS))
    def buying_type(self, request: pytest.FixtureRequest) -> None:
        self.bought_as = request.param

    def ticket(self) -> TicketSnapshot:
        first = AD_SETS[self.bought_as]()
        ads = tuple(
            replace(each, intent_id=f"second-{each.intent_id}", name=f"{each.name}2") for each in first.ads
        )
        second = replace(first, intent_id="second", name="Second", ads=ads)
        return ticket(self.bought_as, ad_sets=(first, second))
