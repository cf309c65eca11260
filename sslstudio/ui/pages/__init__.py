"""The pages, a package each, and what they have in common (`page`).

Pages do not import each other; what two of them need belongs below.
"""
