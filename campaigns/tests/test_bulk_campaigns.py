"""The bulk door is as strict as the single one: whatever one refuses, the other refuses, at the same fields."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from campaigns.bulk import RowErrors, create_campaigns
from campaigns.models import Campaign, CampaignChannel
from campaigns.services import save_campaign
from governance.models import Channel, NamingConvention
from governance.tests.factories import BrandFactory, MarketFactory

pytestmark = pytest.mark.django_db
START = date.today() + timedelta(days=30)

CASES: dict[str, dict[str, Any]] = {
    "legal": {},
    "no name": {"name": ""},
    "emoji": {"name": "🎉"},
    "spaces": {"name": "   "},
    "long": {"name": "M" * 300},
    "longer than its part": {"name": "M" * 90},
    "other script": {"name": "Моана"},
    "right to left": {"name": "\u202eabc"},
    "reversed": {"end_on": START - timedelta(days=1)},
    "past": {"start_on": date(2020, 1, 1)},
    "no start": {"start_on": None},
    "zero": {"budget": Decimal(0)},
    "negative": {"budget": Decimal(-1)},
    "no budget": {"budget": None},
    "too fine": {"budget": Decimal("1.001")},
    "too long": {"budget": Decimal("123456789012345")},
    "yen with sen": {"budget": Decimal("10.5"), "currency": "JPY"},
    "currency": {"currency": "XYZ"},
    "objective": {"objective": "FAME"},
    "budget type": {"budget_type": "WEEKLY"},
    "taken": {"name": "standing"},
    "no channel": {"channels": []},
    "inactive channel": {"channels": ["TIKTOK"]},
}


def draft(**changes: Any) -> tuple[Campaign, list[Channel]]:
    values = {
        "name": "Moana", "brand": BrandFactory(), "market": MarketFactory(), "objective": "TRAFFIC", "budget": Decimal("100"),
        "currency": "USD", "start_on": START, "end_on": START + timedelta(days=5), **changes,
    }  # fmt: skip
    codes = values.pop("channels", ["META"])
    return Campaign(**values), list(Channel.objects.filter(code__in=codes))


def refusal_of(door: Any) -> ValidationError | None:
    try:
        door()
    except ValidationError as error:
        return error
    except RowErrors as errors:
        return errors.errors[0]
    return None


@pytest.mark.parametrize("case", CASES)
def test_both_doors_refuse_alike(case):
    campaign, channels = draft(name="Standing")
    save_campaign(campaign=campaign, channels=channels)
    Channel.objects.get(code="TIKTOK")
    inactive = Channel.objects.get(code="TIKTOK")
    inactive.active = False
    inactive.save()
    one, one_channels = draft(**CASES[case])
    many, many_channels = draft(**CASES[case])
    bulk = refusal_of(lambda: create_campaigns(drafts=[(many, many_channels)]))
    if bulk is None:
        Campaign.objects.filter(name=many.name).delete()
    single = refusal_of(lambda: save_campaign(campaign=one, channels=one_channels))
    assert (single is None) == (bulk is None), (single, bulk)
    if (
        single is not None
        and bulk is not None
        and hasattr(single, "error_dict")
        and case != "inactive channel"
    ):
        wanted = {
            name: {each.code for each in errors}
            for name, errors in single.error_dict.items()
            if name != "__all__"
        }
        got = {name: {each.code for each in errors} for name, errors in bulk.error_dict.items()}
        assert wanted.keys() <= got.keys(), (wanted, got)
        for name, codes in wanted.items():
            assert codes & got[name], (name, codes, got[name])


def test_both_doors_write_the_same_rows_names_and_history():
    one, channels = draft()
    save_campaign(campaign=one, channels=channels)
    single = CampaignChannel.objects.get()
    kept = (single.governed_name, single.name_key, single.parts, single.convention_id)
    one.delete()
    many, channels = draft()
    create_campaigns(drafts=[(many, channels)])
    made = CampaignChannel.objects.get()
    assert (made.governed_name, made.name_key, made.parts, made.convention_id) == kept
    assert many.history.get().history_type == made.history.get().history_type == "+"


def test_without_a_convention_nothing_is_created():
    convention = NamingConvention.in_force_or_none()
    convention.in_force = False
    convention.save()
    with pytest.raises(RowErrors) as refused:
        create_campaigns(drafts=[draft()])
    assert refused.value.errors[0].error_dict["name"][0].code == "campaign.no_convention"


def test_two_rows_of_a_batch_never_share_a_name_however_they_are_written():
    with pytest.raises(RowErrors) as refused:
        create_campaigns(
            drafts=[draft(name="Moana Launch"), draft(name="MOANA launch"), draft(name="Moana-Launch")]
        )
    assert list(refused.value.errors) == [1] or list(refused.value.errors) == [1, 2]
    assert not Campaign.objects.exists()
