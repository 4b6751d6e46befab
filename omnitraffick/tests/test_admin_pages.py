"""Every page of the admin opens, with a constant number of queries."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from omnitraffick.tests.admin_world import approved, make_world
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db

PAGES = [(model, page) for model, page in admin.site._registry.items()]


def _label(case):
    return case[0]._meta.label


@pytest.fixture(scope="module")
def names():
    return ("Second Wave", "Third Wave", "Fourth Wave", "Fifth Wave", "Sixth Wave")


def _url(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.mark.parametrize("case", PAGES, ids=_label)
def test_the_list_opens_empty_and_with_a_search_that_finds_nothing(case, client):
    from governance.tests.factories import UserFactory

    client.force_login(UserFactory(is_superuser=True))
    for query in ("", "?q=nothing-is-called-that"):
        assert client.get(_url(case[0], "changelist") + query).status_code == 200


def test_every_list_page_and_row_opens_for_everyone_who_may_see_it(client):
    world = make_world()
    approved(world)
    for person in (world.boss, world.planner, world.approver, world.data_admin, world.outsider):
        client.force_login(person)
        for model, page in PAGES:
            listed = client.get(_url(model, "changelist"))
            assert listed.status_code in (200, 403), model
            if listed.status_code == 403:
                continue
            for row in listed.context["cl"].queryset[:2]:
                assert client.get(_url(model, "change", row.pk)).status_code == 200, (model, person)
                if hasattr(model, "history"):
                    assert client.get(_url(model, "history", row.pk)).status_code == 200, model
            if page.has_add_permission(listed.wsgi_request):
                assert client.get(_url(model, "add")).status_code == 200, model


def test_list_pages_take_as_many_queries_for_eight_rows_as_for_three(client):
    world = make_world()
    client.force_login(world.boss)
    approved(world)
    for number in range(2):
        make_ticket(campaign=make_campaign(name=f"Early {number}x"), account=world.account)
    few = _queries(client)
    for number in range(5):
        make_ticket(campaign=make_campaign(name=f"Late {number}x"), account=world.account)
    many = _queries(client)
    assert {model: count for model, count in many.items() if count > few[model]} == {}
    assert max(many.values()) <= 12, sorted(many.items(), key=lambda item: -item[1])[:3]


def _queries(client):
    counts = {}
    for model, _page in PAGES:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(_url(model, "changelist"))
        counts[model._meta.label] = len(captured)
    return counts


def test_every_field_of_our_forms_has_a_help_text(client):
    world = make_world()
    client.force_login(world.boss)
    bare = []
    for model, _page in PAGES:
        if model._meta.app_label not in ("governance", "campaigns", "trafficking", "deploy"):
            continue
        response = client.get(_url(model, "add"))
        if response.status_code != 200:
            continue
        page = response.context.get("adminform")
        form = page.form if page is not None else response.context["form"]
        bare += [f"{model._meta.label}.{f.name}" for f in form if not f.is_hidden and not f.help_text]
    assert not bare, "\n".join(bare)
