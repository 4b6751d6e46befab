"""The rows of a large installation, made inside PostgreSQL: one INSERT … SELECT a table.

Every figure is a fraction of the number of campaigns, every choice a hash of the row's number and the seed:
the same seed gives the same rows. The columns that a statement does not name get the model's own default,
so a column that is added later needs no change here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from django.apps import apps
from django.db import connection, models

#: The tables that are loaded with their indexes off: table models, in the order in which they refer to each other.
LARGE = (
    "campaigns.Campaign", "campaigns.CampaignChannel", "trafficking.Ticket", "trafficking.AdSet", "trafficking.Ad",
    "trafficking.Plan", "trafficking.Approval", "trafficking.PlatformObject", "deploy.Deployment", "deploy.Operation",
    "campaigns.HistoricalCampaign", "trafficking.HistoricalTicket",
)  # fmt: skip
ADJECTIVES = (
    "Golden", "Silver", "Bright", "Quiet", "Northern", "Southern", "Urban", "Coastal", "Early", "Late", "Grand",
    "Little", "Wild", "Royal", "Fresh", "Bold", "Hidden", "Rapid", "Gentle", "Modern",
)  # fmt: skip
NOUNS = (
    "Harbor", "Launch", "Summer", "Winter", "Festival", "Voyage", "Garden", "Signal", "Market", "Season", "Premiere",
    "Horizon", "River", "Street", "Weekend", "Holiday", "Sprint", "Finale", "Meadow", "Orbit", "Canvas", "Story",
    "Anthem", "Lantern", "Compass",
)  # fmt: skip
#: Of the tickets that are not finished: how many of a hundred stand where.
OPEN = (
    ("DRAFT", 35), ("QA_FAILED", 15), ("READY_FOR_API", 15), ("APPROVED", 8), ("QUEUED", 2), ("DEPLOYING", 3),
    ("IN_DOUBT", 2), ("FAILED", 20),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows of each kind; ledger rows belong to the share of tickets that have been deployed."""

    campaigns: int
    seed: int
    today: date

    @property
    def tickets(self) -> int:
        return self.campaigns * 3 // 2

    @property
    def ad_sets(self) -> int:
        return self.campaigns * 5 // 2

    @property
    def ads(self) -> int:
        return self.campaigns * 5


def rows(size: Size) -> list[tuple[str, str]]:
    """(what, SQL) in the order in which they run."""
    return [
        ("draw", _draw(size.seed)),
        ("campaign facts", _campaign_facts(size)),
        ("ticket facts", _ticket_facts(size)),
        *_plan(size),
        *_tree(size),
        *_ledger(size),
        *_history(),
    ]


def _draw(seed: int) -> str:
    """draw(n, salt): a number in [0, 1) that belongs to row n."""
    return f"""
        CREATE OR REPLACE FUNCTION scale_draw(n bigint, salt int) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
        $$ SELECT (hashint8extended(n, {seed}::bigint * 1000 + salt) & 2147483647)::float8 / 2147483648 $$"""


def _campaign_facts(size: Size) -> str:
    """Brands and markets by size (the first are the largest), flights over three years up to next quarter."""
    n = size.campaigns
    adjectives, nouns = (f"ARRAY[{', '.join(repr(word) for word in words)}]" for words in (ADJECTIVES, NOUNS))
    return f"""
        CREATE UNLOGGED TABLE scale_campaign AS
        SELECT c.id, b.pk AS brand_id, b.code AS brand, m.pk AS market_id, m.code AS market, m.country, m.currency,
               c.adjective || ' ' || c.noun || ' ' || c.number AS name, c.adjective || c.noun || c.number AS part,
               c.start_on, c.start_on + 6 + (scale_draw(c.id, 6) * 60)::int AS end_on, c.owner_at
        FROM (
            SELECT i::bigint AS id, floor(60 * power(scale_draw(i, 1), 1.5))::int AS brand_at,
                   floor(40 * power(scale_draw(i, 2), 1.3))::int AS market_at,
                   ({adjectives})[1 + floor({len(ADJECTIVES)} * scale_draw(i, 3))::int] AS adjective,
                   ({nouns})[1 + floor({len(NOUNS)} * scale_draw(i, 4))::int] AS noun, upper(to_hex(i)) AS number,
                   floor(20 * scale_draw(i, 8))::int AS owner_at,
                   DATE '{size.today}' - 1000 + (i * 1080.0 / {n})::int + (scale_draw(i, 5) * 30)::int AS start_on
            FROM generate_series(1, {n}) i
        ) c JOIN scale_brand b ON b.at = c.brand_at JOIN scale_market m ON m.at = c.market_at
        ORDER BY c.id"""


