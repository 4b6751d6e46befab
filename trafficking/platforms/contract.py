"""The test suite that every platform inherits: what the engine and QA rely on, whatever the platform.

class TestMeta(PlatformContract):
    platform = PLATFORM
    sandbox_class = MetaSandbox

    def ticket(self) -> TicketSnapshot: ...  # a whole tree that QA would pass, of two ad sets at least
"""

from __future__ import annotations

import copy
import dataclasses
import json
from abc import abstractmethod
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import jsonschema_rs
import pytest
import requests
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from governance.findings import blocking
from trafficking.platforms import base, changes
from trafficking.platforms.sandbox_base import Fault, InProcess, Sandbox

_amounts = st.decimals(min_value=100, max_value=900, places=0).map(lambda value: Decimal(int(value)))

URL = "http://sandbox.invalid"
SECRET = "s3cret-never-to-be-seen"  # noqa: S105
OWN_LIFE = ("campaign", "ad_set", "ad")


class PlatformContract:
    platform: ClassVar[base.Platform]
    sandbox_class: ClassVar[type[Sandbox]]

    @abstractmethod
    def ticket(self) -> base.TicketSnapshot: ...

    @pytest.fixture
    def sandbox(self) -> Sandbox:
        return self.sandbox_class()

    @pytest.fixture
    def client(self, sandbox: Sandbox) -> base.Client:
        session = requests.Session()
        session.trust_env = False
        session.mount(URL, InProcess(sandbox))
        credentials = dict.fromkeys(self.platform.sandbox_credentials, SECRET)
        return self.platform.client(base.Connection(URL, self.ticket().account, credentials), session)

    def operations(self) -> tuple[base.Operation, ...]:
        return self.platform.compile(self.ticket()).operations

    def deploy(self, client: base.Client) -> dict[str, str]:
        ids: dict[str, str] = {}
        for operation in self.operations():
            outcome = client.apply(operation, ids)
            assert isinstance(outcome, base.Applied), outcome
            ids.update(outcome.external_ids)
        return ids

    # ------------------------------------------------------------------------------------ compile

    def test_a_whole_tree_compiles_without_blocking_findings(self) -> None:
        compiled = self.platform.compile(self.ticket())
        assert blocking(compiled.findings) == []
        assert self.platform.check(compiled.operations) == []

    def test_compiling_is_pure(self) -> None:
        ticket = self.ticket()
        before = copy.deepcopy(ticket)
        first, second = self.platform.compile(ticket), self.platform.compile(ticket)
        assert first == second
        assert ticket == before

    def test_every_object_has_one_ref_and_parents_come_first(self) -> None:
        known: set[str] = set()
        for operation in self.operations():
            assert set(operation.parents) <= known
            refs = [each.ref for each in operation.objects]
            assert refs
            assert not known & set(refs)
            assert len(refs) == len(set(refs))
            known |= set(refs)
        intents = [
            each.intent for op in self.operations() for each in op.objects if each.type in ("ad_set", "ad")
        ]
        ticket = self.ticket()
        expected = [s.intent_id for s in ticket.ad_sets] + [
            ad.intent_id for s in ticket.ad_sets for ad in s.ads
        ]
        assert sorted(intents) == sorted(expected)

    def test_operations_survive_storing(self) -> None:
        for operation in self.operations():
            stored = json.loads(json.dumps(operation.as_dict()))
            assert base.Operation.from_dict(stored) == operation
        digests = {self._digest(self.operations()), self._digest(self.operations())}
        assert len(digests) == 1

    def test_the_digest_follows_what_is_sent_and_where(self) -> None:
        operations = self.operations()
        renamed = dataclasses.replace(self.ticket(), name=self.ticket().name + "X")
        assert self._digest(self.platform.compile(renamed).operations) != self._digest(operations)
        assert base.plan_digest(self.platform.key, "v0", "1", operations) != self._digest(operations)

    def _digest(self, operations: Any) -> str:
        return base.plan_digest(self.platform.key, self.platform.api_version, "1", operations)

    def test_sources_point_into_the_body(self) -> None:
        for operation in self.operations():
            for pointer in operation.sources:
                _at(operation.body, pointer)

    def test_no_stand_in_is_left_once_ids_are_bound(self) -> None:
        for operation in self.operations():
            ids = {ref: f"id-{at}" for at, ref in enumerate(operation.parents)}
            text = json.dumps(operation.bound_body(ids))
            assert not any(base.stand_in(ref) in text for ref in operation.parents)

    def test_an_unbuilt_campaign_and_an_empty_ticket_are_findings(self) -> None:
        for change in ({"request_type": "UPDATE"}, {"ad_sets": ()}, {"special_ad_categories": None}):
            compiled = self.platform.compile(dataclasses.replace(self.ticket(), **change))
            assert blocking(compiled.findings), change

    def test_every_finding_has_words(self) -> None:
        bare = dataclasses.replace(
            self.ticket(), ad_sets=(), special_ad_categories=None, political="UNSTATED"
        )
        for finding in self.platform.compile(bare).findings:
            message = self.platform.messages[finding.code]
            assert message.text
            assert message.remedy

    def test_a_body_that_does_not_fit_the_reference_is_found(self) -> None:
        first = self.operations()[0]
        broken = dataclasses.replace(first, body={"no_such_field": 1} if isinstance(first.body, dict) else [])
        assert self.platform.check([broken])

    @pytest.mark.parametrize("level", ["campaign", "ad_set", "ad"])
    def test_settings_of_each_level_have_a_closed_schema_that_stands_alone(
        self, level: base.ConfigLevel
    ) -> None:
        schema = self.platform.config_schema_for(level)
        validator = jsonschema_rs.validator_for(dict(schema))
        assert schema["properties"]
        assert validator.is_valid({})
        assert not validator.is_valid({"no_such_option": 1})
        assert not validator.is_valid([])

    def test_settings_of_a_ticket_are_those_of_the_campaign(self) -> None:
        assert self.platform.config_schema_for("campaign") == self.platform.config_schema

    def test_money_is_exact_or_refused(self) -> None:
        for currency in ("USD", "EUR", "JPY"):
            unit = self.platform.currency_unit(currency)
            assert unit is not None
            assert base.in_units(Decimal("0.1") * 3 * 100, unit) is not None
        assert self.platform.currency_unit("XXX") is None

    # ------------------------------------------------------------------------------------- client

    def test_the_tree_is_there_once_and_all_of_it_paused(self, client: base.Client) -> None:
        ids = self.deploy(client)
        for operation in self.operations():
            for each in operation.objects:
                assert ids[each.ref]
                if each.type in OWN_LIFE:
                    live = client.read(each.type, ids[each.ref])
                    assert isinstance(live, base.ReadBack)
                    assert live.paused is True
                    assert live.name in (each.name, None)

    def test_pausing_what_is_paused_is_harmless(self, client: base.Client) -> None:
        ids = self.deploy(client)
        assert isinstance(client.set_status("campaign", ids["campaign"], "PAUSED"), base.Applied)

    # ------------------------------------------------------------------------------ what is built

    def held(self, client: base.Client, ids: dict[str, str]) -> list[base.Held]:
        """What the house would know after a proof: applied as wanted, live as read."""
        lives = {(each.type, each.external_id): each for each in self.tree(client, ids)}
        objects = {each.ref: each for op in self.operations() for each in op.objects}
        held = []
        for wanted in self.platform.wanted(self.operations()):
            live = lives.get((wanted.type, ids[wanted.ref]))
            held.append(
                base.Held(
                    wanted.ref, wanted.type, ids[wanted.ref], wanted.name, objects[wanted.ref].intent, wanted.parent,
                    live.status if live else "", wanted.fields, live.fields if live else None,
                )
            )  # fmt: skip
        return held

    def tree(self, client: base.Client, ids: dict[str, str]) -> tuple[base.Live, ...]:
        lives = client.read_tree(ids["campaign"])
        assert isinstance(lives, tuple), lives
        return lives

    def carry_out(
        self, client: base.Client, operations: tuple[base.Operation, ...], ids: dict[str, str]
    ) -> None:
        for operation in operations:
            outcome = client.apply(operation, ids)
            assert isinstance(outcome, base.Applied), outcome
            ids.update(outcome.external_ids)

    def asked(self, **changes: Any) -> base.TicketSnapshot:
        return dataclasses.replace(self.ticket(), **changes)

    def test_everything_that_was_wanted_reads_back_as_wanted(self, client: base.Client) -> None:
        ids = self.deploy(client)
        lives = {(each.type, each.external_id): each for each in self.tree(client, ids)}
        wanted = self.platform.wanted(self.operations())
        assert {each.type for each in wanted} >= {"campaign", "ad_set", "ad"}
        for each in wanted:
            assert each.fields or each.type not in OWN_LIFE, each.ref
            assert changes.disagreements(each, lives[each.type, ids[each.ref]]) == []

    def test_every_wanted_field_comes_from_somewhere_in_the_ticket_or_says_nothing(self) -> None:
        sources = {
            source for each in self.platform.wanted(self.operations()) for source in each.sources.values()
        }
        assert any("budget" in source for source in sources)
        assert any(source.endswith("landing_page") for source in sources)

    def test_planning_again_what_is_built_plans_nothing(self, client: base.Client) -> None:
        ids = self.deploy(client)
        again = self.platform.compile(self.asked(request_type="UPDATE"), self.held(client, ids))
        assert again.operations == ()
        assert again.changes == ()
        assert [each.code for each in again.findings if each.blocking] == ["request.nothing"]

    def test_a_name_and_a_landing_page_change_in_place_and_then_nothing_is_left(
        self, client: base.Client
    ) -> None:
        ids = self.deploy(client)
        first = self.ticket().ad_sets[0]
        ad = dataclasses.replace(first.ads[0], landing_page="https://example.com/another")
        wish = self.asked(
            request_type="UPDATE",
            ad_sets=(
                dataclasses.replace(first, name=first.name + "X", ads=(ad, *first.ads[1:])),
                *self.ticket().ad_sets[1:],
            ),
        )
        plan = self.platform.compile(wish, self.held(client, ids))
        assert blocking(plan.findings) == []
        assert plan.operations
        assert self.platform.check(plan.operations) == []
        assert {each.kind for each in plan.changes} <= {"update", "learning"}
        assert all(each.before != each.after for each in plan.changes if each.field)
        self.carry_out(client, plan.operations, ids)
        lives = {(each.type, each.external_id): each for each in self.tree(client, ids)}
        whole = self.platform.compile(dataclasses.replace(wish, request_type="CREATE"))
        for each in self.platform.wanted(whole.operations):
            assert changes.disagreements(each, lives[each.type, ids[each.ref]]) == []

    def test_an_added_ad_set_is_all_that_is_sent(self, client: base.Client) -> None:
        whole = self.ticket()
        small = dataclasses.replace(whole, ad_sets=whole.ad_sets[:1])
        ids: dict[str, str] = {}
        operations = self.platform.compile(small).operations
        self.carry_out(client, operations, ids)
        lives = {(each.type, each.external_id): each for each in self.tree(client, ids)}
        held = [
            base.Held(
                each.ref, each.type, ids[each.ref], each.name, each.intent, each.parent, "PAUSED", each.fields,
                lives[each.type, ids[each.ref]].fields,
            )
            for each in self.platform.wanted(operations)
        ]  # fmt: skip
        plan = self.platform.compile(dataclasses.replace(whole, request_type="ADD"), held)
        assert blocking(plan.findings) == []
        made = {each.ref for op in plan.operations for each in op.objects if not each.external_id}
        assert not made & {each.ref for each in held}
        assert f"ad_set:{whole.ad_sets[1].intent_id}" in made
        ids |= {}
        self.carry_out(client, plan.operations, ids)
        types = [each.type for each in self.tree(client, ids)]
        assert types.count("ad_set") == len(whole.ad_sets)
        assert types.count("ad") == sum(len(each.ads) for each in whole.ad_sets)

    @pytest.mark.parametrize("kind", ["lose_answer", "truncate", "server_error_after_commit"])
    def test_a_change_that_was_done_without_an_answer_is_found(
        self, kind: str, client: base.Client, sandbox: Sandbox
    ) -> None:
        ids = self.deploy(client)
        held = self.held(client, ids)
        plan = self.platform.compile(self.asked(request_type="ACTIVATE"), held)
        for operation in plan.operations:
            assert isinstance(client.find(operation, ids), base.NotFound)
            sandbox.faults = [Fault(kind, match=operation.path)]
            assert isinstance(client.apply(operation, ids), base.InDoubt)
            assert isinstance(client.find(operation, ids), base.Applied)

    def test_it_is_activated_from_the_bottom_paused_at_the_top_and_archived(
        self, client: base.Client
    ) -> None:
        ids = self.deploy(client)
        order = [each.type for each in changes.tree_order(self.held(client, ids)) if each.type in OWN_LIFE]
        on = self.platform.compile(self.asked(request_type="ACTIVATE"), self.held(client, ids))
        assert [op.objects[0].type for op in on.operations] == order[::-1]
        self.carry_out(client, on.operations, ids)
        assert {each.status for each in self.tree(client, ids) if each.type in OWN_LIFE} == {"ACTIVE"}
        off = self.platform.compile(self.asked(request_type="PAUSE"), self.held(client, ids))
        assert [op.objects[0].type for op in off.operations] == ["campaign"]
        self.carry_out(client, off.operations, ids)
        (campaign,) = [each for each in self.tree(client, ids) if each.type == "campaign"]
        assert campaign.status == "PAUSED"
        away = self.platform.compile(self.asked(request_type="ARCHIVE"), self.held(client, ids))
        self.carry_out(client, away.operations, ids)
        assert isinstance(client.read_tree(ids["campaign"]), base.NotFound)
        assert isinstance(client.find(self.operations()[0], {}), base.NotFound)

    def test_one_ad_set_is_switched_alone(self, client: base.Client) -> None:
        ids = self.deploy(client)
        intent = self.ticket().ad_sets[0].intent_id
        plan = self.platform.compile(
            self.asked(request_type="ACTIVATE", scope=(intent,)), self.held(client, ids)
        )
        assert [op.objects[0].intent for op in plan.operations] == [intent]
        unknown = self.platform.compile(
            self.asked(request_type="PAUSE", scope=("nobody",)), self.held(client, ids)
        )
        assert [each.code for each in blocking(unknown.findings)] == ["request.unknown_scope"]

    def test_names_alone_change_by_a_rename(self, client: base.Client) -> None:
        ids = self.deploy(client)
        wish = self.asked(request_type="RENAME", name=self.ticket().name + "Y")
        plan = self.platform.compile(wish, self.held(client, ids))
        assert [(each.field, each.after) for each in plan.changes] == [("name", self.ticket().name + "Y")]
        assert self.platform.check(plan.operations) == []
        self.carry_out(client, plan.operations, ids)
        (campaign,) = [each for each in self.tree(client, ids) if each.type == "campaign"]
        assert campaign.name == self.ticket().name + "Y"

    def test_the_accounts_campaigns_are_listed_with_whether_they_run(self, client: base.Client) -> None:
        ids = self.deploy(client)
        everything, running = client.list_campaigns(), client.list_campaigns(active_only=True)
        assert isinstance(everything, tuple)
        assert [each.external_id for each in everything] == [ids["campaign"]]
        assert running == ()
        client.set_status("campaign", ids["campaign"], "ACTIVE")
        running = client.list_campaigns(active_only=True)
        assert isinstance(running, tuple)
        assert [each.external_id for each in running] == [ids["campaign"]]

    def test_a_healthy_account_passes_preflight_and_an_expired_token_does_not(
        self, client: base.Client, sandbox: Sandbox
    ) -> None:
        found = client.preflight()
        assert isinstance(found, tuple)
        assert [each.code for each in found if each.blocking] == []
        sandbox.faults = [Fault("expired_token", count=9)]
        assert isinstance(client.preflight(), base.NeedsAuth)

    def test_calls_above_the_accounts_limit_are_told_apart_and_counted(
        self, client: base.Client, sandbox: Sandbox
    ) -> None:
        sandbox.calls = 1
        assert isinstance(client.list_campaigns(), tuple | base.RetryLater)
        outcome = client.list_campaigns()
        assert isinstance(outcome, base.RetryLater)
        assert outcome.after is None or outcome.after > 0
        assert [each["refused"] > 0 for each in sandbox.counted.values()] == [True]

    def test_every_request_passes_the_gate(self, client: base.Client, sandbox: Sandbox) -> None:
        passed: list[int] = []
        client.before_call = lambda: passed.append(1)
        ids = self.deploy(client)
        client.read_tree(ids["campaign"])
        client.find(self.operations()[0], {})
        client.preflight()
        assert len(passed) == len([each for each in sandbox.requests if each["path"] != "/token"])

    def test_what_is_changed_behind_our_back_is_seen(self, client: base.Client, sandbox: Sandbox) -> None:
        ids = self.deploy(client)
        before = {(each.type, each.external_id): each.fields for each in self.tree(client, ids)}
        client.set_status("ad_set", ids[f"ad_set:{self.ticket().ad_sets[0].intent_id}"], "ACTIVE")
        for row in sandbox.store.rows():
            named = [key for key, value in row.items() if value == self.ticket().name and key[0] != "_"]
            sandbox.tamper(row["_kind"], row["id"], dict.fromkeys(named, "somebody else's"))
        after = self.tree(client, ids)
        assert any(
            each.name == "somebody else's" or each.fields != before[each.type, each.external_id]
            for each in after
        )
        assert any(each.status == "ACTIVE" for each in after if each.type == "ad_set")

    # --------------------------------------------------------------------------------- properties

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_whatever_is_applied_planning_again_plans_nothing(self, data: st.DataObject) -> None:
        """Random trees, then random changes of them: whatever the platform took, nothing is left to send."""
        sandbox = self.sandbox_class()
        client = self.connect(sandbox)
        first = self.edited(data, self.ticket())
        built = self.platform.compile(first)
        assume(not blocking(built.findings))
        ids: dict[str, str] = {}
        self.carry_out(client, built.operations, ids)
        held = self.applied(client, ids, built.operations)
        self.plans_nothing(first, held)
        second = dataclasses.replace(self.edited(data, first), request_type="UPDATE")
        change = self.platform.compile(second, held)
        assume(not [each for each in blocking(change.findings) if each.code != "request.nothing"])
        ids |= {f"old:{each.ref}": each.external_id for each in held}
        self.carry_out(client, change.operations, ids)
        whole = self.platform.compile(dataclasses.replace(second, request_type="CREATE"))
        self.plans_nothing(second, self.applied(client, ids, whole.operations))

    def plans_nothing(self, ticket: base.TicketSnapshot, held: list[base.Held]) -> None:
        again = self.platform.compile(dataclasses.replace(ticket, request_type="UPDATE"), held)
        assert again.changes == ()
        assert again.operations == ()

    def applied(
        self, client: base.Client, ids: dict[str, str], operations: tuple[base.Operation, ...]
    ) -> list[base.Held]:
        """As the house holds it after a proof; it would not be proved with a disagreement."""
        lives = {(each.type, each.external_id): each for each in self.tree(client, ids)}
        held = []
        for each in self.platform.wanted(operations):
            live = lives.get((each.type, ids[each.ref]))
            assert live is not None or each.type not in OWN_LIFE
            if live is not None:
                assert changes.disagreements(each, live) == []
            held.append(
                base.Held(
                    each.ref, each.type, ids[each.ref], each.name, each.intent, each.parent, live.status if live else "",
                    each.fields, live.fields if live else None,
                )
            )  # fmt: skip
        return held

    def connect(self, sandbox: Sandbox) -> base.Client:
        session = requests.Session()
        session.trust_env = False
        session.mount(URL, InProcess(sandbox))
        credentials = dict.fromkeys(self.platform.sandbox_credentials, SECRET)
        return self.platform.client(base.Connection(URL, self.ticket().account, credentials), session)

    def edited(self, data: st.DataObject, ticket: base.TicketSnapshot) -> base.TicketSnapshot:
        """Some of what people change: names, budgets, bids, flights, ages, genders, texts, landing pages."""
        draw = data.draw
        suffix = draw(st.sampled_from(["", "A", "B2"]))
        ad_sets = tuple(self._edited_ad_set(draw, each, suffix) for each in ticket.ad_sets)
        keep = (
            draw(st.integers(min_value=1, max_value=len(ad_sets)))
            if ticket is self.ticket()
            else len(ad_sets)
        )
        budget = ticket.budget and dataclasses.replace(ticket.budget, amount=draw(_amounts))
        return dataclasses.replace(ticket, name=ticket.name + suffix, budget=budget, ad_sets=ad_sets[:keep])

    def _edited_ad_set(self, draw: Any, ad_set: base.AdSetSnapshot, suffix: str) -> base.AdSetSnapshot:
        budget = ad_set.budget and dataclasses.replace(ad_set.budget, amount=draw(_amounts))
        end = ad_set.end and ad_set.end + timedelta(days=draw(st.integers(0, 5)))
        return dataclasses.replace(
            ad_set,
            name=ad_set.name + suffix,
            budget=budget,
            end=end,
            age_min=draw(st.sampled_from([ad_set.age_min, 18, 25])),
            genders=draw(st.sampled_from([ad_set.genders, ("FEMALE",), ()])),
            ads=tuple(self._edited_ad(draw, ad, suffix) for ad in ad_set.ads),
        )

    def _edited_ad(self, draw: Any, ad: base.AdSnapshot, suffix: str) -> base.AdSnapshot:
        page = draw(
            st.sampled_from([ad.landing_page, "https://example.com/a?b=c", "https://example.com/ü#x"])
        )
        texts = tuple(draw(st.sampled_from([text, text + "!", "Ein neuer Text"])) for text in ad.texts)
        return dataclasses.replace(ad, name=ad.name + suffix, landing_page=page, texts=texts)

    # --------------------------------------------------------------------------------- not there

    def test_what_is_not_there_is_not_found(self, client: base.Client) -> None:
        assert isinstance(client.find(self.operations()[0], {}), base.NotFound)
        assert isinstance(client.read("campaign", "999999999999"), base.NotFound)

    @pytest.mark.parametrize("kind", ["lose_answer", "truncate", "server_error_after_commit"])
    def test_what_was_done_without_an_answer_is_found(
        self, kind: str, client: base.Client, sandbox: Sandbox
    ) -> None:
        ids: dict[str, str] = {}
        for operation in self.operations():
            sandbox.faults = [Fault(kind, match=operation.path)]
            assert isinstance(client.apply(operation, ids), base.InDoubt)
            found = client.find(operation, ids)
            assert isinstance(found, base.Applied)
            assert set(found.external_ids) == {each.ref for each in operation.objects}
            ids.update(found.external_ids)

    @pytest.mark.parametrize(
        ("kind", "outcome"),
        [("throttle", base.RetryLater), ("expired_token", base.NeedsAuth), ("server_error", base.InDoubt),
         ("html", base.InDoubt), ("lose_request", base.InDoubt)],
    )  # fmt: skip
    def test_failures_are_told_apart(
        self, kind: str, outcome: type, client: base.Client, sandbox: Sandbox
    ) -> None:
        first = self.operations()[0]
        sandbox.faults = [Fault(kind, match=first.path)]
        assert isinstance(client.apply(first, {}), outcome)
        assert isinstance(client.find(first, {}), base.NotFound)
        assert isinstance(client.apply(first, {}), base.Applied)

    def test_nobody_listening_is_a_plain_retry(self) -> None:
        session = requests.Session()
        session.trust_env = False
        credentials = dict.fromkeys(self.platform.sandbox_credentials, SECRET)
        nowhere = base.Connection("http://127.0.0.1:9", self.ticket().account, credentials)
        outcome = self.platform.client(nowhere, session).apply(self.operations()[0], {})
        assert isinstance(outcome, base.RetryLater)

    @pytest.mark.parametrize("kind", ["", "throttle", "expired_token", "server_error", "html", "truncate"])
    def test_secrets_stay_in_the_headers(self, kind: str, client: base.Client, sandbox: Sandbox) -> None:
        sandbox.faults = [Fault(kind)] if kind else []
        first = self.operations()[0]
        outcome = client.apply(first, {})
        assert SECRET not in repr(outcome)
        assert SECRET not in repr(client.connection)
        assert SECRET not in json.dumps(first.as_dict())


def _at(body: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body
