"""Media plans as they are written: files in, neutral lines out. No vocabulary and no database here."""

from campaigns.plans.lines import AudienceText, LineRead, Location, Plan, PlanLine
from campaigns.plans.messages import MESSAGES
from campaigns.plans.open_plan import read_open_plan
from campaigns.plans.table_plan import COLUMNS, read_table_plan
from governance.tables import Source


def read_plan(source: Source) -> Plan:
    """A plan in any known format. Raises `governance.tables.Refused` where nothing can be read."""
    return read_open_plan(source) if source.is_json else read_table_plan(source)


__all__ = ["COLUMNS", "MESSAGES", "AudienceText", "LineRead", "Location", "Plan", "PlanLine", "read_plan"]
