"""One picture closely, from any thumbnail of any page: a window of its own, and the menu of a thumbnail.

It knows the workspace and no page.
"""
