"""Pictures on disk: a folder, several folders or a zip file becomes an index of pictures.

What the pictures show, and what their labels are, is not known here.
"""
