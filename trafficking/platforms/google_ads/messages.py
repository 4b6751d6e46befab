"""Words for this platform's findings, for AdOps people: what is wrong, and what to do next."""

from __future__ import annotations

from governance.findings import Message
from governance.findings import gettext_noop as _

MESSAGES = {
    f"google_ads.{code}": message
    for code, message in {
        # the account, before anything is sent
        "preflight.no_customer": Message(
            _("Google Ads answers nothing about the account {account}."),
            _("Check the account's id and that the connected user may manage it."),
        ),
        "preflight.not_enabled": Message(
            _("The Google Ads account {account} is {status}: nothing can be built in it."),
            _("Have it reactivated in Google Ads, or choose another ad account."),
        ),
        "preflight.manager": Message(
            _("{account} is a manager account, which has no campaigns of its own."),
            _("Enter the advertiser's account, and this one as its login customer id."),
        ),
        "preflight.currency": Message(
            _("Google Ads bills the account in {theirs}, here it is kept in {ours}."),
            _("Correct the ad account's currency here, and check its tickets' amounts."),
        ),
        "preflight.time_zone": Message(
            _("The account's days are those of {theirs} on Google Ads, here those of {ours}."),
            _("Correct the ad account's time zone here, and check the flights of its tickets."),
        ),
        "preflight.billing": Message(
            _("The account {account} has no approved billing (found: {states})."),
            _("Set up billing in Google Ads; without it ads are made and never shown."),
        ),
        "preflight.eu_political_undeclared": Message(
            _(
                "{count} campaigns of the account don't say whether they hold political ads for the EU: {campaigns}."
            ),
            _(
                "Declare them in Google Ads first: until then Google refuses every change of campaigns in the account."
            ),
        ),
        "preflight.conversion_action": Message(
            _("The conversion action {conversion_action} can't be used (found: {state})."),
            _("Enter an enabled conversion action of the account, or none."),
        ),
        # the ticket as a whole
        "request.unsupported": Message(
            _("There is no request of the type {request_type} for Google Ads."),
            _("Choose one of CREATE, UPDATE, ADD, PAUSE, ACTIVATE, ARCHIVE and RENAME."),
        ),
        "channel.unknown": Message(
            _("Google Ads has no channel {channel} here; there are {known}."),
            _("Choose one of these as the channel's API identifier."),
        ),
        "config.invalid": Message(
            _("A Google Ads option is not valid at {pointer}: {problem}."),
            _("Correct the option or remove it."),
        ),
        "account.id_malformed": Message(
            _("{account} is not a Google Ads customer id."),
            _("Enter the ten digits of the ad account, as 123-456-7890 or without dashes."),
        ),
        "account.time_zone_unknown": Message(
            _("The ad account's time zone {time_zone} is unknown."),
            _("Enter its IANA name in the ad account, such as Europe/Berlin."),
        ),
        "currency.not_the_accounts": Message(
            _("The ticket is in {currency}, but the ad account spends {account}."),
            _("Convert the amounts to {account}."),
        ),
        "currency.unlisted": Message(
            _("Google Ads doesn't bill in {currency}."),
            _("Use an ad account in a currency that Google Ads lists."),
        ),
        "name.missing": Message(
            _("The name is empty."), _("Give it the name that the naming convention makes.")
        ),
        "name.too_long": Message(
            _("The name is too long for Google Ads: {length}, at most {maximum}."),
            _("Shorten a part of the name."),
        ),
        "name.control_character": Message(
            _("The name contains a line break or another control character."),
            _("Remove it."),
        ),
        "name.duplicate": Message(
            _("The ad groups {other} and this one have the same name {name}."),
            _("Give each ad group of the campaign a name of its own."),
        ),
        "mutate.too_large": Message(
            _("The campaign has {count} parts; Google Ads takes {maximum} in one request."),
            _("Split the ticket, or take out keywords."),
        ),
        "objective.missing": Message(_("The objective is missing."), _("Choose the campaign's objective.")),
        "objective.unsupported": Message(
            _("{channel} campaigns can't be made for {objective}."),
            _("App promotion needs an App campaign, which is made in Google Ads itself."),
        ),
        "ad_set.missing": Message(_("The ticket has no ad group."), _("Add at least one ad set.")),
        "ad_set.differs": Message(
            _("Google Ads sets {setting} per {level}, but the ad sets differ."),
            _("Make them the same in all ad sets, or make one ticket for each."),
        ),
        # what a person must state
        "special_ad_categories.unstated": Message(
            _("Nobody has stated whether housing, employment or credit is advertised."),
            _("State the special ad categories, or that there are none."),
        ),
        "special_ad_categories.account_agreement": Message(
            _(
                "For {categories} Google Ads asks for an agreement on the account; the campaign has no field for it."
            ),
            _("See in Google Ads that the personalised advertising agreement is accepted."),
        ),
        "special_ad_categories.narrowed": Message(
            _("Ads about {categories} may not be narrowed by age or gender in the United States and Canada."),
            _("Remove age and gender."),
        ),
        "political.unstated": Message(
            _(
                "Nobody has stated whether this is political advertising; the EU demands it for every campaign."
            ),
            _("State whether the campaign contains political advertising."),
        ),
        "political.not_in_eu": Message(
            _("Google Ads takes no political advertising in the European Union ({countries})."),
            _(
                "Take out the EU countries; regions and cities count as the EU unless only countries are chosen."
            ),
        ),
        "political.needs_verification": Message(
            _("Google Ads shows political advertising only for verified election advertisers."),
            _("See that the account is verified for the countries of this campaign."),
        ),
        # YouTube
        "youtube.becomes_demand_gen": Message(
            _(
                "Google's API doesn't create YouTube (Video) campaigns. This line becomes Demand Gen, restricted to "
                "YouTube: another product, bid for clicks or conversions instead of views, with other inventory "
                "and reports."
            ),
            _(
                "Ask the planner. If that is accepted, set the option demand_gen_accepted; else book it in Google Ads."
            ),
        ),
        "youtube.needs_demand_gen": Message(
            _("A YouTube line can't be a {channel} campaign."),
            _("Choose the Demand Gen channel, or remove the option youtube_only."),
        ),
        # dates
        "schedule.without_zone": Message(
            _("The time has no time zone."), _("Enter the time in the ad account's zone.")
        ),
        "schedule.end_before_start": Message(
            _("The flight ends ({end}) before it starts ({start})."), _("Correct the dates.")
        ),
        "schedule.whole_days": Message(
            _("Google Ads runs whole days: {sent} ({zone}) instead of {asked}."),
            _("Use an ad schedule for hours, or accept the whole day."),
        ),
        "schedule.ad_group_dates": Message(
            _("Ad groups have no dates of their own on Google Ads, but this one asks for {asked}."),
            _("Remove the ad set's dates, or make a ticket of its own."),
        ),
        "daypart.invalid": Message(
            _("The hours from {start} to {end} are no time of a day."),
            _("Enter hours from 0 to 24, the end after the start."),
        ),
        "daypart.too_many": Message(
            _("{day} has {count} time slots; Google Ads takes {maximum} a day."), _("Join some of them.")
        ),
        "daypart.overlap": Message(_("Time slots on {day} overlap."), _("Join them, or move one.")),
        # money
        "amount.not_positive": Message(
            _("{amount} {currency} is no amount above zero."), _("Enter an amount.")
        ),
        "amount.not_expressible": Message(
            _("Google Ads can't express {amount} {currency}: amounts are multiples of {unit}."),
            _("Round it to a multiple of {unit}."),
        ),
        "budget.missing": Message(_("The budget is missing."), _("Enter a daily or lifetime budget.")),
        "budget.level_missing": Message(
            _("It is not stated where the budget stands."), _("Choose the campaign as the budget level.")
        ),
        "budget.only_on_campaign": Message(
            _(
                "Google Ads has budgets on campaigns only, but the ticket gives one to each of {ad_groups} ad sets."
            ),
            _("Set one budget on the campaign, or make a ticket for each ad set."),
        ),
        "budget.raised_to_campaign": Message(
            _(
                "Google Ads has no ad group budgets: the only ad set's {amount} becomes the campaign's budget."
            ),
            _("Nothing to do, unless another ad set is planned."),
        ),
        "budget.lifetime_without_end": Message(
            _("A lifetime budget needs an end date."), _("Enter the end of the flight, or a daily budget.")
        ),
        "budget.daily_derived": Message(
            _(
                "Display has no lifetime budgets: {total} {currency} over {days} days become {daily} {currency} a day, "
                "rounded down; {unspent} {currency} stay unspent."
            ),
            _(
                "Approve the daily amount, or enter another one. Google may spend twice as much on a single day."
            ),
        ),
        "budget.too_small_for_days": Message(
            _("{total} {currency} over {days} days is less than the smallest amount a day."),
            _("Raise the budget, or shorten the flight."),
        ),
        "budget.below_minimum": Message(
            _(
                "{amount} {currency} is too little: Demand Gen needs {per_day} {currency} a day, {minimum} for {days} days."
            ),
            _("Raise the budget to at least {minimum} {currency}."),
        ),
        # bidding
        "goal.missing": Message(_("The ad set's goal is missing."), _("Choose what to optimise for.")),
        "goal.differs": Message(
            _("Google Ads bids per campaign: {goal} here, {first} in the first ad set."),
            _("Use one goal for all ad sets, or make a ticket for each."),
        ),
        "goal.unsupported": Message(
            _("{channel} campaigns can't be optimised for {goal}."),
            _(
                "Choose clicks, leads, conversions or conversion value. (A YouTube line that is accepted as Demand Gen is "
                "bid for clicks.)"
            ),
        ),
        "goal.becomes_clicks": Message(
            _("Demand Gen can't be optimised for {goal}: it will be bid for clicks."),
            _("Approve that, or choose conversions."),
        ),
        "bid.strategy_unsupported": Message(
            _("{channel} campaigns with the goal {goal} have no bid strategy {strategy}."),
            _("Let Google bid (LOWEST_COST), or choose a strategy that fits the goal."),
        ),
        "bid.amount_missing": Message(_("{strategy} needs an amount."), _("Enter the bid amount.")),
        "bid.roas_out_of_range": Message(
            _("A return on ad spend of {roas} is not between 0.01 and 1000."),
            _("Enter a ratio: 4 for 400 %."),
        ),
        "bid.cpm_needs_cap": Message(
            _("Display for reach is bought at a price for a thousand impressions; {strategy} names none."),
            _("Choose BID_CAP and enter the most to pay for a thousand viewable impressions."),
        ),
        "bid.share_needs_cap": Message(
            _("A target impression share needs a highest price for a click; {strategy} names none."),
            _("Choose BID_CAP and enter that price."),
        ),
        "bid.impression_share_missing": Message(
            _("Search for impressions needs a place on the page and a share of auctions."),
            _("Set the option target_impression_share."),
        ),
        "conversion.account_default": Message(
            _("The ad account names no conversion action: the campaign follows the account's default goals."),
            _(
                "See in Google Ads that these are the right ones, or enter the conversion action in the ad account."
            ),
        ),
        # people
        "geo.missing": Message(
            _("No country, region or city is chosen."), _("Choose where the ads are shown.")
        ),
        "geo.country_unknown": Message(
            _("Google Ads can't target the country {country}."), _("Use its ISO 3166 code, or take it out.")
        ),
        "geo.place_unknown": Message(
            _("{place} ({name}) is no geo target id of Google Ads."),
            _("Enter the number from Google's geo targets list."),
        ),
        "geo.included_and_excluded": Message(
            _("The place {place} is both chosen and excluded."), _("Remove one of them.")
        ),
        "language.unknown": Message(
            _("Google Ads can't target the language {language}."), _("Choose another, or none for all.")
        ),
        "language.both_chinese": Message(
            _(
                "Google Ads has two languages for {language}: simplified and traditional Chinese are both targeted."
            ),
            _("Enter zh-CN or zh-TW to target one."),
        ),
        "age.no_band": Message(
            _("No age band of Google Ads lies within {age_min} to {age_max}."),
            _("Bands are 18-24, 25-34, 35-44, 45-54, 55-64 and 65+. Widen the range."),
        ),
        "age.minimum_raised": Message(
            _("Google Ads has fixed age bands: from {asked} becomes from {sent}."),
            _("Approve that, or start at a band."),
        ),
        "age.maximum_raised": Message(
            _("Google Ads has fixed age bands: up to {asked} becomes up to {sent}."),
            _("Approve that, or end at a band."),
        ),
        "age.unknown_excluded": Message(
            _("People whose age Google doesn't know are excluded."),
            _("Approve that. Without a minimum age the option include_unknown_age keeps them."),
        ),
        "age.unknown_with_minimum": Message(
            _("People of unknown age may be younger than {age_min}."),
            _("Remove the option include_unknown_age."),
        ),
        "gender.unknown": Message(
            _("Google Ads doesn't know {genders}."), _("Choose MALE, FEMALE, or none for all.")
        ),
        "interest.not_on_search": Message(
            _("Interests can't be chosen here on Search."), _("Remove them, or use audiences.")
        ),
        "audience.unknown": Message(
            _("{audience} is no audience id of Google Ads."),
            _("Enter the user list's number, or kind and number: {kinds}."),
        ),
        "audience.demand_gen_only": Message(
            _("Combined audience resources (audiences/…) are for Demand Gen only."),
            _("Use user lists or custom audiences."),
        ),
        "audience.grouped_alone": Message(
            _("With an audience resource (audiences/…) the ad group takes no other audience, age or gender."),
            _("Put them into the audience in Google Ads, or use single segments."),
        ),
        "placement.unknown": Message(
            _("{placement} is no placement of this channel; there are {known}."),
            _("Choose one of these, or none for all."),
        ),
        "frequency_cap.display_only": Message(
            _("{channel} campaigns take no frequency cap here."), _("Remove it.")
        ),
        "frequency_cap.unsupported": Message(
            _("Google Ads can't cap at {impressions} impressions in {days} days."),
            _("Cap by 1, 7 or 30 days."),
        ),
        # keywords
        "keyword.missing": Message(
            _("The ad group has no keywords."), _("Add keywords with their match types.")
        ),
        "keyword.search_only": Message(_("{channel} ad groups take no such keywords."), _("Remove them.")),
        "keyword.empty": Message(_("The keyword is empty."), _("Enter it or remove it.")),
        "keyword.match_unknown": Message(_("{match} is no match type."), _("Choose EXACT, PHRASE or BROAD.")),
        "keyword.too_long": Message(
            _("The keyword “{keyword}” has more than {characters} characters."), _("Shorten it.")
        ),
        "keyword.too_many_words": Message(
            _("The keyword “{keyword}” has more than {words} words."), _("Shorten it.")
        ),
        "keyword.bad_characters": Message(
            _("The keyword “{keyword}” contains characters that Google Ads refuses: {found}"),
            _("Remove them; the match type is a field of its own."),
        ),
        "keyword.duplicate": Message(
            _("The keyword “{keyword}” ({match}) is there twice."), _("Remove one.")
        ),
        "keyword.also_negative": Message(
            _("The keyword “{keyword}” is also a negative keyword of this ad group: it would never be used."),
            _("Remove one of them."),
        ),
        # ads
        "ad.missing": Message(_("The ad group has no ad."), _("Add at least one ad.")),
        "ad.format_unsupported": Message(
            _("{channel} campaigns have no ads of the format {format}."), _("Choose one of {known}.")
        ),
        "landing_page.missing": Message(
            _("The landing page is missing."), _("Enter the address that a click leads to.")
        ),
        "landing_page.malformed": Message(
            _("{url} is no web address."), _("Enter a whole address with https:// and without spaces.")
        ),
        "landing_page.too_long": Message(
            _("The landing page's address has {length} characters, at most {maximum}."), _("Shorten it.")
        ),
        "landing_page.several_sites": Message(
            _(
                "The ads of this ad group lead to different sites: {hosts}. Google wants one site per ad group."
            ),
            _("Move them to ad groups of their own."),
        ),
        "text.too_few": Message(
            _("There are {count} {field}, at least {minimum} are needed."), _("Add more.")
        ),
        "text.too_many": Message(
            _("There are {count} {field}, at most {maximum} are taken."), _("Remove some.")
        ),
        "text.missing": Message(_("The {field} is missing."), _("Enter it.")),
        "text.blank": Message(_("The text is empty."), _("Enter it or remove it.")),
        "text.too_long": Message(
            _("“{text}” is {width} wide, at most {maximum}. Full-width characters count two."),
            _("Shorten it."),
        ),
        "text.duplicate": Message(
            _("“{text}” is the same as text {other}."), _("Write another one, or remove it.")
        ),
        "text.exclamation": Message(
            _("“{text}”: Google's editorial policy refuses exclamation marks in headlines."), _("Remove it.")
        ),
        "path.malformed": Message(
            _("The display path “{path}” is empty or has a slash or space."), _("Correct it.")
        ),
        "media.missing": Message(
            _("There are {count} media of the kind {kind}, at least {minimum} are needed."),
            _("Add the missing media."),
        ),
        "media.too_many": Message(
            _("There are {count} media of the kind {kind}, at most {maximum} are taken."), _("Remove some.")
        ),
        "adopted.by_hand": Message(
            _("{name}: {field} was let stand as {value} on the platform and has been changed there again."),
            _("Set it back in Google Ads, or change the ticket so that it says what is wanted."),
        ),
        "performance_max.one_ad": Message(
            _("An asset group of Performance Max shows the assets of one ad; this ad set has {count}."),
            _("Keep one ad per ad set, with all its texts and images, or make more ad sets."),
        ),
        "performance_max.no_targeting": Message(
            _("Performance Max has no place for {setting}: Google chooses whom it reaches."),
            _("Remove it, or use another channel."),
        ),
        "performance_max.audience": Message(
            _("{audience} can't be an audience signal; Performance Max takes audiences/ and a number."),
            _("Make an audience in Google Ads and enter it as audiences/123."),
        ),
        "performance_max.short_description": Message(
            _("Performance Max needs one description of at most {width} characters."),
            _("Shorten one of them."),
        ),
        "media.type": Message(
            _("{name} is of the type {type}; Google Ads takes {known}."),
            _("Save the file in one of these types."),
        ),
        "media.too_large": Message(
            _("{name} has {bytes} bytes; Google Ads takes at most {maximum}."), _("Compress the file.")
        ),
        "media.too_small": Message(
            _("{name} is {width} × {height} pixels; Google Ads needs at least {least}."),
            _("Export it larger, or use it as another kind of image."),
        ),
        "media.ratio": Message(
            _(
                "{name} is {width} × {height} pixels; as {kind} Google Ads takes the ratio {ratio} only (within 1 %)."
            ),
            _("Crop the file, or use it as another kind of image."),
        ),
        "media.too_long": Message(
            _("{name} lasts {seconds} seconds; YouTube takes at most {maximum}."), _("Shorten the video.")
        ),
        "media.not_an_asset": Message(
            _("{media} ({kind}) is no asset id of Google Ads."),
            _("Upload the image to the account's asset library and enter the asset's number."),
        ),
        "media.not_a_youtube_id": Message(
            _("{media} is no YouTube video id."),
            _("Enter the 11 characters after watch?v= in the video's address."),
        ),
        "media.video_not_on_youtube": Message(
            _("The video {media} is no YouTube video; Google Ads shows only those."),
            _("Upload it to YouTube and enter it as a YouTube video."),
        ),
        "call_to_action.unsupported": Message(
            _("Google Ads has no button {wanted}."), _("Choose one of {known}, or none.")
        ),
        "call_to_action.nearest": Message(
            _("Google Ads has no button {wanted}: {sent} is used."), _("Approve that, or choose another one.")
        ),
        "call_to_action.not_on_search": Message(
            _("Search ads have no button: {wanted} is not sent."), _("Say it in a headline or description.")
        ),
    }.items()
}
