"""What each finding says, and what to do next, in AdOps words."""

from __future__ import annotations

from governance.findings import Message
from governance.findings import gettext_noop as _


def _m(text: str, remedy: str) -> Message:
    return Message(text, remedy)


CAMPAIGN = {
    "buying_type.unsupported": _m(
        _("TikTok is bought by auction here; this channel says {buying_type}."),
        _("Choose a TikTok channel whose API identifier is AUCTION."),
    ),
    "account.id_invalid": _m(
        _("{id!r} is no TikTok advertiser id: those are digits only."),
        _("Correct the external id of the ad account."),
    ),
    "account.time_zone_unknown": _m(
        _("The ad account's time zone {zone!r} is unknown, so its days can't be told."),
        _("Set the ad account's time zone to an IANA name such as Europe/Paris."),
    ),
    "objective.unsupported": _m(
        _("TikTok campaigns for the objective {objective} are not made here."),
        _("Choose one of {known}. For followers and profile visits use TikTok Ads Manager."),
    ),
    "political.unstated": _m(
        _("Nobody has said whether this advertising is political; TikTok takes none that is."),
        _("State on the ticket whether it contains political advertising."),
    ),
    "political.not_accepted": _m(
        _("TikTok accepts no political advertising."),
        _("Run this campaign on another channel."),
    ),
    "special_industries.unstated": _m(
        _("Nobody has said whether this is housing, employment or credit advertising."),
        _("State the special ad categories of the ticket; an empty list says that there are none."),
    ),
    "special_industries.unknown": _m(
        _("TikTok has no special industry for the category {category}."),
        _("Choose among {known}, or leave it out where TikTok's rules don't ask for it."),
    ),
    "special_industries.outside_us_ca": _m(
        _("Special industries are declared, but no ad set targets the US or Canada by country."),
        _("TikTok offers the declaration to US and Canadian advertisers; others need its allowlist."),
    ),
    "special_industries.gender": _m(
        _("A campaign in a special industry must not target by gender."),
        _("Clear the gender of this ad set."),
    ),
    "special_industries.age": _m(
        _("A campaign in a special industry must address all adults."),
        _("Set the minimum age to 18 and clear the maximum age."),
    ),
    "config.invalid": _m(
        _("The TikTok option {option} is not accepted: {problem}."),
        _("Correct or remove it; the channel's options are listed beside the field."),
    ),
    "ad_sets.missing": _m(_("The ticket has no ad sets."), _("Add at least one ad set.")),
    "ad_sets.differ": _m(
        _(
            "With a campaign budget all ad groups share goal, bid strategy and conversion event; ad set {other} "
            "differs from ad set {first}."
        ),
        _("Make them alike, or set the budget on the ad sets."),
    ),
    "ads.missing": _m(_("The ad set has no ads."), _("Add at least one ad.")),
}

