from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class GovernanceConfig(AppConfig):
    name = "governance"
    verbose_name = _("Govern")

    def ready(self) -> None:
        from governance import (
            cells,
            findings,
            imports,
            money,
            naming,
            reverting,
            roles,
            search_indexes,
            tables,
            webhooks,
        )

        findings.register_messages({**money.MESSAGES, **naming.MESSAGES, **cells.MESSAGES, **tables.MESSAGES})
        findings.register_messages(imports.MESSAGES)
        findings.register_messages(webhooks.MESSAGES)
        # permissions of an app are made in its own post_migrate: the last app's call sees them all
        reverting.register_own()
        post_migrate.connect(roles.renew_roles, dispatch_uid="governance.roles")
        post_migrate.connect(search_indexes.after_migrate, dispatch_uid="governance.search_indexes")