def _ticket_facts(size: Size) -> str:
    """Three tickets to two campaigns; the newest fiftieth is open, and a few older ones that were left lying."""
    reached, cases = 0, []
    for status, share in OPEN:
        reached += share
        cases.append(f"WHEN t.luck < {reached / 100} THEN '{status}'")
    newest = size.campaigns * 0.982
    return f"""
        CREATE UNLOGGED TABLE scale_ticket AS
        SELECT t.id, c.id AS campaign_id, c.brand_id, ch.pk AS channel_id, a.pk AS account_id, ch.platform,
               c.start_on, c.end_on, c.owner_at, c.country,
               c.brand || '_' || c.market || '_' || ch.code || '_' || to_char(c.start_on, 'YYYY') || '_' || c.part AS name,
               CASE WHEN NOT (c.id > {newest} OR scale_draw(t.id, 11) < 0.002)
                    THEN CASE WHEN t.luck < 0.12 THEN 'CANCELLED' ELSE 'TRAFFICKED_SUCCESS' END
                    {" ".join(cases)} ELSE 'DRAFT' END AS status
        FROM (
            SELECT i::bigint AS id, ((i - 1) / 3) * 2 + CASE WHEN (i - 1) % 3 = 2 THEN 2 ELSE 1 END AS campaign,
                   CASE WHEN (i - 1) % 3 = 1 THEN 3 ELSE 0 END AS further, scale_draw(i, 10) AS luck
            FROM generate_series(1, {size.tickets}) i
        ) t JOIN scale_campaign c ON c.id = t.campaign
        JOIN scale_channel ch ON ch.at = (t.campaign * 5 + t.further) % (SELECT count(*) FROM scale_channel)
        JOIN scale_account a ON a.brand_id = c.brand_id AND a.platform = ch.platform
        ORDER BY t.id"""


def _plan(size: Size) -> list[tuple[str, str]]:
    campaigns = _insert(
        "campaigns.Campaign", "scale_campaign s JOIN scale_owner o ON o.at = s.owner_at",
        id="s.id", name="s.name", brand_id="s.brand_id", market_id="s.market_id", currency="s.currency",
        objective="(ARRAY['AWARENESS','TRAFFIC','LEADS','SALES'])[1 + floor(4 * scale_draw(s.id, 7))::int]",
        budget="1000 + floor(scale_draw(s.id, 9) * 90000)", start_on="s.start_on", end_on="s.end_on", owner_id="o.pk",
        status=f"CASE WHEN s.end_on < DATE '{size.today}' THEN 'COMPLETED' WHEN s.start_on > DATE '{size.today}' THEN 'DRAFT'"
        " WHEN scale_draw(s.id, 12) < 0.1 THEN 'PAUSED' ELSE 'ACTIVE' END",
        created_at="s.start_on - interval '20 days'", updated_at="s.start_on - interval '10 days'",
    )  # fmt: skip
    names = _insert(
        "campaigns.CampaignChannel", "scale_ticket s", id="s.id", campaign_id="s.campaign_id", channel_id="s.channel_id",
        governed_name="s.name", name_key="lower(s.name)", convention_id="(SELECT pk FROM scale_convention)",
        deployed_at="CASE WHEN s.status = 'TRAFFICKED_SUCCESS' THEN s.start_on - interval '5 days' END",
    )  # fmt: skip
    lines = _insert(
        "campaigns.MediaPlanLine",
        "(SELECT *, row_number() OVER (ORDER BY id) AS n FROM scale_ticket WHERE id % 10 = 0) s",
        id="s.n", plan_id="1 + s.n / 500", line_key="'line-' || s.id", position="s.n % 500", campaign_id="s.campaign_id",
        channel_id="s.channel_id", content_hash="md5(s.id::text)", cost_media="1000", cost_currency="'USD'",
    )  # fmt: skip
    plans = _insert(
        "campaigns.MediaPlan", f"generate_series(1, {1 + size.tickets // 5000 + 1}) i", id="i", plan_key="'plan-' || i",
        name="'Plan ' || i", format="'TABLE'", file_name="'plan.csv'", file_sha256="md5(i::text)",
    )  # fmt: skip
    return [
        ("campaigns", campaigns),
        ("governed names", names),
        ("media plans", plans),
        ("media plan lines", lines),
    ]


