"""Meta (Facebook, Instagram): Marketing API, Graph v26.0."""

from trafficking.platforms.meta.platform import Meta

PLATFORM = Meta()
