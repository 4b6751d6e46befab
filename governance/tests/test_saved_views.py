"""Saved views: kept by name, shared without showing anyone a row, opened with by default."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from governance import saved_views
from governance.models import DefaultView, SavedView
from governance.models.views import kept_query
from governance.tests.api_clients import ROOT, client_of, person
from governance.tests.factories import BrandFactory
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = "/admin/trafficking/ticket/"
VIEWS = f"{LIST}views/"


@pytest.fixture
def ana() -> Any:
    return person("Planner")


@pytest.fixture
def ben() -> Any:
    return person("Planner", grants=[(BrandFactory(code="ACME"), None)])


def keep(by: Any, **values: Any) -> SavedView:
    return saved_views.save_view(
        by=by, **{"page": "tickets", "name": "To mend", "query": "status__exact=DRAFT", **values}
    )


def test_a_filter_keeps_its_conditions_and_not_the_place_in_the_list():
    assert (
        kept_query("?p=3&status__exact=DRAFT&all=&e=1&csrfmiddlewaretoken=x&a=2&a=1")
        == "a=1&a=2&status__exact=DRAFT"
    )
    with pytest.raises(ValidationError):
        kept_query("&".join(f"a{n}=1" for n in range(100)))


def test_saving_under_the_same_name_takes_the_new_filter(ana):
    keep(ana)
    keep(ana, name=" To  mend ", query="status__exact=QA_FAILED")
    assert list(SavedView.objects.values_list("name", "query")) == [("To mend", "status__exact=QA_FAILED")]
    for wrong in ({"name": ""}, {"name": "x" * 61}, {"query": "a=" + "x" * 3000}, {"page": "nowhere"}):
        with pytest.raises(ValidationError):
            keep(ana, **{"name": "Other", **wrong})


def test_only_its_owner_changes_a_view_and_only_shared_ones_are_seen(ana, ben):
    view = keep(ana)
    assert not SavedView.objects.visible_to(ben).exists()
    with pytest.raises(PermissionDenied):
        saved_views.open_with(view=view, by=ben)
    saved_views.change_view(view=view, by=ana, shared=True)
    assert SavedView.objects.visible_to(ben).exists()
    for act in (
        lambda: saved_views.change_view(view=view, by=ben, name="x"),
        lambda: saved_views.delete_view(view=view, by=ben),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_a_shared_view_shows_each_reader_only_their_own_rows(ana, ben, client):
    ticket = make_ticket()
    view = keep(ana, shared=True)
    client.force_login(ben)
    page = client.get(f"{LIST}?{view.query}")
    assert view.name in page.content.decode() and list(page.context["cl"].result_list) == []
    client.force_login(ana)
    assert list(client.get(f"{LIST}?{view.query}").context["cl"].result_list) == [ticket]


def test_a_list_opens_with_the_default_and_all_rows_are_one_click_away(ana, client):
    view = keep(ana)
    client.force_login(ana)
    saved_views.open_with(view=view, by=ana)
    opened = client.get(LIST)
    assert opened.status_code == 302 and opened.url == f"{LIST}?status__exact=DRAFT"
    assert client.get(f"{LIST}?view=all").status_code == 200
    assert (
        client.get(LIST, headers={"Referer": f"http://testserver{LIST}?status__exact=DRAFT"}).status_code
        == 200
    )
    saved_views.open_with_all(by=ana, page="tickets")
    assert client.get(LIST).status_code == 200


def test_a_default_that_is_no_longer_shared_counts_no_more(ana, ben):
    view = keep(ana, shared=True)
    saved_views.open_with(view=view, by=ben)
    assert saved_views.default_query(ben, "tickets") == "status__exact=DRAFT"
    saved_views.change_view(view=view, by=ana, shared=False)
    assert saved_views.default_query(ben, "tickets") == ""


def test_the_sheet_saves_renames_shares_opens_and_deletes(ana, ben, client):
    client.force_login(ana)
    made = client.post(VIEWS, {"do": "save", "name": "Mine", "query": "status__exact=DRAFT"})
    assert made.url == f"{LIST}?status__exact=DRAFT"
    view = SavedView.objects.get()
    client.post(VIEWS, {"do": "rename", "view": view.pk, "name": "Ours", "shared": "1"})
    client.post(VIEWS, {"do": "default", "view": view.pk})
    view.refresh_from_db()
    assert (view.name, view.shared, DefaultView.objects.count()) == ("Ours", True, 1)
    client.post(VIEWS, {"do": "all"})
    assert not DefaultView.objects.exists()
    refused = client.post(VIEWS, {"do": "save", "name": "", "query": "a=1"}, follow=True)
    assert refused.status_code == 200 and list(refused.context["messages"])
    client.force_login(ben)
    for asked in ("rename", "delete"):
        assert client.post(VIEWS, {"do": asked, "view": view.pk, "name": "x"}).status_code == 404
    client.force_login(ana)
    client.post(VIEWS, {"do": "delete", "view": view.pk})
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    "odd", [{"do": "x"}, {"do": "rename", "view": "²"}, {"do": "delete", "view": "9" * 30}, {}]
)
def test_odd_posts_are_not_there(ana, client, odd):
    client.force_login(ana)
    assert client.post(VIEWS, odd).status_code == 404


@pytest.mark.parametrize(
    "name", ["admin:trafficking_ticket_changelist", "admin:campaigns_campaign_changelist", "admin:board"]
)
def test_every_page_has_its_chips(ana, client, name):
    page = {"admin:board": "board", "admin:campaigns_campaign_changelist": "campaigns"}.get(name, "tickets")
    keep(ana, page=page, name="<b>Chip</b>")
    client.force_login(ana)
    shown = client.get(reverse(name)).content.decode()
    assert "&lt;b&gt;Chip&lt;/b&gt;" in shown and "<b>Chip" not in shown


def test_the_api_keeps_shares_and_refuses(ana, ben):
    url = f"{ROOT}/saved-views"
    made = client_of(ana).post(
        url, {"page": "tickets", "name": "To mend", "query": "?p=2&status__exact=DRAFT"}, format="json"
    )
    assert made.status_code == 201, made.json()
    assert (made.json()["query"], made.json()["owner"]) == ("status__exact=DRAFT", ana.username)
    one = f"{url}/{made.json()['id']}"
    assert client_of(ben).get(one).status_code == 404
    assert client_of(ana).patch(one, {"shared": True}, format="json").status_code == 200
    assert client_of(ben).get(one).status_code == 200
    assert client_of(ben).patch(one, {"name": "x"}, format="json").status_code == 403
    assert client_of(ben).delete(one).status_code == 403
    assert (
        client_of(ben).post(f"{one}/open-with").status_code == 204 and DefaultView.objects.get().user == ben
    )
    assert client_of(ben).post(f"{one}/open-with-all").status_code == 204 and not DefaultView.objects.exists()
    assert client_of(ana).delete(one).status_code == 204
