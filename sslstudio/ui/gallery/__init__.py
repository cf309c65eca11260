"""Many pictures in a scrolling view: a model that loads thumbnails when they come into sight, and its view.

Which pictures, and what is written below them, is handed in.
"""
