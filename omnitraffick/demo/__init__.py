"""The demo: invented brands, a plan of theirs, and people who carry it through the real services."""