def _tree(size: Size) -> list[tuple[str, str]]:
    finding = """'[{"code": "naming.empty", "field": "name", "params": {}, "severity": "block"}]'::jsonb"""
    known = "s.status IN ('TRAFFICKED_SUCCESS', 'IN_DOUBT') AND s.platform <> 'google_ads'"
    tickets = _insert(
        "trafficking.Ticket", "scale_ticket s JOIN scale_owner o ON o.at = s.owner_at",
        id="s.id", campaign_id="s.campaign_id", channel_id="s.channel_id", ad_account_id="s.account_id",
        start_on="s.start_on", end_on="s.end_on", status="s.status", owner_id="o.pk", political="'DOES_NOT_CONTAIN'",
        special_ad_categories="'[]'::jsonb",
        requested_by_id="CASE WHEN s.status NOT IN ('DRAFT', 'CANCELLED') THEN o.pk END",
        findings=f"CASE WHEN s.status = 'QA_FAILED' THEN {finding} ELSE '[]'::jsonb END",
        digest="CASE WHEN s.status IN ('DRAFT', 'QA_FAILED', 'CANCELLED') THEN '' ELSE encode(sha256(s.id::text::bytea), 'hex') END",
        external_id=f"CASE WHEN {known} THEN (120200000000000000 + s.id)::text ELSE '' END",
        created_at="s.start_on - interval '15 days'", updated_at="s.start_on - interval '5 days'",
    )  # fmt: skip
    per_set = f"(SELECT i, (i - 1) * {size.tickets} / {size.ad_sets} + 1 AS ticket FROM generate_series(1, {size.ad_sets}::bigint) i) n"
    ad_sets = _insert(
        "trafficking.AdSet", f"{per_set} JOIN scale_ticket s ON s.id = n.ticket", id="n.i", ticket_id="s.id",
        name="'Prospecting ' || to_hex(n.i)", governed_name="s.name || '_Prospecting' || to_hex(n.i)",
        name_key="lower(s.name || '_Prospecting' || to_hex(n.i))", goal="'CLICKS'", budget="500 + n.i % 900",
        languages="'[\"en\"]'::jsonb", geo="jsonb_build_object('countries', jsonb_build_array(s.country))", age_min="18",
        external_id="CASE WHEN s.status = 'TRAFFICKED_SUCCESS' THEN (120210000000000000 + n.i)::text ELSE '' END",
    )  # fmt: skip
    per_ad = (
        f"(SELECT i, (i + 1) / 2 AS ad_set, ((i + 1) / 2 - 1) * {size.tickets} / {size.ad_sets} + 1 AS ticket"
        f" FROM generate_series(1, {size.ads}::bigint) i) n"
    )
    ads = _insert(
        "trafficking.Ad", f"{per_ad} JOIN scale_ticket s ON s.id = n.ticket", id="n.i", ad_set_id="n.ad_set",
        name="'Wave ' || to_hex(n.i)", format="(ARRAY['IMAGE','VIDEO'])[1 + n.i % 2]",
        governed_name="s.name || '_Prospecting' || to_hex(n.ad_set) || '_Wave' || to_hex(n.i)",
        name_key="lower(s.name || '_Prospecting' || to_hex(n.ad_set) || '_Wave' || to_hex(n.i))", position="n.i % 2",
        texts="'[\"Set sail.\"]'::jsonb", headlines="'[\"It is here\"]'::jsonb", call_to_action="'LEARN_MORE'",
        landing_page="'https://example.com/' || n.i",
        external_id="CASE WHEN s.status = 'TRAFFICKED_SUCCESS' THEN (120220000000000000 + n.i)::text ELSE '' END",
    )  # fmt: skip
    return [("tickets", tickets), ("ad sets", ad_sets), ("ads", ads)]


