from rest_framework.permissions import DjangoModelPermissions as RolePermission

__all__ = ["RolePermission"]
