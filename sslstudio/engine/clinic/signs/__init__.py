"""The signs that the clinic looks for, one file each: what about these pictures spoils a puzzle, or makes it too easy.

`looked` says what a sign is given and what it returns. Signs do not know each other.
"""
