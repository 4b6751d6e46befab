"""What reading a plan may find."""

from governance.findings import Message
from governance.findings import gettext_noop as _

MESSAGES = {
    "plan.not_a_plan": Message(
        _("This is not a media plan: '{missing}' is missing."), _("Send an Open Media Plan (2.0 or 3.0), or a table with our columns.")
    ),
    "plan.version": Message(
        _("The plan has schema version {version}; {known} can be read."), _("Export it as one of these versions.")
    ),
    "plan.no_lines": Message(_("The plan has no lines."), _("Add at least one line.")),
    "plan.missing": Message(_("'{what}' is missing."), _("Add it to the plan.")),
    "plan.type": Message(_("'{what}' is {found}, not {wanted}."), _("Correct it in the plan.")),
    "plan.duplicate_line": Message(
        _("The line '{line}' is there twice (first at {first})."), _("Give each line its own id.")
    ),
    "plan.no_media_cost": Message(
        _("The line has no cost_media: what may be spent on media is not said."),
        _("Add cost_media.{total}"),
    ),
    "plan.several_plans": Message(_("The rows name several plans: {plans}."), _("Send one file per plan.")),
    "plan.rate_pair": Message(
        _("An exchange rate needs its currency, and the other way round."),
        _("Fill in both exchange_rate and exchange_rate_currency, or neither."),
    ),
    "plan.aggregate": Message(
        _("The line is an aggregate of others ({level}) and is not bought itself."), _("Nothing to do: it is left out.")
    ),
}  # fmt: skip
