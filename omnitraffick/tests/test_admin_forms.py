"""Forms: two people editing, codes in use, secrets, refusals in words and never a server error."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_interval
from django.urls import reverse
from django.utils.formats import date_format

from campaigns.models import Campaign, CampaignChannel
from governance.models import AdAccount, Brand, Market, NamingConvention
from omnitraffick.tests.admin_world import approved, form_values, make_world, submitted
from trafficking.models import Ad, AdSet, Ticket
from trafficking.services import submit_ticket
from trafficking.statuses import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return make_world()


def _change(name: str, pk: int) -> str:
    return reverse(f"admin:{name}_change", args=[pk])


def _said(response) -> str:
    """All errors of a form page."""
    texts = [str(response.context["adminform"].form.errors)]
    texts += [
        str(inline.formset.errors) + str(inline.formset.non_form_errors())
        for inline in response.context["inline_admin_formsets"]
    ]
    return " ".join(texts)


def _told(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# ------------------------------------------------------------------------------- two people editing


def test_the_second_of_two_people_is_told_who_was_first_and_overwrites_nothing(world, client):
    url = _change("campaigns_campaign", world.campaign.pk)
    client.force_login(world.planner)
    mine = form_values(client.get(url), name="Mine")
    client.force_login(world.boss)
    assert client.post(url, form_values(client.get(url), name="Theirs")).status_code == 302
    client.force_login(world.planner)
    answer = client.post(url, mine)
    assert answer.status_code == 200
    said = _said(answer)
    assert "boss" in said and "Reload" in said
    assert Campaign.objects.get(pk=world.campaign.pk).name == "Theirs"
    # pressing Save once more with the same form is refused again
    assert client.post(url, form_values(answer, name="Mine")).status_code == 200
    assert Campaign.objects.get(pk=world.campaign.pk).name == "Theirs"


def test_a_form_without_its_version_is_refused(world, client):
    client.force_login(world.planner)
    url = _change("campaigns_campaign", world.campaign.pk)
    sent = form_values(client.get(url), name="Mine", version=None)
    assert "Reload" in _said(client.post(url, sent))


def test_an_ad_set_changed_by_someone_else_makes_the_tickets_form_stale(world, client):
    client.force_login(world.planner)
    url = _change("trafficking_ticket", world.ticket.pk)
    mine = form_values(client.get(url), **{"ad_sets-0-name": "Mine"})
    row = world.ticket.ad_sets.get()
    row.age_min = 21
    row.save()
    answer = client.post(url, mine)
    assert answer.status_code == 200 and "Reload" in _said(answer)
    assert AdSet.objects.get(pk=row.pk).name == "Prospecting A"


def test_saving_an_untouched_form_changes_no_version_and_voids_no_approval(world, client):
    ticket = approved(world)
    client.force_login(world.planner)
    url = _change("trafficking_ticket", ticket.pk)
    answer = client.post(url, form_values(client.get(url)))
    assert answer.status_code == 302
    after = Ticket.objects.get(pk=ticket.pk)
    assert (after.status, after.version) == (Status.APPROVED, ticket.version)
    url = _change("trafficking_adset", ticket.ad_sets.get().pk)
    assert client.post(url, form_values(client.get(url))).status_code == 302
    assert Ticket.objects.get(pk=ticket.pk).status == Status.APPROVED


def test_an_edit_takes_an_approved_ticket_back_to_draft(world, client):
    ticket = approved(world)
    client.force_login(world.planner)
    url = _change("trafficking_adset", ticket.ad_sets.get().pk)
    assert client.post(url, form_values(client.get(url), age_min="21")).status_code == 302
    assert Ticket.objects.get(pk=ticket.pk).status == Status.DRAFT


# ------------------------------------------------------------------------------------ codes in use


def test_saving_an_ad_set_again_mends_a_stale_name(world, client):
    row = world.ticket.ad_sets.get()
    AdSet._base_manager.filter(pk=row.pk)._update([(AdSet._meta.get_field("governed_name"), None, "stale")])
    client.force_login(world.planner)
    url = _change("trafficking_adset", row.pk)
    assert client.post(url, form_values(client.get(url))).status_code == 302
    assert AdSet.objects.get(pk=row.pk).governed_name.endswith("_MoanaLaunch_ProspectingA")


def test_changing_a_code_in_use_shows_the_impact_and_asks_first(world, client):
    client.force_login(world.data_admin)
    url = _change("governance_market", world.market.pk)
    answer = client.post(url, form_values(client.get(url), code="USA"))
    assert answer.status_code == 200
    assert "1 names that are not deployed yet will be rebuilt" in _said(answer)
    assert (
        answer.context["adminform"].form.asks_impact
        and "I have read what this changes" in answer.content.decode()
    )
    assert Market.objects.get(pk=world.market.pk).code == "US"
    assert client.post(url, form_values(answer, code="USA", impact_accepted="on")).status_code == 302
    assert Market.objects.get(pk=world.market.pk).code == "USA"
    assert "_USA_" in CampaignChannel.objects.get(campaign=world.campaign).governed_name


def test_a_code_that_the_convention_cannot_read_back_is_refused_at_its_field(world, client):
    client.force_login(world.data_admin)
    url = _change("governance_brand", world.brand.pk)
    answer = client.post(url, form_values(client.get(url), code="DI_S"))
    assert "code" in answer.context["adminform"].form.errors
    assert Brand.objects.get(pk=world.brand.pk).code == "DIS"


# ---------------------------------------------------------------------------------------- secrets


def test_credentials_are_written_never_shown_and_kept_when_left_empty(world, client):
    client.force_login(world.data_admin)
    url = _change("governance_adaccount", world.account.pk)
    page = client.get(url)
    secrets = [name for name in page.context["adminform"].form.fields if name.startswith("secret__meta__")]
    assert secrets
    assert client.post(url, form_values(page, **{secrets[0]: "very-secret-token"})).status_code == 302
    name = secrets[0].split("__")[2]
    assert AdAccount.objects.get(pk=world.account.pk).credentials[name] == "very-secret-token"
    again = client.get(url)
    assert "very-secret-token" not in again.content.decode() and "A value is stored" in again.content.decode()
    assert client.post(url, form_values(again, name="Renamed")).status_code == 302
    kept = AdAccount.objects.get(pk=world.account.pk)
    assert kept.name == "Renamed" and kept.credentials[name] == "very-secret-token"
    history = client.get(
        reverse("admin:governance_adaccount_history", args=[world.account.pk])
    ).content.decode()
    assert "very-secret-token" not in history
    client.post(url, form_values(client.get(url), forget_secrets="on"))
    assert AdAccount.objects.get(pk=world.account.pk).credentials == {}


def test_the_pairs_that_an_account_serves_are_saved_in_line(world, client):
    client.force_login(world.data_admin)
    url = _change("governance_adaccount", world.account.pk)
    more = {
        "serves-TOTAL_FORMS": "2",
        "serves-1-brand": world.other_brand.pk,
        "serves-1-market": world.market.pk,
        "serves-1-account": world.account.pk,
    }
    assert client.post(url, form_values(client.get(url), **more)).status_code == 302
    assert world.account.serves.count() == 2
    twice = {
        **more,
        "serves-TOTAL_FORMS": "3",
        "serves-2-brand": world.brand.pk,
        "serves-2-market": world.market.pk,
        "serves-2-account": world.account.pk,
    }
    del twice["serves-1-brand"], twice["serves-1-market"]
    assert client.post(url, form_values(client.get(url), **twice)).status_code == 200
    assert world.account.serves.count() == 2


# ------------------------------------------------------------------------------- campaigns, tickets


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "Party 🎉", "Use"),
        ("name", "x" * 300, "200"),
        ("name", "   ", "required"),
        ("name", "\u202eevil", "characters"),
        ("budget", "1,000.50", "1000.50"),
        ("budget", "1.000,50", "1000.50"),
        ("budget", "0", "more than zero"),
        ("budget", "-5", "more than zero"),
        ("currency", "XXQ", "ISO 4217"),
        ("start_on", "2020-01-01", "past"),
        ("end_on", "2020-01-01", "before the first day"),
        ("on_channels", [], "at least one channel"),
        ("budget", "19.999", "Round it to"),
    ],
)
def test_bad_input_is_refused_at_its_field(world, client, field, value, said):
    client.force_login(world.planner)
    url = _change("campaigns_campaign", world.campaign.pk)
    answer = client.post(url, form_values(client.get(url), **{field: value}))
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    assert field in errors and said in str(errors[field]), errors
    assert Campaign.objects.get(pk=world.campaign.pk).version == world.campaign.version


def test_a_campaign_is_added_with_a_name_on_each_channel(world, client):
    from governance.models import Channel

    client.force_login(world.planner)
    channels = list(Channel.objects.filter(code__in=["META", "TIKTOK"]).values_list("pk", flat=True))
    day = world.campaign.start_on.isoformat()
    sent = form_values(
        client.get(reverse("admin:campaigns_campaign_add")), name="Second Wave", brand=world.brand.pk, market=world.market.pk,
        objective="TRAFFIC", budget="1000.50", currency="USD", start_on=day, end_on=day, on_channels=channels,
    )  # fmt: skip
    answer = client.post(reverse("admin:campaigns_campaign_add"), sent)
    assert answer.status_code == 302, _said(answer)
    made = Campaign.objects.get(name="Second Wave")
    year = world.campaign.start_on.year
    assert sorted(made.channel_names.values_list("governed_name", flat=True)) == [
        f"DIS_US_META_{year}_SecondWave", f"DIS_US_TIKTOK_{year}_SecondWave",
    ]  # fmt: skip
    # the same again: its names are taken, and the one who holds them is named
    answer = client.post(reverse("admin:campaigns_campaign_add"), sent)
    assert "already taken by" in _said(answer) and Campaign.objects.filter(name="Second Wave").count() == 1


def test_a_channel_that_has_a_ticket_cannot_be_taken_away(world, client):
    from governance.models import Channel

    client.force_login(world.planner)
    url = _change("campaigns_campaign", world.campaign.pk)
    answer = client.post(
        url, form_values(client.get(url), on_channels=[Channel.objects.get(code="TIKTOK").pk])
    )
    assert "has a ticket" in str(answer.context["adminform"].form.errors["on_channels"])
    assert list(world.campaign.channels.values_list("code", flat=True)) == ["META"]


def test_what_has_been_deployed_is_read_only_and_a_late_save_is_told_so(world, client):
    client.force_login(world.planner)
    ad_set = world.ticket.ad_sets.get()
    pages = {
        "trafficking_ticket": (world.ticket.pk, {"end_on": world.ticket.start_on.isoformat()}),
        "trafficking_adset": (ad_set.pk, {"name": "Late"}),
        "trafficking_ad": (ad_set.ads.get().pk, {"name": "Late"}),
    }
    opened = {
        name: form_values(client.get(_change(name, pk)), **change) for name, (pk, change) in pages.items()
    }
    # a fact that the engine would have written
    Ticket._base_manager.filter(pk=world.ticket.pk)._update(
        [(Ticket._meta.get_field("status"), None, Status.TRAFFICKED_SUCCESS)]
    )
    for name, (pk, _changes) in pages.items():
        answer = client.post(_change(name, pk), opened[name])
        assert answer.status_code == 200 and "be edited" in _said(answer), name
        page = client.get(_change(name, pk))
        assert page.status_code == 200 and not page.context["has_change_permission"], name
    assert not AdSet.objects.filter(name="Late").exists() and not Ad.objects.filter(name="Late").exists()
    assert (
        client.post(reverse("admin:trafficking_adset_delete", args=[ad_set.pk]), {"post": "yes"}).status_code
        == 403
    )
    client.post(
        reverse("admin:trafficking_adset_changelist"),
        {"action": "delete_selected", "_selected_action": [ad_set.pk], "post": "yes"},
    )
    assert AdSet.objects.filter(pk=ad_set.pk).exists()


def test_ad_sets_are_written_on_the_tickets_page_and_their_errors_stand_there(world, client):
    client.force_login(world.planner)
    url = _change("trafficking_ticket", world.ticket.pk)
    new = {"ad_sets-TOTAL_FORMS": "2", "ad_sets-1-name": "Retargeting", "ad_sets-1-goal": "CLICKS", "ad_sets-1-budget": "250",
           "ad_sets-1-budget_type": "LIFETIME", "ad_sets-1-position": "1", "ad_sets-1-ticket": world.ticket.pk}  # fmt: skip
    bad = client.post(url, form_values(client.get(url), **{**new, "ad_sets-1-name": "Party 🎉"}))
    assert bad.status_code == 200 and "Use" in str(
        bad.context["inline_admin_formsets"][0].formset.errors[1]["name"]
    )
    twice = client.post(url, form_values(client.get(url), **{**new, "ad_sets-1-name": "Prospecting A"}))
    assert twice.status_code == 200 and "has that name" in _said(twice)
    good = client.post(url, form_values(client.get(url), **new))
    assert good.status_code == 302, _said(good)
    assert world.ticket.ad_sets.count() == 2
    gone = client.post(url, form_values(client.get(url), **{"ad_sets-1-DELETE": "on"}))
    assert gone.status_code == 302 and world.ticket.ad_sets.count() == 1


def test_keywords_and_lists_are_written_as_people_write_them(world, client):
    client.force_login(world.planner)
    row = world.ticket.ad_sets.get()
    url = _change("trafficking_adset", row.pk)
    words = '[moana film]\n"moana cinema"\nmoana'
    sent = form_values(
        client.get(url), keywords=words, languages="en, es", genders=["FEMALE"], geo="", dayparts=""
    )
    answer = client.post(url, sent)
    assert answer.status_code == 302, _said(answer)
    row.refresh_from_db()
    assert [(each["text"], each["match"]) for each in row.keywords] == [
        ("moana film", "EXACT"), ("moana cinema", "PHRASE"), ("moana", "BROAD"),
    ]  # fmt: skip
    assert (row.languages, row.genders, row.geo, row.dayparts) == (["en", "es"], ["FEMALE"], {}, [])
    assert client.get(url).context["adminform"].form["keywords"].value() == words
    bad = client.post(url, form_values(client.get(url), geo='{"country": "US"}'))
    assert "geo" in bad.context["adminform"].form.errors


def test_special_categories_are_stated_or_not_stated_never_both(world, client):
    client.force_login(world.planner)
    url = _change("trafficking_ticket", world.ticket.pk)
    both = client.post(url, form_values(client.get(url), special_ad_categories=["NONE", "HOUSING"]))
    assert "special_ad_categories" in both.context["adminform"].form.errors
    none = client.post(url, form_values(client.get(url), special_ad_categories=[]))
    assert none.status_code == 302 and Ticket.objects.get(pk=world.ticket.pk).special_ad_categories is None
    some = form_values(client.get(url), special_ad_categories=["HOUSING"], special_ad_category_countries="US")
    assert client.post(url, some).status_code == 302
    assert Ticket.objects.get(pk=world.ticket.pk).special_ad_categories == ["HOUSING"]


def test_deleting_what_is_in_use_is_refused_in_words(world, client):
    client.force_login(world.boss)
    for name, row in (("governance_brand", world.brand), ("campaigns_campaign", world.campaign)):
        url = reverse(f"admin:{name}_delete", args=[row.pk])
        assert client.get(url).status_code == 200
        answer = client.post(url, {"post": "yes"}, follow=True)
        assert answer.status_code in (200, 403)
        assert type(row).objects.filter(pk=row.pk).exists()
    many = {"action": "delete_selected", "_selected_action": [world.brand.pk], "post": "yes"}
    assert client.post(reverse("admin:governance_brand_changelist"), many, follow=True).status_code == 200
    assert Brand.objects.filter(pk=world.brand.pk).exists()


def test_a_campaign_without_tickets_is_deleted_with_its_names(world, client):
    from trafficking.tests.factories import make_campaign

    spare = make_campaign(name="Spare")
    client.force_login(world.planner)
    answer = client.post(reverse("admin:campaigns_campaign_delete", args=[spare.pk]), {"post": "yes"})
    assert answer.status_code == 302 and not Campaign.objects.filter(pk=spare.pk).exists()


def test_history_says_who_when_before_and_after(world, client):
    client.force_login(world.planner)
    url = _change("campaigns_campaign", world.campaign.pk)
    client.post(url, form_values(client.get(url), name="Moana Returns", budget="60000"))
    page = client.get(reverse("admin:campaigns_campaign_history", args=[world.campaign.pk]))
    newest = page.context["page_obj"].object_list[0]
    assert str(newest.history_user) == "planner"
    assert {"field": "name", "old": "Moana Launch", "new": "Moana Returns"} in newest.history_delta_changes
    assert {"field": "budget", "old": "50000", "new": "60000"} in newest.history_delta_changes
    assert "Moana Returns" in page.content.decode()
    ticket = Ticket.objects.get(pk=world.ticket.pk)
    assert submit_ticket(
        ticket=ticket, by=world.planner
    ).passed  # the names below have followed the campaign's
    page = client.get(reverse("admin:trafficking_ticket_history", args=[ticket.pk]))
    newest = page.context["page_obj"].object_list[0]
    assert {
        "field": "status",
        "old": "QA running",
        "new": "Ready, awaiting approval",
    } in newest.history_delta_changes
    assert newest.history_change_reason == "submitted"
    old = world.campaign.history.last()
    url = reverse("admin:campaigns_campaign_simple_history", args=[world.campaign.pk, old.history_id])
    assert client.get(url).status_code == 200
    assert client.post(url, {"name": "back door"}).status_code == 403


# --------------------------------------------------------------------------------------- convention


def test_another_convention_is_put_in_force_and_names_follow(world, client):
    before = NamingConvention.in_force_or_none()
    client.force_login(world.data_admin)
    sent = form_values(
        client.get(reverse("admin:governance_namingconvention_add")), separator=".",
        campaign_pattern="{market}.{brand}.{channel}.{name}", ad_set_pattern="{market}.{brand}.{channel}.{name}.{ad_set}",
        ad_pattern="{market}.{brand}.{channel}.{name}.{ad_set}.{ad}",
    )  # fmt: skip
    answer = client.post(reverse("admin:governance_namingconvention_add"), sent)
    assert answer.status_code == 302, _said(answer)
    new = NamingConvention.objects.order_by("-number").first()
    page = client.get(_change("governance_namingconvention", new.pk)).content.decode()
    assert "US.DIS.META.MoanaLaunch" in page
    url = reverse("admin:governance_namingconvention_put_in_force", args=[new.pk])
    assert client.get(url).status_code == 200 and NamingConvention.in_force_or_none() == before
    assert client.post(url).status_code == 302
    assert NamingConvention.in_force_or_none() == new
    assert world.campaign.channel_names.get().governed_name == "US.DIS.META.MoanaLaunch"
    client.force_login(world.planner)
    assert client.post(
        reverse("admin:governance_namingconvention_put_in_force", args=[before.pk])
    ).status_code in (302, 403)
    assert NamingConvention.in_force_or_none() == new


def test_an_ambiguous_convention_is_refused_at_its_field(world, client):
    client.force_login(world.data_admin)
    sent = form_values(
        client.get(reverse("admin:governance_namingconvention_add")), allowed_characters="A-Za-z0-9_"
    )
    answer = client.post(reverse("admin:governance_namingconvention_add"), sent)
    assert "allowed_characters" in answer.context["adminform"].form.errors


def test_a_days_format_is_the_persons(world, client):
    client.force_login(world.planner)
    listed = client.get(
        reverse("admin:campaigns_campaign_changelist"), headers={"accept-language": "de"}
    ).content.decode()
    assert "50.000,00" in listed
    flight = format_interval(world.campaign.start_on, world.campaign.end_on, "yMMMd", locale="de")
    assert " ".join(flight.split()) in " ".join(listed.split())  # some of its spaces do not break


def test_times_are_shown_in_the_persons_zone(world, client):
    world.planner.time_zone = "Asia/Tokyo"
    world.planner.save()
    client.force_login(world.planner)
    page = client.get(_change("campaigns_campaign", world.campaign.pk)).content.decode()
    made = world.campaign.created_at
    assert date_format(made.astimezone(ZoneInfo("Asia/Tokyo")), "DATETIME_FORMAT") in page
    assert date_format(made, "DATETIME_FORMAT") not in page


def test_findings_of_a_failed_qa_stand_on_the_tickets_page(world, client):
    row = world.ticket.ad_sets.get()
    row.geo = {}
    row.save()
    report = submit_ticket(ticket=Ticket.objects.get(pk=world.ticket.pk), by=world.planner)
    assert not report.passed
    client.force_login(world.planner)
    words = client.get(_change("trafficking_ticket", world.ticket.pk)).content.decode()
    assert (
        "No location is targeted." in words
        and "Enter at least one country" in words
        and "ad_sets[0].geo" in words
    )


def test_the_plan_stands_on_the_tickets_page(world, client):
    ticket = submitted(world)
    client.force_login(world.approver)
    words = client.get(_change("trafficking_ticket", ticket.pk)).content.decode()
    assert ticket.digest[:12] in words and "Exact JSON" in words
