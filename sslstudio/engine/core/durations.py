"""How long something takes, as one would say it: the same words in the window, on the command line and in records."""

from sslstudio.engine.core.messages import duration as duration
