from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Plan")

    def ready(self) -> None:
        from campaigns import plans, rules, services, sheet
        from governance import findings, impact, reverting

        findings.register_messages({**rules.MESSAGES, **plans.MESSAGES, **sheet.MESSAGES})
        impact.register(services.names_with_code)
        reverting.register(
            "campaigns.campaign",
            reverting.Way(services.save_again, may=reverting.is_mine, refuse=services.why_not_reverted),
        )
        impact.code_changed.connect(services.rebuild_names_after_code)
        impact.convention_put_in_force.connect(services.rebuild_names_after_convention)
