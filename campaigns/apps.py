from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "campaigns"

    def ready(self) -> None:
        from campaigns import plans, rules, services
        from governance import findings, impact

        findings.register_messages({**rules.MESSAGES, **plans.MESSAGES})
        impact.register(services.names_with_code)
        impact.code_changed.connect(services.rebuild_names_after_code)
        impact.convention_put_in_force.connect(services.rebuild_names_after_convention)
