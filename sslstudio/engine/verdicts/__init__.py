"""What a run, a comparison or a label more is worth, in words with one next step.

Pure functions over what runs have stored. Nothing here trains a network, and nothing is said that its numbers do not
carry.
"""