#: Tickets whose ledger is there: what waits, runs or failed, and a seventh of what is built.
_WITH_PLAN = "s.status NOT IN ('DRAFT', 'QA_FAILED', 'CANCELLED') AND (s.status <> 'TRAFFICKED_SUCCESS' OR s.id % 7 = 0)"
_DEPLOYED = _WITH_PLAN + " AND s.status NOT IN ('READY_FOR_API', 'APPROVED')"
_STATE = "CASE s.status WHEN 'TRAFFICKED_SUCCESS' THEN 'SUCCEEDED' WHEN 'DEPLOYING' THEN 'RUNNING' ELSE s.status END"


def _ledger(size: Size) -> list[tuple[str, str]]:
    owner = "JOIN scale_owner o ON o.at = s.owner_at"
    plans = _insert(
        "trafficking.Plan", f"scale_ticket s, scale_model m WHERE {_WITH_PLAN}", id="s.id", ticket_id="s.id",
        digest="encode(sha256(s.id::text::bytea), 'hex')", platform="s.platform", api_version="m.api_version",
        convention_id="(SELECT pk FROM scale_convention)", operations="m.operations", changes="m.changes",
        basis="m.basis", created_at="s.start_on - interval '12 days'",
    )  # fmt: skip
    approvals = _insert(
        "trafficking.Approval", f"scale_ticket s {owner} WHERE {_WITH_PLAN} AND s.status <> 'READY_FOR_API'", id="s.id",
        ticket_id="s.id", plan_id="s.id", decision="'APPROVED'", by_id="o.pk", at="s.start_on - interval '11 days'",
    )  # fmt: skip
    deployments = _insert(
        "deploy.Deployment", f"scale_ticket s {owner} WHERE {_DEPLOYED}", id="s.id", ticket_id="s.id", plan_id="s.id",
        state=_STATE, requested_by_id="o.pk", created_at="s.start_on - interval '10 days'",
        finished_at="CASE WHEN s.status = 'TRAFFICKED_SUCCESS' THEN s.start_on - interval '9 days' END",
    )  # fmt: skip
    steps = (
        "(VALUES (1, 'campaign', s.name), (2, 'ad_set', s.name || '_Prospecting'), (3, 'ad', s.name || '_Prospecting_Wave'))"
        " p(at, kind, name)"
    )
    operations = _insert(
        "deploy.Operation", f"scale_ticket s CROSS JOIN LATERAL {steps} WHERE {_DEPLOYED}",
        key="lpad(to_hex(s.id), 32, '0') || ':' || p.kind", deployment_id="s.id", position="p.at", ref="p.kind",
        action="'create'", object_type="p.kind", name="p.name", attempts="1", http_status="200", response="'{}'::jsonb",
        state="CASE WHEN s.status = 'TRAFFICKED_SUCCESS' OR p.at = 1 THEN 'DONE' WHEN s.status = 'FAILED' AND p.at = 2 THEN"
        " 'REJECTED' ELSE 'PENDING' END",
        error="CASE WHEN s.status = 'FAILED' AND p.at = 2 THEN 'Invalid parameter' ELSE '' END",
        updated_at="s.start_on - interval '9 days'",
    )  # fmt: skip
    held = _insert(
        "trafficking.PlatformObject",
        f"scale_ticket s CROSS JOIN LATERAL {steps} WHERE {_WITH_PLAN} AND s.status = 'TRAFFICKED_SUCCESS'",
        id="s.id * 3 + p.at", ad_account_id="s.account_id", ticket_id="s.id", tree_id="s.id", ref="p.kind",
        object_type="p.kind", external_id="(120200000000000000 + s.id * 3 + p.at)::text", name="p.name",
        api_version="'v1'", status="'PAUSED'", review="'APPROVED'",
        applied="jsonb_build_object('name', p.name)", live="jsonb_build_object('name', p.name)",
    )  # fmt: skip
    drift = _insert(
        "deploy.Drift", "trafficking_platformobject s WHERE s.id % 31 = 0", id="s.id", held_id="s.id", field="'name'",
        applied="'\"before\"'::jsonb", wanted="'\"before\"'::jsonb", live="'\"after\"'::jsonb",
        state="CASE WHEN s.id % 310 = 0 THEN 'OPEN' ELSE 'ADOPTED' END",
    )  # fmt: skip
    alerts = _insert(
        "deploy.Alert", "scale_ticket s WHERE s.status IN ('FAILED', 'IN_DOUBT') OR s.id % 200 = 0", id="s.id",
        code="'naming.empty'", ticket_id="s.id", key="'ticket:' || s.id",
        seen_at="CASE WHEN s.id % 10 > 0 THEN s.start_on::timestamptz END", created_at="s.start_on::timestamptz",
    )  # fmt: skip
    existing = _insert(
        "deploy.ExistingObject", "scale_ticket s WHERE s.id % 30 = 0", id="s.id", ad_account_id="s.account_id",
        object_type="'campaign'", external_id="'9' || s.id", name="s.name || ' copy'", status="'ACTIVE'", legal="s.id % 60 = 0",
    )  # fmt: skip
    return [
        ("plans", plans), ("approvals", approvals), ("deployments", deployments), ("operations", operations),
        ("platform objects", held), ("drift", drift), ("alerts", alerts), ("existing objects", existing),
    ]  # fmt: skip


