"""Images and videos of brands: brought in by file or guarded URL, measured, kept once by content."""
