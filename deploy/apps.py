from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeployConfig(AppConfig):
    name = "deploy"
    verbose_name = _("Deploy")

    def ready(self) -> None:
        from deploy import services, ticket_panels
        from trafficking.services import status_moved

        ticket_panels.register_all()
        status_moved.connect(services.follow_ticket, dispatch_uid="deploy.follow_ticket")
