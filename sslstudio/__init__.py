"""SSL Studio: self-supervised learning for people with many pictures and few labels."""

__version__ = "0.1.0"
