"""Long lists: counted up to a bound, and in the right order on every page."""

from __future__ import annotations

import pytest

from governance import paging
from governance.models import Brand
from governance.paging import AtLeast, BoundedPaginator
from governance.tests.factories import BrandFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def brands():
    return [BrandFactory(code=f"B{number:02d}") for number in range(7)]


def _codes(paginator, number):
    return [row.code for row in paginator.page(number).object_list]


def test_few_rows_are_counted_exactly_and_paged_in_their_order(brands):
    pages = BoundedPaginator(Brand.objects.order_by("-pk"), 3)
    assert (pages.count, str(pages.count), pages.num_pages) == (7, "7", 3)
    assert [_codes(pages, number) for number in (1, 2, 3)] == [
        ["B06", "B05", "B04"],
        ["B03", "B02", "B01"],
        ["B00"],
    ]


def test_another_order_than_the_key_is_kept(brands):
    pages = BoundedPaginator(Brand.objects.order_by("code"), 4)
    assert _codes(pages, 2) == ["B04", "B05", "B06"]


def test_many_rows_are_counted_as_at_least_and_their_pages_end_there(brands, monkeypatch):
    monkeypatch.setattr(paging, "MOST_COUNTED", 4)
    pages = BoundedPaginator(Brand.objects.order_by("-pk"), 2)
    assert isinstance(pages.count, AtLeast)
    assert (int(pages.count), str(pages.count), pages.num_pages) == (4, "4+", 2)
    assert _codes(pages, 2) == ["B04", "B03"]


def test_a_page_costs_one_statement_besides_the_count(brands, django_assert_num_queries):
    with django_assert_num_queries(2):
        pages = BoundedPaginator(Brand.objects.order_by("-pk"), 3)
        assert len(list(pages.page(2).object_list)) == 3


def test_a_large_count_is_shown_with_separators():
    assert str(AtLeast(10_000)) == "10,000+"
