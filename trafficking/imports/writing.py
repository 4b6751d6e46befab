"""What a plan's lines do to what is there: new ones are built, changed drafts follow, the rest stays as it is.

A changed line changes only those fields that the plan had set and now sets otherwise: what people did to a draft
meanwhile is kept. Tickets that are on their way or deployed are never touched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns import rules as campaign_rules
from campaigns.models import Campaign, CampaignChannel, MediaPlan, MediaPlanLine
from campaigns.plans import LineRead
from governance import naming
from governance.access import Reach
from governance.findings import Finding
from governance.models import AdAccount, Channel, Market
from governance.models.aliases import alias_key
from governance.tables import Place
from trafficking.imports import progress
from trafficking.imports.creatives import CreativeRow, CreativeSheet
from trafficking.imports.fresh import (
    FreshCampaigns,
    Group,
    ad_findings,
    ad_set_values,
    column_of,
    config_findings,
    conversion_entry,
    group_findings,
    line_row,
    shared_budget,
    sheet_ticket_values,
    ticket_statements,
    total_budget,
    validation_findings,
)  # fmt: skip
from trafficking.imports.mapping import MappedLine, Reported, Vocabulary, Words
from trafficking.imports.results import LineResult, TicketResult, money_text
from trafficking.models import Ad, AdSet, Ticket
from trafficking.platforms.registry import platform
from trafficking.statuses import Status

#: Longer names were told when they were read.
MAX_NAME = 200
#: Parts of a line's content that decide what it may spend.
_MONEY = ("cost", "currency", "rate", "rate_to", "account")
#: Fields of a ticket that a plan or sheet may state.
_STATED = ("special_ad_categories", "special_ad_category_countries", "political")


class PlanWriter:
    """One import on its way into the database. Everything it finds is in `findings`; with a blocking one the
    caller rolls back."""

    def __init__(
        self,
        *,
        plan: MediaPlan,
        plan_currency: str,
        vocabulary: Vocabulary,
        sheet: CreativeSheet,
        reach: Reach,
        owner: Any,
    ) -> None:
        self.plan = plan
        self.plan_currency = plan_currency
        self.vocabulary = vocabulary
        self.sheet = sheet
        self.reach = reach
        self.owner = owner
        self.findings: list[Finding] = []
        self.lines: list[LineResult] = []
        self.tickets: dict[int, TicketResult] = {}
        self.ads = {"created": 0, "updated": 0, "unchanged": 0, "kept": 0}
        self._stored: dict[str, MediaPlanLine] = {}
        self._ad_sets: dict[Any, AdSet] = {}
        self._locked: dict[int, bool] = {}

    @property
    def broken(self) -> bool:
        return any(finding.blocking for finding in self.findings)

    def read_stored(self) -> None:
        """What earlier imports of this plan made."""
        if self.plan.pk is None:
            return
        lines = self.plan.lines.select_related("campaign__brand", "campaign__market", "channel")
        self._stored = {line.line_key: line for line in lines}
        campaigns = {line.campaign_id for line in self._stored.values()}
        intents = [line.ad_set_intent for line in self._stored.values() if line.ad_set_intent]
        if not intents:
            return
        parts = AdSet.objects.filter(
            ticket__campaign_id__in=campaigns, ticket__request_type=Ticket.RequestType.CREATE
        )
        related = parts.select_related(
            "ticket__campaign__brand", "ticket__campaign__market", "ticket__channel", "ticket__ad_account"
        )
        wanted = set(intents)
        self._ad_sets = {part.intent_id: part for part in related.order_by("id") if part.intent_id in wanted}
        outside = [
            c
            for c in {line.campaign for line in self._stored.values()}
            if not self.reach.covers(c.brand_id, c.market_id)
        ]
        if outside:
            self.findings.append(Finding("import.plan_elsewhere", params={"plan": self.plan.plan_key}))

    def check_unmapped(self, lines: Iterable[tuple[LineRead, Words]]) -> None:
        """What can be said of lines with errors besides those: their flights, names and ads."""
        assert self.vocabulary.convention is not None  # the service has refused the import without one
        rule = self.vocabulary.convention.as_rules()
        for line, words in lines:
            self._check_flight(line, words.market)
            shared = Place(path="campaign") if line.place.path else line.place
            if line.campaign and len(line.campaign) <= MAX_NAME:
                found = naming.name_part(rule, line.campaign)[1]
                self.findings += [
                    shared.moved(each, "name" if line.place.path else "campaign") for each in found
                ]
            if line.name and len(line.name) <= MAX_NAME:
                self._check_line_name(line, rule)
            for row in self.sheet.rows.get(line.key, ()):
                self.findings += _row_findings(row, words.channel, rule)

    def _check_flight(self, line: LineRead, market: Market | None) -> None:
        """A start that is stored already is a fact; a market that is not known yet has its latest possible zone."""
        stored = self._stored.get(line.key)
        fixed = stored and line.start and stored.source["content"]["start_on"] == line.start.isoformat()
        today = self.vocabulary.today(market) if market else (timezone.now() - timedelta(hours=12)).date()
        end = line.end or line.start  # a last day that can't be read was told
        found = campaign_rules.flight_findings(line.start, end, today=None if fixed else today)
        self.findings += [line.place.moved(each, column_of(line.place, each.field)) for each in found]

    def _check_line_name(self, line: LineRead, rule: naming.Convention) -> None:
        found = naming.name_part(rule, line.name, part="ad_set")[1]
        self.findings += [line.place.moved(each, column_of(line.place, "name")) for each in found]

    def write(
        self, mapped: Sequence[MappedLine], reported: Sequence[Reported], keys: set[str], *, check_only: bool
    ) -> None:
        """`keys` are all line ids of the file, those with errors too. `check_only`: something is wrong already."""
        groups: dict[tuple[str, int, int], Group] = {}
        changed: list[tuple[MappedLine, MediaPlanLine]] = []
        new: list[MappedLine] = []
        for line in mapped:
            stored = self._stored.get(line.line.key)
            key = (alias_key(line.line.campaign), line.brand.pk, line.market.pk)
            groups.setdefault(key, Group(line.line.campaign, line.brand, line.market)).lines.append(line)
            if stored is not None and stored.content_hash == line.content_hash:
                continue
            (changed.append((line, stored)) if stored is not None else new.append(line))
            self._check_flight(line.line, line.market)
        for group in groups.values():
            self.findings += group_findings(group)
        self._write_groups(groups, changed, new, check_only=check_only)
        self._report(mapped, reported, keys)

    def _write_groups(
        self, groups: dict[tuple[str, int, int], Group], changed: list[tuple[MappedLine, MediaPlanLine]],
        new: list[MappedLine], *, check_only: bool,
    ) -> None:  # fmt: skip
        campaigns = self._campaigns_of(groups, changed)
        fresh = [group for key, group in groups.items() if key not in campaigns]
        builder = FreshCampaigns(self.vocabulary, self.sheet, self.plan, self.plan_currency, self.owner)
        builder.build(fresh)
        self.findings += builder.findings
        builder.findings = []
        for at, (ticket, line) in enumerate(builder.write(check_only=check_only or self.broken)):
            progress.say("building", at, len(new))
            self._note_ticket(ticket, "created")
            self._note(line, "created", ticket)
        self.findings += builder.findings
        self.ads["created"] += builder.ads_created
        by_key = {id(line): stored for line, stored in changed}
        added = {id(line) for line in new}
        for key, campaign in campaigns.items():
            lines = groups[key].lines
            moves = [(line, by_key[id(line)]) for line in lines if id(line) in by_key]
            self._update(
                campaign,
                groups[key],
                moves,
                [line for line in lines if id(line) in added],
                check_only=check_only,
            )

    # ------------------------------------------------------------------------- which campaign is whose

    def _campaigns_of(
        self, groups: dict[tuple[str, int, int], Group], changed: list[tuple[MappedLine, MediaPlanLine]]
    ) -> dict[tuple[str, int, int], Campaign]:
        """Groups whose campaign exists: by what earlier imports wrote, or renamed as a whole."""
        known: dict[tuple[str, int, int], Campaign] = {}
        for stored in self._stored.values():
            content = stored.source["content"]
            known[alias_key(content["campaign"]), content["brand"], content["market"]] = stored.campaign
        found = {key: known[key] for key in groups if key in known}
        for line, stored in changed:
            before, after = stored.source["content"], line.content
            if any(before[name] != after[name] for name in ("brand", "market", "channel")):
                self._refuse_move(line, stored)
            elif alias_key(before["campaign"]) != alias_key(after["campaign"]):
                self._rename(line, stored, groups, found)
        return found

    def _rename(
        self, line: MappedLine, stored: MediaPlanLine, groups: dict[tuple[str, int, int], Group],
        found: dict[tuple[str, int, int], Campaign],
    ) -> None:  # fmt: skip
        """A campaign may be renamed if all its lines say so and none of them is beyond editing."""
        key = (alias_key(line.line.campaign), line.brand.pk, line.market.pk)
        if key in found and found[key].pk == stored.campaign_id:
            return
        siblings = {each.line_key for each in self._stored.values() if each.campaign_id == stored.campaign_id}
        renamed = {each.line.key for each in groups[key].lines}
        if (
            key in found
            or not siblings <= renamed
            or any(self._is_locked(self._stored[each]) for each in siblings)
        ):
            self._refuse_move(line, stored)
        else:
            found[key] = stored.campaign

    def _refuse_move(self, line: MappedLine, stored: MediaPlanLine) -> None:
        before = f"{stored.campaign.name} ({stored.campaign.brand.code}, {stored.campaign.market.code}, {stored.channel.code})"
        after = f"{line.line.campaign} ({line.brand.code}, {line.market.code}, {line.channel.code})"
        column = "id" if line.line.place.path else "line"
        self.findings.append(
            line.line.place.block("import.line_moved", column, line=line.line.key, before=before, after=after)
        )

    def _is_locked(self, stored: MediaPlanLine) -> bool:
        ad_set = self._ad_sets.get(stored.ad_set_intent)
        return ad_set is None or self._ticket_locked(ad_set.ticket)

    def _ticket_locked(self, ticket: Ticket) -> bool:
        if ticket.pk not in self._locked:
            self._locked[ticket.pk] = not ticket.editable or ticket.platform_objects.exists()
        return self._locked[ticket.pk]

    # ----------------------------------------------------------------------------------------- updates

    def _update(
        self, campaign: Campaign, group: Group, moves: list[tuple[MappedLine, MediaPlanLine]], new: list[MappedLine],
        *, check_only: bool,
    ) -> None:  # fmt: skip
        tickets = {t.channel_id: t for t in self._tickets_of(campaign)}
        kept = {id(line) for line, stored in moves if self._is_locked(stored)}
        kept |= {id(line) for line in new if (t := tickets.get(line.channel.pk)) and self._ticket_locked(t)}
        for line, stored in moves:
            if id(line) in kept:
                self._keep(line, stored)
        for line in new:
            if id(line) in kept:
                status = tickets[line.channel.pk].get_status_display()
                self.findings.append(
                    line.line.place.warn(
                        "import.not_added", self._line_column(line), line=line.line.key, status=status
                    )
                )
                self._note(line, "kept", tickets[line.channel.pk])
        moves = [(line, stored) for line, stored in moves if id(line) not in kept]
        new = [line for line in new if id(line) not in kept]
        changed = {id(line) for line, _stored in moves} | {id(line) for line in new} | kept
        unchanged = [line for line in group.lines if id(line) not in changed]
        for line in unchanged:
            self._note(line, "unchanged", tickets.get(line.channel.pk))
        self._check_changes([*(line for line, _stored in moves), *new], unchanged)
        if check_only or self.broken:
            return
        try:
            if moves or new:
                self._apply(campaign, group, moves, new, tickets)
            self._apply_sheet(group, tickets)
        except ValidationError as error:
            place = (moves[0][0] if moves else new[0] if new else group.lines[0]).line.place
            self.findings += validation_findings(error, place)

    def _check_changes(self, changed: list[MappedLine], unchanged: list[MappedLine]) -> None:
        """What the models would refuse one by one, told at once with its row."""
        assert self.vocabulary.convention is not None  # the service has refused the import without one
        rule = self.vocabulary.convention.as_rules()
        for line in changed:
            self._check_line_name(line.line, rule)
        for line in (*changed, *unchanged):
            for row in self.sheet.rows.get(line.line.key, ()):
                if line.line.key not in self._stored or self._is_news(line.line.key, row):
                    self.findings += _row_findings(row, line.channel, rule)

    def _tickets_of(self, campaign: Campaign) -> Iterable[Ticket]:
        found = campaign.tickets.filter(request_type=Ticket.RequestType.CREATE).exclude(
            status=Status.CANCELLED
        )
        return found.select_related("campaign__brand", "campaign__market", "channel", "ad_account")

    def _line_column(self, line: MappedLine) -> str:
        return "id" if line.line.place.path else "line"

    def _keep(self, line: MappedLine, stored: MediaPlanLine) -> None:
        ad_set = self._ad_sets.get(stored.ad_set_intent)
        status = str(ad_set.ticket.get_status_display()) if ad_set else "gone"
        self.findings.append(
            line.line.place.warn("import.kept", self._line_column(line), line=line.line.key, status=status)
        )
        self._note(line, "kept", ad_set.ticket if ad_set else None)

    def _apply(
        self, campaign: Campaign, group: Group, moves: list[tuple[MappedLine, MediaPlanLine]], new: list[MappedLine],
        tickets: dict[int, Ticket],
    ) -> None:  # fmt: skip
        contents = self._contents(campaign, moves, new)
        names_before = self._save_campaign(campaign, group, moves, new, contents)
        for channel_id in {line.channel.pk for line, _ in moves} | {line.channel.pk for line in new}:
            mine = [(line, stored) for line, stored in moves if line.channel.pk == channel_id]
            fresh = [line for line in new if line.channel.pk == channel_id]
            self._save_ticket(campaign, channel_id, mine, fresh, tickets)
        if names_before != self._names(campaign):
            self._save_names_below(campaign)

    def _contents(
        self, campaign: Campaign, moves: list[tuple[MappedLine, MediaPlanLine]], new: list[MappedLine]
    ) -> dict[str, tuple[dict[str, Any], Decimal, str]]:
        """line id -> (content, amount, account currency), as they will be when this import is done."""
        found = {}
        for stored in self._stored.values():
            if stored.campaign_id == campaign.pk:
                account = self._account(stored.source["content"]["account"])
                ad_set = self._ad_sets.get(stored.ad_set_intent)
                amount = (
                    ad_set.budget if ad_set is not None and ad_set.budget else stored.cost_media * stored.rate
                )
                found[stored.line_key] = (stored.source["content"], amount, account.currency)
        for line in [*(line for line, _stored in moves), *new]:
            found[line.line.key] = (line.content, line.conversion.amount, line.account.currency)
        return found

    def _account(self, pk: int) -> AdAccount:
        for accounts in self.vocabulary.accounts.values():
            for account in accounts:
                if account.pk == pk:
                    return account
        return AdAccount.objects.get(pk=pk)

    def _names(self, campaign: Campaign) -> list[tuple[int, str]]:
        return sorted(campaign.channel_names.values_list("channel_id", "governed_name"))

    def _save_campaign(
        self, campaign: Campaign, group: Group, moves: list[tuple[MappedLine, MediaPlanLine]], new: list[MappedLine],
        contents: dict[str, tuple[dict[str, Any], Decimal, str]],
    ) -> list[tuple[int, str]]:  # fmt: skip
        before = self._names(campaign)
        values: dict[str, Any] = {}
        if new or _any_differs(moves, (*_MONEY,)):
            total = total_budget(
                [c for c, _, _ in contents.values()],
                campaign.currency,
                self.vocabulary,
                [(a, b) for _, a, b in contents.values()],
            )
            if total is not None:
                values["budget"] = total
        if new or _any_differs(moves, ("start_on", "end_on")):
            days = [ad_set_values(content) for content, _, _ in contents.values()]
            values |= {"start_on": min(d["start_on"] for d in days), "end_on": max(d["end_on"] for d in days)}
        if _any_differs(moves, ("campaign",)):
            values["name"] = group.name
        if _any_differs(moves, ("objective",)):
            values["objective"] = group.lines[0].objective
        if _assign(campaign, values):
            campaign.save()
        for name in campaign.channel_names.filter(deployed_at__isnull=True).select_related("channel"):
            if {"name", "start_on", "objective"} & values.keys():
                name.campaign = campaign
                name.save()
        have = set(campaign.channel_names.values_list("channel_id", flat=True))
        for channel in {
            line.channel.pk: line.channel for line in new if line.channel.pk not in have
        }.values():
            CampaignChannel(campaign=campaign, channel=channel).save()
        return before

    def _save_ticket(
        self, campaign: Campaign, channel_id: int, moves: list[tuple[MappedLine, MediaPlanLine]], new: list[MappedLine],
        tickets: dict[int, Ticket],
    ) -> None:  # fmt: skip
        ticket, lines = tickets.get(channel_id), [*(line for line, _ in moves), *new]
        outcome = "updated"
        if ticket is None:
            outcome = "created"
            ticket = Ticket(campaign=campaign, channel=lines[0].channel, ad_account=lines[0].account, owner=self.owner,
                            start_on=min(each.line.start for each in lines), end_on=max(each.line.end for each in lines),
                            **ticket_statements(lines))  # fmt: skip
            ticket.save()
            tickets[channel_id] = ticket
        ticket.campaign = campaign
        others = self._other_ad_sets(ticket, [stored for _line, stored in moves])
        values: dict[str, Any] = {"ad_account": lines[0].account} if _any_differs(moves, ("account",)) else {}
        if new or _any_differs(moves, ("start_on", "end_on")):
            values["start_on"] = min(
                [*(each.line.start for each in lines), *(o.start_on or ticket.start_on for o in others)]
            )
            values["end_on"] = max(
                [*(each.line.end for each in lines), *(o.end_on or ticket.end_on for o in others)]
            )
        if _any_differs(moves, _STATED) or new:
            values |= ticket_statements(lines)
        if new or _any_differs(moves, _MONEY):
            values["budget_source"] = self._conversions(ticket, lines, moves)
            values |= self._campaign_level_budget(ticket, moves, new)
        if _assign(ticket, values) and outcome == "updated":
            ticket.save()
        for line, stored in moves:
            with self._told_at(line.line.place):
                self._move_line(line, stored, ticket)
        for line in new:
            with self._told_at(line.line.place):
                self._add_line(line, campaign, ticket)
        self._note_ticket(ticket, outcome)

    def _campaign_level_budget(
        self, ticket: Ticket, moves: list[tuple[MappedLine, MediaPlanLine]], new: list[MappedLine]
    ) -> dict[str, Any]:
        """Where the budget stands on the campaign as the sum of its lines, that sum follows."""
        before = {each.intent_id: each.budget or Decimal(0) for each in ticket.ad_sets.all()}
        after = {**before, **{stored.ad_set_intent: line.conversion.amount for line, stored in moves}}
        amounts = [*after.values(), *(line.conversion.amount for line in new)]
        if ticket.budget_level != Ticket.BudgetLevel.CAMPAIGN or ticket.budget is None:
            return shared_budget(ticket.channel.platform, amounts)
        if ticket.budget == sum(before.values()):
            return {"budget": sum(amounts, Decimal(0))}
        first = [*(line for line, _stored in moves), *new][0].line
        params = {"campaign": ticket.campaign.name, "channel": ticket.channel.code}
        self.findings.append(first.place.warn("import.campaign_budget_kept", "cost_media", **params))
        return {}

    @contextmanager
    def _told_at(self, place: Place) -> Iterator[None]:
        """A refusal of the models becomes a finding at the line that caused it."""
        try:
            yield
        except ValidationError as error:
            self.findings += validation_findings(error, place)

    def _other_ad_sets(self, ticket: Ticket, moving: list[MediaPlanLine]) -> list[AdSet]:
        intents = {stored.ad_set_intent for stored in moving}
        return [each for each in ticket.ad_sets.all() if each.intent_id not in intents]

    def _conversions(
        self, ticket: Ticket, lines: list[MappedLine], moves: list[tuple[MappedLine, MediaPlanLine]]
    ) -> dict[str, Any]:
        """Of all lines on the ticket: those of this import, and those that stay as they were."""
        from trafficking.imports.fresh import conversions_of

        entries = list(conversions_of(lines).get("conversions", []))
        here = {line.line.key for line in lines}
        for stored in self._stored.values():
            ad_set = self._ad_sets.get(stored.ad_set_intent)
            if ad_set is None or ad_set.ticket_id != ticket.pk or stored.line_key in here:
                continue
            if stored.rate_source and ad_set.budget is not None:
                entries.append(conversion_entry(
                    stored.cost_media, stored.cost_currency, stored.rate, stored.rate_source, ad_set.budget,
                    ticket.ad_account.currency,
                ))  # fmt: skip
        return {"conversions": entries} if entries else {}

    def _move_line(self, line: MappedLine, stored: MediaPlanLine, ticket: Ticket) -> None:
        """A line's changes, field by field, onto its ad set."""
        before, ad_set = stored.source["content"], self._ad_sets[stored.ad_set_intent]
        old, wanted = ad_set_values(before), ad_set_values(line.content)
        values = {name: value for name, value in wanted.items() if old[name] != value}
        if any(before[name] != line.content[name] for name in _MONEY):
            values["budget"] = line.conversion.amount
        ad_set.ticket = ticket
        renamed = "name" in values and values["name"] != ad_set.name
        if _assign(ad_set, values):
            ad_set.save()
        if renamed:
            for ad in ad_set.ads.select_related("ad_set__ticket__campaign"):
                ad.save()
        fresh = line_row(self.plan, line, stored.campaign, stored.ad_set_intent)
        for name in ("position", "cost_media", "cost_currency", "rate", "rate_source", "content_hash"):
            setattr(stored, name, getattr(fresh, name))
        stored.source = {**fresh.source, "creatives": stored.source.get("creatives", {})}
        stored.save()
        self._note(line, "updated", ticket)

    def _add_line(self, line: MappedLine, campaign: Campaign, ticket: Ticket) -> None:
        values = {**ad_set_values(line.content), **self.sheet.ad_set_values(line.line.key)}
        ad_set = AdSet(
            ticket=ticket, position=ticket.ad_sets.count(), budget=line.conversion.amount, **values
        )
        ad_set.save()
        row = line_row(self.plan, line, campaign, ad_set.intent_id)
        row.save()
        self._stored[line.line.key] = row
        self._ad_sets[ad_set.intent_id] = ad_set
        self._note(line, "created", ticket)

    def _save_names_below(self, campaign: Campaign) -> None:
        """Ad sets and ads carry the campaign's name in theirs."""
        for ticket in self._tickets_of(campaign):
            if self._ticket_locked(ticket):
                continue
            for ad_set in ticket.ad_sets.select_related("ticket__campaign", "ticket__channel"):
                ad_set.save()
                for ad in ad_set.ads.select_related("ad_set__ticket__campaign"):
                    ad.save()

    # --------------------------------------------------------------------------------- creative sheets

    def _apply_sheet(self, group: Group, tickets: dict[int, Ticket]) -> None:
        """Rows of the sheet that are new or changed since it was last imported."""
        for channel_id, lines in group.by_channel().items():
            ticket = tickets.get(channel_id)
            keys = [line.line.key for line in lines if line.line.key in self._stored]
            pending = [row for key in keys for row in self.sheet.rows.get(key, ()) if self._is_news(key, row)]
            self.ads["unchanged"] += sum(len(self.sheet.rows.get(key, ())) for key in keys) - len(pending)
            if ticket is None or not pending:
                continue
            if self._ticket_locked(ticket):
                self._keep_ads(ticket, pending)
                continue
            self._apply_rows(ticket, keys, pending)

    def _is_news(self, key: str, row: CreativeRow) -> bool:
        return self._stored[key].source.get("creatives", {}).get(row.ad) != row.digest

    def _keep_ads(self, ticket: Ticket, rows: list[CreativeRow]) -> None:
        self.ads["kept"] += len(rows)
        status = str(ticket.get_status_display())
        self.findings += [row.place.warn("creatives.kept", "ad", ad=row.ad, status=status) for row in rows]

    def _apply_rows(self, ticket: Ticket, keys: list[str], rows: list[CreativeRow]) -> None:
        values, found = sheet_ticket_values(self.sheet, keys)
        self.findings += found
        wrong = config_findings(ticket.channel.platform, values.get("payload_config"))
        self.findings += [rows[0].place.moved(each, "ticket_settings") for each in wrong]
        if self.broken:
            return
        fresh = Ticket.objects.select_related(
            "campaign__brand", "campaign__market", "channel", "ad_account"
        ).get(pk=ticket.pk)
        if _assign(fresh, values):
            fresh.save()
        by_line: dict[str, list[CreativeRow]] = defaultdict(list)
        for row in rows:
            by_line[row.line].append(row)
        for key, own in by_line.items():
            self._apply_line(self._stored[key], own, fresh)
        self._note_ticket(fresh, "updated")

    def _apply_line(self, stored: MediaPlanLine, rows: list[CreativeRow], ticket: Ticket) -> None:
        ad_set = self._ad_sets[stored.ad_set_intent]
        ad_set.ticket = ticket
        try:
            if _assign(ad_set, self.sheet.ad_set_values(stored.line_key)):
                ad_set.save()
            ads = {naming.name_key(ad.name): ad for ad in ad_set.ads.all()}
            for row in rows:
                self._apply_ad(ad_set, ads.get(naming.name_key(row.ad)), row, len(ads))
        except ValidationError as error:
            self.findings += validation_findings(error, rows[0].place)
            return
        known = {**stored.source.get("creatives", {}), **{row.ad: row.digest for row in rows}}
        stored.source = {**stored.source, "creatives": known}
        stored.save()

    def _apply_ad(self, ad_set: AdSet, ad: Ad | None, row: CreativeRow, position: int) -> None:
        outcome = "updated" if ad is not None else "created"
        ad = ad or Ad(name=row.ad, position=position)
        ad.ad_set = ad_set
        changed = _assign(ad, row.ad_values)
        if not changed and outcome == "updated":
            self.ads["unchanged"] += 1
            return
        try:
            ad.save()
        except ValidationError as error:
            self.findings += validation_findings(error, row.place)
            return
        self.ads[outcome] += 1

    # ---------------------------------------------------------------------------------------- reports

    def _note(self, mapped: MappedLine, outcome: str, ticket: Ticket | None) -> None:
        line, conversion = mapped.line, mapped.conversion
        self.lines.append(LineResult(
            line=line.key, position=line.position, name=line.name, outcome=outcome, campaign=line.campaign,
            channel=mapped.channel.code, ticket=str(ticket.public_id) if ticket else "",
            original=money_text(line.cost, line.currency), budget=money_text(conversion.amount, mapped.account.currency),
            rate=money_text(conversion.rate, "").strip() if conversion.source else "", rate_source=conversion.source,
        ))  # fmt: skip
        if ticket is not None and ticket.pk is not None and ticket.pk not in self.tickets:
            self._note_ticket(ticket, "unchanged")

    def _note_ticket(self, ticket: Ticket, outcome: str) -> None:
        if ticket.pk is None:
            return
        known = self.tickets.get(ticket.pk)
        if known is None:
            known = self.tickets[ticket.pk] = TicketResult(
                ticket.pk, str(ticket.public_id), "", ticket.channel.platform, ticket.status, outcome
            )
        known.status = ticket.status
        if known.outcome == "unchanged":
            known.outcome = outcome

    def _report(self, mapped: Sequence[MappedLine], reported: Sequence[Reported], keys: set[str]) -> None:
        for each in reported:
            line = each.line
            self.lines.append(LineResult(
                line=line.key, position=line.position, name=line.name, outcome="reported", campaign=line.campaign,
                original=money_text(line.cost, line.currency), note=each.text,
            ))  # fmt: skip
        self.lines.sort(key=lambda result: result.position)
        if any(each.code == "import.plan_elsewhere" for each in self.findings):
            return  # whose lines these are is not for this person to know
        gone = sorted((set(self._stored) - keys) | (set(self._stored) & {each.line.key for each in reported}))
        self.findings += [Finding("import.gone", "", "warn", {"line": key}) for key in gone]
        self._check_sheet_lines(
            {line.line.key for line in mapped}, {each.line.key for each in reported}, keys
        )

    def _check_sheet_lines(self, mapped: set[str], reported: set[str], keys: set[str]) -> None:
        from difflib import get_close_matches

        for key, rows in self.sheet.rows.items():
            if key in reported:
                self.findings += [row.place.warn("creatives.line_not_here", "line", line=key) for row in rows]
            elif key not in keys:
                near = get_close_matches(key, list(keys), n=1)
                words = f" Perhaps {near[0]}." if near else ""
                self.findings += [
                    row.place.block("creatives.unknown_line", "line", line=key, suggestion=words)
                    for row in rows
                ]


def _row_findings(row: CreativeRow, channel: Channel | None, rule: naming.Convention) -> list[Finding]:
    """What is wrong with an ad by itself; where its channel is not known, with its name."""
    ad = Ad(name=row.ad, **row.ad_values)
    found = [row.place.moved(each, "ad") for each in naming.name_part(rule, row.ad, part="ad")[1]]
    if channel is None:
        return found
    exclude = {"ad_set", "governed_name", "name_key"}
    return [*found, *ad_findings(ad, platform(channel.platform), exclude, row.place)]


def _assign(row: Any, values: dict[str, Any]) -> bool:
    """Set what differs; True if anything did."""
    different = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)


def _any_differs(moves: list[tuple[MappedLine, MediaPlanLine]], names: Sequence[str]) -> bool:
    return any(
        stored.source["content"][name] != line.content[name] for line, stored in moves for name in names
    )


__all__ = ["PlanWriter"]