MONEY = {
    "currency.unlisted": _m(
        _("TikTok's currency table does not list {currency}."),
        _("Use an ad account in a currency that TikTok bills in."),
    ),
    "currency.not_accounts": _m(
        _("The ticket is in {currency}, the ad account in {account}."),
        _("Convert the ticket's amounts to the ad account's currency."),
    ),
    "money.not_positive": _m(
        _("{amount} {currency} is not an amount that can be spent."),
        _("Enter more than zero."),
    ),
    "money.too_precise": _m(
        _("TikTok can't express {amount} {currency} exactly: it takes steps of {unit}."),
        _("Round the amount to a multiple of {unit}."),
    ),
    "budget.missing": _m(
        _("There is no budget."),
        _("Enter the budget at the level that the ticket states."),
    ),
    "budget.level_unstated": _m(
        _("Nobody has said whether the budget belongs to the campaign or to the ad sets."),
        _("Choose the budget level of the ticket."),
    ),
    "budget.two_levels": _m(
        _("There is a budget here although the ticket keeps its budget at the other level."),
        _("Clear this budget, or change the budget level of the ticket."),
    ),
    "budget.below_minimum": _m(
        _("The budget of {amount} {currency} is below TikTok's minimum of {minimum} {currency}."),
        _(
            "Raise it. The minimum is per day for daily budgets, and for an ad set's lifetime budget "
            "times {days} days."
        ),
    ),
    "budget.above_maximum": _m(
        _(
            "A daily budget of {amount} {currency} is above what TikTok accepts: less than {maximum} "
            "{currency}."
        ),
        _("Lower it, or split the campaign."),
    ),
    "budget.lifetime_needs_end": _m(
        _("A lifetime budget needs an end date."),
        _("Set the end of the flight, or use a daily budget."),
    ),
    "budget.daily_average": _m(
        _("TikTok treats {amount} {currency} a day as an average over the week: one day may cost 25 % more."),
        _(
            "Nothing to do if that is fine; a hard daily limit is the option "
            "daily_budget_mode=BUDGET_MODE_DAY."
        ),
    ),
    "bid.fixed_by_campaign_budget": _m(
        _("{name}: under a campaign budget TikTok lets nobody change the bid strategy of a built ad group."),
        _("Keep the strategy, or build a new campaign and archive this one."),
    ),
    "pacing.fixed_by_campaign_budget": _m(
        _("Under a campaign budget TikTok ignores {pacing} and delivers evenly."),
        _("Clear the option pacing, or set the budgets on the ad sets."),
    ),
    "bid.strategy_unsupported": _m(
        _("TikTok has no bid strategy {strategy} for the goal {goal}."),
        _("Use lowest cost or a cost cap; for conversion value, lowest cost or a target ROAS."),
    ),
    "bid.amount_missing": _m(_("The bid strategy {strategy} needs an amount."), _("Enter the bid amount.")),
    "bid.amount_without_cap": _m(
        _("There is a bid amount of {amount}, but lowest cost takes none."),
        _("Clear the amount, or choose a cost cap."),
    ),
    "bid.roas_out_of_range": _m(
        _("A target ROAS of {amount} is not accepted: TikTok takes 0.01 to 1000 with two decimals."),
        _("Enter the ratio of revenue to cost, for example 1.5 for 150 %."),
    ),
    "bid.not_below_budget": _m(
        _("The bid of {bid} must be lower than the budget of {budget}."),
        _("Lower the bid or raise the budget."),
    ),
    "pacing.needs_bid": _m(
        _("Accelerated delivery ({pacing}) needs a cost cap."),
        _("Choose a cost cap, or standard delivery."),
    ),
}

DELIVERY = {
    "goal.missing": _m(_("The ad set has no goal."), _("Choose one of {goals}.")),
    "goal.unsupported": _m(
        _("TikTok's objective {objective} has no goal {goal}."),
        _("Choose one of {goals}, or another objective."),
    ),
    "goal.allowlisted": _m(
        _("The goal {goal} is open only to accounts on TikTok's allowlist."),
        _("Ask your TikTok representative whether the account is on it."),
    ),
    "goal.not_with_campaign_budget": _m(
        _("TikTok does not combine the goal {goal} with a campaign budget."),
        _("Set the budget on the ad sets, or choose another goal."),
    ),
    "billing_event.mismatch": _m(
        _("The goal {goal} is billed by {billed} on TikTok, not by {billing_event}."),
        _("Choose {billed} or leave the billing event empty."),
    ),
    "pixel.missing": _m(
        _("A conversion goal needs a pixel, and the ad account names none."),
        _("Enter the pixel id on the ad account."),
    ),
    "event.missing": _m(
        _("The goal needs a conversion event."),
        _("Choose the event that counts as a conversion."),
    ),
    "event.unknown": _m(
        _("TikTok has no event for {event} here."),
        _("Choose one of {events}, or set the option optimization_event to TikTok's own name."),
    ),
    "event.unused": _m(
        _("The conversion event {event} is not sent: the goal {goal} optimises for none."),
        _("Choose a conversion goal if the event matters."),
    ),
    "app.missing": _m(
        _("App promotion needs the app, and the ad account names none."),
        _("Enter the app id on the ad account."),
    ),
    "app.system_missing": _m(
        _("Nobody has said whether the app is for Android or iOS."),
        _("Set the ad set's option operating_system to ANDROID or IOS."),
    ),
    "app.ios14": _m(
        _("Without a dedicated iOS 14 campaign TikTok reaches only devices older than iOS 14."),
        _("For newer iPhones create a dedicated campaign in TikTok Ads Manager."),
    ),
    "app.audience_missing": _m(
        _("App retargeting needs an audience of people who have the app."),
        _("Include at least one audience."),
    ),
    "schedule.start_missing": _m(_("The flight has no start."), _("Enter the start of the flight.")),
    "schedule.out_of_range": _m(
        _("TikTok takes dates from {first} to {last}."),
        _("Correct the dates, or leave the end empty."),
    ),
    "schedule.no_zone": _m(
        _("A date of the flight has no time zone."),
        _("Enter the flight again on the ticket."),
    ),
    "schedule.ends_before_start": _m(
        _("The flight ends ({end}) before it starts ({start})."),
        _("Correct the dates."),
    ),
    "dayparts.impossible": _m(
        _("There is no daypart on day {day} from {start} to {end}."),
        _("Days are 0 (Monday) to 6, hours 0 to 24, and the end is after the start."),
    ),
    "frequency.reach_only": _m(
        _("TikTok caps frequency for reach campaigns only."),
        _("Clear the cap, or use the objective reach."),
    ),
    "frequency.out_of_range": _m(
        _("A cap of {impressions} impressions in {days} days is not accepted."),
        _("Use 1 to {most} impressions in 1 to {longest} days."),
    ),
}

