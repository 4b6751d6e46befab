"""Built rules: the tree is judged as it reads, blocks at every door, voids approvals, and is tried before it runs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from governance import built_rules as services
from governance import rule_trees
from governance.models import BuiltRule, ExchangeRate, Grant
from governance.tests.factories import UserFactory
from omnitraffick.tests.admin_world import approved, form_values, make_world
from trafficking import built_rules, qa
from trafficking.models import Ticket
from trafficking.services import approve_ticket, approved_plan, submit_ticket
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db


def condition(field: str, op: str, *value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, **({"value": value[0]} if value else {})}


def group(match: str, *of: dict[str, Any]) -> dict[str, Any]:
    return {"match": match, "of": list(of)}


META = condition("platform", "in", ["meta"])


def draft(by: Any, *of: dict[str, Any], match: str = "all", **values: Any) -> BuiltRule:
    made = {"name": "House rule", "conditions": group(match, *of), "message": "Not on this platform.",
            "remedy": "Choose another channel.", **values}  # fmt: skip
    return services.save_rule(rule=BuiltRule(), by=by, values=made)


def switched_on(by: Any, *of: dict[str, Any], **values: Any) -> BuiltRule:
    rule = draft(by, *of, **values)
    built_rules.try_rule(rule=rule, by=by)
    return services.switch_on(rule=rule, by=by)


def told(ticket: Ticket) -> dict[str, tuple[str, str]]:
    found = qa.check_ticket(ticket).findings
    return {
        each.code: (each.field, each.severity) for each in found if each.code.startswith(("rule.", "qa.rule"))
    }


@pytest.fixture
def world() -> Any:
    return make_world()


# ---------------------------------------------------------------------------------------- evaluator

FIELDS = ("objective", "platform", "political")
leaf = st.builds(
    lambda field, op, value: condition(field, op, value),
    st.sampled_from(FIELDS), st.sampled_from(("in", "not_in")), st.lists(st.sampled_from("abc"), min_size=1, max_size=2),
)  # fmt: skip
trees = st.recursive(
    leaf, lambda inside: st.builds(lambda match, of: group(match, *of), st.sampled_from(("all", "any", "none")),
                                   st.lists(inside, min_size=1, max_size=4)), max_leaves=20,
)  # fmt: skip


def by_truth_table(node: dict[str, Any], values: dict[str, Any]) -> bool:
    """As a sum of truths: no short cut, no shared code."""
    if "of" in node:
        true = [by_truth_table(each, values) for each in node["of"]].count(True)
        return {"all": true == len(node["of"]), "any": true > 0, "none": true == 0}[node["match"]]
    inside = values[node["field"]] is not None and values[node["field"]] in node["value"]
    return inside is (node["op"] == "in")


@given(trees, st.fixed_dictionaries({field: st.sampled_from(["a", "b", "c", None]) for field in FIELDS}))
def test_a_tree_holds_exactly_where_its_truth_table_says(tree, values):
    assert rule_trees.holds(tree, values.__getitem__) is by_truth_table(tree, values)


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_wildcards_match_like_a_naive_matcher(pattern, text):
    def naive(text: str, pattern: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return naive(text, pattern[1:]) or bool(text and naive(text[1:], pattern))
        return bool(text) and pattern[0] in ("?", text[0]) and naive(text[1:], pattern[1:])

    assert rule_trees.like(text, pattern) is naive(text, pattern)


def test_a_wildcard_that_would_hang_a_regex_is_answered_at_once():
    assert rule_trees.like("a" * 20_000, "*a" * 100 + "b") is False


@pytest.mark.parametrize(
    ("tree", "at"),
    [
        ([], ""), ({"match": "all", "of": []}, ""), (META, ""), (group("some", META), ""),
        (group("all", condition("no_such", "in", ["x"])), "of[0]"),
        (group("all", condition("platform", "contains", "x")), "of[0]"),
        (group("all", condition("platform", "in", ["myspace"])), "of[0]"),
        (group("all", META, group("any", condition("days", "gt", "many"))), "of[1].of[0]"),
        (group("all", condition("budget_day", "gt", {"amount": "10", "currency": "XXX"})), "of[0]"),
        (group("all", condition("budget_day", "gt", "10")), "of[0]"),
        (group("all", condition("start", "between", ["2027-02-01", "2027-01-01"])), "of[0]"),
        (group("all", condition("name", "like", "x" * 201)), "of[0]"),
        (group("all", condition("name", "matches", ".*")), "of[0]"),
        (group("all", {**META, "sql": "drop"}), "of[0]"),
        (group("all", condition("days", "gt", "1e400")), "of[0]"),
        (group("all", condition("days", "gt", True)), "of[0]"),
        (group("all", group("all", group("all", group("all", group("all", group("all", META)))))), "of[0].of[0].of[0].of[0].of[0]"),
        ({"match": ["all"], "of": [META]}, ""), (group("all", condition(["x"], "in", ["x"])), "of[0]"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_its_place(tree, at):
    with pytest.raises(ValidationError) as refused:
        rule_trees.checked(tree)
    assert refused.value.error_dict["conditions"][0].params["at"] == at


# ------------------------------------------------------------------------------------ in the engine


def test_a_rule_that_is_on_blocks_and_a_draft_does_not(world):
    rule = draft(world.data_admin, META)
    assert not told(world.ticket)
    built_rules.try_rule(rule=rule, by=world.data_admin)
    services.switch_on(rule=rule, by=world.data_admin)
    assert told(world.ticket) == {f"rule.{rule.public_id}": ("channel", "block")}
    report = submit_ticket(ticket=world.ticket, by=world.planner)
    finding = next(each for each in report.findings if each.code.startswith("rule."))
    assert world.ticket.status == "QA_FAILED"
    assert finding.message == "Not on this platform. (rule “House rule”: platform is Meta)"
    assert finding.remedy == "Choose another channel."


def test_clean_refuses_a_ticket_that_was_ready_before_the_rule_came(world):
    ticket = approved(world)
    assert approved_plan(ticket)
    switched_on(world.data_admin, META)
    with pytest.raises(ValidationError, match="Not on this platform"):
        Ticket.objects.get(pk=ticket.pk).clean()


def test_a_warning_rule_voids_plans_that_were_approved_before(world):
    report = submit_ticket(ticket=world.ticket, by=world.planner)
    assert report.passed
    read = world.ticket.digest
    rule = switched_on(world.data_admin, META, effect="warn")
    assert qa.check_ticket(world.ticket).digest != read
    with pytest.raises(ValidationError):
        approve_ticket(ticket=world.ticket, by=world.approver, digest=read)
    services.switch_off(rule=rule, by=world.data_admin)
    assert qa.check_ticket(world.ticket).digest == read


def test_a_rule_for_another_brand_neither_speaks_nor_voids(world):
    before = qa.check_ticket(world.ticket).digest
    switched_on(world.data_admin, META, brands=[world.other_brand.pk])
    assert not told(world.ticket)
    assert qa.check_ticket(world.ticket).digest == before


def test_conditions_on_ad_sets_are_about_the_same_ad_set(world):
    ticket = make_ticket("META", campaign=make_campaign(name="Two"), ad_sets=2)
    first, second = ticket.ad_sets.order_by("position")
    first.age_min, second.age_min = 18, 25
    first.budget, second.budget = Decimal("100"), Decimal("900")
    first.save()
    second.save()
    ticket = Ticket.objects.get(pk=ticket.pk)
    dear = condition("ad_set.budget", "gt", {"amount": "500", "currency": "ACCOUNT"})
    switched_on(world.data_admin, condition("ad_set.age_min", "lt", "20"), dear, name="Both")
    assert not told(ticket)
    rule = switched_on(world.data_admin, condition("ad_set.age_min", "gte", "20"), dear, name="Second")
    assert told(ticket) == {f"rule.{rule.public_id}": ("ad_sets[1].budget", "block")}


def test_a_payload_field_is_read_from_what_the_platform_would_hold(world):
    rule = switched_on(world.data_admin, condition("meta.ad_set.optimization_goal", "in", ["LINK_CLICKS"]))
    assert told(world.ticket) == {f"rule.{rule.public_id}": ("ad_sets[0]", "block")}


@pytest.mark.parametrize("code", ["META", "TIKTOK", "GGLSEARCH"])
def test_every_field_can_be_read_of_every_platform(code):
    from governance import rule_fields
    from governance.models.rates import Rates
    from trafficking.rule_fields import Checked, subjects
    from trafficking.snapshots import ticket_snapshot

    ticket = make_ticket(code)
    checked = Checked(ticket, ticket_snapshot(ticket), Rates(ticket.start_on))
    read = {}
    for known in rule_fields.fields().values():
        for subject in subjects(checked, known.level):
            value = subject.value(known.key)
            if value not in (None, "", [], ()):
                read[known.key] = value
            for op in rule_trees.OPERATORS[known.kind]:
                if op in rule_trees.BARE:
                    rule_trees.condition_holds(known.kind, op, None, value)
    payload = [key for key in read if key.startswith(("meta.", "tiktok.", "google_ads."))]
    assert len(payload) >= 8, payload
    assert {key.split(".")[1] for key in payload} == {"campaign", "ad_set", "ad"}


def test_usd_without_a_rate_is_told_and_not_guessed(world):
    ExchangeRate.objects.all().delete()
    account = world.account
    type(account).objects.filter(pk=account.pk)
    ticket = Ticket.objects.select_related("ad_account").get(pk=world.ticket.pk)
    ticket.ad_account.currency = "SEK"
    rule = switched_on(world.data_admin, condition("budget_flight", "gt", {"amount": "1", "currency": "USD"}))
    codes = told(ticket)
    assert "qa.rule_undecided" in codes
    assert f"rule.{rule.public_id}" not in codes


def test_pausing_stays_possible_unless_the_rule_names_the_request(world):
    snapshot = built_rules.ticket_snapshot(world.ticket)
    paused = built_rules.replace(snapshot, request_type="PAUSE")
    assert not built_rules._may_be_asked(group("all", META), paused)
    assert built_rules._may_be_asked(group("all", condition("request_type", "in", ["PAUSE"])), paused)


# -------------------------------------------------------------------------------------- lifecycle


def test_a_rule_is_tried_as_it_stands_before_it_is_switched_on(world):
    rule = draft(world.data_admin, META)
    with pytest.raises(ValidationError, match="Try the rule first"):
        services.switch_on(rule=rule, by=world.data_admin)
    built_rules.try_rule(rule=rule, by=world.data_admin)
    services.save_rule(rule=rule, by=world.data_admin, values={"message": "Other words."})
    with pytest.raises(ValidationError, match="Try the rule first"):
        services.switch_on(rule=rule, by=world.data_admin)


def test_a_rule_that_is_on_keeps_running_while_its_next_version_is_written(world):
    rule = switched_on(world.data_admin, META)
    services.save_rule(
        rule=rule,
        by=world.data_admin,
        values={"conditions": group("all", condition("platform", "in", ["tiktok"]))},
    )
    assert rule.waiting
    assert told(world.ticket)
    built_rules.try_rule(rule=rule, by=world.data_admin)
    services.switch_on(rule=rule, by=world.data_admin)
    assert not told(world.ticket)


def test_an_earlier_version_is_taken_up_again_as_a_draft(world):
    rule = draft(world.data_admin, META)
    services.save_rule(rule=rule, by=world.data_admin, values={"conditions": group("none", META)})
    services.restore_version(rule=rule, by=world.data_admin, version=1)
    assert rule.conditions == group("all", META)
    assert (rule.status, rule.revision, rule.version) == ("DRAFT", 3, 3)


def test_a_trial_counts_and_shows_what_it_saw(world, django_assert_max_num_queries):
    for number in range(4):
        make_ticket("META", campaign=make_campaign(name=f"More {number}"), budget=str(100 * (number + 1)))
    dear = condition("budget_flight", "gte", {"amount": "300", "currency": "USD"})
    rule = draft(world.data_admin, dear)
    with django_assert_max_num_queries(14):
        trial = built_rules.try_rule(rule=rule, by=world.data_admin)
    assert (trial.seen, len(trial.hits)) == (5, 3)
    assert any("400" in value for _name, _label, value in trial.hits[0].matched)
    rule.refresh_from_db()
    assert (rule.tried_seen, rule.tried_hits, rule.tried, rule.version) == (5, 3, True, 1)


def test_a_trial_reads_only_what_the_person_reaches_and_stops_in_time(world):
    rule = draft(world.data_admin, META)
    assert built_rules.try_rule(rule=rule, by=world.outsider).seen == 0
    assert built_rules.try_rule(rule=rule, by=world.data_admin, seconds=-1).cut_short
    assert built_rules.try_rule(rule=rule, by=world.data_admin, most=1).seen == 1


# ------------------------------------------------------------------------------------------- reach


def test_a_data_admin_of_one_brand_writes_rules_for_that_brand_only(world):
    mine = draft(world.outsider, META, brands=[world.other_brand.pk], name="Mine")
    with pytest.raises(ValidationError):
        draft(world.outsider, META, name="For all")
    with pytest.raises(ValidationError):
        draft(world.outsider, META, brands=[world.brand.pk], name="Theirs")
    everyone = draft(world.data_admin, META, name="Everyone's")
    theirs = draft(world.data_admin, META, brands=[world.brand.pk], name="Their own")
    with pytest.raises(ValidationError):
        services.save_rule(rule=everyone, by=world.outsider, values={"brands": [world.other_brand.pk]})
    assert set(BuiltRule.objects.visible_to(world.outsider)) == {mine, everyone}
    assert theirs not in BuiltRule.objects.visible_to(world.outsider)
    with pytest.raises(PermissionDenied):
        draft(world.planner, META, name="Planner's")


def test_a_data_admin_of_one_market_reaches_rules_of_that_market(world):
    person = UserFactory(username="market", roles=["Data admin"])
    Grant.objects.create(user=person, market=world.market)
    rule = draft(person, META, markets=[world.market.pk])
    assert rule in BuiltRule.objects.visible_to(person)
    with pytest.raises(ValidationError):
        services.save_rule(rule=rule, by=person, values={"markets": []})


# ------------------------------------------------------------------------------------------- pages


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:governance_builtrule_{name}", args=args)


def test_a_rule_is_built_tried_and_switched_on_by_its_pages(client, world):
    client.force_login(world.data_admin)
    response = client.get(page("add"))
    tree = group("all", META, group("any", condition("days", "gt", "3"), condition("political", "empty")))
    values = form_values(response, name="Long ones", message="Too long.", conditions=json.dumps(tree))
    assert client.post(page("add"), values).status_code == 302
    rule = BuiltRule.objects.get()
    assert rule.conditions == tree
    shown = client.get(page("change", rule.pk)).content.decode()
    assert "days of the flight is more than 3" in shown
    assert client.get(page("try", rule.pk)).status_code == 403
    trial = client.post(page("try", rule.pk), {"most": "200"}).content.decode()
    assert "would have blocked 1 of 1 tickets" in trial
    client.post(page("on", rule.pk), {"read": "stale"})
    assert BuiltRule.objects.get().status == "DRAFT"
    client.post(page("on", rule.pk), {"read": rule.digest})
    assert BuiltRule.objects.get().status == "ON"
    assert told(world.ticket)
    client.post(page("off", rule.pk), {"read": rule.digest})
    assert not told(world.ticket)
    assert client.get(page("changelist")).status_code == 200
    assert "switched off" in client.get(page("history", rule.pk)).content.decode()


@pytest.mark.parametrize(
    "sent", ["", "[", "null", "[]", "{}", '{"match":"all","of":[{"field":"x"}]}', "[" * 5000, '"\\ud800"']
)
def test_whatever_is_sent_as_conditions_is_answered_in_words(client, world, sent):
    client.force_login(world.data_admin)
    values = form_values(client.get(page("add")), name="N", message="M", conditions=sent)
    response = client.post(page("add"), values)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["conditions"]
    assert client.post(page("said"), {"conditions": sent}).json()["wrong"]
    assert not BuiltRule.objects.exists()


def test_rules_and_choices_of_other_brands_are_not_there(client, world):
    rule = draft(world.data_admin, META, brands=[world.brand.pk])
    client.force_login(world.outsider)
    for name in ("try", "on", "off", "restore"):
        assert client.post(page(name, rule.pk), {"read": rule.digest}).status_code == 404
    assert client.get(page("change", rule.pk)).status_code == 302  # Django's way to say that it is not there
    assert rule.name not in client.get(page("changelist")).content.decode()
    found = client.get(page("offer"), {"field": "brand", "q": ""}).json()["found"]
    assert [each["value"] for each in found] == [str(world.other_brand.public_id)]
    client.force_login(UserFactory(username="nobody"))
    assert client.get(page("offer")).status_code in (302, 403)


def test_fields_are_found_by_any_of_their_words(client, world):
    client.force_login(world.data_admin)
    found = client.get(page("offer"), {"q": "meta optimization goal"}).json()["found"]
    assert "meta.ad_set.optimization_goal" in [each["value"] for each in found]
    assert client.get(page("offer"), {"q": ""}).json()["found"][0]["value"] == "brand"
