"""Where the program keeps what it can make again: decoded pictures and what folders held."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """SSLSTUDIO_CACHE, or the user's cache folder."""
    return Path(os.environ.get("SSLSTUDIO_CACHE") or platformdirs.user_cache_dir("SSLStudio"))
