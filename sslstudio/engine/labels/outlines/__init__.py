"""Labels drawn in a file of words or numbers (polygons, boxes, run lengths): matched, checked, made into masks.

What a file of a certain format says is read by that format; all that comes after is the same and lies here.
"""
