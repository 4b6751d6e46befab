from __future__ import annotations

from dataclasses import replace

import pytest

from trafficking.platforms.base import Client, NotFound, TicketSnapshot
from trafficking.platforms.contract import OWN_LIFE, PlatformContract
from trafficking.platforms.google_ads import PLATFORM
from trafficking.platforms.google_ads.sandbox import GoogleAdsSandbox
from trafficking.platforms.google_ads.tests.builders import (
    demand_gen_ad_set,
    display_ad_set,
    performance_max_ad_set,
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


class TestPerformanceMax(PlatformContract):
    """The automated form. Its ad is what its asset group shows, so both are one thing that is switched once."""

    platform = PLATFORM
    sandbox_class = GoogleAdsSandbox

    def ticket(self) -> TicketSnapshot:
        first = performance_max_ad_set()
        ads = tuple(replace(each, intent_id=f"second-{each.intent_id}") for each in first.ads)
        second = replace(first, intent_id="second", name="Second", ads=ads)
        return ticket("PERFORMANCE_MAX", ad_sets=(first, second))

    def test_it_is_activated_from_the_bottom_paused_at_the_top_and_archived(self, client: Client) -> None:
        ids = self.deploy(client)
        on = self.platform.compile(self.asked(request_type="ACTIVATE"), self.held(client, ids))
        assert [op.objects[0].type for op in on.operations] == ["ad_set", "ad_set", "campaign"]
        self.carry_out(client, on.operations, ids)
        assert {each.status for each in self.tree(client, ids) if each.type in OWN_LIFE} == {"ACTIVE"}
        off = self.platform.compile(self.asked(request_type="PAUSE"), self.held(client, ids))
        assert [op.objects[0].type for op in off.operations] == ["campaign"]
        self.carry_out(client, off.operations, ids)
        away = self.platform.compile(self.asked(request_type="ARCHIVE"), self.held(client, ids))
        assert [op.objects[0].type for op in away.operations] == ["campaign"]
        self.carry_out(client, away.operations, ids)
        assert isinstance(client.read_tree(ids["campaign"]), NotFound)

    def test_an_ad_in_scope_means_its_asset_group(self, client: Client) -> None:
        ids = self.deploy(client)
        scope = (self.ticket().ad_sets[1].ads[0].intent_id,)
        plan = self.platform.compile(self.asked(request_type="ACTIVATE", scope=scope), self.held(client, ids))
        assert [op.objects[0].intent for op in plan.operations] == ["second"]
