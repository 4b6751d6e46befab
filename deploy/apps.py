from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeployConfig(AppConfig):
    name = "deploy"
    verbose_name = _("Deploy")

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from deploy import (
            alerts,
            halting,
            messages,
            notices,
            progress,
            proof,
            reading,
            rehearsal,
            selectors,
            services,
            ticket_panels,
            uploads,
        )
        from deploy.models import AccountWatch, Alert, KillSwitch
        from governance import findings, trail
        from trafficking import held, live
        from trafficking import services as tickets
        from trafficking.services import status_moved

        ticket_panels.register_all()
        findings.register_messages(
            {
                **proof.MESSAGES,
                **messages.MESSAGES,
                **halting.MESSAGES,
                **rehearsal.MESSAGES,
                **notices.MESSAGES,
            }
        )
        trail.register_sight("deploy.killswitch", selectors.stops_visible_to)
        tickets.read_live = reading.read_for_planning
        held.uploaded_ids = uploads.uploaded_ids
        live.progress_of = progress.of_tickets
        status_moved.connect(services.follow_ticket, dispatch_uid="deploy.follow_ticket")
        status_moved.connect(alerts.tell_of_status, dispatch_uid="deploy.alerts.status")
        status_moved.connect(notices.tell_of_status, dispatch_uid="deploy.notices.status")
        post_save.connect(notices.tell_of_alert, sender=Alert, dispatch_uid="deploy.notices.alert")
        post_save.connect(alerts.tell_of_account, sender=AccountWatch, dispatch_uid="deploy.alerts.account")
        post_save.connect(alerts.tell_of_stop, sender=KillSwitch, dispatch_uid="deploy.alerts.stop")
