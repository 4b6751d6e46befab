"""Each page asks the database as often with thirty rows as with three, and within its budget.

The lists are those of the admin's registry: a page that is added is measured without anyone adding it here.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from governance.search_indexes import ways_of
from omnitraffick.tests.admin_world import approved, make_world
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db

#: A list: session, person, permissions, what hangs over every page, the count and the page itself.
LIST_BUDGET = 20
#: Pages that show several kinds of rows at once.
BUDGETS = {
    "index": 20, "board": 30, "campaigns.campaign": 25, "trafficking.ticket": 25, "trafficking.mediafile": 25,
    "deploy.existingobject": 25,
}  # fmt: skip
API_BUDGET = 20
PAGES = [(model, page) for model, page in admin.site._registry.items()]
LARGE = [(model, page) for model, page in PAGES if ways_of(model)]
FEW, MANY = 3, 30


def _label(case: Any) -> str:
    return case[0]._meta.label_lower


@pytest.fixture
def boss():
    """A superuser in a world with three tickets, one of them approved."""
    world = make_world()
    approved(world)
    add_tickets(world, 1, FEW)
    return world.boss


def add_tickets(world_or_boss: Any, first: int, last: int) -> None:
    from governance.models import AdAccount, Brand, Market

    brand, market = Brand.objects.get(code="DIS"), Market.objects.get(code="US")
    account = AdAccount.objects.get(serves__brand=brand, serves__market=market)
    for number in range(first, last):
        campaign = make_campaign(name=f"Wave number {number}", brand=brand, market=market)
        make_ticket(campaign=campaign, account=account)


def add_vocabulary() -> None:
    from governance.tests.factories import BrandFactory, MarketFactory, UserFactory

    for number, country in zip(
        range(FEW, MANY), ("DE", "FR", "GB", "JP", "BR", "IT", "ES", "PL", "SE"), strict=False
    ):
        MarketFactory(code=country, name=country, country=country)
        BrandFactory(code=f"BR{number}")
        UserFactory(username=f"someone{number}", everywhere=True)


def queries(client: Any, url: str) -> int:
    client.get(url)  # what is kept for the process is read once
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200, url
    return len(captured)


def list_url(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def main_pages() -> dict[str, str]:
    pages = {model._meta.label_lower: list_url(model) for model, _page in PAGES}
    pages["index"] = reverse("admin:index")
    for name in ("board", "omnitraffick_board"):
        try:
            pages[name] = reverse(f"admin:{name}")
        except NoReverseMatch:
            continue
    return pages


def test_every_list_and_main_page_has_the_same_number_of_queries_with_3_rows_and_with_30(client, boss):
    client.force_login(boss)
    before = {name: queries(client, url) for name, url in main_pages().items()}
    add_tickets(boss, FEW, MANY)
    add_vocabulary()
    after = {name: queries(client, url) for name, url in main_pages().items()}
    assert {name: count for name, count in after.items() if count > before[name]} == {}
    over = {name: count for name, count in after.items() if count > BUDGETS.get(name, LIST_BUDGET)}
    assert over == {}


def test_every_api_list_has_the_same_number_of_queries_with_3_rows_and_with_30(client, boss):
    from omnitraffick.api_urls import router

    client.force_login(boss)
    urls = [f"/api/v1/{prefix}" for prefix, _view, _name in router.registry]
    before = {url: queries(client, url) for url in urls}
    add_tickets(boss, FEW, MANY)
    add_vocabulary()
    after = {url: queries(client, url) for url in urls}
    assert {url: count for url, count in after.items() if count > before[url] or count > API_BUDGET} == {}


@pytest.mark.parametrize("case", LARGE, ids=_label)
def test_a_search_in_a_large_list_has_as_many_queries_whatever_it_finds(case, client, boss):
    client.force_login(boss)
    url = f"{list_url(case[0])}?q=wave"
    few = queries(client, url)
    add_tickets(boss, FEW, MANY)
    assert queries(client, url) <= max(few, LIST_BUDGET)


# ------------------------------------------------------------------- what makes a large list quick


@pytest.mark.parametrize("case", LARGE, ids=_label)
def test_a_large_list_counts_in_bounds_has_no_date_hierarchy_and_searches_columns_with_an_index(case):
    model, page = case
    assert page.paginator.__name__ == "BoundedPaginator"
    assert not page.date_hierarchy
    assert not page.show_full_result_count
    unserved = [path for path in page.search_fields if not _served(model, path)]
    assert unserved == []


def _served(model: type[models.Model], path: str) -> bool:
    """Small tables may be read whole; a column of a large one says how it is looked for, or is unique."""
    *steps, name = path.split("__")
    for step in steps:
        model = model._meta.get_field(step).related_model
    field = model._meta.get_field(name)
    return not ways_of(model) or name in ways_of(model) or field.unique


@pytest.mark.parametrize("case", LARGE, ids=_label)
def test_a_large_list_offers_no_filter_that_reads_every_value_of_a_column(case):
    from django.contrib.admin.filters import AllValuesFieldListFilter, RelatedFieldListFilter
    from unfold.contrib.filters.admin import AutocompleteSelectFilter

    model, page = case
    for each in page.list_filter:
        path, kind = each if isinstance(each, tuple) else (each, None)
        if not isinstance(path, str):
            continue
        if kind is None:
            field = _field_at(model, path)
            assert field is not None and (
                field.flatchoices or isinstance(field, models.BooleanField | models.DateField)
            ), path
        else:
            assert not issubclass(kind, AllValuesFieldListFilter), path
            assert issubclass(kind, AutocompleteSelectFilter) or not issubclass(
                kind, RelatedFieldListFilter
            ), path


def _field_at(model: type[models.Model], path: str) -> models.Field | None:
    *steps, name = path.split("__")
    try:
        for step in steps:
            model = model._meta.get_field(step).related_model
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
