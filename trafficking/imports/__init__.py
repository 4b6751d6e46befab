"""Media plans and creative sheets in: `import_media_plan` and `check_media_plan` are the only doors."""

from trafficking.imports.messages import MESSAGES
from trafficking.imports.results import ImportResult, LineResult, TicketResult

__all__ = ["MESSAGES", "ImportResult", "LineResult", "TicketResult"]
