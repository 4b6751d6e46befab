"""What importing a plan or a creative sheet may find."""

from governance.findings import Message
from governance.findings import gettext_noop as _

MESSAGES = {
    "import.unknown_brand": Message(
        _("There is no brand '{text}'."),
        _("Use a brand's code or name, or let a data admin add an alias: Govern → Aliases, kind ADVERTISER, '{text}' → brand."),
    ),
    "import.unknown_vendor": Message(
        _("No channel is known for {texts}."),
        _("Let a data admin add an alias: Govern → Aliases, kind VENDOR, '{text}' → channel, or 'not trafficked here'."),
    ),
    "import.no_vendor": Message(
        _("The line does not say where it runs."), _("Fill in the channel, or vehicle, partner and media_product.")
    ),
    "import.unknown_channel": Message(
        _("There is no channel '{text}'."), _("Use one of {known}, or leave it empty and fill in vehicle and media_product.")
    ),
    "import.channel_inactive": Message(_("The channel {channel} is inactive."), _("Choose an active one, or let a data admin activate it.")),
    "import.unknown_objective": Message(
        _("There is no objective '{text}'."),
        _("Use one of {known}, or let a data admin add an alias: Govern → Aliases, kind OBJECTIVE, '{text}' → objective."),
    ),
    "import.no_objective": Message(_("The plan does not say its objective."), _("Add it to the campaign: one of {known}.")),
    "import.unknown_market": Message(
        _("There is no market '{text}'."),
        _("Use a market's code or name, say it with --market, or let a data admin add an alias: Govern → Aliases, kind LOCATION,"
          " '{text}' → market."),
    ),
    "import.no_market": Message(
        _("The line does not say its market."), _("Fill it in, or say it with --market. Known are {known}.")
    ),
    "import.several_markets": Message(
        _("The line's locations lead to several markets: {markets}."), _("Say which one this plan is for with --market. A further market needs a copy of the plan with an id of its own.")
    ),
    "import.ambiguous_country": Message(
        _("'{text}' is the country of several markets: {markets}."), _("Name one of them, or say it with --market.")
    ),
    "import.market_conflict": Message(
        _("The line says the market {market}, --market says {option}."), _("Leave one of the two out.")
    ),
    "import.location_outside": Message(
        _("'{text}' is not in the market {market} and is not targeted."), _("If it should be, import a copy of the plan, with an id of its own, for its market.")
    ),
    "import.place_not_targeted": Message(
        _("'{text}' ({kind}) has no platform id here: the whole of {country} is targeted."),
        _("To narrow it, add the city or region with its platform id to the ad set."),
    ),
    "import.outside_reach": Message(
        _("{brand} in {market} is not yours to plan."), _("Ask a data admin for the grant, or take the line out.")
    ),
    "import.no_account": Message(
        _("No active {platform} ad account serves {brand} in {market}."),
        _("Let a data admin add one, or add {brand} × {market} to an account: Govern → Ad accounts."),
    ),
    "import.several_accounts": Message(
        _("Several {platform} ad accounts serve {brand} in {market}: {accounts}."), _("Choose one in the column ad_account.")
    ),
    "import.unknown_account": Message(
        _("'{text}' is not an active {platform} ad account that serves {brand} in {market}."), _("Use one of: {accounts}.")
    ),
    "import.accounts_differ": Message(
        _("The lines of {campaign} on {channel} name several ad accounts: {accounts}."), _("One campaign on one channel has one account.")
    ),
    "import.objectives_differ": Message(
        _("The lines of {campaign} have several objectives: {objectives}."), _("Give the lines of one campaign one objective.")
    ),
    "import.statements_differ": Message(
        _("The lines of {campaign} on {channel} state different values for {what}."), _("State the same on all of them.")
    ),
    "import.nothing_targeted": Message(
        _("The audience '{audience}' is not in the vocabulary: {taken}. Not targeted: {words}."),
        _("Let a data admin add the audience with its platform ids, or an alias: Govern → Aliases, kind AUDIENCE, '{audience}'."),
    ),
    "import.audience_elsewhere": Message(
        _("The audience '{audience}' belongs to {owner}, not to {brand}."),
        _("Choose one of {brand} or of every brand, or let a data admin widen it: Govern → Audiences."),
    ),
    "import.goal_nearest": Message(
        _("{channel} can't optimise for {objective}; the goal is {goal} instead."), _("Choose another goal, if that is not meant.")
    ),
    "import.not_trafficked": Message(
        _("'{text}' is not trafficked here: the line is reported and left to others."), _("Nothing to do.")
    ),
    "import.same_name": Message(
        _("Two lines of {campaign} on {channel} get the same name '{name}' (the other is {other})."), _("Give one of them another name.")
    ),
    "import.name_twice": Message(
        _("Two campaigns of this plan would both be named '{name}': '{one}' and '{other}'."), _("Rename one of them.")
    ),
    "import.line_moved": Message(
        _("The line '{line}' belonged to {before} and now says {after}."), _("Give it a new line id; the old one stays as it is.")
    ),
    "import.kept": Message(
        _("The line '{line}' changed, but its ticket is {status}: nothing was overwritten."),
        _("Change it on the ticket once updates of live campaigns are possible, or plan a new line."),
    ),
    "import.campaign_budget_kept": Message(
        _("The ticket of {campaign} on {channel} has a campaign budget of its own, which was not changed."),
        _("Change it on the ticket, if the plan's new costs are meant."),
    ),
    "import.not_added": Message(
        _("The line '{line}' is new, but its ticket is {status}: it was not added."), _("Plan it in a new campaign.")
    ),
    "import.gone": Message(
        _("The line '{line}' was trafficked from this plan before and is not any more."), _("Its ad set stays; cancel or change it by hand.")
    ),
    "import.plan_elsewhere": Message(
        _("The plan '{plan}' was imported before for brands or markets that are not yours."), _("Give your plan an id of its own.")
    ),
    "import.total_too_long": Message(_("The lines of {campaign} add up to {total}, too long an amount."), _("Check the amounts.")),
    "import.at_the_same_time": Message(
        _("Somebody else imported or created the same names at this moment."), _("Nothing was written. Import it once more.")
    ),
    "import.credentials": Message(
        _("The file has credentials; they can't be uploaded here."), _("Take them out, and enter them on the account's page.")
    ),
    "import.refused": Message(_("{problem}"), _("Correct it in the file.")),
    "import.unknown_user": Message(_("There is no active person '{text}'."), _("Use the user name as it stands under People.")),
    "creatives.unknown_line": Message(
        _("The plan has no line '{line}'."), _("Use the line ids of the plan.{suggestion}")
    ),
    "creatives.line_not_here": Message(
        _("The line '{line}' is not trafficked here; its ads are left out."), _("Nothing to do.")
    ),
    "creatives.duplicate": Message(_("The ad '{ad}' of line '{line}' is there twice (first in row {first})."), _("Give it another name.")),
    "creatives.conflict": Message(
        _("The rows of one {level} state different values for {column} (row {first} says '{other}')."), _("Say it once, or say the same.")
    ),
    "creatives.kept": Message(
        _("The ad '{ad}' changed, but its ticket is {status}: nothing was overwritten."), _("Plan a new ad in a new campaign.")
    ),
    "creatives.fetch_time": Message(
        _("Fetching the sheet's files took longer than {seconds} seconds; this one was not fetched any more."),
        _("Add the files to the media library first, and name them in the sheet."),
    ),
    "creatives.no_plan": Message(_("There are no ads without their plan."), _("Send the plan together with its creative sheet.")),
}  # fmt: skip
