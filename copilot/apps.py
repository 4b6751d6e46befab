from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CopilotConfig(AppConfig):
    name = "copilot"
    verbose_name = _("Copilot")

    def ready(self) -> None:
        from copilot.guidelines import messages
        from governance import findings

        findings.register_messages(messages.MESSAGES)
