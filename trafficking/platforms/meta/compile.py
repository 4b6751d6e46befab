"""A ticket as Meta's operations: campaign, then per ad set the ad set, its creatives and ads; all paused.

Pure: values in, values out. A ticket that can't be said gives findings, never an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from trafficking.platforms.base import (
    AdSetSnapshot,
    AdSnapshot,
    Compiled,
    File,
    Operation,
    PlannedObject,
    TicketSnapshot,
    stand_in,
)  # fmt: skip
from trafficking.platforms.meta import campaign as campaign_level
from trafficking.platforms.meta import media
from trafficking.platforms.meta.ad_set import AdSetDraft, ad_set_body
from trafficking.platforms.meta.conversion_domain import conversion_domain
from trafficking.platforms.meta.creative import Scene, creative
from trafficking.platforms.meta.goals import Recipe, campaign_objective, recipe
from trafficking.platforms.meta.noted import Body, Noted
from trafficking.platforms.meta.reference import API_VERSION, CONFIG_SCHEMAS


def compile_ticket(ticket: TicketSnapshot) -> Compiled:
    """All operations of a CREATE ticket, uploads and parents first, and all findings."""
    noted = Noted()
    tree = _Tree(ticket, noted)
    tree.build()
    brought = media.uploads(account_path(ticket.account.external_id), list(tree.files))
    return Compiled((*brought, *tree.operations), tuple(noted.findings))


def account_path(external_id: str) -> str:
    """`/v26.0/act_123`, however the account's id is written."""
    return f"/{API_VERSION}/act_{external_id.removeprefix('act_')}"


