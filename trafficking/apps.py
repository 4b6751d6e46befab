from django.apps import AppConfig


class TraffickingConfig(AppConfig):
    name = "trafficking"

    def ready(self) -> None:
        from governance import findings
        from trafficking import rules
        from trafficking.platforms import schema
        from trafficking.platforms.registry import platforms

        findings.register_messages({**rules.MESSAGES, **schema.MESSAGES})
        for platform in platforms().values():
            findings.register_messages(platform.messages)