def _history() -> list[tuple[str, str]]:
    """One line for each seventh campaign and ticket, two for the newest."""
    return [
        (
            f"history of {model.lower()}s",
            _copy_history(f"{app}.{model}", f"{app}.Historical{model}"),
        )
        for app, model in (("campaigns", "Campaign"), ("trafficking", "Ticket"))
    ]


def _copy_history(original: str, historical: str) -> str:
    own = {field.column for field in apps.get_model(original)._meta.local_concrete_fields}
    kept = [
        field.column
        for field in apps.get_model(historical)._meta.local_concrete_fields
        if field.column in own
    ]
    return _insert(
        historical, f"{apps.get_model(original)._meta.db_table} s WHERE s.id % 7 = 0",
        **{name: f's."{name}"' for name in kept}, history_type="'+'", history_date="s.created_at",
    )  # fmt: skip


def _insert(label: str, source: str, **values: str) -> str:
    """INSERT … SELECT with the model's defaults for all that `values` does not name (by column)."""
    model = apps.get_model(label)
    filled: dict[str, str] = {}
    for field in model._meta.local_concrete_fields:
        if field.column in values:
            filled[field.column] = values[field.column]
        elif not field.primary_key:
            filled[field.column] = _default(field, values.get("id", ""))
    unknown = set(values) - set(filled)
    if unknown:
        raise SystemExit(f"{label} has no column {', '.join(sorted(unknown))}: mend benchmarks/scale_rows.py")
    columns = ", ".join(f'"{name}"' for name in filled)
    # in the order in which an installation writes them: what is newest lies together
    order = f" ORDER BY {values['id']}" if "id" in values else ""
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {", ".join(filled.values())} FROM {source}{order}'


def _default(field: models.Field, row: str) -> str:
    if isinstance(field, models.UUIDField) and not field.null:
        return f"md5('{field.model._meta.db_table}.{field.column}' || ({row}))::uuid"
    if field.null:
        return "NULL"
    if isinstance(field, models.DateTimeField):
        return "now()"
    value = field.get_default()
    if isinstance(field, models.JSONField):
        value = json.dumps({} if value is None else value)
    text = str("" if value is None else value).replace("'", "''")
    return f"'{text}'::{field.db_type(connection)}"