AUDIENCE = {
    "geo.missing": _m(
        _("The ad set targets no place."),
        _("Choose at least one country, region or city."),
    ),
    "geo.country_unknown": _m(
        _("No TikTok location is known for the country {country}."),
        _("Use its two-letter ISO code, or a region."),
    ),
    "geo.place_id_invalid": _m(
        _("{place} has no TikTok location id ({id})."),
        _("Choose the place from TikTok's location list."),
    ),
    "geo.too_many": _m(
        _("{count} locations are too many: TikTok takes {most}."),
        _("Remove some, or split the ad set."),
    ),
    "geo.may_overlap": _m(
        _(
            "Countries and smaller places are both targeted; TikTok refuses places that lie inside one "
            "another."
        ),
        _("Make sure that no region or city is inside a targeted country."),
    ),
    "geo.exclusion_unsupported": _m(
        _("TikTok can't exclude places."),
        _("Target the wanted regions or cities instead."),
    ),
    "age.reversed": _m(
        _("The maximum age {high} is below the minimum age {low}."),
        _("Correct the ages."),
    ),
    "age.no_band": _m(
        _("No TikTok age band fits {low} to {high}: bands are 13–17, 18–24, 25–34, 35–44, 45–54 and 55+."),
        _("Widen the ages to contain the start of a band."),
    ),
    "age.minimum_rounded_up": _m(
        _("TikTok knows age bands only: from {asked} becomes from {sent}."),
        _("Nothing to do if that is fine; the minimum is never lowered."),
    ),
    "age.maximum_rounded_up": _m(
        _("TikTok knows age bands only: up to {asked} becomes up to {sent}."),
        _("Lower the maximum age to the end of an earlier band if that is too wide."),
    ),
    "age.minors_closed": _m(
        _("TikTok does not target 13- to 17-year-olds in {countries}."),
        _("Set the minimum age to 18."),
    ),
    "languages.invalid": _m(
        _("These are no two-letter language codes: {languages}."),
        _("Use ISO 639-1 codes such as en or ja."),
    ),
    "ids.not_numeric": _m(_("These are no TikTok ids: {ids}."), _("Choose them from TikTok's list.")),
    "audiences.both_ways": _m(
        _("These audiences are both included and excluded: {audiences}."),
        _("Remove them from one side."),
    ),
    "keywords.unsupported": _m(
        _("TikTok auction campaigns take no keywords here."),
        _("Remove the keywords, or use a search channel."),
    ),
    "placements.unknown": _m(
        _("TikTok does not know the placements {placements}."),
        _("Choose among {known}, or none for automatic."),
    ),
    "placements.instant_form": _m(
        _("Instant forms run on TikTok only, not on {placements}."),
        _("Choose PLACEMENT_TIKTOK alone."),
    ),
    "placements.set_to_tiktok": _m(
        _("Instant forms run on TikTok only, so automatic placement becomes TikTok."),
        _("Nothing to do."),
    ),
    "placements.app_bundle_goal": _m(
        _("Global App Bundle does not support the goal {goal}."),
        _("Remove the placement, or optimise for clicks."),
    ),
}

