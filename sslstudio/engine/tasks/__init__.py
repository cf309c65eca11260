"""The pretext tasks, one file each, and the contract that they keep (`base`).

A task makes its inputs and targets on the device and draws its puzzles. Tasks do not import each other.
"""
