"""The words of what the deploy floor finds and tells."""

from __future__ import annotations

from governance.findings import Message
from governance.findings import gettext_noop as _

#: What people are alerted to.
ALERTS = {
    "alert.ad_rejected": Message(
        _("{platform} rejected the ad {name}: {reasons}."),
        _("Change the ad as the platform asks with an UPDATE ticket, or ask for another review on the platform."),
    ),
    "alert.ad_limited": Message(
        _("{platform} shows the ad {name} with limits only: {reasons}."), _("Read the reasons, and change the ad if they matter.")
    ),
    "alert.ad_approved": Message(_("{platform} has approved the ad {name} after all."), _("Nothing is left to do.")),
    "alert.deployment_failed": Message(
        _("Ticket {number} ({name}) could not be deployed: {reason}"),
        _("Open the ticket: mend what is said there, then finish it or take it back."),
    ),
    "alert.deployment_in_doubt": Message(
        _("Ticket {number} ({name}) is in doubt: {reason}"),
        _("Open the ticket, look at the platform, and decide: look again, or give up."),
    ),
    "alert.go_live_missed": Message(
        _("Ticket {number} ({name}) was to go live at {moment} and has not: {reason}"),
        _("Open the ticket and activate it by hand if it should still run."),
    ),
    "alert.drift": Message(
        _("{name} was changed on {platform}: {fields}."), _("Decide under Drift: adopt, restore or ignore each change.")
    ),
    "alert.account_unfit": Message(
        _("The ad account {account} is not fit to be built in: {problem}"),
        _("Mend it on the platform or in the account's settings; tickets wait until then."),
    ),
    "alert.account_unreadable": Message(
        _("The ad account {account} could not be read: {reason}"),
        _("Check its credentials. Until then nobody sees drift or reviews there."),
    ),
    "alert.stop_engaged": Message(
        _("{who} stopped {what}: {reason}"), _("Nothing is sent there until the kill switch is released.")
    ),
    "alert.stop_released": Message(
        _("{who} released the stop of {what}."), _("What it paused is started again; check that all of it runs.")
    ),
}  # fmt: skip

DRIFT = {
    "drift.archived": Message(
        _("{name} is archived on the platform, and no platform brings an archived object back."),
        _("Adopt it, and build it anew with an ADD ticket if it should run again."),
    ),
    "drift.not_in_ticket": Message(
        _("The ticket says nothing about {field} of {name}, so a plan can't set it."),
        _("Take the change back on the platform itself, or adopt or ignore it."),
    ),
    "drift.decided": Message(_("This drift is no longer open."), _("Reload the list.")),
    "drift.no_tree": Message(
        _("{name} belongs to no ticket that was trafficked."), _("Adopt or ignore it, or change it on the platform.")
    ),
    "drift.reason": Message(_("There is no reason."), _("Say why, for whoever reads it later.")),
}  # fmt: skip

INVENTORY = {
    "inventory.unparsable": Message(
        _("'{name}' is not built by the convention in force ({pattern})."), _("Rename it to the proposal, or let it be.")
    ),
    "inventory.unknown_code": Message(
        _("'{text}' is no {part} of the vocabulary."), _("Add it to the vocabulary, or rename the object.")
    ),
    "inventory.other_parent": Message(
        _("The name says {part} '{text}', and its campaign's says '{expected}'."), _("Rename it after its campaign.")
    ),
    "inventory.not_guessed": Message(
        _("No {part} could be read from '{name}'."), _("Give it by hand when you adopt or rename the object.")
    ),
    "inventory.no_convention": Message(
        _("No naming convention is in force."), _("A data admin puts one in force under Govern → Naming conventions.")
    ),
}  # fmt: skip

ADOPTION = {
    "adoption.not_a_campaign": Message(_("{name} is not a campaign."), _("Choose the campaign that it hangs under.")),
    "adoption.governed": Message(_("{name} is governed already."), _("Open its ticket.")),
    "adoption.missing": Message(
        _("{name} can't be adopted without its {field}."), _("Give it: it could not be read from the platform.")
    ),
    "adoption.no_children": Message(
        _("The tree of {name} has not been read yet."), _("Wait until the import of the account has ended.")
    ),
    "adoption.nothing_to_rename": Message(_("All names of {name} are legal."), _("There is nothing to rename.")),
}  # fmt: skip

MESSAGES = {**ALERTS, **DRIFT, **INVENTORY, **ADOPTION}
