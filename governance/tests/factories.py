"""Factories for tests: legal rows by default, through the models' own doors."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from governance import models


class UserFactory(DjangoModelFactory):
    class Meta:
        model = models.User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    is_staff = True

    @factory.post_generation
    def roles(self, create, extracted, **kwargs):
        from django.contrib.auth.models import Group

        for name in extracted or ():
            self.groups.add(Group.objects.get(name=name))

    @factory.post_generation
    def everywhere(self, create, extracted, **kwargs):
        """`everywhere=True`: a grant for every brand and market."""
        if extracted:
            models.Grant.objects.create(user=self)


class MarketFactory(DjangoModelFactory):
    class Meta:
        model = models.Market
        django_get_or_create = ("code",)

    code = "US"
    name = "United States"
    country = "US"
    region = "NA"
    currency = "USD"
    time_zone = "America/New_York"
    languages = factory.LazyFunction(lambda: ["en"])


class BrandFactory(DjangoModelFactory):
    class Meta:
        model = models.Brand
        django_get_or_create = ("code",)

    code = "DIS"
    name = factory.LazyAttribute(lambda o: f"Brand {o.code}")
    dsa_beneficiary = "Example GmbH"
    dsa_payor = "Example GmbH"


class AdAccountFactory(DjangoModelFactory):
    class Meta:
        model = models.AdAccount
        skip_postgeneration_save = True

    platform = "meta"
    external_id = factory.Sequence(lambda n: str(1_000_000_001 + n))
    name = factory.LazyAttribute(lambda o: f"{o.platform} {o.external_id}")
    currency = "USD"
    time_zone = "America/New_York"
    page_id = "100200300"
    instagram_user_id = "17841400000000001"
    pixel_id = "700800900"
    identity_id = "7011223344556677"
    identity_type = "CUSTOMIZED_USER"
    app_id = "5550001"
    login_customer_id = "9998887776"
    conversion_action_id = "4445556"

    @factory.post_generation
    def serving(self, create, extracted, **kwargs):
        """`serving=[(brand, market), …]`."""
        for brand, market in extracted or ():
            models.AdAccountServes.objects.create(account=self, brand=brand, market=market)


def channel(code: str = "META") -> models.Channel:
    """A channel of the reference data."""
    return models.Channel.objects.get(code=code)
