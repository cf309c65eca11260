"""Attacks that anyone can repeat: damaged files and mutated pictures, read in processes that may do next to nothing."""