@dataclass
class _Tree:
    """The operations as they grow; an object whose parent can't be said is left out, but still checked."""

    ticket: TicketSnapshot
    noted: Noted
    operations: list[Operation] = field(default_factory=list)
    config: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = ""
    files: dict[File, None] = field(default_factory=dict)  # those that bodies wait for, in their order

    @cached_property
    def _known_files(self) -> dict[str, File]:
        return media.files_by_stand_in(self.ticket)

    def build(self) -> None:
        before = self.noted.blocks
        self.config = self._config("campaign", self.ticket.config, "config")
        goals = {each.goal for each in self.ticket.ad_sets}
        self.outcome = campaign_objective(self.ticket.objective, goals) or ""
        body = campaign_level.campaign_body(self.noted, self.ticket, self.outcome, self.config)
        sendable = self.noted.blocks == before
        if sendable:
            self._add("campaign", "campaign", "campaigns", body, self.ticket.name, self.ticket.ticket_id)
        for number, ad_set in enumerate(self.ticket.ad_sets):
            self._ad_set(ad_set, f"ad_sets[{number}]", sendable)

    def _ad_set(self, ad_set: AdSetSnapshot, path: str, parent_sendable: bool) -> None:
        before = self.noted.blocks
        own = self._config("ad_set", ad_set.config, f"{path}.config")
        automatic = (
            {"advantage_audience": 1} if self.ticket.buying_type == campaign_level.ADVANTAGE_PLUS else {}
        )
        draft = self._draft(ad_set, path, {**automatic, **self.config.get("ad_set", {}), **own})
        body = ad_set_body(self.noted, draft)
        sendable = parent_sendable and self.noted.blocks == before
        if sendable:
            self._add(
                f"ad_set:{ad_set.intent_id}", "ad_set", "adsets", body, ad_set.name, ad_set.intent_id,
                {"/campaign_id": "campaign"},
            )  # fmt: skip
        if not ad_set.ads:
            self.noted.block("ad_set.no_ads", f"{path}.ads", name=ad_set.name)
        for number, ad in enumerate(ad_set.ads):
            self._ad(draft, ad, f"{path}.ads[{number}]", sendable)

    def _draft(self, ad_set: AdSetSnapshot, path: str, config: Mapping[str, Any]) -> AdSetDraft:
        return AdSetDraft(
            ticket=self.ticket,
            ad_set=ad_set,
            config=config,
            path=path,
            outcome=self.outcome,
            recipe=self._recipe(ad_set, config, path),
        )

    def _recipe(self, ad_set: AdSetSnapshot, config: Mapping[str, Any], path: str) -> Recipe:
        """How to say the goal; an empty recipe, with a finding, where Meta can't."""
        found = recipe(self.outcome, ad_set.goal, has_form=self._wants_form(ad_set, config))
        if found is not None:
            return found
        if not ad_set.goal:
            self.noted.block("goal.missing", f"{path}.goal")
        elif self.outcome:
            self.noted.block(
                "goal.unsupported", f"{path}.goal", goal=ad_set.goal, objective=self.ticket.objective
            )
        return Recipe("")

    def _wants_form(self, ad_set: AdSetSnapshot, config: Mapping[str, Any]) -> bool:
        defaults = self.config.get("ad", {})
        places = [config, defaults, *(ad.config for ad in ad_set.ads)]
        return any(isinstance(each, Mapping) and each.get("lead_gen_form_id") for each in places)

    def _ad(self, draft: AdSetDraft, ad: AdSnapshot, path: str, parent_sendable: bool) -> None:
        before = self.noted.blocks
        own = self._config("ad", ad.config, f"{path}.config")
        config = {**self.config.get("ad", {}), **own}
        media.check_files(self.noted, ad, path)
        body = creative(self.noted, self._scene(draft, ad, config, path))
        ad_body = self._ad_body(draft, ad, config, path)
        if body is None or not parent_sendable or self.noted.blocks != before:
            return
        creative_ref = f"creative:{ad.intent_id}"
        brought = dict(media.stand_ins(body.values, self._known_files))
        self.files |= {file: None for file in self._known_files.values() if file.ref in brought.values()}
        self._add(creative_ref, "creative", "adcreatives", body, body.values["name"], ad.intent_id, brought)
        bindings = {
            "/adset_id": f"ad_set:{draft.ad_set.intent_id}",
            "/creative/creative_id": creative_ref,
        }
        self._add(f"ad:{ad.intent_id}", "ad", "ads", ad_body, ad.name, ad.intent_id, bindings)

    def _scene(self, draft: AdSetDraft, ad: AdSnapshot, config: Mapping[str, Any], path: str) -> Scene:
        form_id = ""
        if draft.recipe.destination_type == "ON_AD":
            form_id = config.get("lead_gen_form_id") or draft.config.get("lead_gen_form_id", "")
            if not form_id:
                self.noted.block("ad.form_missing", f"{path}.config.lead_gen_form_id")
        return Scene(
            ticket=self.ticket,
            ad=ad,
            config=config,
            path=path,
            form_id=form_id,
            store_url=draft.store_url,
            goal=draft.recipe.optimization_goal,
        )

    def _ad_body(self, draft: AdSetDraft, ad: AdSnapshot, config: Mapping[str, Any], path: str) -> Body:
        body = Body()
        campaign_level.check_name(self.noted, ad.name, f"{path}.name")
        body.put("name", ad.name, f"{path}.name")
        body.put("adset_id", stand_in(f"ad_set:{draft.ad_set.intent_id}"))
        body.put("creative", {"creative_id": stand_in(f"creative:{ad.intent_id}")})
        body.put("status", "PAUSED")
        if draft.uses_pixel:
            domain = config.get("conversion_domain") or conversion_domain(ad.landing_page)
            if not domain and ad.landing_page:
                self.noted.block("ad.conversion_domain_missing", f"{path}.config.conversion_domain")
            source = "config.conversion_domain" if "conversion_domain" in config else "landing_page"
            body.put("conversion_domain", domain or None, f"{path}.{source}")
        return body

    def _config(self, level: str, config: Any, path: str) -> Mapping[str, Any]:
        """The options, if they fit the schema; none of them, with findings, if they don't."""
        if not config:
            return {}
        plain = dict(config) if isinstance(config, Mapping) else config
        problems = CONFIG_SCHEMAS[level].findings(plain, object_name=level, sources={})
        for problem in problems:
            place = path + "".join(f".{part}" for part in problem.params["pointer"].split("/") if part)
            self.noted.block("config.invalid", place, problem=problem.params["problem"])
        return {} if problems else plain

    def _add(
        self,
        ref: str,
        object_type: str,
        edge: str,
        body: Body,
        name: str,
        intent: str,
        bindings: Mapping[str, str] | None = None,
    ) -> None:
        self.operations.append(
            Operation(
                ref=ref,
                action="create",
                object_type=object_type,
                method="POST",
                path=f"{account_path(self.ticket.account.external_id)}/{edge}",
                body=body.values,
                objects=(PlannedObject(ref, object_type, name, intent),),
                bindings=bindings or {},
                sources=body.sources,
            )
        )
