"""Who has one brand, or one market of it, reaches nothing of another through any door.

The doors are those of the URL resolver and of the admin's registry: a page or endpoint that is added is walked without
anyone adding it here, and one that can't be walked fails until it is said here whose rows it is about. The people who
try have every permission there is: only their brand and market hold them back.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from campaigns.models import ColumnMapping, ImportRun, MediaPlan, MediaPlanLine
from copilot.models import Advice, CallBudget, GuidelineDocument, ModelCall
from deploy.models import Alert, Deployment, Drift, ExistingObject, KillSwitch, MediaUpload
from deploy.tests.conftest import sandboxes  # noqa: F401  (a fixture)
from deploy.tests.watch_world import built
from governance import webhooks
from governance.api.viewsets import ApiView, NotThere
from governance.governed import GovernedModel, unguarded
from governance.models import (
    AdAccount,
    Alias,
    ApiToken,
    Audience,
    BuiltRule,
    Grant,
    Market,
    Notice,
    SavedView,
    Webhook,
    WebhookDelivery,
)  # fmt: skip
from governance.tests.api_clients import client_of
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory, UserFactory
from tracking.models import ConversionEvent, ConversionSource, Delivery, Destination
from trafficking.models import ApprovalRule, MediaFile, PlatformObject, Ticket
from trafficking.tests.factories import make_campaign

pytestmark = pytest.mark.django_db

#: Stands in every text of the rows that must not be reached, and in none of the requests.
MARK = "quokka"
SEARCHED = "zebrafinch"
TEXT = f"Zebrafinch {MARK.capitalize()}"

#: Rows that belong to no brand and market: everybody who works here shares them, by role.
SHARED = {
    "governance.user", "auth.group", "axes.accessattempt", "axes.accessfailurelog", "axes.accesslog",
    "django_celery_results.taskresult", "django_celery_results.groupresult", "django_celery_beat.periodictask",
    "django_celery_beat.intervalschedule", "django_celery_beat.crontabschedule", "django_celery_beat.clockedschedule",
    "django_celery_beat.solarschedule", "governance.channel", "governance.namingconvention", "governance.qarule",
    "governance.exchangerate",
}  # fmt: skip
#: Of a brand in all its markets: who has a market of it sees them.
OF_A_BRAND = {
    "governance.brand", "governance.audience", "governance.alias", "governance.builtrule", "trafficking.approvalrule",
    "trafficking.mediafile", "deploy.killswitch", "copilot.guidelinedocument", "copilot.callbudget", "copilot.modelcall",
}  # fmt: skip
#: URL names that are about no row in their path; what they say is looked through.
ROWLESS = {
    "index", "search", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "app_list",
    "board", "board_live", "board_cards", "board_move", "board_views", "desk_running", "trail", "trail_export", "notices_read",
    "notice_preferences", "schema", "api-docs",
}  # fmt: skip
#: Not opened: they end the session or show what is nobody's.
CLOSED = {"logout", "login", "jsi18n", "schema", "api-docs", "password_change", "password_change_done"}
#: A change of any kind of row is named by its kind and its id in the history.
REVERT, API_REVERT = "trail_revert", "api-trail-revert"
#: Answered alike for what there is not.
STAND_INS = {"trafficking_build_picture"}
#: Whose row an address without a model's name in its URL name is about.
NAMED = {
    "notice_open": Notice, "auth_user_password_change": None, "view_on_site": Ticket, "trafficking_build_picture": MediaFile,
}  # fmt: skip
#: What the last part of a path may be beside a row.
SLUGS = {
    "trafficking_ticket_do": ("submit", "approve", "cancel"), "deploy_drift_decide": ("adopt", "restore", "ignore"),
    "deploy_existingobject_decide": ("adopt", "archive"), "trafficking_build_choices": ("brand", "market", "campaign", "account"),
}  # fmt: skip


@dataclass
class Hidden:
    """One row a model that the people must not reach, by its label."""

    rows: dict[str, Any] = field(default_factory=dict)

    def add(self, row: Any) -> Any:
        self.rows[row._meta.label_lower] = row
        return row

    def state(self) -> dict[str, Any]:
        """All of them as they are in the database."""
        return {
            label: list(models.QuerySet(type(row)).filter(pk=row.pk).values())
            for label, row in self.rows.items()
        }


def raw(model: Any, /, **values: Any) -> Any:
    """A row as it might stand there, past the fence: only what it says matters here."""
    return models.QuerySet(model).bulk_create([model(**values)])[0]


@pytest.fixture
def hidden(sandboxes: Any) -> Hidden:  # noqa: F811
    """A campaign of one brand in one market with all that hangs on it, built on the sandbox."""
    found = Hidden()
    trafficker, approver = (UserFactory(roles=[role], everywhere=True) for role in ("Trafficker", "Approver"))
    brand = BrandFactory(code="QUO", name=f"{TEXT} Inc")
    market = MarketFactory(code="NZ", name=f"{TEXT} land", country="NZ", currency="USD")
    account = AdAccountFactory(name=f"{TEXT} account", serving=[(brand, market)])
    campaign = make_campaign(name=TEXT, brand=brand, market=market)
    ticket = built(
        "META",
        trafficker,
        approver,
        campaign=campaign,
        account=account,
        ad_set={"name": f"{TEXT} set"},
        ad={"name": f"{TEXT} ad"},
    )
    run = Deployment.objects.get(ticket=ticket)
    ad_set = ticket.ad_sets.get()
    held = PlatformObject.objects.filter(ticket=ticket, object_type="campaign").get()
    Webhook.objects.create(name=f"{TEXT} hook", url="https://hooks.test/", brand=brand, kinds=["live"])
    hook = Webhook.objects.get()
    webhooks.make_secret(webhook=hook, by=trafficker)
    plan = raw(
        MediaPlan,
        plan_key=TEXT,
        format="TABLE",
        file_name=f"{TEXT}.csv",
        file_sha256="0" * 64,
        imported_by=trafficker,
    )
    channel = campaign.channels.get()
    source = ConversionSource(name=f"{TEXT} shop", brand=brand, market=market)
    source.save()
    destination = Destination(source=source, platform="meta", pixel_id="123", broken_by=TEXT)
    destination.save()
    event = raw(ConversionEvent, source=source, name="Purchase", event_id=TEXT, time=timezone.now(),
                action_source="website", origin="server")  # fmt: skip
    made = [
        source, destination, event, raw(Delivery, source=source, event=event, destination=destination, detail=TEXT),
        brand, market, account, campaign, campaign.channel_names.get(), ticket, ad_set, ad_set.ads.get(), ticket.plans.get(),
        ticket.approvals.get(), run, run.operations.first(), held, Webhook.objects.get(), plan,
        Notice.objects.filter(person=trafficker).first(),
        raw(MediaPlanLine, plan=plan, line_key=TEXT, position=1, campaign=campaign, channel=channel, cost_media=1,
            cost_currency="USD", content_hash="0" * 64),
        raw(MediaFile, brand=brand, name=f"{TEXT}.png", file="media/none.png", sha256="a" * 64, content_type="image/png", size=1,
            width=1, height=1),
        raw(ImportRun, owner=trafficker, kind="plan", file_name=f"{TEXT}.csv", file_sha256="0" * 64),
        raw(ColumnMapping, owner=trafficker, name=TEXT, kind="plan", signature="s"),
        raw(Drift, held=held, field="name", live=TEXT, wanted="x", applied="x"),
        raw(ExistingObject, ad_account=account, object_type="campaign", external_id="77", name=TEXT),
        raw(MediaUpload, ad_account=account, ref=TEXT),
        raw(KillSwitch, scope="BRAND", brand=brand, reason=TEXT, state="RELEASED"),
        raw(Alert, code="alert.deployment_failed", params={"number": 1, "name": TEXT, "reason": TEXT}, ticket=ticket),
        raw(SavedView, owner=trafficker, page="tickets", name=TEXT, query=f"q={TEXT}"),
        raw(ApiToken, user=trafficker, name=TEXT, scopes=["read"], expires_at=timezone.now() + timedelta(days=9)),
        raw(BuiltRule, name=TEXT, message=TEXT, brands=[brand.pk], markets=[market.pk]),
        raw(ApprovalRule, brand=brand, note=TEXT),
        raw(Audience, name=TEXT, brand=brand),
        raw(Alias, kind="ADVERTISER", text=TEXT, text_key=TEXT.lower(), brand=brand),
        raw(WebhookDelivery, webhook=hook, event=campaign.public_id, kind="live", payload={"text": TEXT}),
        Grant.objects.create(user=trafficker, brand=brand, market=market),
        raw(GuidelineDocument, brand=brand, title=TEXT, file="guidelines/none.md", file_name=f"{TEXT}.md", sha256="b" * 64, size=1),
        raw(CallBudget, brand=brand, daily_usd=1), models.QuerySet(ModelCall).create(brand=brand, purpose="advice", model=TEXT),
        models.QuerySet(Advice).create(ticket=ticket, ticket_version=1, model=TEXT, asked_by=trafficker),
    ]  # fmt: skip
    for row in made:
        assert row is not None
        found.add(row)
    return found


def able(username: str, *pairs: tuple[Any, Any]) -> Any:
    """Every permission, and these brands and markets."""
    person = UserFactory(username=username)
    person.user_permissions.set(Permission.objects.all())
    for brand, market in pairs:
        Grant.objects.create(user=person, brand=brand, market=market)
    return type(person).objects.get(pk=person.pk)


@pytest.fixture(params=["another brand", "another market"])
def outsider(request: Any, hidden: Hidden) -> Any:
    if request.param == "another brand":
        # a market is seen by who has a brand in every market
        market = hidden.rows.pop("governance.market")
        _say_plainly(market, "New Zealand")
        return able("outsider", (BrandFactory(code="ACME"), None))
    brand = hidden.rows["governance.brand"]
    germany = MarketFactory(code="DE", name="Germany", country="DE", currency="EUR")
    # what is of the brand in all its markets is theirs to see, and says nothing of the market
    for label in OF_A_BRAND:
        del hidden.rows[label]
    _without_mark(brand)
    return able("outsider", (brand, germany))


def _say_plainly(row: Any, name: str) -> None:
    unguarded(type(row)).filter(pk=row.pk).update(name=name)
    row.history.update(name=name)


def _without_mark(brand: Any) -> None:
    _say_plainly(brand, "Plain Inc")
    for model, values in (
        (Audience, {"name": "a"}), (Alias, {"text": "b", "text_key": "b"}), (ApprovalRule, {"note": ""}), (MediaFile, {"name": "c.png"}),
        (KillSwitch, {"reason": "d"}), (GuidelineDocument, {"title": "e", "file_name": "e.md"}), (ModelCall, {"model": "f"}),
    ):  # fmt: skip
        models.QuerySet(model).filter(brand=brand).update(**values)


# ----------------------------------------------------------------------------------------- the doors


@dataclass(frozen=True)
class Door:
    route: str
    name: str
    view: Any


def doors() -> list[Door]:
    return list(_below(get_resolver(), ""))


def _below(resolver: Any, before: str) -> Iterator[Door]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from _below(each, route)
        else:
            yield Door(route, each.name or "", each.callback)


ADMIN = [each for each in doors() if each.route.startswith("admin/") and each.name]
API = [
    each
    for each in doors()
    if each.route.startswith("api/v1/") and getattr(each.view, "cls", None) is not NotThere
]


def model_of(door: Door) -> Any:
    """The model that an admin address is about; None where it is about none; KeyError where nobody has said."""
    if door.name == REVERT:
        return None
    if door.name in NAMED:
        return NAMED[door.name]
    for model in sorted(admin.site._registry, key=lambda each: -len(each._meta.model_name)):
        meta = model._meta
        if door.name.startswith(f"{meta.app_label}_{meta.model_name}_"):
            return model
    if door.name.startswith("trafficking_build"):
        return Ticket
    if door.name in ROWLESS:
        return None
    raise KeyError(door.name)


def changes_of(hidden: Hidden) -> list[tuple[str, int]]:
    """(kind, id in its history) of each hidden row."""
    found = []
    for label, row in hidden.rows.items():
        record = row.history.order_by("-history_id").first() if hasattr(row, "history") else None
        found += [(label, record.history_id)] if record is not None else []
    return found


def has_row(door: Door) -> bool:
    return bool(re.search(r"<(int|path|uuid):|\(\[\^/\]\+\)|^.*<id>|sha256", door.route))


def admin_urls(door: Door, hidden: Hidden) -> list[str]:
    """The addresses of a door for the hidden rows; [] where it is about a shared model."""
    if door.name == REVERT:
        return [f"/admin/trail/{label}/{change}/revert/" for label, change in changes_of(hidden)]
    model = model_of(door)
    route = door.route.removeprefix("admin/")
    if not has_row(door):
        slugs = SLUGS.get(door.name, ("",))
        if "<slug:" in route:
            return [f"/admin/{re.sub(r'<slug:[^>]+>', slug, route)}" for slug in slugs]
        return [] if "(?P" in route else [f"/admin/{route}"]
    row = hidden.rows.get(model._meta.label_lower) if model is not None else None
    if row is None:
        return []
    route = re.sub(r"<(int|path):(object_id|pk|content_type_id|id)>", str(row.pk), route)
    route = route.replace("<id>", str(row.pk)).replace("<uuid:public_id>", str(getattr(row, "public_id", "")))
    route = route.replace("<slug:sha256>", getattr(row, "sha256", ""))
    if "([^/]+)" in route:
        record = row.history.order_by("history_id").first()
        if record is None:
            return []
        route = route.replace("([^/]+)", str(row.pk), 1).replace("([^/]+)", str(record.history_id), 1)
    return ["/admin/" + route.replace("^", "").replace("$", "")]


def said(answer: Any) -> str:
    streamed = getattr(answer, "streaming", False)
    body = b"".join(answer.streaming_content) if streamed else answer.content
    if body[:2] == b"PK":
        from openpyxl import load_workbook

        book = load_workbook(io.BytesIO(body))
        return " ".join(str(cell) for row in book.active.iter_rows(values_only=True) for cell in row).lower()
    return body.decode("utf-8", "replace").lower()


def browser(person: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


# ----------------------------------------------------------------------------------------- the tests


def test_every_model_and_every_address_is_known_here(hidden):
    scoped = set(hidden.rows)
    unknown = [
        each._meta.label_lower
        for each in admin.site._registry
        if each._meta.label_lower not in scoped | SHARED
    ]
    assert not unknown, "say in SHARED why everybody shares them, or add a row to `hidden`"
    governed = {each._meta.label_lower for each in apps.get_models() if issubclass(each, GovernedModel)}
    inner = {"governance.adaccountserves", "deploy.stoppedobject"}
    assert governed <= scoped | SHARED | inner, governed - scoped - SHARED
    for door in ADMIN:
        model_of(door)  # KeyError: say in NAMED or ROWLESS what it is about


def test_no_page_of_the_admin_shows_or_changes_them(hidden, outsider):
    client, before, walked = browser(outsider), hidden.state(), 0
    problems = []
    for door in ADMIN:
        if door.name in CLOSED:
            continue
        row_of_theirs = has_row(door)
        for url in admin_urls(door, hidden):
            walked += 1
            for answer in (client.get(url), client.post(url, posted(hidden))):
                leaks = MARK in said(answer)
                opened = row_of_theirs and answer.status_code not in (302, 403, 404, 405)
                if door.name in STAND_INS:
                    opened = (
                        answer.status_code == 200
                        and answer.content != client.get(re.sub("a{64}", "f" * 64, url)).content
                    )
                if leaks or opened or answer.status_code >= 500:
                    problems.append(
                        (door.name, url, answer.request["REQUEST_METHOD"], answer.status_code, leaks)
                    )
    assert not problems, "\n".join(map(str, problems))
    assert hidden.state() == before
    assert walked > 150


def posted(hidden: Hidden) -> dict[str, Any]:
    """Whatever a form of ours may ask for: all of it names the hidden rows."""
    ticket = hidden.rows["trafficking.ticket"]
    return {
        "confirmed": "1", "post": "yes", "comment": "x", "reason": "x", "ticket": [ticket.pk], "row": [ticket.pk], "ids": [ticket.pk],
        "id": ticket.pk, "to": "approval", "version": ticket.version, "_selected_action": [ticket.pk], "file_format": "csv", "columns": "all",
        "do": "delete", "view": hidden.rows["governance.savedview"].pk, "campaign": ticket.campaign_id,
        "account": ticket.ad_account_id, "ad_account": ticket.ad_account_id, "digest": ticket.digest,
    }  # fmt: skip


def test_no_list_search_autocomplete_action_or_export_finds_them(hidden, outsider):
    client, before = browser(outsider), hidden.state()
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = reverse(f"{name}_changelist")
        row = hidden.rows.get(model._meta.label_lower)
        for query in ("", f"?q={SEARCHED}"):
            answer = client.get(listed + query)
            assert MARK not in said(answer), (name, query)
            if row is not None and answer.status_code == 200:
                assert row.pk not in [each.pk for each in answer.context["cl"].result_list], (name, query)
        for file_format in ("csv", "xlsx") if hasattr(page, "export_choices") else ():
            exported = client.post(reverse(f"{name}_export"), {"file_format": file_format, "columns": "all"})
            assert MARK not in said(exported), name
        if row is None:
            continue
        request = answer.wsgi_request
        for action in (*page.get_actions(request), "delete_selected"):
            sent = {
                "action": action,
                "_selected_action": [row.pk],
                "post": "yes",
                "confirmed": "1",
                "select_across": "1",
            }
            for select_across in ("0", "1"):
                answer = client.post(listed, {**sent, "select_across": select_across})
                assert answer.status_code < 500 and MARK not in said(answer), (name, action)
    for model in admin.site._registry:
        for each in model._meta.get_fields():
            if not isinstance(each, models.ForeignKey | models.ManyToManyField):
                continue
            for term in ("", SEARCHED):
                asked = {
                    "app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": each.name, "term": term,
                }  # fmt: skip
                assert MARK not in said(client.get(reverse("admin:autocomplete"), asked)), asked
    for url in (
        "/admin/",
        "/admin/board/",
        f"/admin/search/?s={SEARCHED}",
        f"/admin/search/?q={SEARCHED}",
        "/admin/desk/running/",
    ):
        assert MARK not in said(client.get(url)), url
    assert hidden.state() == before


def test_no_file_of_theirs_is_given_out(hidden, outsider):
    client = browser(outsider)
    run = hidden.rows["campaigns.importrun"]
    assert client.get(reverse("admin:campaigns_importrun_corrected", args=[run.pk])).status_code == 404
    media = MediaFile.objects.get()
    if "trafficking.mediafile" in hidden.rows:
        for name in ("thumbnail", "content"):
            url = reverse(f"admin:trafficking_mediafile_{name}", args=[media.pk])
            assert client.get(url).status_code in (403, 404)
    assert client.get(f"/media/{media.file.name}").status_code == 404
    assert client.get(f"/uploads/{media.file.name}").status_code == 404


# --------------------------------------------------------------------------------------------- API

#: Part of a path below the API -> whose id follows it.
OWNERS = {
    "tickets": Ticket, "ad-accounts": AdAccount, "imports": ImportRun, "deploy/status": Deployment, "markets": Market,
}  # fmt: skip
BODIES = ({}, {"digest": "x", "comment": "x", "reason": "x", "name": "x", "kind": "shift_days", "days": 1})


def api_model(door: Door) -> Any:
    view = door.view.cls
    first = door.route.removeprefix("api/v1/^").split("/(?P")[0]
    return OWNERS.get(first, view.permission_model)


def api_url(door: Door, row: Any) -> str:
    route = door.route.replace("^", "").replace("$", "").replace("/?", "")
    return "/" + re.sub(r"\(\?P<\w+>.*?\}\)", str(row.public_id), route)


def api_urls(door: Door, hidden: Hidden) -> list[str]:
    """The addresses of an endpoint for the hidden rows."""
    if door.name == API_REVERT:
        return [f"/api/v1/trail/{label}/{change}/revert" for label, change in changes_of(hidden)]
    row = hidden.rows.get(api_model(door)._meta.label_lower)
    return [] if row is None else [api_url(door, row)]


def test_every_endpoint_is_ours_and_known(hidden):
    for door in API:
        assert issubclass(door.view.cls, ApiView), door.name
        if "(?P<" in door.route:
            label = api_model(door)._meta.label_lower
            assert label in set(hidden.rows) | SHARED, f"{door.name}: add a row of {label} to `hidden`"


def test_no_endpoint_answers_for_their_rows_or_changes_them(hidden, outsider):
    client, before, walked, problems = client_of(outsider), hidden.state(), 0, []
    for door in API:
        if "(?P<" not in door.route:
            continue
        calls = [
            (url, method, body)
            for url in api_urls(door, hidden)
            for method in ("get", "post", "put", "patch", "delete")
            for body in (BODIES if method != "get" else BODIES[:1])
        ]
        for url, method, body in calls:
            walked += 1
            answer = getattr(client, method)(url, body, format="json")
            # 400: the body is read before the row is looked for; it says nothing of the row
            if answer.status_code not in (400, 403, 404, 405) or MARK in said(answer):
                problems.append((door.name, method, url, answer.status_code))
    assert not problems, "\n".join(map(str, problems))
    assert hidden.state() == before
    assert walked > 300


def test_no_list_filter_or_export_of_the_api_finds_them(hidden, outsider):
    client = client_of(outsider)
    rows = hidden.rows
    for door in API:
        if "(?P<" in door.route or (
            not hasattr(door.view.cls, "get") and "get" not in getattr(door.view, "actions", {})
        ):
            continue
        url = api_url(door, rows["trafficking.ticket"])
        for query in ("", f"?search={SEARCHED}", "?archived=true", "?page_size=100"):
            assert MARK not in said(client.get(url + query)), (url, query)
        for name, row in (("brand", "governance.brand"), ("market", "governance.market"), ("campaign", "campaigns.campaign"),
                          ("ticket", "trafficking.ticket"), ("ad_account", "governance.adaccount")):  # fmt: skip
            if row in rows:
                answer = client.get(f"{url}?{name}={rows[row].public_id}")
                assert MARK not in said(answer), (url, name)
    for model, page in admin.site._registry.items():
        if not hasattr(page, "export_choices"):
            continue
        body = {"list": model._meta.label_lower, "columns": "all"}
        assert MARK not in said(client.post("/api/v1/exports", body, format="json")), body


def test_naming_their_rows_in_a_body_is_answered_like_what_there_is_not(hidden, outsider):
    client, before = client_of(outsider), hidden.state()
    rows = hidden.rows
    ids = {label: str(row.public_id) for label, row in rows.items() if hasattr(row, "public_id")}
    ticket, account, campaign = (
        ids["trafficking.ticket"],
        ids["governance.adaccount"],
        ids["campaigns.campaign"],
    )
    market = str(Market.objects.get(code="NZ").public_id)
    for url, body in (
        ("tickets", {"campaign": campaign, "channel": "META", "ad_account": account}),
        ("tickets/preview", {"campaign": campaign, "channel": "META", "ad_account": account}),
        ("deploy", {"ticket": ticket}),
        ("tickets/bulk-changes", {"tickets": [{"id": ticket, "version": 1}], "kind": "shift_days", "days": 1}),
        ("campaigns/bulk-changes", {"campaigns": [{"id": campaign, "version": 1}], "kind": "shift_days", "days": 1}),
        ("kill-switches", {"scope": "ACCOUNT", "ad_account": account, "reason": "x"}),
        ("campaigns", {"name": "Mine", "brand": "QUO", "market": market, "objective": "TRAFFIC"}),
        ("ad-accounts", {"platform": "meta", "external_id": "9", "name": "n", "serves": [{"brand": "QUO", "market": market}]}),
    ):  # fmt: skip
        answer = client.post(f"/api/v1/{url}", body, format="json")
        assert answer.status_code < 500 and MARK not in said(answer), (url, answer.content)
        assert answer.status_code not in (201, 202), url
    assert hidden.state() == before
