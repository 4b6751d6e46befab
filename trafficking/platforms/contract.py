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
from decimal import Decimal
from typing import Any, ClassVar

import jsonschema_rs
import pytest
import requests

from governance.findings import blocking
from trafficking.platforms import base
from trafficking.platforms.sandbox_base import Fault, InProcess, Sandbox

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

    def test_another_request_type_and_an_empty_ticket_are_findings(self) -> None:
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
        assert isinstance(client.set_paused("campaign", ids["campaign"]), base.Applied)

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
