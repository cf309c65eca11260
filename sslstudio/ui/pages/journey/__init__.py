"""The simple way: one goal, one button, and what happens now."""
