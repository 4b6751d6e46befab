"""What import-linter can't see: subpackages of Django in the platform folders, and the shape of what ships."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = ("django.db", "django.apps", "django.conf", "django.contrib")
PLATFORM_FILES = [
    path for path in sorted((ROOT / "trafficking" / "platforms").rglob("*.py")) if "tests" not in path.parts
]


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", PLATFORM_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_platform_file_imports_neither_orm_nor_settings(path: Path) -> None:
    assert [name for name in imported(path) if name.startswith(FORBIDDEN)] == []


def test_the_rule_would_see_an_import(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("from django import db\nfrom django.db import models\n")
    assert [name for name in imported(tmp_path / "bad.py") if name.startswith(FORBIDDEN)]


def test_every_requirement_is_pinned_exactly() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-")):
                assert "==" in line, f"{name}: {line}"


def test_compose_describes_the_production_shape() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert set(services) == {"web", "worker", "urgent", "beat", "migrate", "postgres", "redis"}
    for name, service in services.items():
        assert service["healthcheck"].get("test") or name == "migrate"
    for name in ("web", "worker", "urgent", "beat"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_image_runs_as_nobody_in_particular_and_keeps_no_secret() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "\nUSER omnitraffick\n" in text
    assert "HEALTHCHECK" in text
    assert "ENV SECRET_KEY" not in text
    assert (ROOT / ".dockerignore").read_text().startswith("**\n")
