"""Labels in COCO JSON: found, read and checked, drawn as masks, and written.

Modules for other formats of labels do not import this one.
"""
