"""Pretraining: one run of a pretext task, from pictures to an encoder.

The online probe and the alarms that watch it, previews and games with its puzzles, and its benchmark.
"""
