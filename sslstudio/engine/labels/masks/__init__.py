"""Labels as mask files: which file is the mask of which picture, and which class each of its values stands for.

Modules for other formats of labels do not import this one.
"""
