from rest_framework.views import exception_handler as error_envelope

__all__ = ["error_envelope"]
