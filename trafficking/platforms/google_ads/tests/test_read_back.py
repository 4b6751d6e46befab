"""A tree that was deployed to a really served sandbox, read back with Google's official messages.

Google's own client speaks gRPC only, so answers are parsed with its protobufs; what went over the wire is taken from
the server, not from what our code thinks it sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests
from google.ads.googleads.v26.enums.types.campaign_status import CampaignStatusEnum
from google.ads.googleads.v26.services.types.google_ads_service import (
    MutateGoogleAdsRequest,
    SearchGoogleAdsResponse,
)
from google.protobuf import json_format

from trafficking.platforms.base import Applied, Connection
from trafficking.platforms.google_ads import PLATFORM, live
from trafficking.platforms.google_ads.client import GoogleAdsClient
from trafficking.platforms.google_ads.sandbox import GoogleAdsSandbox
from trafficking.platforms.google_ads.tests.builders import ACCOUNT, CREDENTIALS, ticket
from trafficking.platforms.google_ads.tests.test_media import PNG, display, opened
from trafficking.platforms.sandbox_base import serve


@pytest.fixture
def url() -> Iterator[str]:
    server = serve(GoogleAdsSandbox(), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


class Account:
    """The account as seen through the SDK's messages."""

    def __init__(self, url: str, wish: object) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        client = GoogleAdsClient(Connection(url, ACCOUNT, CREDENTIALS, open_file=opened), self.session)
        self.ids: dict[str, str] = {}
        for operation in PLATFORM.compile(wish).operations:
            outcome = client.apply(operation, self.ids)
            assert isinstance(outcome, Applied), outcome
            self.ids |= outcome.external_ids

    def rows(self, query: str):
        answer = self.session.post(
            f"{self.url}/v26/customers/1234567890/googleAds:search",
            json={"query": query},
            headers={"Authorization": "Bearer x", "developer-token": "y"},
        )
        return json_format.ParseDict(answer.json(), SearchGoogleAdsResponse.pb()()).results

    def sent(self):
        """Mutates as they came over the wire, in the SDK's messages: it refuses unknown fields and wrong types."""
        seen = self.session.get(f"{self.url}/_sandbox/requests").json()
        bodies = [json.loads(each["body"]) for each in seen if each["path"].endswith(":mutate")]
        empty = MutateGoogleAdsRequest.pb()
        return [json_format.ParseDict({**body, "customerId": "1234567890"}, empty()) for body in bodies]


def test_each_field_of_a_search_ticket_is_found_as_meant(url):
    wish = ticket()
    account = Account(url, wish)
    (mutate,) = account.sent()
    assert mutate.partial_failure is False
    (found,) = account.rows(live.campaign_query(f"campaign.id = {account.ids['campaign']}"))
    assert found.campaign.name == wish.name
    assert found.campaign.status == CampaignStatusEnum.CampaignStatus.PAUSED
    assert found.campaign.start_date_time == "2027-01-04 00:00:00"
    assert found.campaign.end_date_time == "2027-01-31 23:59:59"
    assert Decimal(found.campaign_budget.amount_micros) / 1_000_000 == wish.budget.amount
    assert found.campaign.network_settings.target_google_search is True
    assert found.campaign.network_settings.target_content_network is False
    places, keywords, groups, ads = (
        account.rows(query) for query in live.tree_queries(account.ids["campaign"])
    )
    included = {
        row.campaign_criterion.location.geo_target_constant
        for row in places
        if row.campaign_criterion.location.geo_target_constant and not row.campaign_criterion.negative
    }
    assert included == {"geoTargetConstants/2276", "geoTargetConstants/2040", "geoTargetConstants/1003854"}
    texts = {
        row.ad_group_criterion.keyword.text: row.ad_group_criterion.negative
        for row in keywords
        if row.ad_group_criterion.keyword.text
    }
    assert texts == {"running shoes": False, "shoes": False, "repair": True}
    assert [row.ad_group.name for row in groups] == [wish.ad_sets[0].name]
    (ad,) = [row.ad_group_ad.ad for row in ads]
    said = wish.ad_sets[0].ads[0]
    assert {each.text for each in ad.responsive_search_ad.headlines} == set(said.headlines)
    assert {each.text for each in ad.responsive_search_ad.descriptions} == set(said.descriptions)
    assert list(ad.final_urls) == [said.landing_page]
    assert ad.final_url_suffix == "utm_source=google&utm_content={creative}"


def test_each_field_of_an_automated_ticket_is_found_as_meant(url):
    wish = ticket("PERFORMANCE_MAX")
    account = Account(url, wish)
    account.sent()
    _criteria, groups, links, signals = (
        account.rows(query) for query in live.group_queries(account.ids["campaign"])
    )
    (group,) = [row.asset_group for row in groups]
    said = wish.ad_sets[0].ads[0]
    assert (group.name, list(group.final_urls)) == (wish.ad_sets[0].name, [said.landing_page])
    texts = {row.asset.text_asset.text for row in links if row.asset.text_asset.text}
    assert texts == {*said.headlines, *said.descriptions, said.long_headline, said.business_name}
    images = {row.asset_group_asset.asset for row in links}
    assert {f"customers/1234567890/assets/{each.id}" for each in said.media} <= images
    assert {row.asset_group_signal.search_theme.text for row in signals} == {"", "running shoes"}


def test_an_uploaded_picture_arrives_with_its_own_bytes_and_stands_in_the_ad(url):
    account = Account(url, display())
    upload, tree = account.sent()
    data = upload.mutate_operations[0].asset_operation.create.image_asset.data
    assert data == PNG
    ads = [each.ad_group_ad_operation.create.ad for each in tree.mutate_operations]
    shown = {each.responsive_display_ad.marketing_images[0].asset for each in ads if each.final_urls}
    (name,) = shown
    assert name == f"customers/1234567890/assets/{account.ids[next(iter(account.ids))]}"