CREATIVE = {
    "text.empty": _m(_("The text is empty."), _("Enter it.")),
    "text.control": _m(
        _("The text holds a line break or another character that can't be shown."),
        _("Type it anew on one line."),
    ),
    "text.too_long": _m(
        _("{length} characters are too many: TikTok takes {longest}, Chinese and Japanese ones count twice."),
        _("Shorten the text."),
    ),
    "text.emoji": _m(_("TikTok takes no emoji here: {emoji}."), _("Remove them.")),
    "texts.missing": _m(_("The ad has no text."), _("Enter one text of up to 100 characters.")),
    "texts.one_only": _m(
        _("The ad has {count} texts, TikTok shows one."), _("Keep one, or make an ad for each text.")
    ),
    "texts.post_caption": _m(
        _("A Spark Ad shows the caption of its post, not the ad's text."), _("Nothing to do.")
    ),
    "identity.missing": _m(
        _("The ad account names no TikTok identity to publish as."),
        _("Enter the identity id on the ad account."),
    ),
    "identity.type_unknown": _m(
        _("{type!r} is no TikTok identity type."), _("Choose one of {types} on the ad account.")
    ),
    "identity.business_centre_missing": _m(
        _("An identity of a Business Center needs that Business Center's id."),
        _("Set the ad's option identity_authorized_bc_id."),
    ),
    "identity.post_missing": _m(
        _("An authorised post identity needs the post."), _("Set the ad's option tiktok_item_id.")
    ),
    "identity.custom_user_ending": _m(
        _(
            "TikTok ends custom identities on its own placement; accounts made since 15 January 2026 "
            "can't use them."
        ),
        _("Prefer a TikTok account (TT_USER or BC_AUTH_TT) as the identity."),
    ),
    "format.unsupported": _m(
        _("TikTok has no ad format {format}."), _("Use a video, an image or a carousel.")
    ),
    "media.one_video": _m(
        _("A video ad needs exactly one video; there are {count}."), _("Choose one video.")
    ),
    "media.one_cover": _m(
        _("A video ad needs exactly one cover image; there are {count}."), _("Choose one thumbnail image.")
    ),
    "media.one_image": _m(
        _("An image ad needs exactly one image; there are {count}."), _("Choose one image.")
    ),
    "media.type": _m(
        _("{file} is of the type {type}, which TikTok does not take here."), _("Use one of {known}.")
    ),
    "media.too_large": _m(_("{file} has {megabytes} MB: TikTok takes {most}."), _("Compress it.")),
    "media.ratio": _m(
        _("{file} is {size} pixels, which is none of TikTok's shapes."), _("Cut it to one of {ratios}.")
    ),
    "media.too_small": _m(
        _("{file} is {size} pixels: TikTok wants at least {least} of this shape."),
        _("Export it larger."),
    ),
    "media.pixels": _m(
        _("{file} is {size} pixels: together more than TikTok's {most}."), _("Export it smaller.")
    ),
    "media.duration": _m(
        _("{file} runs for {seconds} seconds; TikTok describes in-feed videos of {shortest} to {longest}."),
        _("Nothing to do if TikTok has confirmed it; shorter videos fare better."),
    ),
    "media.bit_rate": _m(
        _("{file} has {kbps} kbit/s; TikTok wants at least {least} for delivery."),
        _("Export it in better quality."),
    ),
    "media.cover_ratio": _m(
        _("The cover ({cover}) has another shape than its video ({video})."),
        _("Use a cover of the video's shape."),
    ),
    "image.objective": _m(
        _("TikTok makes no single-image ads for the objective {objective} with this goal."), _("Use a video.")
    ),
    "image.placement": _m(
        _("Single images run on Pangle and Global App Bundle only, not on {placements}."),
        _("Change the placements, or use a video or a carousel with music."),
    ),
    "image.automatic_placement": _m(
        _(
            "TikTok describes single-image ads for Pangle and Global App Bundle; with automatic "
            "placement it may refuse them."
        ),
        _("Choose PLACEMENT_PANGLE or PLACEMENT_GLOBAL_APP_BUNDLE to be sure."),
    ),
    "carousel.images": _m(
        _("A carousel needs {fewest} to {most} images; there are {count}."),
        _("Choose an image for each card."),
    ),
    "carousel.music_missing": _m(_("A TikTok carousel needs music."), _("Set the ad's option music_id.")),
    "carousel.one_link": _m(
        _("A TikTok carousel has one link for all cards."),
        _("Remove the cards' own links, or make an ad for each."),
    ),
    "carousel.card_texts_unused": _m(
        _("TikTok shows no texts on the cards of a carousel."), _("Nothing to do if that is fine.")
    ),
    "video_views.needs_video": _m(_("Video views need a video, not {format}."), _("Use a video ad.")),
    "landing_page.missing": _m(
        _("The ad has no landing page."), _("Enter the address that the ad leads to.")
    ),
    "landing_page.invalid": _m(
        _("{url!r} is no web address."), _("Enter a full address that starts with https://.")
    ),
    "landing_page.unused_app": _m(
        _("The landing page is not sent: the ad leads to the app's store page."), _("Nothing to do.")
    ),
    "landing_page.unused_form": _m(
        _("The landing page is not sent: the ad opens the instant form."), _("Nothing to do.")
    ),
    "instant_form.missing": _m(
        _("Lead ads open an instant form, and none is named."),
        _("Set the ad's option page_id; to collect leads on your website use the goal conversions."),
    ),
    "call_to_action.missing": _m(_("The ad has no call to action."), _("Choose one.")),
    "call_to_action.unsupported": _m(
        _("TikTok has no button for {call_to_action}."), _("Choose one of {known}.")
    ),
    "call_to_action.without_link": _m(
        _("The button {call_to_action} is not sent: the ad has no link."),
        _("Enter a landing page to show it."),
    ),
    "ad.field_unused": _m(
        _("TikTok ads show no {name}; they are not sent."), _("Nothing to do if that is fine.")
    ),
    "ad.business_name_unused": _m(
        _("The name shown is that of the TikTok identity, not the ad's business name."), _("Nothing to do.")
    ),
}

