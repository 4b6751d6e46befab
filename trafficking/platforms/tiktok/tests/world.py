"""A sandbox, our client onto it, a clock between them, and what the house would remember."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import requests

from trafficking.platforms.base import (
    Account,
    Applied,
    Compiled,
    Connection,
    Held,
    Live,
    Media,
    Operation,
    TicketSnapshot,
)
from trafficking.platforms.sandbox_base import InProcess
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.sandbox import TikTokSandbox
from trafficking.platforms.tiktok.tests.builders import ACCOUNT, FILM, POSTER, ad, open_file

URL = "https://tiktok.sandbox"
NOW = 1_795_000_000.0  # 2026-11-18


class World:
    def __init__(self, account: Account = ACCOUNT, **settings: Any) -> None:
        self.now = NOW
        self.sandbox = TikTokSandbox(clock=lambda: self.now, **settings)
        self.sandbox.tamper("account", account.external_id, {"currency": account.currency})
        session = requests.Session()
        session.mount(URL, InProcess(self.sandbox))
        self.account = account
        self.client = PLATFORM.client(
            Connection(URL, account, {"access_token": "t"}, open_file=open_file), session
        )
        self.ids: dict[str, str] = {}
        self.applied: dict[str, Any] = {}  # ref -> Wanted

    def carry_out(self, operations: tuple[Operation, ...]) -> None:
        for operation in operations:
            outcome = self.client.apply(operation, self.ids)
            assert isinstance(outcome, Applied), (operation.ref, outcome)
            self.ids |= outcome.external_ids
            assert self.client.before_call is not None

    def build(self, ticket: TicketSnapshot) -> Compiled:
        compiled = PLATFORM.compile(replace(ticket, request_type="CREATE"))
        assert [each for each in compiled.findings if each.blocking] == []
        self.carry_out(compiled.operations)
        return compiled

    def lives(self) -> dict[str, Live]:
        tree = self.client.read_tree(self.ids["campaign"])
        assert isinstance(tree, tuple), tree
        refs = {each: ref for ref, each in self.ids.items()}
        return {refs[each.external_id]: each for each in tree}

    def held(self, ticket: TicketSnapshot) -> list[Held]:
        """After a proof: applied as the ticket wanted it, live as read; uploads by their ids."""
        lives = self.lives()
        operations = PLATFORM.compile(replace(ticket, request_type="CREATE")).operations
        tree = [
            Held(each.ref, each.type, self.ids[each.ref], each.name, each.intent, each.parent, lives[each.ref].status,
                 each.fields, lives[each.ref].fields)
            for each in PLATFORM.wanted(operations)
            if each.ref in lives
        ]  # fmt: skip
        files = [
            Held(ref, "media", each, "", "", "", "", {}) for ref, each in self.ids.items() if ref.startswith("media:")
        ]  # fmt: skip
        return tree + files

    def asked(self, before: TicketSnapshot, after: TicketSnapshot, request_type: str = "UPDATE") -> Compiled:
        return PLATFORM.compile(replace(after, request_type=request_type), self.held(before))


def film_ad(intent: str = "a1", **changes: Any) -> Any:
    """A video ad whose film and cover are files of ours."""
    return ad(intent, media=(Media("VIDEO", file=FILM), Media("THUMBNAIL", file=POSTER)), **changes)
