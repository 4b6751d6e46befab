"""The clean hook is the fence: every door of the ORM leads through it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.db.models import ProtectedError

from campaigns.models import Campaign, CampaignChannel
from campaigns.services import rebuild_names, save_campaign
from governance import encrypted
from governance.actor import acting
from governance.governed import GovernedWrite, StaleVersion
from governance.models import AdAccount, Alias, Brand, ExchangeRate, Grant, Market, NamingConvention, QARule
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory, UserFactory, channel
from trafficking.tests.factories import make_campaign, next_week

pytestmark = pytest.mark.django_db


def messages(error) -> str:
    return " ".join(error.value.messages)


def test_saving_validates_and_creating_too():
    with pytest.raises(ValidationError, match="capital letters"):
        Market.objects.create(
            code="us!", name="x", country="US", region="NA", currency="USD", time_zone="UTC"
        )
    with pytest.raises(ValidationError, match="ISO 3166"):
        MarketFactory(code="XX", country="ZZ")


def test_bulk_doors_are_closed():
    MarketFactory()
    with pytest.raises(GovernedWrite):
        Market.objects.update(code="x")
    with pytest.raises(GovernedWrite):
        Market.objects.bulk_create([Market()])
    with pytest.raises(GovernedWrite):
        Market.objects.bulk_update([], ["code"])


def test_every_save_raises_the_version_and_the_second_writer_is_told():
    market = MarketFactory()
    other = Market.objects.get(pk=market.pk)
    market.name = "USA"
    market.save()
    other.name = "America"
    with pytest.raises(StaleVersion, match="someone else"):
        other.save()
    assert Market.objects.get(pk=market.pk).name == "USA"
    assert other.version == 1


def test_history_says_who_when_what_and_why():
    person = UserFactory()
    market = MarketFactory()
    with acting(person, reason="renamed by the client"):
        market.name = "USA"
        market.save()
    after, before = market.history.all()[:2]
    assert (after.name, before.name) == ("USA", "United States")
    assert (after.history_user, after.history_change_reason) == (person, "renamed by the client")


def test_credentials_are_encrypted_not_searchable_and_not_in_history(settings):
    account = AdAccountFactory(credentials={"access_token": "tell-nobody"})
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM governance_adaccount WHERE id = %s", [account.pk])
        stored = cursor.fetchone()[0]
    assert "tell-nobody" not in stored
    assert AdAccount.objects.get(pk=account.pk).credentials == {"access_token": "tell-nobody"}
    assert not any(field.name == "credentials" for field in account.history.model._meta.get_fields())
    with pytest.raises(FieldError):
        AdAccount.objects.filter(credentials="x").exists()
    from cryptography.fernet import Fernet

    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    encrypted._cipher.cache_clear()
    with pytest.raises(ImproperlyConfigured):
        AdAccount.objects.get(pk=account.pk)


def test_a_rotated_key_still_reads(settings):
    from cryptography.fernet import Fernet

    account = AdAccountFactory(credentials={"access_token": "old"})
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    assert AdAccount.objects.get(pk=account.pk).credentials == {"access_token": "old"}


def test_a_campaign_gets_one_governed_name_a_channel():
    campaign = make_campaign(channels=("META", "GGLSEARCH"))
    year = campaign.start_on.year
    assert sorted(campaign.channel_names.values_list("governed_name", flat=True)) == [
        f"DIS_US_GGLSEARCH_{year}_MoanaLaunch", f"DIS_US_META_{year}_MoanaLaunch",
    ]  # fmt: skip
    name = campaign.channel_names.first()
    assert name.convention == NamingConvention.in_force_or_none()
    assert name.parts["name"] == "MoanaLaunch"


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("Moana Launch", "Moana  launch"),
        ("Moana Launch", "MOANA LAUNCH"),
        ("Моана", "Moana"),
        ("Moana", "モアナ"),
    ],
)
def test_two_campaigns_never_collapse_into_one_name(first, other):
    make_campaign(name=first)
    with pytest.raises(ValidationError, match="already taken"):
        make_campaign(name=other)
    assert Campaign.objects.filter(name=other).count() == 0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "Moana 🌊"}, "can't carry"),
        ({"name": "x" * 150}, "may have 60"),
        ({"name": "x" * 300}, "at most 200|may have 60"),
        ({"name": "   "}, "no letters or digits|blank"),
        ({"budget": Decimal("0")}, "more than zero"),
        ({"budget": Decimal("-5")}, "more than zero"),
        ({"budget": Decimal("19.999")}, "more decimals"),
        ({"currency": "XXQ"}, "ISO 4217"),
        ({"start_on": next_week() - timedelta(days=30)}, "in the past"),
        ({"start_on": next_week(), "end_on": next_week() - timedelta(days=1)}, "before the first day"),
    ],
)
def test_a_bad_campaign_is_refused_in_words(change, text):
    with pytest.raises(ValidationError, match=text):
        make_campaign(**change)
    assert Campaign.objects.count() == CampaignChannel.objects.count() == 0


def test_an_inactive_channel_takes_no_new_campaign():
    inactive = channel("TIKTOK")
    inactive.active = False
    inactive.save()
    with pytest.raises(ValidationError, match="inactive"):
        make_campaign(channels=("TIKTOK",))


def test_a_code_in_use_can_not_be_deleted_and_changing_it_tells_the_impact_first():
    campaign = make_campaign()
    brand = campaign.brand
    with pytest.raises(ProtectedError):
        brand.delete()
    brand.code = "DSN"
    with pytest.raises(ValidationError, match="1 names that are not deployed yet"):
        brand.save()
    brand.impact_accepted = True
    brand.save()
    rebuild_names(CampaignChannel.objects.filter(campaign__brand=brand), reason="test")
    assert CampaignChannel.objects.get().governed_name.startswith("DSN_US_META_")


def test_a_code_that_does_not_fit_the_convention_is_refused():
    with pytest.raises(ValidationError, match="capital letters"):
        BrandFactory(code="D_S")


def test_only_one_convention_is_in_force_and_an_ambiguous_one_is_refused():
    with pytest.raises(ValidationError):
        NamingConvention.objects.create(number=2, in_force=True)
    with pytest.raises(ValidationError, match="could not be read back"):
        NamingConvention.objects.create(number=2, separator="-", campaign_pattern="{brand}-{market}-{channel}-{name}",
                                        ad_set_pattern="{brand}-{market}-{channel}-{name}-{ad_set}",
                                        ad_pattern="{brand}-{market}-{channel}-{name}-{ad_set}-{ad}")  # fmt: skip


def test_a_version_that_made_names_is_not_rewritten():
    make_campaign()
    convention = NamingConvention.in_force_or_none()
    convention.separator = "~"
    with pytest.raises(ValidationError, match="new version"):
        convention.save()


def test_a_new_name_of_a_deployed_campaign_is_not_built():
    from django.utils import timezone

    campaign = make_campaign()
    CampaignChannel.objects.filter(campaign=campaign).update(deployed_at=timezone.now())
    before = CampaignChannel.objects.get().governed_name
    campaign.name = "Another"
    save_campaign(campaign=campaign, channels=[channel("META")])
    assert CampaignChannel.objects.get().governed_name == before


def test_aliases_are_compared_without_case_and_lead_to_one_place():
    brand = BrandFactory()
    Alias.objects.create(kind="ADVERTISER", text="GlobalTech  Corporation", brand=brand)
    with pytest.raises(ValidationError, match="already has an alias"):
        Alias.objects.create(kind="ADVERTISER", text="globaltech corporation", brand=brand)
    with pytest.raises(ValidationError, match="one of the two"):
        Alias.objects.create(kind="VENDOR", text="Nobody")
    with pytest.raises(ValidationError, match="does not lead there"):
        Alias.objects.create(kind="VENDOR", text="Nobody", brand=brand, not_trafficked=True)


def test_grants_decide_what_is_visible():
    us, de = (
        MarketFactory(),
        MarketFactory(code="DE", name="Germany", country="DE", currency="EUR", time_zone="Europe/Berlin"),
    )
    one, two = BrandFactory(code="ONE"), BrandFactory(code="TWO")
    make_campaign(brand=one, market=us, name="A")
    make_campaign(brand=one, market=de, name="B", currency="EUR")
    make_campaign(brand=two, market=us, name="C")
    person = UserFactory()
    assert not Campaign.objects.visible_to(person).exists()
    Grant.objects.create(user=person, brand=one, market=us)
    del person._reach
    assert list(Campaign.objects.visible_to(person).values_list("name", flat=True)) == ["A"]
    assert list(Brand.objects.visible_to(person)) == [one]
    assert list(Market.objects.visible_to(person)) == [us]
    Grant.objects.create(user=person, brand=one)
    del person._reach
    assert set(Campaign.objects.visible_to(person).values_list("name", flat=True)) == {"A", "B"}
    assert set(Market.objects.visible_to(person)) == {us, de}


def test_the_reference_data_are_legal():
    for model in (QARule, Alias, ExchangeRate, NamingConvention):
        for row in model.objects.all():
            row.full_clean()
    assert QARule.objects.count() == 4