SMART = {
    "smart.objective": _m(
        _("Smart+ is made here for sales on a website, not for {objective}."),
        _("Use the objective sales, or an auction channel."),
    ),
    "smart.suggestion": _m(
        _("Smart+ treats {name} as a suggestion: it may show the ads to others too."),
        _("Set the ad set's option targeting_optimization_mode to MANUAL if it must hold."),
    ),
    "smart.age_minimum": _m(
        _("Smart+ keeps a least age of 18 or 25 for certain, not of {asked}."),
        _("Set the ad set's option targeting_optimization_mode to MANUAL, or use an auction channel."),
    ),
    "smart.cap_needs_daily": _m(
        _("Smart+ takes the bid strategy {strategy} with daily budgets only."),
        _("Use a daily budget, or lowest cost."),
    ),
    "smart.option": _m(_("Smart+ has no option {option}."), _("Take it out, or use an auction channel.")),
    "smart.only": _m(
        _("The option {option} is for Smart+ channels and is not sent."), _("Nothing to do if that is fine.")
    ),
    "smart.videos": _m(
        _(
            "A Smart+ video ad needs 1 to 50 videos with a cover each; there are {videos} videos and {covers} covers."
        ),
        _("Add or remove videos or covers."),
    ),
    "smart.texts": _m(
        _("A Smart+ ad takes 1 to {most} texts; there are {count}."), _("Add or remove texts.")
    ),
    "smart.dynamic_button": _m(
        _("With a TikTok account as identity Smart+ takes a dynamic call to action only."),
        _("Set the ad's option call_to_action_id to a portfolio made in TikTok Ads Manager."),
    ),
    "smart.fixed": _m(
        _("{name}: TikTok lets nobody change {field} of a built Smart+ object."),
        _("Take the change back, or build a new campaign and archive this one."),
    ),
}

#: about the account, before the first call
PREFLIGHT = {
    "account_unknown": _m(
        _("TikTok shows this token no advertiser {id}."),
        _("Check the external id of the ad account, and that the advertiser has authorised the app."),
    ),
    "account_pending": _m(
        _("TikTok is still reviewing the ad account ({status}): it can't advertise yet."),
        _("Wait for TikTok's review, or finish it in TikTok Ads Manager."),
    ),
    "account_closed": _m(
        _("TikTok has closed or limited the ad account ({status}: {reason})."),
        _("Sort it out with TikTok, or use another account."),
    ),
    "currency": _m(
        _("The ad account is in {theirs} on TikTok and in {ours} here: every amount would be wrong."),
        _("Correct the currency of the ad account here."),
    ),
    "time_zone": _m(
        _("The ad account's days are those of {theirs} on TikTok and of {ours} here."),
        _("Correct the time zone of the ad account here."),
    ),
    "no_balance": _m(
        _("The ad account's balance is {balance} {currency}: nothing would be delivered."),
        _("Top it up; ignore this if the account is invoiced."),
    ),
    "identity_unknown": _m(
        _("The ad account may not publish as the identity {id} ({type})."),
        _(
            "Correct the identity id and type of the ad account, or authorise the identity in TikTok Ads Manager."
        ),
    ),
    "identity_closed": _m(
        _("TikTok says that the identity {id} can't be used for new videos now."),
        _("Renew its authorisation in TikTok Ads Manager before the ads are activated."),
    ),
    "pixel_unknown": _m(
        _("The ad account has no pixel {id}."),
        _("Correct the pixel id of the ad account, or share the pixel with it."),
    ),
}

MESSAGES = {
    f"tiktok.{code}": message
    for part in (CAMPAIGN, MONEY, DELIVERY, AUDIENCE, CREATIVE, SMART)
    for code, message in part.items()
} | {f"preflight.tiktok.{code}": message for code, message in PREFLIGHT.items()}
