"""A plan sent to a sandbox in process, operation by operation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import requests

from trafficking.platforms.base import (
    Applied,
    Compiled,
    Connection,
    Held,
    Live,
    Operation,
    TicketSnapshot,
    Wanted,
)
from trafficking.platforms.changes import Disagreement, disagreements
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.client import MetaClient
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.builders import ACCOUNT
from trafficking.platforms.sandbox_base import Fault, InProcess

URL = "http://meta.test"
TOKEN = "EAAB-secret-token"


def client(sandbox: MetaSandbox, token: str = TOKEN, **credentials: str) -> MetaClient:
    session = requests.Session()
    session.mount(URL, InProcess(sandbox))
    return MetaClient(Connection(URL, ACCOUNT, {"access_token": token, **credentials}), session)


def deploy(sandbox: MetaSandbox, ticket: TicketSnapshot) -> dict[str, str]:
    """Send everything; external ids by ref."""
    made, ids = client(sandbox), {}
    for operation in PLATFORM.compile(ticket).operations:
        outcome = made.apply(operation, ids)
        assert isinstance(outcome, Applied), (operation.ref, outcome)
        ids.update(outcome.external_ids)
    return ids


def fault(kind: str, match: str = "", **more: Any) -> Fault:
    return Fault(kind, match, **more)


def call(
    sandbox: MetaSandbox, method: str, path: str, body: dict[str, Any] | None = None, token: str = TOKEN
) -> requests.Response:
    """A request made by hand, without our client: form fields with JSON inside."""
    session = requests.Session()
    session.mount(URL, InProcess(sandbox))
    data = None
    if body is not None:
        data = {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return session.request(method, URL + path, data=data, headers=headers)


def bound(operations: Sequence[Operation], ids: Mapping[str, str]) -> list[Operation]:
    """Operations as they were sent."""
    return [replace(each, body=each.bound_body(ids)) for each in operations]


def held_of(wanted: Sequence[Wanted], ids: Mapping[str, str], tree: Sequence[Live]) -> list[Held]:
    """What a ledger would hold after a deployment and a read."""
    seen = {each.external_id: each for each in tree}
    return [
        Held(
            ref=each.ref,
            type=each.type,
            external_id=ids[each.ref],
            name=each.name,
            intent=each.intent,
            parent=each.parent,
            status=seen[ids[each.ref]].status,
            applied=each.fields,
            live=seen[ids[each.ref]].fields,
        )
        for each in wanted
    ]


def tree_of(sandbox: MetaSandbox, campaign_id: str) -> tuple[Live, ...]:
    tree = client(sandbox).read_tree(campaign_id)
    assert isinstance(tree, tuple), tree
    return tree


@dataclass
class Built:
    """A ticket on a sandbox, with what a ledger would remember."""

    sandbox: MetaSandbox
    ids: dict[str, str]
    wanted: tuple[Wanted, ...]

    def tree(self) -> tuple[Live, ...]:
        return tree_of(self.sandbox, self.ids["campaign"])

    def held(self) -> list[Held]:
        return held_of(self.wanted, self.ids, self.tree())

    def plan(self, ticket: TicketSnapshot, request_type: str = "UPDATE") -> Compiled:
        return PLATFORM.compile(replace(ticket, request_type=request_type), self.held())

    def disagreements(self) -> list[Disagreement]:
        by_id = {each.external_id: each for each in self.tree()}
        return [bad for each in self.wanted for bad in disagreements(each, by_id[self.ids[each.ref]])]

    def apply(self, operations: Sequence[Operation], ticket: TicketSnapshot) -> None:
        """Send a plan and remember what it leaves behind; ids of what is replaced stand under "old:<ref>"."""
        for operation in operations:
            for each in operation.objects:
                if operation.action == "create" and each.ref in self.ids:
                    self.ids[f"old:{each.ref}"] = self.ids.pop(each.ref)
            outcome = client(self.sandbox).apply(operation, self.ids)
            assert isinstance(outcome, Applied), (operation.ref, outcome)
            assert isinstance(client(self.sandbox).find(operation, self._before(operation)), Applied)
            self.ids.update(outcome.external_ids)
        create = PLATFORM.compile(replace(ticket, request_type="CREATE")).operations
        self.wanted = PLATFORM.wanted(bound(create, self.ids))

    def _before(self, operation: Operation) -> dict[str, str]:
        made = {each.ref for each in operation.objects} if operation.action == "create" else set()
        return {ref: one for ref, one in self.ids.items() if ref not in made}


def built(ticket: TicketSnapshot, sandbox: MetaSandbox | None = None) -> Built:
    sandbox = sandbox or MetaSandbox()
    ids = deploy(sandbox, ticket)
    operations = PLATFORM.compile(ticket).operations
    return Built(sandbox, ids, PLATFORM.wanted(bound(operations, ids)))
