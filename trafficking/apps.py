from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TraffickingConfig(AppConfig):
    name = "trafficking"
    verbose_name = _("Traffic")

    def ready(self) -> None:
        from django.db.models.signals import post_save

        from campaigns import standing
        from campaigns.signals import names_rebuilt
        from governance import credentials, findings, reverting, rule_fields
        from trafficking import (
            admin_live,
            built_rules,
            notices,
            renaming,
            rules,
            ticket_actions,
            ticket_panels,
        )
        from trafficking import reverting as ticket_reverting
        from trafficking import rule_fields as ticket_fields
        from trafficking.imports import messages as imports
        from trafficking.media import messages as media
        from trafficking.models import Approval
        from trafficking.platforms import changes, schema
        from trafficking.platforms.registry import platforms
        from trafficking.services import status_moved

        findings.register_messages(
            {**rules.MESSAGES, **schema.MESSAGES, **changes.MESSAGES, **imports.MESSAGES, **media.MESSAGES}
        )
        for platform in platforms().values():
            findings.register_messages(platform.messages)
            credentials.register_fields(platform.key, platform.credential_fields)
        findings.register_messages({**built_rules.MESSAGES, **notices.MESSAGES})
        for label, way in ticket_reverting.WAYS.items():
            reverting.register(label, way)
        rule_fields.register(ticket_fields.house_fields())
        rule_fields.register(ticket_fields.payload_fields())
        standing.tickets_of = admin_live.standings_of_campaigns
        ticket_actions.register()
        ticket_panels.register_all()
        status_moved.connect(notices.tell_of_status, dispatch_uid="trafficking.notices.status")
        post_save.connect(
            notices.tell_of_decision, sender=Approval, dispatch_uid="trafficking.notices.decision"
        )
        names_rebuilt.connect(renaming.rename_parts, dispatch_uid="trafficking.renaming")
