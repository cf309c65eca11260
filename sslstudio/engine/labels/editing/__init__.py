"""Labels that people give inside the program: stored as plain files, with a journal so that no stroke is lost.

Edits and their undo, the drawing tools for masks, and moving labels in and out.
"""
