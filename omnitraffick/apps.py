from django.apps import AppConfig


class OmnitraffickConfig(AppConfig):
    name = "omnitraffick"

    def ready(self) -> None:
        from omnitraffick import checks  # noqa: F401  (registers the system checks)
