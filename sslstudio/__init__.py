"""SSL Studio: self-supervised learning for people with many pictures and few labels."""

__version__ = "0.3.0.dev0"
